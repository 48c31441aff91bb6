// JSON as Python reads it: objects are Maps, whole numbers BigInts, and what is wrong has a place.

/** A sentence for a person, about something that they gave. */
class Sentence extends Error {}

/** A number that is no whole number: JavaScript's 2.0 is a BigInt's 2, and JSON's is not. */
class Real {
  constructor(text) {
    this.value = Number(text.replace("Infinity", "1e999"));
    this.text = text;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?|NaN|-?Infinity/gs;
const MARK = `number ${Math.random()} `;
const MOST_DIGITS = 4300;

/** Read JSON as Python does: objects are Maps, whole numbers BigInts, and no key is given twice. Numbers are marked for
 * the browser's own reader, which knows none that is exact. */
function readJson(text, { deepest, constants = true }) {
  let keys = 0;
  const marked = text.replace(TOKEN, (token, colon) => {
    keys += Number(colon !== undefined);
    return token[0] === '"' ? token : `"${MARK}${token}"`;
  });
  let document;
  try {
    document = JSON.parse(marked);
  } catch (error) {
    try {
      JSON.parse(text); // for the place that it names
    } catch (plain) {
      throw new Sentence(`not JSON: ${plain.message}`);
    }
    throw new Sentence(`not JSON: ${error.message}`);
  }
  const value = (held, level) => {
    if (typeof held === "string") return held.startsWith(MARK) ? numberOf(held.slice(MARK.length), constants) : wellFormed(held);
    if (held === null || typeof held !== "object") return held;
    if (level > deepest) throw new Sentence("it is nested too deeply");
    if (Array.isArray(held)) return held.map((each) => value(each, level + 1));
    const pairs = Object.entries(held);
    keys -= pairs.length;
    return new Map(pairs.map(([key, each]) => [wellFormed(key), value(each, level + 1)]));
  };
  const found = value(document, 1);
  if (keys) throw new Sentence("a key is given twice");
  return found;
}

function wellFormed(text) {
  if (text.isWellFormed()) return text;
  throw new Sentence("it holds half of a surrogate pair");
}

function numberOf(text, constants) {
  const real = new Real(text);
  if (/^-?\d+$/.test(text)) {
    if (text.length > MOST_DIGITS) throw new Sentence("it holds a number of more than 4,300 digits");
    return text === "-0" && !constants ? real : BigInt(text);
  }
  if (!constants && !Number.isFinite(real.value)) throw new Sentence(`${text} is no number that all readers take`);
  return real;
}

/** Whether two values of JSON are equal, as Python's == says: 2 and 2.0 are, and so are true and 1. */
function same(one, other) {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((part, i) => same(part, other[i]));
  if (one instanceof Map && other instanceof Map)
    return one.size === other.size && [...one].every(([key, value]) => other.has(key) && same(value, other.get(key)));
  const number = (value) => (value instanceof Real ? value.value : typeof value === "boolean" ? BigInt(value) : value);
  // == and not ===, since a BigInt and a Number of one value are equal by it alone
  const [a, b] = [number(one), number(other)];
  const numbers = [a, b].every((value) => ["number", "bigint"].includes(typeof value));
  return numbers ? a == b : a === b;
}

// How a message shows what a person gave, as gpt2calc.errors does.

const MOST_CHARACTERS = 60;

const printable = (text) =>
  String(text).replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (x) => {
    const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[x];
    const code = x.codePointAt(0).toString(16);
    if (named) return named;
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });

const characters = (text) => Array.from(text);

function shortened(text) {
  const all = characters(text);
  return printable(all.length <= MOST_CHARACTERS ? text : `${all.slice(0, MOST_CHARACTERS - 3).join("")}...`);
}

function represented(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `'${printable(value)}'`;
  if (value instanceof Real) return realText(value);
  if (Array.isArray(value)) return `[${value.map(represented).join(", ")}]`;
  if (value instanceof Map) return `{${[...value].map((each) => each.map(represented).join(": ")).join(", ")}}`;
  return String(value);
}

/** A float as Python writes it: 2.0, and not 2. */
function realText({ value }) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return Object.is(value, -0) ? "-0.0" : `${value}.0`;
  return String(value).replace(/e([-+])(\d)$/, "e$10$2");
}

function shown(value) {
  if (value === null || typeof value === "boolean") return String(value);
  return shortened(represented(value));
}

/** A field with its value, as a person gives them. */
function pair(name, value) {
  const text = typeof value === "string" ? value : typeof value === "boolean" ? represented(value) : shown(value);
  return `${shortened(name)}=${shortened(text)}`;
}

const bareLetters = (name) => name.toLowerCase().replace(/[_ -]/g, "");

/** The known name of which another is a slip away, or two where it is long; null where there is none. */
function mistyped(name, known) {
  const typed = characters(bareLetters(name));
  if (characters(name).length > 2 * MOST_CHARACTERS || !typed.some((each) => /\p{L}/u.test(each))) return null;
  for (let slips = 0; slips < 3; slips += 1)
    for (const candidate of known)
      for (const part of [candidate, candidate.slice(candidate.lastIndexOf(".") + 1)]) {
        const letters = characters(bareLetters(part));
        const most = letters.length < 3 ? 0 : letters.length < FIELDS.unread.long ? 1 : 2;
        if (slips <= most && isWithin(typed, letters, slips)) return candidate;
      }
  return null;
}

/** Whether at most so many slips lie between two lists of characters. */
function isWithin(one, other, slips) {
  if (Math.abs(one.length - other.length) > slips) return false;
  let same = 0;
  while (same < Math.min(one.length, other.length) && one[same] === other[same]) same += 1;
  const [left, right] = [one.slice(same), other.slice(same)];
  if (!left.length || !right.length || !slips) return left.length + right.length <= slips;
  const isDigit = (each) => /\p{Nd}/u.test(each);
  const isTurned = left.length > 1 && right.length > 1 && left[0] === right[1] && left[1] === right[0];
  return (
    (!(isDigit(left[0]) && isDigit(right[0])) && isWithin(left.slice(1), right.slice(1), slips - 1)) ||
    isWithin(left.slice(1), right, slips - 1) ||
    isWithin(left, right.slice(1), slips - 1) ||
    (isTurned && isWithin(left.slice(2), right.slice(2), slips - 1))
  );
}
