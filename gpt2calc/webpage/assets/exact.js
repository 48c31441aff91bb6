// Exact integers as people read them: grouped digits, shares rounded from integers, and formulas.

const grouped = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

const absolute = (n) => (n < 0n ? -n : n);

/** A quotient in decimals, rounded half to even from the exact integers, as gpt2calc.table.rounded. */
function rounded(numerator, denominator, digits) {
  if (denominator === 0n) return "-";
  const scaled = absolute(numerator) * 10n ** BigInt(digits);
  const whole = absolute(denominator);
  let quotient = scaled / whole;
  const twice = 2n * (scaled % whole);
  if (twice > whole || (twice === whole && quotient % 2n)) quotient += 1n;
  const text = String(quotient).padStart(digits + 1, "0");
  const cut = text.length - digits;
  const sign = quotient && numerator < 0n !== denominator < 0n ? "-" : "";
  return sign + grouped(text.slice(0, cut)) + (digits ? `.${text.slice(cut)}` : "");
}

const percent = (part, whole, digits = 2) => `${rounded(100n * part, whole, digits)} %`;

/** The quotient of two integers as the nearest float: more bits than a float has, and a last one for what is cut. */
function share(part, whole) {
  const bits = 80n + BigInt(Math.max(0, 4 * (whole.toString(16).length - part.toString(16).length)));
  // A share this small shows as 0, and 2 ** 1024 would be Infinity.
  if (bits > 1000n) return 0;
  const scaled = part << bits;
  // The last bit is set where anything was cut off, so that Number rounds as from the exact quotient.
  return Number((scaled / whole) | (scaled % whole ? 1n : 0n)) / 2 ** Number(bits);
}

/** A large number in three digits, for a glance: 124M, 1.56B. */
function atAGlance(n) {
  const units = ["", "K", "M", "B", "T"];
  let power = Math.min(Math.floor((String(n).length - 1) / 3), units.length - 1);
  const written = () => {
    const whole = String(n / 1000n ** BigInt(power)).length;
    return rounded(n, 1000n ** BigInt(power), power ? Math.max(0, 3 - whole) : 0);
  };
  if (written() === "1,000" && power < units.length - 1) power += 1; // 999,950 is 1.00M
  return written() + units[power];
}

// Polynomials: a Map from the letters of a term, in reading order and joined, to its coefficient.

const rankOf = (letter) => {
  const place = FACTS.reading_order.indexOf(letter.split("_")[0]);
  return place < 0 ? FACTS.reading_order.length : place;
};

const byRank = (a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : Number(a > b));

const lettersIn = (key) => (key ? key.split("*") : []);

const constant = (n) => new Map(n ? [["", n]] : []);

function plus(...polynomials) {
  const sum = new Map();
  for (const polynomial of polynomials)
    for (const [letters, n] of polynomial) sum.set(letters, (sum.get(letters) ?? 0n) + n);
  return new Map([...sum].filter(([, n]) => n));
}

function times(one, other) {
  const product = (ours, theirs) => [...lettersIn(ours), ...lettersIn(theirs)].sort(byRank).join("*");
  const terms = [...one].map(([ours, a]) => new Map([...other].map(([theirs, b]) => [product(ours, theirs), a * b])));
  return plus(...terms);
}

/** Terms as a polynomial, with what stands for each name; what stands for it can be a number. */
const inLetters = (terms, letters) =>
  plus(...terms.map(([n, names]) => names.reduce((product, name) => times(product, letters[name]), constant(n))));

/** What stands for each size of a model where a formula is written: its letter, or its number where it has none.
 * A size that is as many times another as it is where nobody gives it is written so, as m is 4d in a GPT-2. */
function lettersOf({ architecture, sizes }) {
  const isLetter = ({ name, kind, letter }) =>
    ["size", "law"].includes(kind) && letter && typeof sizes[name] === "bigint" && (kind === "size" || sizes[name]);
  const named = Object.keys(sizes).filter((name) => typeof sizes[name] === "bigint");
  const letters = Object.fromEntries(named.map((name) => [name, constant(sizes[name])]));
  const rows = architecture.sizes.filter(isLetter);
  for (const { name, letter } of rows) letters[name] = new Map([[letter, 1n]]);
  for (const { name, default: law } of rows)
    if (isMultiple(law) && evaluate(law[0], sizes) === sizes[name]) letters[name] = symbolic(law[0], letters);
  return letters;
}

const isMultiple = (law) =>
  Array.isArray(law) && law.every((part) => !Array.isArray(part) || (["+", "*", "or"].includes(part[0]) && isMultiple(part)));

function symbolic(law, letters) {
  if (typeof law === "number") return constant(BigInt(law));
  if (typeof law === "string") return letters[law];
  const [one, other] = law.slice(1).map((part) => symbolic(part, letters));
  if (law[0] === "or") return one.size ? one : other;
  return law[0] === "+" ? plus(one, other) : times(one, other);
}

/** The letter of how many layers have some tags: L where all have them; none where there are no such layers. */
function layerLetter({ kinds }, tags) {
  if (!tags) return constant(1n);
  const wanted = tags.split(" ");
  if (!kinds.some(([own]) => wanted.every((tag) => own.includes(tag)))) return constant(0n);
  const rest = wanted.filter((tag) => !kinds.every(([own]) => own.includes(tag))).sort();
  return new Map([[["L", ...rest].join("_"), 1n]]);
}

/** The numbers of the letters in which the formulas of a model are written. */
function numbersOf(model) {
  const { architecture, sizes } = model;
  const own = architecture.sizes.filter(({ name, letter }) => letter && typeof sizes[name] === "bigint");
  const tags = [...new Set(architecture.rows.map(({ layers }) => layers))].filter(Boolean).sort();
  const layers = tags.flatMap((each) => [...layerLetter(model, each).keys()].map((key) => [key, layersWith(model, each)]));
  return Object.fromEntries([...own.map(({ name, letter }) => [letter, sizes[name]]), ...layers]);
}

/** A polynomial as people write it, with numbers in place of letters where they are given. */
function written(terms, numbers = null) {
  const before = ([a], [b]) => {
    const [ours, theirs] = [lettersIn(a), lettersIn(b)];
    if (ours.length !== theirs.length) return theirs.length - ours.length;
    return ours.map((letter, place) => byRank(letter, theirs[place])).find((order) => order) ?? 0;
  };
  const raised = (n) => [...String(n)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  const term = (letters, n) => {
    const factors = [...new Set(letters)].map((letter) => {
      const power = letters.filter((other) => other === letter).length;
      return (numbers ? grouped(numbers[letter]) : letter) + (power > 1 ? raised(power) : "");
    });
    const number = n === 1n && factors.length ? "" : grouped(n);
    return number + (numbers && number && factors.length ? "·" : "") + factors.join("·");
  };
  const ranked = [...terms].sort(before);
  const signed = ranked.map(([key, n]) => (n < 0n ? " - " : " + ") + term(lettersIn(key), absolute(n))).join("");
  if (!signed) return "0";
  return signed.startsWith(" + ") ? signed.slice(3) : `-${signed.slice(3)}`;
}

/** The closed form of a component: how often it occurs, times what it holds each time. */
function closedForm(model, row, letters) {
  const [here, weights, biases] = [row.times, row.weights, row.biases].map((terms) => inLetters(terms, letters));
  const occurs = times(layerLetter(model, row.layers), here);
  const each = plus(weights, biases);
  const once = occurs.size === 0 || (occurs.size === 1 && occurs.get("") === 1n);
  const simplified = times(occurs, each);
  const text = (numbers) =>
    each.size < 2 || once
      ? written(simplified, numbers)
      : `${written(occurs, numbers)}·(${written(each, numbers)})`;
  return { present: occurs.size > 0, simplified, text };
}

const FORMS = new Map();

/** The closed form of each component, and their sum. They stay as they are while letters are all that changes. */
function formsOf(model) {
  const letters = lettersOf(model);
  const key = JSON.stringify([model.architecture.type, model.kinds.map(([tags]) => tags), Object.entries(letters).map(([name, form]) => [name, String([...form])])]);
  if (!FORMS.has(key)) {
    const forms = new Map(rowsOf(model).map(({ row }) => [row, closedForm(model, row, letters)]));
    const total = plus(...[...forms.values()].map(({ simplified }) => simplified));
    FORMS.set(key, { forms, total });
    if (FORMS.size > 50) FORMS.delete(FORMS.keys().next().value);
  }
  return FORMS.get(key);
}

/** The closed form of the whole model, in letters and in numbers. */
const totalForm = ({ model, form }) => ({ letters: written(form), numbers: written(form, numbersOf(model)) });
