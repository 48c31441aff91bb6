// Exact integers, and JSON as Python reads it: objects are dicts, whole numbers BigInts. And how a message shows what a person gave.

const grouped = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const absolute = (n) => (n < 0n ? -n : n);
const signed = (n) => (n > 0n ? "+" : n < 0n ? "−" : "") + grouped(absolute(n));
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0n);
const inOrder = (a, b) => (a < b ? -1 : Number(a > b));

/** The quotient of two integers as the nearest float: more bits than a float has, and a last one for what is cut. */
function share(part, whole) {
  const bits = 80n + BigInt(Math.max(0, 4 * (whole.toString(16).length - part.toString(16).length)));
  if (bits > 1000n) return 0; // it shows as 0, and 2 ** 1024 would be Infinity
  const scaled = part << bits;
  return Number((scaled / whole) | (scaled % whole ? 1n : 0n)) / 2 ** Number(bits);
}

/** A sentence for a person, about something that they gave. */
class Sentence extends Error {
  named(name) {
    return name ? new Sentence(`${printable(name)}: ${this.message}`) : this;
  }
}

class Unreadable extends Sentence {
  constructor(path, problem) {
    super(`${printable(path)}: ${problem}`);
    Object.assign(this, { path, problem });
  }
}

function refuse(problem) {
  throw new Sentence(problem);
}

/** What something gives, or what is made of the sentence, or the error of another kind, that it ends in. */
function attempt(act, otherwise, kind = Sentence) {
  try {
    return act();
  } catch (error) {
    if (error instanceof kind) return otherwise(error.message);
    throw error;
  }
}

/** A number that is no whole number: JavaScript's 2.0 is a BigInt's 2, and JSON's is not. */
class Real {
  constructor(text) {
    this.value = Number(text);
  }

  valueOf() {
    return this.value;
  }

  is_integer() {
    return Number.isInteger(this.value);
  }

  toString() {
    return Number.isInteger(this.value) ? this.value.toFixed(1) : String(this.value);
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?|NaN|-?Infinity/gs;
const MARK = `number ${Math.random()} `;
const MOST_DIGITS = 4300;

/** Read JSON as Python does, with no key given twice. Numbers are marked for the browser's own reader, which knows none
 * that is exact; with `isStrict`, those that some readers take and others do not are refused. */
function readJson(text, deepest, isStrict = false) {
  let [keys, from, marked] = [0, 0, ""];
  for (const { 0: token, 1: colon, index } of text.matchAll(TOKEN)) {
    keys += Number(colon !== undefined);
    if (token[0] === '"') continue;
    marked += `${text.slice(from, index)}"${MARK}${token}"`;
    from = index + token.length;
  }
  const told = (problem) => refuse(`not JSON: ${attempt(() => JSON.parse(text) && problem, (own) => own, SyntaxError)}`);
  const document = attempt(() => JSON.parse(marked + text.slice(from)), told, SyntaxError);
  const value = (held, level) => {
    if (typeof held === "string" && held.startsWith(MARK)) return numberIn(held.slice(MARK.length), isStrict);
    if (typeof held === "string") return held.isWellFormed() ? held : refuse("it holds half of a surrogate pair");
    if (held === null || typeof held !== "object") return held;
    if (level > deepest) refuse("it is nested too deeply");
    if (Array.isArray(held)) return held.map((each) => value(each, level + 1));
    const pairs = Object.entries(held);
    keys -= pairs.length;
    return new py.dict(pairs.map(([key, each]) => [value(key, level), value(each, level + 1)]));
  };
  const found = value(document, 1);
  return keys ? refuse("a key is given twice") : found;
}

function numberIn(text, isStrict) {
  const real = new Real(text);
  if (isStrict && !Number.isFinite(real.value)) refuse(`${text} is no number that all readers take`);
  if (!/^-?\d+$/.test(text) || (text === "-0" && isStrict)) return real;
  return text.length > MOST_DIGITS ? refuse("it holds a number of more than 4,300 digits") : BigInt(text);
}

/** Whether two values of JSON are equal: 2 and 2.0 are. */
const same = (one, other) => represented(inWhole(one)) === represented(inWhole(other));

/** A text without what would break a line or turn it round. */
const printable = (text) => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, "\ufffd");

/** A value as Python writes it, but for the exponents of floats. */
function represented(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `'${printable(value)}'`;
  if (Array.isArray(value)) return `[${value.map(represented).join(", ")}]`;
  if (value instanceof py.dict) return `{${value.items().map((each) => each.map(represented).join(": ")).join(", ")}}`;
  return String(value);
}

/** JSON of BigInts and dicts, indented as Python does. */
function json(value, indent = "\n") {
  if (typeof value === "bigint" || value instanceof Real) return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const pairs = value instanceof py.dict ? value.items() : Object.entries(value);
  const [[open, close], lines] = Array.isArray(value)
    ? ["[]", value.map((each) => inner + json(each, inner))]
    : ["{}", pairs.map(([key, each]) => `${inner}${JSON.stringify(key)}: ${json(each, inner)}`)];
  return lines.length ? open + lines.join(",") + indent + close : open + close;
}

/** A float that is exactly one whole number as that; anything else as it came. */
const inWhole = (value) => (value instanceof Real && Number.isSafeInteger(value.value) ? BigInt(value.value) : value);
