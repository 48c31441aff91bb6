// What Python's own functions do beyond JavaScript, for the code that gpt2calc.webpage.translation writes: whole numbers
// are BigInts, lists and tuples arrays, and dicts and sets find what is equal, as tuples are.

const py = {};
const gcd = (a, b) => (b ? gcd(b, a % b) : a);

/** What two values have in common that are equal, as the key of a Map. */
function hashed(value) {
  if (typeof value === "string" || typeof value === "bigint") return value;
  if (typeof value === "boolean") return BigInt(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof String) return value.valueOf();
  if (value instanceof py.set) return (value.key ??= joined([...value].map(keyOf).sort()));
  if (value instanceof py.Tuple) return (KEYS.get(value) ?? (KEYS.set(value, joined([...value].map(keyOf))), KEYS.get(value)));
  return Array.isArray(value) ? joined(value.map(keyOf)) : value;
}

const KEYS = new WeakMap();
const keyOf = (each) => (typeof each === "string" ? each : typeof each + String(hashed(each)));
const joined = (keys) => `\0${keys.join("\0")}\0`;

py.set = py.frozenset = class {
  constructor(items = []) {
    this.held = new Map(items instanceof py.set ? items.held : []);
    if (!this.held.size) for (const each of items) this.add(each);
  }
  get size() { return this.held.size; }
  has(value) { return this.held.has(hashed(value)); }
  [Symbol.iterator]() { return this.held.values(); }
  add(value) {
    const key = hashed(value);
    if (!this.held.has(key)) this.held.set(key, value);
    this.key = undefined;
  }
  update(...others) { for (const other of others) for (const each of other) this.add(each); }
  union(...others) { const all = new py.set(this); all.update(...others); return all; }
  difference(other) { return py.sub(this, new py.set(other)); }
  intersection(...others) { return others.reduce((all, each) => py.and_(all, new py.set(each)), this); }
  issuperset(other) { return new py.set(other).issubset(this); }
  issubset(other) {
    const { held } = other.held ? other : new py.set(other);
    return [...this.held.keys()].every((key) => held.has(key));
  }
  isdisjoint(other) { return ![...other].some((each) => this.has(each)); }
  copy() { return new py.set(this); }
};

py.dict = py.Mapping = class {
  constructor(pairs = []) {
    this.held = new Map(pairs instanceof py.dict ? pairs.held : []); // of pairs that nobody changes
    if (!this.held.size) for (const [key, value] of pairs) this.set(key, value);
  }
  get size() { return this.held.size; }
  has(key) { return this.held.has(hashed(key)); }
  set(key, value) {
    const own = hashed(key);
    this.held.set(own, [this.held.get(own)?.[0] ?? key, value]);
  }
  get(key, usual = null) { const found = this.held.get(hashed(key)); return found ? found[1] : usual; }
  at(key) { const found = this.held.get(hashed(key)); return found ? found[1] : this.missing(key); }
  missing(key) {
    if (this.__missing__) return this.__missing__(key);
    throw new py.KeyError(`no key ${String(key)}`);
  }
  setdefault(key, usual = null) { if (!this.has(key)) this.set(key, usual); return this.get(key); }
  pop(key, usual = null) { const value = this.get(key, usual); this.held.delete(hashed(key)); return value; }
  *[Symbol.iterator]() { for (const [key] of this.held.values()) yield key; }
  items() { return [...this.held.values()]; }
  keys() { return new py.set(this); }
  values() { return Array.from(this.held.values(), ([, value]) => value); }
  update(pairs) { for (const [key, value] of py.items(pairs)) this.set(key, value); }
  copy() { return new this.constructor(this); }
};

py.set.prototype.__contains__ = py.dict.prototype.__contains__ = function (key) { return this.has(key); };

py.Counter = class extends py.dict {
  constructor(items = []) {
    super(items instanceof py.dict ? items : []);
    if (!(items instanceof py.dict)) this.update(items);
  }
  missing() { return 0n; }
  update(items) {
    const counted = items instanceof py.dict ? items.items() : [...items].map((each) => [each, 1n]);
    for (const [each, n] of counted) this.set(each, this.get(each, 0n) + n);
  }
  __add__(other) { const both = this.copy(); both.update(other); return both; }
  __sub__(other) {
    return new py.Counter(new py.dict(this.items().map(([each, n]) => [each, n - other.get(each, 0n)]).filter(([, n]) => n > 0n)));
  }
  elements() { return this.items().flatMap(([each, n]) => Array(Number(n)).fill(each)); }
  most_common(n = null) { return py.slice(py.sorted(this.items(), { key: ([, count]) => -count }), null, n, null); }
};

/** A tuple whose parts have names: `fields` in order, and `defaults` of some. */
py.Tuple = class {
  constructor(...parts) {
    const { fields, defaults } = this.constructor;
    fields.forEach((name, place) => (this[name] = parts[place] === undefined ? defaults[name] : parts[place]));
  }
  *[Symbol.iterator]() { for (const name of this.constructor.fields) yield this[name]; }
  _replace(changes) { return Object.assign(Object.create(Object.getPrototypeOf(this)), this, changes); }
  _asdict() { return new py.dict(this.constructor.fields.map((name) => [name, this[name]])); }
};

py.Thing = class {
  constructor(...given) {
    const has = (thing, name) => name in thing || typeof name === "symbol";
    const get = (thing, name, self) => (has(thing, name) ? Reflect.get(thing, name, self) : thing.__getattr__(name));
    const self = this.__getattr__ ? new Proxy(this, { get }) : this;
    self.__init__?.(...given);
    return self;
  }
};

/** A thing that can be called. */
py.callable = (thing) =>
  new Proxy(() => {}, {
    apply: (_, self, given) => thing.__call__(...given),
    get: (_, name) => thing[name],
    getPrototypeOf: () => Object.getPrototypeOf(thing),
  });

/** What a thing has under a name; of a method, one that knows the thing. */
py.attribute = (thing, name) =>
  isMany(thing) || typeof thing?.[name] === "function" ? (...given) => py.call(thing, name, ...given) : thing[name];

/** What a property gives, asked once. */
py.once = (thing, name) => {
  const value = thing[`_${name}`]();
  Object.defineProperty(thing, name, { value });
  return value;
};

py.cached = (act) => {
  const known = new Map();
  return (...given) => {
    const key = hashed(given);
    if (!known.has(key)) known.set(key, act(...given));
    return known.get(key);
  };
};

py.Fraction = class {
  constructor(above, below = 1n) {
    const [n, d] = above instanceof py.Fraction ? [above.numerator, above.denominator * below] : [above, below];
    const by = absolute(gcd(n, d)) * (d < 0n ? -1n : 1n);
    Object.assign(this, { numerator: n / by, denominator: d / by });
  }
  [Symbol.toPrimitive]() { return Number(this.numerator) / Number(this.denominator); }
};

Object.defineProperty(BigInt.prototype, "numerator", { get() { return BigInt(this); } }); // as Python's whole numbers have
Object.defineProperty(BigInt.prototype, "denominator", { get: () => 1n });

/** Two numbers as fractions, where one is. */
const parts = (...both) => both.flatMap((each) =>
  each instanceof py.Fraction ? [each.numerator, each.denominator] : [BigInt(each), 1n]);
const isFraction = (a, b) => a instanceof py.Fraction || b instanceof py.Fraction;
const fractional = (make) => (...both) => new py.Fraction(...make(...parts(...both)));
const exact = {
  add: fractional((a, b, c, d) => [a * d + c * b, b * d]),
  sub: fractional((a, b, c, d) => [a * d - c * b, b * d]),
  mul: fractional((a, b, c, d) => [a * c, b * d]),
};

const isList = Array.isArray;
const plainly = (n) => (typeof n === "boolean" ? BigInt(n) : n);
const isFloat = (n) => typeof n === "number" || n instanceof Real;
/** Numbers with numbers: BigInts, but for a float with one. */
const numeric = (act) => (a, b) =>
  isFloat(a) || isFloat(b) ? act(Number(a), Number(b)) : act(plainly(a), plainly(b));
const [summed, less, product] = [(a, b) => a + b, (a, b) => a - b, (a, b) => a * b].map(numeric);
const repeated = (what, n) =>
  typeof what === "string" ? what.repeat(Math.max(0, Number(n))) : Array(Math.max(0, Number(n))).fill(what).flat();
const isBytes = ArrayBuffer.isView;
const isMany = (value) => typeof value === "string" || isList(value) || isBytes(value) || value instanceof String;

/** What an operator comes to that one of two things has of its own. */
const operated = (a, b, name, reversed) => a?.[name]?.(b) ?? b?.[reversed]?.(a);

py.add = (a, b) => {
  if (typeof a === "bigint" && typeof b === "bigint") return a + b;
  if (typeof a === "string") return a + b;
  if (isList(a) || a instanceof py.Tuple) return [...a, ...b];
  if (isBytes(a)) return BYTES.join([], [a, b]);
  if (isFraction(a, b)) return exact.add(a, b);
  return operated(a, b, "__add__", "__radd__") ?? summed(a, b);
};
py.iadd = (a, b) => (isList(a) ? [...a, ...b] : py.add(a, b));
py.sub = (a, b) => {
  if (a instanceof py.set) return new py.set([...a].filter((each) => !b.has(each)));
  if (isFraction(a, b)) return exact.sub(a, b);
  return operated(a, b, "__sub__", "__rsub__") ?? less(a, b);
};
py.mul = (a, b) => {
  if (typeof a === "bigint" && typeof b === "bigint") return a * b;
  if (isMany(a)) return repeated(a, b);
  if (isMany(b)) return repeated(b, a);
  if (isFraction(a, b)) return exact.mul(a, b);
  return operated(a, b, "__mul__", "__rmul__") ?? product(a, b);
};
py.floordiv = (a, b) => a?.__floordiv__?.(b) ?? (typeof a === "bigint" ? floored(a, BigInt(b)) : py.floor(py.truediv(a, b)));
py.mod = (a, b) => plainly(a) - floored(plainly(a), BigInt(b)) * BigInt(b);
py.truediv = (a, b) => {
  if (isFraction(a, b)) return exact.mul(a, new py.Fraction(...parts(b).reverse()));
  const areWhole = typeof a === "bigint" && typeof b === "bigint" && a >= 0n && b > 0n;
  return areWhole ? share(a, b) : Number(a) / Number(b);
};
py.pow = (a, b) => a?.__pow__?.(b) ?? a ** b;
py.neg = (a) => a?.__neg__?.() ?? (a instanceof py.Fraction ? exact.sub(0n, a) : -plainly(a));
py.rshift = (a, b) => a >> b;
py.or_ = py.ior_ = (a, b) => (a instanceof py.set ? a.union(b) : (([all]) => (all.update(b), all))([new py.dict(a)]));
py.and_ = (a, b) => new py.set([...a].filter((each) => b.has(each)));
py.and = (a, other) => (py.t(a) ? other() : a);
py.or = (a, other) => (py.t(a) ? a : other());

const isNamed = (value) => value instanceof py.Tuple || value instanceof py.Thing; // a part of it may be called size

/** Whether Python takes a value for true. */
py.t = (value) => {
  if (value === null || typeof value !== "object") return Boolean(value);
  if (value instanceof py.Fraction) return value.numerator !== 0n;
  if (isNamed(value)) return "__len__" in value ? value.__len__() > 0n : true;
  return Boolean(value.length ?? value.size ?? true);
};

py.eq = (a, b) => {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (isBytes(a)) return a.length === b.length && a.every((each, place) => each === b[place]);
  if (a.__eq__ ?? b.__eq__) return a.__eq__ ? a.__eq__(b) : b.__eq__(a);
  if (a instanceof Real || b instanceof Real) return Number(a) === Number(b);
  if (isFraction(a, b)) return typeof a !== "string" && typeof b !== "string" && py.order(a, b) === 0;
  if (a instanceof String || b instanceof String) return String(a) === String(b);
  if (typeof a !== "object" || typeof b !== "object") return typeof a !== "string" && typeof b !== "string" && a == b;
  if (a instanceof py.dict) return b instanceof py.dict && a.size === b.size && a.items().every(([key, value]) => b.has(key) && py.eq(value, b.get(key)));
  if (a instanceof py.set) return b instanceof py.set && a.size === b.size && [...a].every((each) => b.has(each));
  if (!(isList(a) || a instanceof py.Tuple) || !(isList(b) || b instanceof py.Tuple)) return false;
  const [one, other] = [[...a], [...b]];
  return one.length === other.length && one.every((each, place) => py.eq(each, other[place]));
};

/** The order of two values: of lists, that of the first parts that differ. */
py.order = (a, b) => {
  if (isFraction(a, b)) {
    const [n, d, m, e] = parts(a, b);
    return inOrder(n * e, m * d);
  }
  if (typeof a !== "object" || a === null || a instanceof Real) return inOrder(a, b); // a Real is compared by its value
  const [one, other] = [[...a], [...b]];
  for (let place = 0; place < Math.min(one.length, other.length); place += 1)
    if (!py.eq(one[place], other[place])) return py.order(one[place], other[place]);
  return one.length - other.length;
};
py.lt = (a, b) => (a instanceof py.set ? a.size < b.size && py.le(a, b) : py.order(a, b) < 0);
py.le = (a, b) => (a instanceof py.set ? a.issubset(b) : py.order(a, b) <= 0);

py.contains = (value, whole) => {
  if (typeof whole === "string") return whole.includes(value);
  if (whole instanceof py.set || whole instanceof py.dict) return whole.has(value);
  return [...whole].some((each) => py.eq(each, value));
};

py.at = (whole, key) => {
  if (whole instanceof py.dict) return whole.at(key);
  if (whole instanceof py.Match) return whole.group(key);
  const list = whole instanceof py.Tuple || whole instanceof py.Range ? [...whole] : whole;
  const place = typeof key === "bigint" && list?.length !== undefined ? Number(key) : NaN;
  if (Number.isNaN(place)) throw new TypeError(`no place ${String(key)}`);
  const found = list[place < 0 ? list.length + place : place];
  if (found === undefined) throw new py.IndexError(`no place ${place}`);
  return typeof found === "number" ? BigInt(found) : found; // a byte
};
py.put = (whole, key, value) => (whole instanceof py.dict ? whole.set(key, value) : (whole[Number(key)] = value));
py.delete = (whole, key) => (whole instanceof py.dict ? whole.pop(key) : whole.splice(Number(key), 1));
py.slice = (whole, from, to, step) => {
  const list = isMany(whole) ? inLetters(whole) : [...whole];
  if (step === null || step === 1n) {
    const ends = [Number(from ?? 0n), to === null ? undefined : Number(to)];
    const found = isBytes(list) ? list.subarray(...ends) : list.slice(...ends);
    return list === whole || !isMany(whole) ? found : found.join("");
  }
  const [size, by] = [list.length, Number(step)];
  const bound = (n, usual) => (n === null ? usual : Number(n) < 0 ? Math.max(size + Number(n), -1) : Math.min(Number(n), by < 0 ? size - 1 : size));
  const [first, last, found] = [bound(from, by < 0 ? size - 1 : 0), bound(to, by < 0 ? -1 : size), []];
  for (let i = first; by < 0 ? i > last : i < last; i += by) found.push(list[i]);
  return typeof whole === "string" ? found.join("") : found;
};
py.splice = (list, from, to, items) =>
  isBytes(list) ? list.set(items, Number(from ?? 0n)) : void list.splice(Number(from ?? 0n), Number(to ?? BigInt(list.length)) - Number(from ?? 0n), ...items);
/** Put items in every so many places of bytes. */
py.spread = (list, from, step, items) => items.forEach((each, n) => (list[Number(from) + n * Number(step)] = each));
py.starred = (items, star, size) => {
  const all = [...items];
  const after = size - star - 1;
  return [...all.slice(0, star), all.slice(star, all.length - after), ...all.slice(all.length - after)];
};
py.items = (pairs) => (pairs instanceof py.dict ? pairs.items() : [...pairs]);
py.fromkeys = (keys, value = null) => new py.dict([...keys].map((key) => [key, value]));
/** What plain data holds, with objects for dicts. */
py.plain = (value) => {
  if (value instanceof py.dict) return py.object(value.items().map(([key, each]) => [key, py.plain(each)]));
  return typeof value === "object" && value?.[Symbol.iterator] ? [...value].map(py.plain) : value;
};
py.object = (pairs) => Object.fromEntries(py.items(pairs));

// Functions of Python itself and of its library

py.Range = class {
  constructor(start, stop, step) { Object.assign(this, { start, stop, step }); }
  get size() { const { start, stop, step } = this; return (stop - start + step - (step > 0n ? 1n : -1n)) / step; }
  get length() { return Math.max(0, Number(this.size)); }
  *[Symbol.iterator]() { for (let i = 0n, n = this.start; i < this.size; i += 1n, n += this.step) yield n; }
};
py.range = (...given) => new py.Range(...(given.length === 1 ? [0n, ...given, 1n] : [...given, 1n].slice(0, 3)).map(plainly));
/** A text as Python counts it, where letters take two places here: a list of them. */
const inLetters = (text) => (typeof text === "string" && /[\ud800-\udfff]/.test(text) ? [...text] : text);
py.len = (given) => {
  if (isNamed(given)) return "__len__" in given ? given.__len__() : BigInt(given.constructor.fields.length);
  const whole = inLetters(given);
  return BigInt(whole.length ?? whole.size);
};
py.iter = (items) => items[Symbol.iterator]();
py.next = (items, ...usual) => {
  const { value, done } = (items.next ? items : py.iter(items)).next();
  return done ? usual[0] : value;
};
py.list = py.tuple = (items = []) => [...items];
py.str = (value = "") => (typeof value === "string" ? value : value instanceof Error ? value.message : py.repr(value));
py.repr = represented;
/** Decimal digits of any script as 0 to 9: they stand in runs of ten, from the one that is 0 on. */
const inDigits = (text) =>
  text.replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    let first = digit.codePointAt(0);
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((digit.codePointAt(0) - first) % 10);
  });
py.int = py.Integral = (value = 0n) => BigInt(typeof value === "number" ? Math.trunc(value) : typeof value === "string" ? inDigits(value) : value);
py.float = Number;
py.NoneType = class {};
py.bool = py.t;
py.abs = absolute;
py.gcd = (a, b) => absolute(gcd(a, b));
py.lcm = (a, b) => (a / gcd(a, b)) * b;
py.floor = (value) => (value instanceof py.Fraction ? floored(value.numerator, value.denominator) : BigInt(Math.floor(Number(value))));
py.isqrt = (n, root = BigInt(Math.floor(Math.sqrt(Number(n))))) =>
  root * root > n ? py.isqrt(n, root - 1n) : (root + 1n) ** 2n <= n ? py.isqrt(n, root + 1n) : root;
py.divmod = (a, b) => [py.floordiv(a, b), py.mod(a, b)];
py.sum = (items, first = 0n) => [...items].reduce(py.add, first);
py.prod = (items) => [...items].reduce(py.mul, 1n);
py.any = (items) => { for (const each of items) if (py.t(each)) return true; return false; };
py.all = (items) => { for (const each of items) if (!py.t(each)) return false; return true; };
const isGiven = (list) => list?.[Symbol.iterator] !== undefined; // and no options
py.zip = function* (...lists) {
  const all = lists.filter(isGiven).map(py.iter);
  for (;;) {
    const next = all.map((each) => each.next());
    if (!all.length || next.some(({ done }) => done)) return;
    yield next.map(({ value }) => value);
  }
};
py.enumerate = function* (items, first = 0n) { for (const each of items) yield [first++, each]; };
py.map = function* (act, ...lists) { for (const given of py.zip(...lists)) yield act(...given); };
py.filter = function* (act, items) { for (const each of items) if (py.t(act === null ? each : act(each))) yield each; };
py.reversed = (items) => [...items].reverse();
py.sorted = (items, { key = (each) => each, reverse = false } = {}) => {
  const all = [...items].map((each) => [key(each), each]);
  all.sort(([a], [b]) => (reverse ? py.order(b, a) : py.order(a, b)));
  return all.map(([, each]) => each);
};
/** The first of the least, or of the largest. */
const chosen = (isBetter) => (...given) => {
  const options = given.at(-1) && Object.getPrototypeOf(given.at(-1)) === Object.prototype ? given.pop() : {};
  const key = options.key ?? ((each) => each);
  const all = [...(given.length === 1 ? given[0] : given)].map((each) => [key(each), each]);
  if (!all.length && !("default" in options)) throw new Error("nothing to choose from");
  return all.length ? all.reduce((best, each) => (isBetter(py.order(each[0], best[0])) ? each : best))[1] : options.default;
};
py.min = chosen((order) => order < 0);
py.max = chosen((order) => order > 0);
/** A call with what is given by name: each in its place, and what has none in a dict at the end. */
py.named = (make, names, isOpen, given, pairs) => {
  const rest = new py.dict();
  for (const [name, value] of pairs)
    if (names.includes(name)) given[names.indexOf(name)] = value;
    else rest.set(name, value);
  if (isOpen) given[names.length] = rest;
  return make(given);
};
py.bound = (act, given, pairs) => py.named((all) => act(...all), ...py.signatures.get(act), given, pairs);
py.partial = (act, ...first) => (...rest) => act(...first, ...rest);
py.itemgetter = (...keys) => (each) => (keys.length === 1 ? py.at(each, keys[0]) : keys.map((key) => py.at(each, key)));
py.islice = function* (items, most) {
  const from = py.iter(items);
  for (let n = 0n; n < most; n += 1n) {
    const { value, done } = from.next();
    if (done) return;
    yield value;
  }
};
py.chain = function* (...lists) { for (const each of lists) yield* each; };
py.from_iterable = (lists) => py.chain(...lists);
py.accumulate = function* (items) { let total = null; for (const each of items) yield (total = total === null ? each : py.add(total, each)); };
py.groupby = (items, { key = (each) => each } = {}) => {
  const groups = [];
  for (const each of items) {
    const own = key(each);
    if (groups.length && py.eq(groups.at(-1)[0], own)) groups.at(-1)[1].push(each);
    else groups.push([own, [each]]);
  }
  return groups;
};
py.product = (...lists) =>
  lists.reduce((all, list) => all.flatMap((first) => [...list].map((each) => [...first, each])), [[]]);
py.pairwise = (items) => { const all = [...items]; return all.slice(1).map((each, place) => [all[place], each]); };
const bisected = (isBefore) => (list, value) => {
  const place = list.findIndex((each) => !isBefore(py.order(each, value)));
  return BigInt(place < 0 ? list.length : place);
};
py.bisect_left = bisected((order) => order < 0);
py.bisect_right = bisected((order) => order <= 0);
py.id = ((known) => (thing) => known.get(thing) ?? (known.set(thing, BigInt(known.size)), known.get(thing)))(new Map());
py.never = () => { throw new Error("the page asks this of no model"); };
/** What operations throw here that a value does not have: a BigInt that is made of something else is a SyntaxError. */
py.TypeError = class extends TypeError {
  static [Symbol.hasInstance](error) { return error instanceof TypeError || error instanceof SyntaxError; }
};
py.caught = (error, kinds) => [kinds].flat().some((kind) => error instanceof kind);
py.Quoted = (text) => text; // text of a document, as all is here
py.Never = class {};
py.basename = (path) => path.slice(path.lastIndexOf("/") + 1);
py.dirname = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
py.Block = (...parts) => parts;
py._make = (parts) => parts;
py.nlargest = (n, items, { key } = {}) => py.slice(py.sorted(items, { key, reverse: true }), null, n, null);
py.nsmallest = (n, items, { key } = {}) => py.slice(py.sorted(items, { key }), null, n, null);
py.Lock = () => ({});
py.Difference = (n) => n;
py.Named = class extends py.dict { constructor(kind, content) { super(content); } };
/** The total of a GPT-2 by its structure, as a function of its sizes. */
py.totals = (total) => new (class extends py.dict { missing(structure) { return (...sizes) => total(...sizes, ...structure); } })();
py.loads = (content) =>
  attempt(() => readJson(new TextDecoder().decode(content), 900), (told) => { throw new py.ValueError(told); });
for (const name of ["RecursionError", "KeyError", "IndexError", "ValueError", "AttributeError"]) py[name] = class extends Error {};
py.isinstance = (value, kinds) => (isList(kinds) ? kinds.some((kind) => isOf(value, kind)) : isOf(value, kinds));
const isOf = (value, kind) => {
  switch (kind) {
    case null: return value === null;
    case py.str: case py.Quoted: return typeof value === "string" || value instanceof String;
    case py.bool: return typeof value === "boolean";
    case py.int: return typeof value === "bigint" || typeof value === "boolean";
    case py.float: return typeof value === "number" || value instanceof Real;
    case py.list: return isList(value) || value instanceof py.Tuple;
    default: return value instanceof kind;
  }
};
py.type = (value) =>
  value === null ? py.NoneType : value instanceof Real ? py.float : ({ string: py.str, boolean: py.bool, bigint: py.int, number: py.float })[typeof value] ?? (isList(value) ? py.list : value?.constructor);
py.hasattr = (thing, name) => (name === "__index__" ? typeof thing === "bigint" : thing?.[name] !== undefined);
py.getattr = (thing, name, usual) => thing?.[name] ?? usual;

/** A value in a text: with commas between thousands where that is asked. */
py.format = (value, spec) => {
  if (spec.startsWith("0")) return String(value).padStart(Number(spec), "0");
  return spec === "," ? grouped(plainly(value)) : py.str(value);
};

// Patterns, whose matches know where they are

py.Match = class {
  constructor(found) { this.found = found; }
  group(key = 0n) { return (typeof key === "string" ? this.found.groups : this.found)[key] ?? null; }
  start(n = 0n) { return BigInt(this.found.indices[n][0]); }
  end(n = 0n) { return BigInt(this.found.indices[n][1]); }
};
py.pattern = (source, flags) => {
  const made = (begin, end, more) => new RegExp(begin + source + end, `d${flags}${more}`);
  const [plain, sticky, whole] = [made("", "", "g"), made("", "", "y"), made("(?:", ")(?![\\s\\S])", "y")];
  const found = (pattern, text, from = 0n, to = null) => {
    pattern.lastIndex = Number(from);
    const match = pattern.exec(to === null ? text : text.slice(0, Number(to)));
    return match && new py.Match(match);
  };
  return {
    pattern: source,
    search: (...given) => found(plain, ...given),
    match: (...given) => found(sticky, ...given),
    fullmatch: (...given) => found(whole, ...given),
    finditer: (text) => [...text.matchAll(plain)].map((match) => new py.Match(match)),
    findall: (text) => [...text.matchAll(plain)].map((match) => (match.length < 3 ? match.at(-1) : match.slice(1))),
    sub: (by, text) => text.replace(plain, typeof by === "string" ? by.replace(/\\g<0>/g, "$$&").replace(/\\(\d)/g, "$$$1").replaceAll("\\\\", "\\") : (...given) => by(new py.Match(given))),
    split: (text) => text.split(made("", "", "")),
  };
};
const ofSource = (source) => (typeof source !== "string" ? source : py.pattern(source.replaceAll("(?P<", "(?<"), ""));
for (const name of ["search", "match", "fullmatch", "finditer"]) py[`re_${name}`] = (source, text) => ofSource(source)[name](text);
py.re_compile = ofSource;
py.re_sub = (source, by, text) => py.pattern(source.replaceAll("(?P<", "(?<"), "").sub(by, text);
py.re_escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// What texts and lists can do: where something else has a method of the name, that is its own

const within = (text, some, act) => [some].flat().some((each) => act(text, each));
const parted = (text, by, at, whole) => (at < 0 ? whole : [text.slice(0, at), by, text.slice(at + by.length)]);
/** A text cut at a part, at most so many times. */
const pieces = (text, by, most) => {
  const [all, times] = [text.split(by), Number(most ?? -1n)];
  return times < 0 || times >= all.length ? all : [...all.slice(0, times), all.slice(times).join(by)];
};
const METHODS = {
  startswith: (text, some) => within(text, some, (all, each) => all.startsWith(each)),
  endswith: (text, some) => within(text, some, (all, each) => all.endsWith(each)),
  removeprefix: (text, start) => (start && text.startsWith(start) ? text.slice(start.length) : text),
  removesuffix: (text, end) => (end && text.endsWith(end) ? text.slice(0, -end.length) : text),
  replace: (text, old, now, most = null) => pieces(text, old, most).join(now),
  join: (text, items) => [...items].join(text),
  split: (text, by = null, most = null) => (by === null ? text.trim().split(/\s+/).filter(Boolean) : pieces(text, by, most?.maxsplit ?? most)),
  strip: (text, some = null) => METHODS.lstrip(METHODS.rstrip(text, some), some),
  lstrip: (text, some = null) => text.replace(new RegExp(`^[${some === null ? "\\s" : py.re_escape(some)}]+`), ""),
  rstrip: (text, some = null) => text.replace(new RegExp(`[${some === null ? "\\s" : py.re_escape(some)}]+$`), ""),
  translate: (text, table) => [...text].map((each) => {
    const now = table.get(BigInt(each.codePointAt()), each);
    return typeof now === "bigint" ? String.fromCodePoint(Number(now)) : now;
  }).join(""),
  lower: (text) => text.toLowerCase(),
  casefold: (text) => text.toLowerCase(),
  isdecimal: (text) => /^\p{Nd}+$/u.test(text),
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isidentifier: (text) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(text),
  isascii: (text) => /^[\0-\x7f]*$/.test(text),
  partition: (text, by) => parted(text, by, text.indexOf(by), [text, "", ""]),
  rpartition: (text, by) => parted(text, by, text.lastIndexOf(by), ["", "", text]),
  format: (text, ...given) => {
    let next = 0;
    return text.replace(/\{(\w*):?([^}]*)\}/g, (_, name, spec) => py.format(name ? given[0][name] : given[next++], spec));
  },
  find: (text, part) => BigInt(text.indexOf(part)),
  count: (whole, part) =>
    BigInt(typeof whole === "string" ? whole.split(part).length - 1 : whole.filter((each) => py.eq(each, part)).length),
  index: (list, part) => BigInt(list.findIndex((each) => py.eq(each, part))),
  append: (list, each) => void list.push(each),
  extend: (list, items) => void list.push(...items),
  insert: (list, place, each) => void list.splice(Number(place), 0, each),
  pop: (list, place = -1n) => list.splice(Number(place), 1)[0],
  sort: (list, options) => void list.splice(0, list.length, ...py.sorted(list, options)),
  copy: (list) => [...list],
};

const BYTES = {
  join: (_, parts) => {
    const all = [...parts];
    const whole = new Uint8Array(all.reduce((size, { length }) => size + length, 0));
    all.reduce((place, each) => (whole.set(each, place), place + each.length), 0);
    return whole;
  },
  startswith: (all, start) => start.every((each, place) => all[place] === each),
  strip: (all, [zero]) => {
    const first = all.findIndex((each) => each !== zero);
    return first < 0 ? all.subarray(0, 0) : all.subarray(first, all.findLastIndex((each) => each !== zero) + 1);
  },
  decode: (all, named = "utf-8") => new TextDecoder(named, { fatal: true, ignoreBOM: true }).decode(all),
  count: (all, [one]) => { let n = 0; for (const each of all) n += each === one; return BigInt(n); },
};
py.bytes = (items) => (isBytes(items) ? new Uint8Array(items.buffer, items.byteOffset, items.byteLength) : Uint8Array.from(items));
py.bytearray = (size) => new Uint8Array(Number(size));
py.from_bytes = (all) => all.reduceRight((whole, each) => (whole << 8n) | BigInt(each), 0n);
/** Bytes as whole numbers of so many, which share their memory where they lie so. */
const WIDE = { B: Uint8Array, H: Uint16Array, I: Uint32Array, Q: BigUint64Array };
py.memoryview = (all) => ({ cast: (code) => {
  const { buffer, byteOffset, byteLength } = all.byteOffset % 8 ? all.slice() : all;
  return new WIDE[code](buffer, byteOffset, byteLength / WIDE[code].BYTES_PER_ELEMENT);
} });
py.call = (thing, name, ...given) =>
  isBytes(thing) ? BYTES[name](thing, ...given) : isMany(thing) ? METHODS[name](thing, ...given) : thing[name](...given);
py.method = (name, thing, ...given) => py.call(thing, name, ...given);

/** A file among those that were dropped on the page, read in a worker, where reading can wait. */
py.dropped = new Map();
py.File = class extends py.Thing {
  __init__(path) {
    const file = py.dropped.get(path);
    Object.assign(this, { name: path, file, size: BigInt(file.size), identity: [path] });
  }
  read(offset, count) {
    const part = this.file.slice(Number(offset), Number(offset + count));
    const no = (told) => { throw new Unreadable(this.name, `cannot be read: ${told}`); };
    return attempt(() => new Uint8Array(new FileReaderSync().readAsArrayBuffer(part)), no, DOMException);
  }
};
