// Exact integers as people read them: grouped digits, shares rounded from integers, and formulas.

const grouped = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const absolute = (n) => (n < 0n ? -n : n);
const signed = (n) => (n > 0n ? "+" : n < 0n ? "−" : "") + grouped(absolute(n));
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0n);
const inOrder = (a, b) => (a < b ? -1 : Number(a > b));

/** A quotient in decimals, rounded half to even from the exact integers, as gpt2calc.table.rounded. */
function rounded(numerator, denominator, digits) {
  if (denominator === 0n) return "-";
  const [scaled, whole] = [absolute(numerator) * 10n ** BigInt(digits), absolute(denominator)];
  const [below, twice] = [scaled / whole, 2n * (scaled % whole)];
  const quotient = below + BigInt(twice > whole || (twice === whole && below % 2n));
  const text = String(quotient).padStart(digits + 1, "0");
  const cut = text.length - digits;
  const sign = quotient && numerator < 0n !== denominator < 0n ? "-" : "";
  return sign + grouped(text.slice(0, cut)) + (digits ? `.${text.slice(cut)}` : "");
}

const percent = (part, whole, digits = 2) => `${rounded(100n * part, whole, digits)} %`;

/** The quotient of two integers as the nearest float: more bits than a float has, and a last one for what is cut. */
function share(part, whole) {
  const bits = 80n + BigInt(Math.max(0, 4 * (whole.toString(16).length - part.toString(16).length)));
  if (bits > 1000n) return 0; // it shows as 0, and 2 ** 1024 would be Infinity
  const scaled = part << bits;
  return Number((scaled / whole) | (scaled % whole ? 1n : 0n)) / 2 ** Number(bits);
}

/** A large number in three digits, for a glance: 124M, 1.56B, 1.20e36. */
function atAGlance(n) {
  const digits = String(n).length;
  if (digits > 15) return `${rounded(n, 10n ** BigInt(digits - 1), 2)}e${digits - 1}`;
  const power = Math.floor((digits - 1) / 3);
  const unit = 1000n ** BigInt(power);
  const text = rounded(n, unit, power ? Math.max(0, 3 - String(n / unit).length) : 0);
  return text === "1,000" && power < 4 ? atAGlance(1000n * unit) : text + ["", "K", "M", "B", "T"][power];
}

// Polynomials: a Map from the letters of a term, in reading order and joined, to its coefficient.

const rankOf = (letter, [base] = letter.split("_")) => [...FACTS.reading_order, base].indexOf(base);
const byRank = (a, b) => rankOf(a) - rankOf(b) || inOrder(a, b);
const lettersIn = (key) => (key ? key.split("*") : []);
const constant = (n) => new Map(n ? [["", n]] : []);

function plus(...polynomials) {
  const total = new Map();
  for (const polynomial of polynomials)
    for (const [letters, n] of polynomial) total.set(letters, (total.get(letters) ?? 0n) + n);
  return new Map([...total].filter(([, n]) => n));
}

function times(one, other) {
  const product = (ours, theirs) => [...lettersIn(ours), ...lettersIn(theirs)].sort(byRank).join("*");
  return plus(...[...one].map(([ours, a]) => new Map([...other].map(([theirs, b]) => [product(ours, theirs), a * b]))));
}

/** Terms as a polynomial, with what stands for each name; what stands for it can be a number. */
const inLetters = (terms, letters) =>
  plus(...terms.map(([n, names]) => names.reduce((product, name) => times(product, letters[name]), constant(BigInt(n)))));

/** What stands for each size of a model where a formula is written: its letter, or its number where it has none.
 * A size that is as many times another as it is where nobody gives it is written so, as m is 4d in a GPT-2. */
function lettersOf({ architecture, sizes }) {
  const named = Object.keys(sizes).filter((name) => typeof sizes[name] === "bigint");
  const letters = Object.fromEntries(named.map((name) => [name, constant(sizes[name])]));
  const isUsed = ({ name, kind }) => name in letters && (kind === "size" || (kind === "law" && sizes[name]));
  const rows = architecture.sizes.filter((row) => row.letter && isUsed(row));
  for (const { name, letter } of rows) letters[name] = new Map([[letter, 1n]]);
  for (const { name, default: law } of rows) {
    const form = Array.isArray(law) && evaluate(law[0], sizes) === sizes[name] ? symbolic(law[0], letters) : null;
    if (form) letters[name] = form;
  }
  return letters;
}

/** A law as a polynomial, where it adds and multiplies; null where it does anything else. */
function symbolic(law, letters) {
  if (!Array.isArray(law)) return typeof law === "number" ? constant(BigInt(law)) : (letters[law] ?? null);
  const [[operator], [one, other]] = [law, law.slice(1).map((part) => symbolic(part, letters))];
  if (operator === "or") return one && (one.size ? one : other);
  const act = { "+": plus, "*": times }[operator];
  return act && one && other ? act(one, other) : null;
}

/** The letter of how many layers have some tags: L where all have them; none where there are no such layers. */
function layerLetter({ kinds }, tags) {
  const wanted = tags ? tags.split(" ") : [];
  if (!kinds.some(([own]) => wanted.every((tag) => own.includes(tag)))) return constant(tags ? 0n : 1n);
  const rest = wanted.filter((tag) => !kinds.every(([own]) => own.includes(tag))).sort();
  return tags ? new Map([[["L", ...rest].join("_"), 1n]]) : constant(1n);
}

/** The numbers of the letters in which the formulas of a model are written. */
function numbersOf(model) {
  const { architecture, sizes } = model;
  const own = architecture.sizes.filter(({ name, letter }) => letter && typeof sizes[name] === "bigint");
  const tags = [...new Set(architecture.rows.map(({ layers }) => layers))].filter(Boolean).sort();
  const lettersFor = (each) => [...layerLetter(model, each).keys()].map((key) => [key, layersWith(model, each)]);
  return Object.fromEntries([...own.map(({ name, letter }) => [letter, sizes[name]]), ...tags.flatMap(lettersFor)]);
}

/** A polynomial as people write it, with numbers in place of letters where they are given. */
function written(terms, numbers = null) {
  const ranks = (ours, theirs) => ours.map((letter, place) => byRank(letter, theirs[place])).find(Boolean);
  const before = ([ours], [theirs]) => theirs.length - ours.length || ranks(ours, theirs) || 0;
  const raised = (n) => (n > 1 ? [...String(n)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("") : "");
  const term = (letters, n) => {
    const powers = [...Map.groupBy(letters, (letter) => letter)];
    const factors = powers.map(([letter, all]) => (numbers ? grouped(numbers[letter]) : letter) + raised(all.length));
    const number = n === 1n && factors.length ? "" : grouped(n);
    return number + (numbers && number && factors.length ? "·" : "") + factors.join("·");
  };
  const ranked = [...terms].map(([key, n]) => [lettersIn(key), n]).sort(before);
  const text = ranked.map(([letters, n]) => (n < 0n ? " - " : " + ") + term(letters, absolute(n))).join("");
  return text.replace(/^ \+ /, "").replace(/^ - /, "-") || "0";
}

/** The closed form of a component: how often it occurs, times what it holds each time. */
function closedForm(model, row, letters) {
  const [here, weights, biases] = [row.times, row.weights, row.biases].map((terms) => inLetters(terms, letters));
  const [occurs, each] = [times(layerLetter(model, row.layers), here), plus(weights, biases)];
  const simplified = times(occurs, each);
  const isPlain = each.size < 2 || !occurs.size || (occurs.size === 1 && occurs.get("") === 1n);
  const text = (numbers) =>
    isPlain ? written(simplified, numbers) : `${written(occurs, numbers)}·(${written(each, numbers)})`;
  return { present: occurs.size > 0, simplified, text };
}
