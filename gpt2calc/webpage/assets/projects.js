// Configs that transformers did not write, as gpt2calc.projects reads them, by the same tables.

const THEIRS = FIELDS.projects;
const ROW_OF = new Map(THEIRS.rows.flatMap((row) => Object.entries(row[1]).map(([key, field]) => [key, { row, field }])));
const spelledKey = (key) => key.replace(/^-+/, "").replaceAll("-", "_");
const isCount = (value) => typeof inWhole(value) === "bigint";
const isMarked = (document) => FIELDS.marks.some((mark) => document.has(mark));

/** Which keys of a document are spellings of which field. */
function keysByField(document) {
  const found = new Map();
  for (const [key, value] of document) {
    const name = spelledKey(key);
    const field = CANONICAL.get(name) ?? ROW_OF.get(name)?.field;
    const isText = typeof value === "string" && !NUMBER_TEXT.test(value.trim());
    if (field && !(isText && ROWS[field].kind === "size")) found.set(field, [...(found.get(field) ?? []), key]);
  }
  return found;
}

const NUMBER_TEXT = new RegExp(`^(?:${FIELDS.number})$`);

/** Depth and width of a document, where it gives them. */
const bothSizes = (document) => {
  const keys = keysByField(document);
  return ["n_layer", "n_embd"].map((size) => (keys.has(size) ? document.get(keys.get(size)[0]) : undefined));
};

const isModel = (document) => document.has("model_type") || !bothSizes(document).includes(undefined);

/** The objects within a document, each with its path, the outer ones first; lists are entered too. */
function objectsIn(document) {
  const waiting = [...document].map(([key, value]) => [key, value]);
  const found = [];
  for (let entered = 0; waiting.length && entered < THEIRS.most_objects; ) {
    const [path, held] = waiting.shift();
    if (held instanceof Map) {
      found.push([shortened(path), held]);
      waiting.push(...[...held].map(([key, value]) => [`${path}.${key}`, value]));
    } else if (Array.isArray(held)) {
      waiting.push(...held.slice(0, THEIRS.most_named).map((value, place) => [`${path}[${place}]`, value]));
    } else continue;
    entered += 1;
  }
  return found;
}

/** The object of a document that is the model's, with what stands outside of it, and notes of where it is. */
function withinDocument(document) {
  const own = keysByField(document);
  if (own.has("n_layer") || own.has("n_embd") || isMarked(document)) return [document, []];
  const objects = objectsIn(document);
  const models = objects.filter(([, held]) => isModel(held));
  if (!models.length) return [document, []];
  const [path, first] = models[0];
  const other = models.find(([, held]) => !same(bothSizes(held).map(orNull), bothSizes(first).map(orNull)));
  if (other) {
    const what = `${path} and ${other[0]} both hold sizes, and they differ`;
    throw new Sentence(`${what}: give the object of one of them alone`);
  }
  if (isMarked(first)) return [first, [`the model is that of ${path}`]];
  const found = new Map(first);
  const notes = [`the sizes are those of ${path}`];
  const given = keysByField(first);
  const outside = [["", document], ...objects.filter(([, held]) => held !== first)];
  for (const size of [...Object.keys(FIELDS.documented), "n_head", "n_inner"]) {
    if (given.has(size)) continue;
    const said = outside.flatMap(([at, held]) =>
      (keysByField(held).get(size) ?? [])
        .filter((key) => isCount(held.get(key)))
        .map((key) => [at ? `${at}.${key}` : key, held.get(key)]),
    );
    if (said.some(([, value]) => !same(value, said[0][1])))
      throw new Sentence(`${said.slice(0, 2).map((each) => pair(...each)).join(" and ")}: which is ${size}?`);
    if (!said.length) continue;
    found.set(size, said[0][1]);
    notes.push(`${pair(...said[0])} is read as ${size}`);
  }
  return [found, notes];
}

const orNull = (value) => value ?? null;

/** What a document that gives depth and width says of a GPT-2, in fields, with notes; any other as it is. */
function plainFields(document) {
  const spelled = new Map();
  for (const [key, value] of document) {
    const name = spelledKey(key);
    if (spelled.has(name) && !same(spelled.get(name), value))
      throw new Sentence(`${shortened(key)} is given twice, as ${shown(spelled.get(name))} and as ${shown(value)}`);
    spelled.set(name, value);
  }
  const byField = keysByField(spelled);
  if (!byField.has("n_layer") || !byField.has("n_embd")) return [document, []];
  const others = [...spelled].filter(([key]) => !CANONICAL.has(key) && !ROW_OF.has(key));
  const isSpelled = [...spelled.keys()].every((key) => document.has(key));
  const rows = new Set([...spelled.keys()].flatMap((key) => (ROW_OF.has(key) ? [ROW_OF.get(key).row] : [])));
  if (!others.length && isSpelled && !rows.size) return [document, []];
  const notes = [];
  const fields = new Map([...byField].map(([field, keys]) => [field, oneOf(field, keys, spelled, notes)]));
  readVocabulary(spelled, fields, notes);
  const passed = [];
  for (const [key, value] of others) {
    if (THEIRS.head_widths.includes(key)) readHeadWidth(key, value, fields);
    else if (THEIRS.inverse.includes(key)) untie(key, value, fields);
    else if (NO_COUNT.has(key) || Object.hasOwn(FIELDS.not_read, key)) fields.set(key, value);
    else if (!THEIRS.parallel.includes(key) && key !== THEIRS.padded && !isNothing(key, value)) {
      refuseOther(key, value, fields);
      if (!Object.hasOwn(THEIRS.sayings, key)) passed.push(shortened(key));
    }
  }
  const whose = ([name, , remark]) => `read as ${name}'${name.endsWith("s") ? "" : "s"} keys${remark ? `; ${remark}` : ""}`;
  const missing = Object.entries(FIELDS.documented).filter(([size]) => !fields.has(size));
  const more = passed.length > THEIRS.most_named ? ` and ${passed.length - THEIRS.most_named} more` : "";
  const list = passed.slice(0, THEIRS.most_named).join(", ") + more;
  const bias = "bias is not given: biases are counted, as in GPT-2; nanoGPT's train.py builds none unless told";
  const said = [
    ...[...rows].map(whose),
    ...notes,
    ...(spelled.has("block_size") && !fields.has("bias") ? [bias] : []),
    ...missing.map(([size, value]) => `${size} is not given; gpt2's ${value} is counted`),
    ...(list ? [`not read, as no count depends on them: ${list}`] : []),
  ];
  return [fields, said];
}

/** The value that the keys of one field give, which is one, but that training can be on shorter sequences. */
function oneOf(field, keys, document, notes) {
  const isTrained = (key) => THEIRS.trained.includes(key);
  const [first, ...rest] = [...keys.filter((key) => !isTrained(key)), ...keys.filter(isTrained)];
  for (const other of rest) {
    if (same(document.get(other), document.get(first))) continue;
    const [one, two] = [pair(first, document.get(first)), pair(other, document.get(other))];
    if (!isTrained(other) || isTrained(first))
      throw new Sentence(`${one} and ${two} disagree: both mean ${field}; give one of them`);
    notes.push(`${one} is read, and ${two} is not`);
  }
  return document.get(first);
}

function readVocabulary(document, fields, notes) {
  const [padded, multiple] = [document.get(THEIRS.padded), fields.get("pad_vocab_size_multiple")];
  if (isCount(padded)) {
    fields.set("vocab_size", padded);
    fields.delete("pad_vocab_size_multiple");
    notes.push(`${pair(THEIRS.padded, padded)} is what is counted`);
    return;
  }
  const ranks = THEIRS.parallel.map((key) => document.get(key)).find(isCount) ?? 1n;
  if (typeof multiple !== "bigint" || ranks <= 1n) return;
  fields.set("pad_vocab_size_multiple", multiple * ranks);
  notes.push(`the vocabulary is rounded up to a multiple of ${multiple} for each of ${ranks} ranks, as Megatron's`);
}

/** Throw where heads are not as wide as GPT-2's, which divide the width; find their number where it is not given. */
function readHeadWidth(key, value, fields) {
  if (value === null) return;
  const [heads, width] = [fields.get("n_head") ?? null, fields.get("n_embd")];
  const isTold = isCount(value) && isCount(width) && value > 0n;
  if (isTold && heads === null && width % value === 0n) return void fields.set("n_head", width / value);
  if (isTold && isCount(heads) && heads * value === width) return;
  const said = `${pair(key, value)}, n_head=${shown(heads)}, n_embd=${shown(width)}`;
  throw new Sentence(`${said}: GPT-2's heads are n_embd / n_head wide`);
}

function untie(key, value, fields) {
  const tied = "tie_word_embeddings";
  if (fields.has(tied) && fields.get(tied) !== !isTrue(value))
    throw new Sentence(`${pair(key, value)} and ${pair(tied, fields.get(tied))} disagree: give one of them`);
  fields.set(tied, !isTrue(value));
}

/** Throw where a key that nobody reads says that the model is no GPT-2, or holds or means a size. */
function refuseOther(key, value, fields) {
  refusePruned(key, value);
  const problem = gating(key, value);
  if (problem) throw new Sentence(problem);
  const isSaying = Object.hasOwn(THEIRS.sayings, key);
  const isNone = value === null && key === "normalization_type";
  const said = typeof value === "string" ? value.toLowerCase() : isNone ? "none" : "";
  const known = [...THEIRS.plain_words.filter((word) => word !== "none"), ...(isSaying ? THEIRS.sayings[key] : [])];
  const isOther =
    isSaying && !(value instanceof Map)
      ? !known.includes(said)
      : isForeignValue(key, value) || (THEIRS.otherwise.includes(key) && isTrue(value));
  if (isOther) throw new Sentence(`${pair(key, value)} is not as in GPT-2, which alone is counted`);
  const meant = isSaying ? null : meantBy(key, value);
  if (meant && !(fields.has(meant) && same(fields.get(meant), value)))
    throw new Sentence(`there is no field ${shortened(key)}: did you mean ${meant}?`);
  if (!(value instanceof Map)) return;
  for (const [path, held] of objectsIn(new Map([[key, value]]))) {
    const keys = keysByField(held);
    const at = ["n_layer", "n_embd"].flatMap((size) => keys.get(size) ?? [])[0];
    if (at === undefined || same(bothSizes(held).map(orNull), [fields.get("n_layer"), fields.get("n_embd")])) continue;
    const what = `${path} holds sizes, ${pair(at, held.get(at))} among them`;
    throw new Sentence(`${what}: give the object ${path} alone, or without it`);
  }
}

const wordsOf = (name) => ` ${name.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;

/** Whether a key, with such a value, is a size or a structure of an architecture that GPT-2 is not. */
function isForeignValue(name, value) {
  const words = wordsOf(name);
  const isFloat = value instanceof Real && !THEIRS.floats.some((word) => words.includes(` ${word} `));
  return !words.includes(" cache ") && !isFloat && isForeign(name);
}

/** Whether a key is foreign, and its value says that there is no such thing, or that all is as in GPT-2. */
function isNothing(name, value) {
  if (!isForeignValue(name, null)) return false;
  if (THEIRS.body_biases.includes(name.toLowerCase())) return value !== false;
  if (typeof value === "string") return THEIRS.plain_words.includes(value.toLowerCase());
  return !isTrue(value) || (value === 1n && name.toLowerCase().includes("expert"));
}

/** The document of the language model that is counted of one, and a note where that is not all it says. */
function builtOf(document) {
  const [type, decoder] = [document.get("model_type") ?? null, document.get("decoder")];
  const inner = decoder instanceof Map ? decoder.get("model_type") : null;
  if (THEIRS.encoder_decoders.includes(type) && (inner === "gpt2" || Object.hasOwn(FAMILIES.types, inner ?? ""))) {
    const encoder = document.get("encoder");
    const kind = encoder instanceof Map ? encoder.get("model_type") : null;
    const leftOut = `the encoder${typeof kind === "string" ? `, ${kind},` : ""} and what joins it to the decoder`;
    const said = `the decoder of this ${type} is counted alone; left out: ${leftOut}`;
    return [new Map([...decoder, ["architectures", []]]), [said]];
  }
  if (type !== "gpt2" || document.get("attention_head_type") !== "multiquery") return [document, []];
  const changed = new Map([...document, ["model_type", "gpt_bigcode"], ["multi_query", true], ["architectures", []]]);
  for (const key of ["auto_map", "attention_head_type"]) changed.delete(key);
  return [changed, ["attention_head_type=multiquery is santacoder's: counted as transformers' gpt_bigcode"]];
}
