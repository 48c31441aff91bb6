// A config.json or fields in any spelling: what gpt2calc.documents and gpt2calc.config do, by the same tables.

const FIELDS = FACTS.config;
/** What is known of each field: the table of gpt2calc.fields. */
const ROWS = Object.fromEntries(
  FIELDS.rows.map((row) => [row[0], Object.fromEntries(row.map((cell, place) => [FIELDS.columns[place], cell]))]),
);
const CANONICAL = new Map(
  Object.entries(ROWS).flatMap(([field, { spellings }]) => [field, ...spellings].map((name) => [name, field])),
);

/** A default or a preset's value as the page keeps it: whole numbers are BigInts. */
const kept = (value) => {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : new Real(String(value));
  return Array.isArray(value) ? value.map(kept) : value;
};

const keptAll = (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, kept(value)]));

const DEFAULTS = keptAll(Object.fromEntries(Object.entries(ROWS).map(([field, row]) => [field, row.default])));

/** Read the text of a config.json: a GPT-2's fields, notes, and whose config it is, or a document that is `given` of
 * another architecture. A Sentence is thrown where it is none. */
function readConfig(text) {
  const [model, where] = withinDocument(parseConfig(text));
  const [document, part] = builtOf(model);
  const said = [...where, ...part];
  if (isOfOthers(document)) return { given: document, said };
  const { fields, notes } = readDocument(document);
  return { fields: validated(canonical(fields)), notes: [...said, ...notes], maker: makerIn(document) };
}

/** Whose model a document describes, where that shows, by the name of the dialect that the maker's files have. */
function makerIn(document) {
  const ours = document.get(FIELDS.ours);
  if (ours instanceof Map && typeof ours.get("maker") === "string") return ours.get("maker");
  return FIELDS.marks.some((mark) => document.has(mark)) ? "huggingface" : "";
}

function parseConfig(text) {
  const document = readJson(text, { deepest: 900 });
  if (document instanceof Map) return document;
  throw new Sentence(`expected a JSON object such as {"n_layer": 12}, got a JSON ${kindOf(document)}`);
}

function kindOf(value) {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : ({ string: "string", boolean: "boolean" }[typeof value] ?? "number");
}

/** The fields that a document gives, and a note for each thing a reader should know. */
function readDocument(given) {
  if (!given.size)
    throw new Sentence('expected a config with a field at least, such as {"n_layer": 12}, got an empty one');
  const document = new Map([...given].filter(([name]) => name !== FIELDS.ours));
  const missing = Object.entries(FIELDS.documented);
  if (!FIELDS.marks.some((mark) => document.has(mark))) {
    const isSized = [...document.keys()].some((name) => Object.hasOwn(FIELDS.documented, CANONICAL.get(name) ?? ""));
    const written = missing.map(([name, value]) => `${name} ${value}`).join(", ");
    const [plain, said] = plainFields(document);
    const { fields, remarks: numbers } = inNumbers(plain);
    const remarks = [...said, ...numbers];
    return { fields, notes: isSized || said.length ? remarks : [`no size is given; gpt2's are counted: ${written}`, ...remarks] };
  }
  const read = new Map();
  const notes = [];
  for (const field of Object.keys(ROWS)) readField(field, document, read, notes);
  readHead(document, read);
  if (!read.size && (document.get("model_type") ?? null) === null)
    throw new Sentence("expected a config with a size, a model_type or a class of GPT-2's, got a document without any");
  notes.push(...unreadNotes(document, read));
  for (const [field, value] of missing)
    if (!read.has(field)) notes.push(`${field} is not given; transformers' default ${value} is counted`);
  const { fields, remarks } = inNumbers(read);
  return { fields, notes: [...notes, ...remarks] };
}

/** Fields with what is a whole number as one, and notes for those that were written otherwise, as 768.0. */
function inNumbers(given) {
  const remarks = [];
  const read = ([name, value]) => {
    const number = ROWS[CANONICAL.get(name)]?.kind === "size" ? inWhole(value) : value;
    if (number !== value) remarks.push(`${pair(name, value)} is read as ${grouped(number)}`);
    return [name, number];
  };
  return { fields: new Map([...given].map(read)), remarks };
}

function readField(field, document, fields, notes) {
  const { mapped, spellings, in_transformers: isTheirs } = ROWS[field];
  const theirs = mapped ? [mapped, field] : [field];
  const names = [...new Set([...theirs, ...spellings])].filter((name) => document.has(name));
  if (!names.length) return;
  const [first, ...rest] = names;
  const value = document.get(first);
  fields.set(field, value);
  for (const name of rest)
    if (!same(document.get(name), value)) {
      const passed = pair(name, document.get(name));
      notes.push(`${pair(first, value)} is read, as transformers does, and ${passed} is not`);
    }
  if (!theirs.includes(first) || !isTheirs)
    notes.push(`transformers itself would not read ${pair(first, value)}; it is counted as given`);
}

/** Take the head from `architectures` and num_labels from `id2label`, where they are not given outright. */
function readHead(document, fields) {
  const labels = document.get("id2label");
  if (!document.has("num_labels") && labels instanceof Map) fields.set("num_labels", BigInt(labels.size));
  const named = fields.has("head") ? [] : classesIn(document);
  if (!named.length) return;
  const bare = named.flatMap((name) =>
    ["", ...FIELDS.frameworks].map((start) => (name.startsWith(start) ? name.slice(start.length) : "")),
  );
  const known = bare.find((name) => Object.hasOwn(FIELDS.classes, name));
  if (known) return void fields.set("head", FIELDS.classes[known]);
  const problem = `${shortened(named[0])} is no class of transformers' GPT-2, and may have other shapes`;
  throw new Sentence(`architectures: ${problem}: known are ${Object.keys(FIELDS.classes).join(", ")}`);
}

/** Fields in their canonical spelling, without those that no count depends on. */
function canonical(fields) {
  const found = new Map();
  const spelled = new Map();
  for (const [name, given] of fields) {
    const field = CANONICAL.get(name);
    if (field === undefined) {
      refuseUnknown(name, given, fields);
      continue;
    }
    const value = field === "head" ? headOf(given) : given;
    if (found.has(field) && !same(found.get(field), value)) {
      const first = spelled.get(field);
      const what = `${pair(first, fields.get(first))} and ${pair(name, given)}`;
      throw new Sentence(`${what} disagree: both mean ${field}; give one of them`);
    }
    found.set(field, value);
    spelled.set(field, name);
  }
  readHead(fields, found);
  return found;
}

function headOf(given) {
  if (given === null) return ROWS.head.null;
  return typeof given === "string" && Object.hasOwn(FIELDS.classes, given) ? FIELDS.classes[given] : given;
}

function refuseUnknown(name, given, fields) {
  refusePruned(name, given);
  const problem = gating(name, given);
  if (problem) throw new Sentence(problem);
  const meant = Object.hasOwn(FIELDS.not_read, name) ? FIELDS.not_read[name] : null;
  const isGiven = [...fields.keys()].some((other) => CANONICAL.get(other) === meant);
  if (NO_COUNT.has(name) || (meant && isGiven)) return;
  if (meant) throw new Sentence(`GPT-2 does not read ${name}: give ${pair(meant, given)}`);
  refuseNested(name, given, new Map());
  const near = isForeign(name) ? null : mistyped(name, [...CANONICAL.keys()]);
  const advice = near
    ? `did you mean ${CANONICAL.get(near)}?`
    : `known fields are ${Object.keys(ROWS).join(", ")}`;
  throw new Sentence(`there is no field ${shortened(name)}: ${advice}`);
}

/** The sentence that says what a field takes, where a value is something else; null where it is right. */
function problemWith(row, value) {
  const { kind, words } = row;
  const isEntry = (each) => (words.length ? words.includes(each) : typeof each === "bigint");
  const strange = kind === "list" && Array.isArray(value) ? value.find((each) => !isEntry(each)) : undefined;
  const isRight = {
    boolean: () => ["switch", "flag"].includes(kind),
    bigint: () => kind === "size" && value >= BigInt(row.least),
    string: () => kind !== "list" && words.includes(value),
    object: () => (value === null ? !["refused", "none"].includes(row.null) : kind === "list" && Array.isArray(value)),
  }[typeof value]();
  if (isRight && strange === undefined) return null;
  const isLarge = value instanceof Real && Number.isInteger(value.value) && Math.abs(value.value) >= 2 ** 53;
  const more = isLarge && kind === "size" ? ", and from 2^53 on a float is no single number: give an int" : "";
  const got = strange === undefined ? shown(value) : `${shown(strange)} in it`;
  return `${row.name} must be ${row.expected}, got ${got}${more}`;
}

const tooLong = (name, value) =>
  typeof value === "bigint" && String(absolute(value)).length > FIELDS.digits
    ? `${name} must have at most ${FIELDS.digits} digits`
    : null;

/** All fields, those that are not given with their defaults; a Sentence where one is wrong. */
function validated(given) {
  const wrong = Object.keys(DEFAULTS).filter((field) => given.has(field) && problemWith(ROWS[field], given.get(field)));
  if (wrong.length) {
    const others = wrong.length > 1 ? ` (wrong as well: ${wrong.slice(1).join(", ")})` : "";
    throw new Sentence(problemWith(ROWS[wrong[0]], given.get(wrong[0])) + others);
  }
  const fields = { ...DEFAULTS, ...Object.fromEntries(given) };
  const long = Object.entries(fields).map(([field, value]) => tooLong(field, value)).find(Boolean);
  const problem = long ?? headsProblem(fields);
  if (problem) throw new Sentence(problem);
  return fields;
}

function headsProblem({ n_head: heads, n_embd: width }) {
  if (!heads || width % heads === 0n) return null;
  const below = width - (width % heads);
  const near = below ? `${below} or ${below + heads}` : `${heads}`;
  return (
    `n_head ${heads} must divide n_embd ${width}: give n_embd ${near}, or another n_head, ` +
    "or leave n_head out, since no count depends on it"
  );
}
