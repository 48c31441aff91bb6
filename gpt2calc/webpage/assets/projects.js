// Configs that transformers did not write, as gpt2calc.projects reads them, by the same tables.

const theirs = () => FIELDS.projects;
const projectOf = (key) => theirs().rows.find(([, keys]) => Object.hasOwn(keys, key));
const spelledKey = (key) => key.replace(/^-+/, "").replaceAll("-", "_");

/** What is known of the field that a key is a spelling of; undefined where it is none's. */
const rowOf = (name) => CANONICAL.get(projectOf(name)?.[1][name] ?? name);

/** What a document that gives depth and width says of a GPT-2, in fields, with notes; any other as it is. */
function plainFields(document) {
  const spelled = new Map();
  for (const [key, value] of document) {
    const [name, old] = [spelledKey(key), spelled.get(spelledKey(key))];
    if (spelled.has(name) && !same(old, value))
      refuse(`${shortened(key)} is given twice, as ${shown(old)} and as ${shown(value)}`);
    spelled.set(name, value);
  }
  const [keys, notes, passed] = [[...spelled.keys()], [], []];
  // A text is no size, as vocab: vocab.txt; 12x is one, which is mistyped.
  const isText = (value) => typeof value === "string" && typeof typedNumber(value) === "string";
  const isWord = (value) => isText(value) && !/^\s*[+-]*\p{Nd}/u.test(value);
  const isMeant = (key) => rowOf(key) && !(rowOf(key).kind === "size" && isWord(spelled.get(key)));
  const byField = Map.groupBy(keys.filter(isMeant), (key) => rowOf(key).name);
  const others = [...spelled].filter(([key]) => !CANONICAL.has(key) && !projectOf(key));
  const rows = [...new Set(keys.map(projectOf).filter(Boolean))];
  const isTyped = !others.length && !rows.length && keys.every((key) => document.has(key));
  if (isTyped || !byField.has("n_layer") || !byField.has("n_embd")) return [document, []];
  const fields = new Map();
  for (const [field, named] of byField) {
    const own = named.filter((key) => !theirs().trained.includes(key)); // training can be on shorter sequences
    const first = agreed(own.length ? own : named, spelled, field);
    const value = spelled.get(first);
    for (const other of named.filter((key) => !same(spelled.get(key), value)))
      notes.push(`${pair(first, value)} is read, and ${pair(other, spelled.get(other))} is not`);
    fields.set(field, value);
  }
  const [padded, ranks] = [spelled.get(theirs().padded), theirs().parallel.find((key) => inWhole(spelled.get(key)) > 1)];
  if (isWhole(padded)) fields.set("vocab_size", padded).delete("pad_vocab_size_multiple");
  if (isWhole(padded)) notes.push(`${pair(theirs().padded, padded)} is what is counted`);
  else if (ranks && fields.has("pad_vocab_size_multiple"))
    refuse(`${pair(ranks, spelled.get(ranks))} pads for each rank: gpt2calc count reads it, and not this page`);
  for (const [key, value] of others) {
    if (theirs().head_widths.includes(key)) checkHeadWidth(key, value, fields);
    else if (theirs().inverse.includes(key)) {
      const said = `${pair(key, value)} and ${pair(TIE, fields.get(TIE) ?? null)} disagree: give one of them`;
      if (fields.has(TIE) && fields.get(TIE) === isTrue(value)) refuse(said);
      fields.set(TIE, !isTrue(value));
    } else if (FIELDS.no_count.includes(key) || Object.hasOwn(FIELDS.unread.not_read, key)) fields.set(key, value);
    else if (![...theirs().parallel, theirs().padded].includes(key) && !isNothing(key, value)) {
      refuseOther(key, value, fields);
      if (!Object.hasOwn(theirs().sayings, key)) passed.push(shortened(key));
    }
  }
  const whose = ([name, , remark]) => `read as ${name}'${name.endsWith("s") ? "" : "s"} keys${remark && `; ${remark}`}`;
  const usual = Object.entries(FIELDS.documented).filter(([size]) => !fields.has(size));
  const bias = "bias is not given: biases are counted, as in GPT-2; nanoGPT's train.py builds none unless told";
  if (spelled.has("block_size") && !fields.has("bias")) notes.push(bias);
  notes.push(...usual.map(([size, value]) => `${size} is not given; gpt2's ${value} is counted`));
  const words = keys.filter((key) => rowOf(key) && !isMeant(key)).map((key) => pair(key, spelled.get(key)));
  if (words.length) notes.push(`not read, as no size is written so: ${listed(words, theirs().most_named)}`);
  if (passed.length) notes.push(`not read, as no count depends on them: ${listed(passed, theirs().most_named)}`);
  return [fields, [...rows.map(whose), ...notes]];
}

/** Refuse heads that are not as wide as GPT-2's, which divide the width. */
function checkHeadWidth(key, value, fields) {
  const [each, heads, width] = [value, fields.get("n_head") ?? null, fields.get("n_embd")].map(inWhole);
  const areCounts = [each, width].every((size) => typeof size === "bigint" && size);
  const isRight = areCounts && width % each === 0n && [null, width / each].includes(heads);
  const said = `${pair(key, value)}, n_head=${shown(heads)}, n_embd=${shown(width)}`;
  if (value !== null && !isRight) refuse(`${said}: GPT-2's heads are n_embd / n_head wide`);
}

/** Refuse a key that says that the model is no GPT-2, or that holds or means a size. */
function refuseOther(key, value, fields) {
  const [gated, isSaying] = [gating(key, value), Object.hasOwn(theirs().sayings, key)];
  if (gated) refuse(gated);
  const word = typeof value === "string" ? value.toLowerCase() : "";
  const said = value === null && key === "normalization_type" ? "none" : word;
  const known = isSaying ? [...theirs().plain_words.filter((each) => each !== "none"), ...theirs().sayings[key]] : [];
  const isOn = theirs().otherwise.includes(key) && isTrue(value);
  if (isSaying && !(value instanceof Map) ? !known.includes(said) : isForeign(key, value) || isOn)
    refuse(`${pair(key, value)} is not as in GPT-2, which alone is counted`);
  if (!isSaying) refuseSlip(key, value, fields);
  refuseWithin(key, value, fields);
}

/** Whether a key, with such a value, is a size or a structure of an architecture that GPT-2 is not. */
function isForeign(name, value = null) {
  const words = ` ${name.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;
  const hasOneOf = (phrases) => phrases.some((phrase) => words.includes(` ${phrase} `));
  return !hasOneOf(["cache"]) && hasOneOf(value instanceof Real ? theirs().floats : theirs().foreign);
}

/** Whether a key is foreign, and its value says that there is no such thing, or that all is as in GPT-2. */
function isNothing(name, value) {
  if (!isForeign(name)) return false;
  if (theirs().body_biases.includes(name.toLowerCase())) return value !== false;
  if (typeof value === "string") return theirs().plain_words.includes(value.toLowerCase());
  return !isTrue(value) || (same(value, 1n) && name.toLowerCase().includes("expert"));
}

/** Refuse sizes that lie within a key, however deep, and that the document does not give, or gives otherwise. */
function refuseWithin(path, value, fields) {
  const pairs = value instanceof Map ? [...value] : [];
  const isOther = (row, size) => row?.kind === "size" && isWhole(size) && !same(fields.get(row.name), size);
  const other = pairs.find(([key, size]) => isOther(rowOf(spelledKey(key)), size));
  const [at, what] = [shortened(path), other && `${shortened(path)} holds sizes, ${pair(...other)} among them`];
  if (other) refuse(`${what}: give the object ${at} alone, or its sizes outside of it`);
  for (const [key, each] of pairs) refuseWithin(`${path}.${key}`, each, fields);
  if (Array.isArray(value)) value.forEach((each, place) => refuseWithin(`${path}[${place}]`, each, fields));
}

/** Refuse a key that is a field's but for a slip, with a value of its kind that the field itself does not have. */
function refuseSlip(name, value, fields) {
  const lettersOf = (text) => text.toLowerCase().replace(/[_\- ]/g, "");
  const isMeant = ([own]) => own.length > 2 && isSlip(lettersOf(name), lettersOf(own));
  const row = [...CANONICAL].find(isMeant)?.[1];
  const isOfKind = row?.kind === "flag" ? typeof value === "boolean" : row?.kind === "size" && isWhole(value);
  if (isOfKind && !same(fields.get(row.name), value))
    refuse(`there is no field ${shortened(name)}: did you mean ${row.name}?`);
}

/** Whether two texts differ in one place at most: a letter more, less or another, or two that changed places. */
function isSlip(one, other) {
  const alike = [...one].findIndex((letter, place) => letter !== other[place]);
  const [ours, theirs] = [one, other].map((text) => text.slice(alike < 0 ? one.length : alike));
  const isAnother = ours.slice(1) === theirs.slice(1) && !/\d\d/.test(ours[0] + theirs[0]);
  const isTurned = ours[1] + ours[0] + ours.slice(2) === theirs;
  return isAnother || isTurned || ours.slice(1) === theirs || ours === theirs.slice(1);
}
