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

// Polynomials: a Map from the letters of a term, in reading order, to its coefficient.

const inOrder = (letters) =>
  [...letters].sort((a, b) => FACTS.reading_order.indexOf(a) - FACTS.reading_order.indexOf(b)).join("");

function plus(...polynomials) {
  const sum = new Map();
  for (const polynomial of polynomials)
    for (const [letters, n] of polynomial) sum.set(letters, (sum.get(letters) ?? 0n) + n);
  return new Map([...sum].filter(([, n]) => n));
}

const times = (one, other) =>
  plus(...[...one].map(([ours, a]) => new Map([...other].map(([theirs, b]) => [inOrder(ours + theirs), a * b]))));

/** What terms with flags come to in a model: its flags are put in, and m is written 4d where it is that. */
function polynomial(terms, x) {
  const inner = new Map(FACTS.n_inner.map(([n, letters]) => [letters, BigInt(n)]));
  const follows = evaluated(inner, sizesOf(x)) === x.n_inner;
  const present = terms.filter(([, , ...flags]) => flags.every((flag) => x[flag]));
  return plus(
    ...present.map(([n, letters]) => {
      // Without an m to take out, nothing is replaced by nothing.
      const term = new Map([[letters.replaceAll(follows ? "m" : "", ""), BigInt(n)]]);
      return follows && letters.includes("m") ? times(term, inner) : new Map([[letters, BigInt(n)]]);
    }),
  );
}

const sizesOf = (x) => Object.fromEntries(Object.entries(FACTS.letters).map(([field, letter]) => [letter, x[field]]));

const evaluated = (terms, sizes) =>
  [...terms].reduce((sum, [letters, n]) => sum + [...letters].reduce((product, x) => product * sizes[x], n), 0n);

/** A polynomial as people write it, with numbers in place of letters where sizes are given. */
function written(terms, sizes = null) {
  const rank = (letters) => [...letters].map((letter) => FACTS.reading_order.indexOf(letter));
  const before = (a, b) => {
    if (a.length !== b.length) return b.length - a.length;
    const [ours, theirs] = [rank(a), rank(b)];
    const place = ours.findIndex((letter, i) => letter !== theirs[i]);
    return place < 0 ? 0 : ours[place] - theirs[place];
  };
  const raised = (n) => [...String(n)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  const term = (letters, n) => {
    const factors = [...new Set(letters)].map((letter) => {
      const power = [...letters].filter((other) => other === letter).length;
      return (sizes ? grouped(sizes[letter]) : letter) + (power > 1 ? raised(power) : "");
    });
    const number = n === 1n && factors.length ? "" : grouped(n);
    return number + (sizes && number && factors.length ? "·" : "") + factors.join("·");
  };
  const ranked = [...terms.keys()].sort(before);
  const signed = ranked.map((x) => (terms.get(x) < 0n ? " - " : " + ") + term(x, absolute(terms.get(x)))).join("");
  if (!signed) return "0";
  return signed.startsWith(" + ") ? signed.slice(3) : `-${signed.slice(3)}`;
}

/** The closed form of a component: how often it occurs, times what it holds each time. */
function closedForm(row, x) {
  const [occurs, weights, biases] = row.formula.map((terms) => polynomial(terms, x));
  const each = plus(weights, biases);
  const once = occurs.size === 0 || (occurs.size === 1 && occurs.get("") === 1n);
  const text = (sizes) =>
    each.size < 2 || once ? written(times(occurs, each), sizes) : `${written(occurs, sizes)}·(${written(each, sizes)})`;
  return { present: occurs.size > 0, simplified: times(occurs, each), text };
}

/** The closed form of the whole model, in letters and in numbers. */
function totalForm(x) {
  const sum = plus(...FACTS.components.map((row) => closedForm(row, x).simplified));
  return { letters: written(sum), numbers: written(sum, sizesOf(x)) };
}
