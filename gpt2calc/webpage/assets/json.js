// JSON as Python reads it: objects are dicts, whole numbers BigInts. And how a message shows what a person gave.

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

class Unknown extends Sentence {
  constructor(kind, name) {
    super(`no ${kind} is called ${shown(name)}`);
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

const MOST_CHARACTERS = 60;
const characters = (text) => Array.from(text);

/** A text without what would break a line or turn it round. */
const printable = (text) => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, "\ufffd");

function shortened(text) {
  const all = characters(text);
  return printable(all.length <= MOST_CHARACTERS ? text : `${all.slice(0, MOST_CHARACTERS - 3).join("")}...`);
}

/** A value as Python writes it, but for the exponents of floats. */
function represented(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `'${printable(value)}'`;
  if (Array.isArray(value)) return `[${value.map(represented).join(", ")}]`;
  if (value instanceof py.dict) return `{${value.items().map((each) => each.map(represented).join(": ")).join(", ")}}`;
  return String(value);
}

const shown = (value) => (value === null || typeof value === "boolean" ? String(value) : shortened(represented(value)));

/** A field with its value, as a person gives them. */
function pair(name, value) {
  const text = typeof value === "boolean" ? represented(value) : shown(value);
  return `${shortened(name)}=${typeof value === "string" ? shortened(value) : text}`;
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
