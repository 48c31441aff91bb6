// A config.json of any architecture, as gpt2calc reads it, by the table of the fields of each.

const FIELDS = FACTS.config;
const NO_COUNT = new Set(FIELDS.no_count);

/** A default or a preset's value as the page keeps it: whole numbers are BigInts. */
function kept(value) {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : new Real(String(value));
  return Array.isArray(value) ? value.map(kept) : value;
}

const keptAll = (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, kept(value)]));

/** What is known of each field of a GPT-2, and what each spelling means. */
const ROWS = Object.fromEntries(
  FIELDS.rows.map((cells) => {
    const row = Object.fromEntries(cells.map((cell, place) => [FIELDS.columns[place], cell]));
    return [row.name, { ...row, default: kept(row.default) }];
  }),
);
const CANONICAL = new Map(Object.values(ROWS).flatMap(({ name, spellings }) => [name, ...spellings].map((each) => [each, name])));
const DEFAULTS = Object.fromEntries(Object.values(ROWS).map((row) => [row.name, row.default]));

/** A float that is exactly one whole number as that; anything else as it came. */
const inWhole = (value) => (value instanceof Real && Number.isSafeInteger(value.value) ? BigInt(value.value) : value);
const isWhole = (value) => typeof value === "bigint" || (value instanceof Real && Number.isInteger(value.value));

/** The sentence that says what a field takes, where a value is something else; null where it is right. */
function problemWith({ name, kind, words, least, null: nothing, expected }, value) {
  const isEntry = (each) => (words.length ? words.includes(each) : typeof each === "bigint");
  const strange = kind === "list" && Array.isArray(value) ? value.find((each) => !isEntry(each)) : undefined;
  const isRight = {
    boolean: () => kind === "flag",
    bigint: () => kind === "size" && value >= BigInt(least),
    string: () => kind !== "list" && words.includes(value),
    object: () => (value === null ? !["refused", "none"].includes(nothing) : kind === "list" && Array.isArray(value)),
  }[typeof value]();
  if (!isRight || strange !== undefined) {
    const isLarge = kind === "size" && isWhole(value) && value instanceof Real;
    const more = isLarge ? ", and from 2^53 on a float is no single number: give an int" : "";
    return `${name} must be ${expected}, got ${strange === undefined ? shown(value) : `${shown(strange)} in it`}${more}`;
  }
  const isLong = typeof value === "bigint" && String(absolute(value)).length > FIELDS.digits;
  return isLong ? `${name} must have at most ${FIELDS.digits} digits` : null;
}

/** A value as a field takes it; a Sentence where it takes none such. A list of letters may be one text. */
function checked(row, value) {
  const isSpelled = row.kind === "list" && typeof value === "string" && row.words.length && row.words.every((word) => !word[1]);
  const found = row.kind === "size" ? inWhole(value) : isSpelled ? [...value] : value;
  const problem = problemWith(row, found);
  return problem ? refuse(problem) : found;
}

/** The first of the spellings of a field that are given, which all have to say the same. */
function agreed([first, ...others], given, name) {
  for (const other of others.filter((each) => !same(given.get(each), given.get(first))))
    refuse(`${pair(first, given.get(first))} and ${pair(other, given.get(other))} disagree: both mean ${name}`);
  return first;
}

function parseConfig(text) {
  const document = readJson(text, 900);
  return document instanceof Map ? document : refuse(`expected a JSON object such as {"n_layer": 12}, got ${shown(document)}`);
}

/** The model that a document gives, the fields that it gives, and what a reader should know. */
const readDocument = (document) => (isOfOthers(document) ? readFamily(document) : readGpt2(document));

/** Whether a document says that it is of another architecture than GPT-2. */
function isOfOthers(given) {
  const [type, text] = [given.get("model_type") ?? null, given.get("text_config")];
  if (type !== null || (text instanceof Map && text.has("model_type"))) return type !== "gpt2";
  const names = given.get("architectures");
  return Array.isArray(names) && names.some((name) => typeof name === "string" && typeOfClass(name));
}

/** The model type that a class of transformers is of; undefined where none is known, or where it is GPT-2. */
function typeOfClass(name) {
  const plain = ["ForCausalLM", "ForSequenceClassification", "Model"].reduce((rest, end) => rest.replace(new RegExp(`${end}$`), ""), name);
  return Object.keys(FAMILIES.types).find((type) => type !== "gpt2" && type.replaceAll("_", "") === plain.toLowerCase());
}

function classesIn(given) {
  const found = isTrue(given.get("architectures")) ? given.get("architectures") : [];
  if (Array.isArray(found) && found.every((name) => typeof name === "string")) return found;
  return refuse(`architectures must be a list of class names, got ${shown(found)}`);
}

/** A document with what its class and `id2label` say of the head. Of a GPT-2, one class that is known is enough. */
function withHead(given, type, classes) {
  const [labels, names, isOurs] = [given.get("id2label"), classesIn(given), type === "gpt2"];
  const found = new Map(given);
  if (!given.has("num_labels") && labels instanceof Map) found.set("num_labels", BigInt(labels.size));
  if (!names.length || (isOurs && ["head", "model_head"].some((name) => given.has(name)))) return found;
  const bare = names.map((name) => (isOurs ? name.replace(new RegExp(`^(${FIELDS.frameworks.join("|")})(?=GPT2)`), "") : name));
  const known = bare.filter((name) => Object.hasOwn(classes, name));
  if (isOurs ? known.length : known.length === names.length) return found.set("head", classes[known[0]]);
  const strange = shortened(names.find((name) => !Object.hasOwn(classes, name)));
  return refuse(`architectures: ${strange} is no class of ${type} that is counted: known are ${Object.keys(classes).join(", ")}`);
}

// GPT-2, in every project's spelling

/** The GPT-2 that a document gives. One that bears a mark of transformers is read as transformers reads it, and notes say
 * what is not read; in any other, what is not known is refused. */
function readGpt2(given) {
  if (!given.size) refuse('expected a config with a field at least, such as {"n_layer": 12}, got an empty one');
  const ours = given.get(FIELDS.ours);
  const document = new Map([...given].filter(([name]) => name !== FIELDS.ours));
  const isTheirs = FIELDS.marks.some((mark) => document.has(mark));
  const [headed, fields, notes] = [withHead(document, "gpt2", FIELDS.classes), { ...DEFAULTS }, []];
  const found = new Map();
  for (const row of Object.values(ROWS)) {
    const theirs = row.mapped ? [row.mapped, row.name] : [row.name];
    const names = [...new Set([...theirs, ...row.spellings])].filter((name) => headed.has(name));
    if (!names.length) continue;
    const first = isTheirs ? names[0] : agreed(names, headed, row.name);
    const value = headed.get(first);
    for (const name of names.filter((each) => !same(headed.get(each), value)))
      notes.push(`${pair(first, value)} is read, as transformers does, and ${pair(name, headed.get(name))} is not`);
    if (isTheirs && document.has(first) && !(theirs.includes(first) && row.in_transformers))
      notes.push(`transformers itself would not read ${pair(first, value)}; it is counted as given`);
    found.set(row.name, value);
  }
  if (isTheirs && !found.size && (document.get("model_type") ?? null) === null)
    refuse("expected a config with a size, a model_type or a class of GPT-2's, got a document without any");
  notes.push(...unreadByGpt2(document, found, isTheirs));
  for (const [name, value] of found) {
    const head = value === null ? ROWS.head.null : (FIELDS.classes[value] ?? value);
    fields[name] = checked(ROWS[name], name === "head" ? head : value);
    if (value instanceof Real) notes.push(`${pair(name, value)} is read as ${grouped(fields[name])}`);
  }
  if (headsProblem(fields)) refuse(headsProblem(fields));
  const missing = Object.entries(FIELDS.documented).filter(([name]) => !found.has(name));
  const all = missing.map(([name, value]) => `${name} ${value}`).join(", ");
  if (isTheirs) notes.push(...missing.map(([name, value]) => `${name} is not given; transformers' default ${value} is counted`));
  else if (missing.length === Object.keys(FIELDS.documented).length) notes.push(`no size is given; gpt2's are counted: ${all}`);
  const said = ours instanceof Map && typeof ours.get("maker") === "string" ? ours.get("maker") : "";
  return { type: "gpt2", fields, notes, model: gpt2Of(dimsOf(fields)), maker: said || (isTheirs ? "huggingface" : "") };
}

/** The notes on what nobody reads. What may change a shape, or is a slip or a size that lies within, is refused. */
function unreadByGpt2(document, found, isTheirs) {
  const { activations, learned, not_read: notRead, most_keys: most, most_notes: many, suffix, sizes } = FIELDS.unread;
  const [notes, unread, known] = [[], [], [...CANONICAL.keys()]];
  for (const [name, value] of document) {
    if (name === "pruned_heads" && isTrue(value))
      refuse(`${pair(name, value)}: heads are taken out of blocks, and only blocks that are alike are counted`);
    const isGated = /glu|gated/i.test(value) || learned.includes(value);
    if (activations.includes(name) && typeof value === "string" && isGated) {
      const problem = `${pair(name, value)} gives an MLP other parameters than those of c_fc and c_proj, which GPT-2's has`;
      notes.push(isTheirs ? `${problem}; the count is of those` : refuse(problem));
    } else if (CANONICAL.has(name) || NO_COUNT.has(name)) continue;
    else if (Object.hasOwn(notRead, name)) {
      const meant = notRead[name];
      if (!isTheirs && !found.has(meant)) refuse(`GPT-2 does not read ${name}: give ${pair(meant, value)}`);
      if (isTheirs && !same(value, found.get(meant) ?? null))
        notes.push(`${pair(name, value)} is not read by GPT-2; ${meant} is what counts`);
    } else {
      const words = ` ${name.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;
      const isForeign = FIELDS.unread.foreign.some((phrase) => words.includes(` ${phrase} `));
      if (!isForeign || !isTheirs) refuseNested(name, value, isTheirs ? found : new Map(), sizes);
      const near = isForeign ? null : (mistyped(name, known) ?? (isTheirs ? mistyped(name.replace(new RegExp(suffix), ""), known) : null));
      const meant = CANONICAL.get(near);
      const isOfItsKind = { flag: typeof value === "boolean", size: isWhole(value) }[ROWS[meant]?.kind];
      const isSlip = !isTheirs || (isOfItsKind && !(found.has(meant) && same(found.get(meant), value)));
      const advice = meant ? `did you mean ${meant}?` : `known fields are ${Object.keys(ROWS).join(", ")}`;
      if (isSlip) refuse(`there is no field ${shortened(name)}: ${advice}`);
      unread.push(shortened(name));
    }
  }
  if (unread.length > most) refuse(`expected a config, got an object with more than ${most} keys that no GPT-2 has`);
  const more = unread.length > many ? ` and ${unread.length - many} more` : "";
  const list = unread.slice(0, many).join(", ") + more;
  return list ? [...notes, `not read, as transformers' GPT-2 reads none of them: ${list}`] : notes;
}

/** Refuse sizes that the document does not give, or gives otherwise, and that lie within a key of it. */
function refuseNested(path, held, found, sizes) {
  const pairs = held instanceof Map ? [...held] : Array.isArray(held) ? held.map((each) => ["", each]) : [];
  for (const [key, inner] of pairs) {
    const field = CANONICAL.get(key);
    if (sizes.includes(field) && isWhole(inner) && !(found.has(field) && same(found.get(field), inner)))
      refuse(`${shortened(path)} holds sizes, ${pair(key, inner)} among them: give the object ${shortened(path)} alone, or its sizes outside of it`);
    refuseNested(key === "" ? path : `${path}.${key}`, inner, found, sizes);
  }
}

function headsProblem({ n_head: heads, n_embd: width }) {
  if (!heads || width % heads === 0n) return null;
  const below = width - (width % heads);
  const near = `give n_embd ${below ? `${below} or ` : ""}${below + heads}, or another n_head`;
  return `n_head ${heads} must divide n_embd ${width}: ${near}, or leave n_head out, since no count depends on it`;
}

// Every other architecture

/** The model that a document gives; a Sentence where it gives none. */
function readFamily(given) {
  const text = given.get("text_config");
  if (text instanceof Map) return readPart(given, text);
  const [architecture, notes] = dispatched(given);
  const { type, classes, sizes: rows } = architecture;
  const isKnown = (name) => rows.some((row) => row.name === name);
  for (const name of FIELDS.unread.activations)
    if (!isKnown(name) && FIELDS.unread.learned.includes(given.get(name)))
      refuse(`${pair(name, given.get(name))} has parameters, which are not counted`);
  if (!isKnown("per_layer_config") && isTrue(given.get("per_layer_config") ?? null))
    refuse("per_layer_config gives layers sizes of their own, which are not counted");
  const [sizes, fields] = sizesBy(architecture, withHead(given, type, classes), notes);
  const model = modelOf(architecture, sizes);
  const known = new Set(architecture.rows.flatMap(({ layers }) => layers.split(" ")));
  const strange = [...new Set(model.kinds.flatMap(([tags]) => tags))].filter((tag) => !known.has(tag)).sort();
  if (strange.length) refuse(`${type} has no layers of the kind ${strange.join(", ")}`);
  notes.push(...toldBy(architecture.notes, lawful(architecture, sizes)), ...unreadIn(architecture, given));
  return { type, model, fields, notes };
}

/** The language model of a composite, and what is left out of it. */
function readPart(given, text) {
  const type = text.get("model_type") ?? null;
  if (type === null || type === "gpt2")
    refuse(`text_config must say its model_type, one that is counted as a part; it says ${type ?? "none"}`);
  const found = readFamily(text);
  const isOther = ([name, value]) => name !== "text_config" && name.endsWith("_config") && isTrue(value);
  const others = [...given].filter(isOther).map(([name]) => name);
  const names = others.filter((name) => !["quantization_config", "generation_config"].includes(name));
  const notes = [`the language model in text_config is counted alone, as ${type}'s causal language model`];
  if (names.length) notes.push(`left out: ${names.join(", ")}, and what joins them to the language model`);
  const tie = given.get("tie_word_embeddings");
  if (tie !== undefined && tie !== isTrue(found.model.sizes.tie_word_embeddings))
    notes.push(`${pair("tie_word_embeddings", tie)} stands outside of text_config, and is not read`);
  return { ...found, notes: [...notes, ...found.notes] };
}

function dispatched(given) {
  const type = given.get("model_type") ?? null;
  if (type === null) {
    const name = classesIn(given).find(typeOfClass);
    return [architectureOf(typeOfClass(name)), [`model_type is not given, and ${name} is ${typeOfClass(name)}'s`]];
  }
  if (typeof type !== "string") refuse(`model_type must be text, got ${shown(type)}`);
  const found = architectureOf(type);
  if (found) return [found, []];
  const types = Object.keys(FAMILIES.types);
  const inner = given.get("decoder") instanceof Map ? given.get("decoder").get("model_type") : null;
  const near = mistyped(type, types);
  const advice = near ? `did you mean ${near}?` : `docs/architectures.md lists the ${types.length} that are`;
  const isInside = types.includes(inner) && `its decoder is a ${inner}, which is: give the decoder's object alone`;
  return refuse(`model_type ${shown(type)} is not counted: ${isInside || advice}`);
}

/** A number for each size, in the order of the table, by which laws see what stands above them; and the fields given. */
function sizesBy(architecture, given, notes) {
  const [sizes, fields, defaults] = [{}, {}, []];
  for (const row of architecture.sizes) {
    const { name, kind } = row;
    const names = kind === "law" ? [] : [name, ...row.spellings].filter((each) => given.has(each));
    const first = agreed(names, given, name);
    const value = names.length ? given.get(first) : null;
    const isFree = ["list", "fixed"].includes(kind);
    if (value !== null && !(kind === "size" && row.words.includes(value))) {
      const found = kind === "fixed" ? onlyAs(architecture, first, row, value) : checked({ ...row, name: first }, value);
      if (kind === "size" && value instanceof Real) notes.push(`${pair(first, value)} is read as ${grouped(found)}`);
      sizes[name] = kind === "flag" ? BigInt(found) : found;
      fields[name] = found;
    } else {
      const usual = names.length && value === null && !["absent", "refused"].includes(row.null) ? row.null : row.default;
      if (names.length && value === null && row.null === "refused" && !isFree)
        refuse(`${first} must be ${row.expected}, got null`);
      if (usual === null && !isFree) refuse(`${name} is not given, and ${architecture.type} has no default`);
      const isLaw = Array.isArray(usual) && usual.length > 0;
      const found = isLaw ? evaluate(usual[0], sizes) : kept(usual);
      if (["size", "flag"].includes(kind) && !names.length && !isLaw && name !== "num_labels") defaults.push(`${name} ${found}`);
      sizes[name] = kind === "flag" ? BigInt(found) : found;
      if (names.length) fields[name] = value;
    }
    if (kind === "fixed") delete fields[name];
  }
  const usual = `not given, and counted as transformers ${FAMILIES.version}'s default: ${defaults.join(", ")}`;
  if (defaults.length) notes.push(usual);
  return [sizes, fields];
}

/** A value that an architecture is counted for alone. */
function onlyAs({ type }, name, row, value) {
  const only = `${pair(name, value)} changes shapes, and ${type} is counted for ${shown(kept(row.default))} alone`;
  return same(value, kept(row.default)) ? value : refuse(only);
}

const MOST_NOTES = 20;

/** A note for each key that changes no count because nobody reads it. */
function unreadIn({ type, sizes: rows, fields }, given) {
  const spelled = rows.flatMap(({ name, spellings }) => [name, ...spellings]);
  const known = new Set([...spelled, "architectures", "model_type", "id2label", "label2id", ...fields, ...NO_COUNT]);
  const unread = [...given.keys()].filter((name) => !known.has(name) && !name.startsWith("_"));
  const names = rows.filter(({ kind }) => kind !== "law").map(({ name }) => name);
  const notes = unread.slice(0, MOST_NOTES).map((name) => {
    const near = mistyped(name, names);
    return `transformers' ${type} does not read ${pair(name, given.get(name))}${near ? `; did you mean ${near}?` : ""}`;
  });
  if (unread.length > MOST_NOTES) notes.push(`nor does it read ${grouped(unread.length - MOST_NOTES)} more`);
  const own = `auto_map names code of its own, which is not read: counted is transformers' ${type}`;
  return isTrue(given.get("auto_map")) ? [own, ...notes] : notes;
}

/** A config.json from which the same model is read. */
function documentOf({ architecture: { type, classes, sizes: rows }, sizes }) {
  const [named] = Object.entries(classes).find(([, head]) => head === (sizes.head ?? "lm"));
  const said = rows.filter(({ name, kind }) => !["law", "fixed"].includes(kind) && name !== "head" && sizes[name] !== null);
  const value = ({ name, kind, least }) =>
    kind === "flag" ? sizes[name] === 1n : kind === "size" && sizes[name] < BigInt(least) ? null : sizes[name];
  return { model_type: type, architectures: [named], ...Object.fromEntries(said.map((row) => [row.name, value(row)])) };
}

// A number, or any field, as people type it

const TYPED = new RegExp(`^(?:${FIELDS.number})$`, "u");
const LARGE = 10n ** BigInt(FIELDS.digits);

/** Decimal digits of any script as 0 to 9: they stand in runs of ten, from the one that is 0 on. */
const inDigits = (text) =>
  text.replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    let first = digit.codePointAt(0);
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((digit.codePointAt(0) - first) % 10);
  });

/** Read a whole number as people type it; what is none comes back as it is. */
function typedNumber(text) {
  const found = TYPED.exec(inDigits(text.trim().split(/\s+/).join(" ")));
  if (!found) return text.trim();
  const { sign, whole, decimals = "", power = "0", unit, base, exponent } = found.groups;
  const bounded = (value) => ("-−".includes(sign || "x") ? -1n : 1n) * (value > LARGE ? LARGE : value);
  if (base) return bounded(BigInt(base) ** BigInt(exponent));
  const digits = (whole.replace(/[,_ ]/g, "") + decimals).replace(/^0+/, "");
  const zeros = Number(power) + (FIELDS.thousands[unit] ?? 0) - decimals.length;
  if (digits.length + zeros > FIELDS.digits) return digits ? bounded(LARGE) : 0n;
  const below = 10n ** BigInt(Math.max(-zeros, 0));
  return BigInt(digits) % below ? text.trim() : bounded((BigInt(digits) * 10n ** BigInt(Math.max(zeros, 0))) / below);
}

/** What is known of a field of a model type, under any of its spellings; undefined where it has none of the name. */
const rowFor = (type, name) => rowsFor(type).find((row) => row.name === name || row.spellings.includes(name));

const rowsFor = (type) =>
  type === "gpt2" ? Object.values(ROWS) : architectureOf(type).sizes.filter(({ kind }) => !["law", "fixed"].includes(kind));

/** Read a field from words; a Sentence is thrown where it is nothing that the field takes. */
function typedField(row, text) {
  const { kind, null: nothing, words } = row;
  let value = kind === "size" ? typedNumber(text) : text;
  if (kind === "flag" && ["true", "false"].includes(text)) value = text === "true";
  if (kind === "list" && text) value = text.split(/[\s,]+/).map((each) => (words.length ? each : typedNumber(each)));
  if (nothing !== "refused" && nothing !== "none" && ["", "none"].includes(text)) return null;
  return checked(row, value);
}
