// JSON as Python reads it: objects are Maps, whole numbers BigInts, and what is wrong has a place.

/** A sentence for a person, about something that they gave. */
class Sentence extends Error {}

/** What is no JSON, and where. */
class NotJson extends Error {
  constructor(message, place) {
    super(message);
    this.place = place;
  }
}

/** A number that is no whole number: JavaScript's 2.0 is a BigInt's 2, and JSON's is not. */
class Real {
  constructor(text) {
    this.value = Number(text);
    this.text = text;
  }
}

const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const CONSTANTS = { null: null, true: true, false: false };

/** A reader of one text; `twice` is called for a key that is given before, `constant` for NaN, infinities and -0. */
class JsonReader {
  constructor(text, { deepest, twice, constant }) {
    Object.assign(this, { text, deepest, twice, constant, place: 0 });
  }

  document() {
    this.space();
    const value = this.value(1);
    this.space();
    if (this.place < this.text.length) throw new NotJson("Extra data", this.place);
    return value;
  }

  space() {
    while (" \t\n\r".includes(this.text[this.place] || "x")) this.place += 1;
  }

  match(pattern) {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    if (found) this.place = pattern.lastIndex;
    return found;
  }

  value(level) {
    const next = this.text[this.place];
    if (next === '"') return this.string();
    if (next === "{" || next === "[") {
      if (level > this.deepest) throw new NotJson("nested", this.place);
      return next === "{" ? this.object(level) : this.array(level);
    }
    const word = /null|true|false|NaN|-?Infinity/y;
    const found = this.match(word);
    if (found) return found[0] in CONSTANTS ? CONSTANTS[found[0]] : this.constant(found[0]);
    const number = this.match(NUMBER);
    if (!number) throw new NotJson("Expecting value", this.place);
    return number[2] || number[3] ? new Real(number[0]) : this.whole(number[1]);
  }

  whole(text) {
    if (text.replace("-", "").length > 4300) throw new Sentence("digits");
    return text === "-0" ? this.constant(text) : BigInt(text);
  }

  string() {
    const start = this.place;
    this.place += 1;
    let text = "";
    for (;;) {
      text += this.match(PLAIN_TEXT)[0];
      const next = this.text[this.place];
      if (next === undefined) throw new NotJson("Unterminated string starting at", start);
      if (next === '"') break;
      if (next !== "\\") throw new NotJson("Invalid control character at", this.place);
      text += this.escape(start);
    }
    this.place += 1;
    return text;
  }

  escape(start) {
    const letter = this.text[this.place + 1];
    if (letter === undefined) throw new NotJson("Unterminated string starting at", start);
    if (letter === "u") {
      const digits = this.text.slice(this.place + 2, this.place + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new NotJson("Invalid \\uXXXX escape", this.place + 2);
      this.place += 6;
      return String.fromCharCode(parseInt(digits, 16));
    }
    if (!Object.hasOwn(ESCAPES, letter)) throw new NotJson("Invalid \\escape", this.place);
    this.place += 2;
    return ESCAPES[letter];
  }

  object(level) {
    const found = new Map();
    this.place += 1;
    this.space();
    if (this.text[this.place] === "}") {
      this.place += 1;
      return found;
    }
    for (;;) {
      if (this.text[this.place] !== '"')
        throw new NotJson("Expecting property name enclosed in double quotes", this.place);
      const key = this.string();
      this.space();
      if (this.text[this.place] !== ":") throw new NotJson("Expecting ':' delimiter", this.place);
      this.place += 1;
      this.space();
      const value = this.value(level + 1);
      if (found.has(key)) this.twice(key, found.get(key), value);
      found.set(key, value);
      if (this.closes("}")) return found;
    }
  }

  array(level) {
    const found = [];
    this.place += 1;
    this.space();
    if (this.text[this.place] === "]") {
      this.place += 1;
      return found;
    }
    for (;;) {
      found.push(this.value(level + 1));
      if (this.closes("]")) return found;
    }
  }

  /** Whether an object or array ends here; a comma leads on. */
  closes(end) {
    this.space();
    const next = this.text[this.place];
    if (next !== "," && next !== end) throw new NotJson("Expecting ',' delimiter", this.place);
    this.place += 1;
    if (next === ",") this.space();
    return next === end;
  }
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

/** A text between quotes, as Python's repr. */
function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`);
  return quote + printable(escaped) + quote;
}

function represented(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (value instanceof Real) return realText(value);
  if (Array.isArray(value)) return `[${value.map(represented).join(", ")}]`;
  if (value instanceof Map) {
    const pairs = [...value].map(([key, each]) => `${quoted(key)}: ${represented(each)}`);
    return `{${pairs.join(", ")}}`;
  }
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

/** The known name that a mistyped one is nearest to, as gpt2calc.errors finds it; null where nothing is near. */
function closest(name, known) {
  const near = mistyped(name, known);
  const typed = bareLetters(name);
  const { short } = FIELDS.unread;
  if (near !== null || characters(typed).length < short || characters(name).length > 2 * MOST_CHARACTERS) return near;
  const isEnd = (whole, part) => part.length >= short && (whole.startsWith(part) || whole.endsWith(part));
  const isNear = (letters) => isEnd(letters, typed) || isEnd(typed, letters);
  return known.find((each) => isNear(bareLetters(each))) ?? null;
}

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

/** Of several names the nearest to one, the later in the alphabet where two are as near. */
function nearest(name, candidates, cutoff) {
  const places = placesIn(name);
  let best = null;
  for (const candidate of candidates) {
    if (mostAlike(candidate, name, places) < cutoff) continue;
    const score = likeness(candidate, name, places);
    if (score >= cutoff && (!best || score > best.score || (score === best.score && candidate > best.candidate)))
      best = { score, candidate };
  }
  return best && best.candidate;
}

/** Where in a text each of its characters stands. */
const placesIn = (text) => Map.groupBy(Array.from({ length: text.length }, (_, place) => place), (place) => text[place]);

/** How alike two texts are at most, whatever the order of their characters: a quick rejection. */
function mostAlike(a, b, places) {
  const times = new Map();
  let both = 0;
  for (let i = 0; i < a.length; i += 1) {
    const before = times.get(a[i]) ?? 0;
    times.set(a[i], before + 1);
    both += Number(before < (places.get(a[i])?.length ?? 0));
  }
  return a.length + b.length ? (2 * both) / (a.length + b.length) : 1;
}

/** How alike two texts are, from 0 to 1: twice the characters in matching blocks over all characters. */
function likeness(a, b, places = placesIn(b)) {
  const blocks = (fromA, toA, fromB, toB) => {
    let [length, startA, startB] = [0, fromA, fromB];
    let ends = new Map();
    for (let i = fromA; i < toA; i += 1) {
      const here = new Map();
      for (const j of places.get(a[i]) ?? []) {
        if (j < fromB) continue;
        if (j >= toB) break;
        const run = (ends.get(j - 1) ?? 0) + 1;
        here.set(j, run);
        if (run > length) [length, startA, startB] = [run, i - run + 1, j - run + 1];
      }
      ends = here;
    }
    if (!length) return 0;
    return length + blocks(fromA, startA, fromB, startB) + blocks(startA + length, toA, startB + length, toB);
  };
  return a.length + b.length ? (2 * blocks(0, a.length, 0, b.length)) / (a.length + b.length) : 1;
}
