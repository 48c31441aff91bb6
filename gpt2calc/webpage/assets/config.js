// A config.json of any architecture, as gpt2calc reads it, by the table of the fields of each.

const FIELDS = FACTS.config;
const LARGE = 10n ** BigInt(FIELDS.digits);

/** A default or a preset's value as the page keeps it: whole numbers are BigInts. */
function kept(value) {
  if (typeof value === "number") return BigInt(value);
  if (value?.real) return new Real(value.real);
  return Array.isArray(value) ? value.map(kept) : value;
}

const keptAll = (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, kept(value)]));

/** What is known of each field of a GPT-2, and what each spelling means. */
const ROWS = FIELDS.rows.map((row) => ({ ...row, default: kept(row.default) }));
const CANONICAL = new Map(ROWS.flatMap((row) => [row.name, ...row.spellings].map((name) => [name, row])));
const DEFAULTS = Object.fromEntries(ROWS.map((row) => [row.name, row.default]));

/** A float that is exactly one whole number as that; anything else as it came. */
const inWhole = (value) => (value instanceof Real && Number.isSafeInteger(value.value) ? BigInt(value.value) : value);
const isWhole = (value) => typeof value === "bigint" || (value instanceof Real && Number.isInteger(value.value));

/** A value as a field takes it; a Sentence where it takes none such. A list of letters may be one text. */
function checked({ name, kind, words, least, null: nothing, expected }, value) {
  const isSpelled = kind === "list" && typeof value === "string" && words.length && words.every((word) => !word[1]);
  const found = kind === "size" ? inWhole(value) : isSpelled ? [...value] : value;
  const isEntry = (each) => (words.length ? words.includes(each) : typeof each === "bigint");
  const strange = kind === "list" && Array.isArray(found) ? found.find((each) => !isEntry(each)) : undefined;
  const isRight = {
    boolean: () => kind === "flag",
    bigint: () => kind === "size" && found >= BigInt(least),
    string: () => kind !== "list" && words.includes(found),
    object: () => (found === null ? !["refused", "none"].includes(nothing) : kind === "list" && Array.isArray(found)),
  }[typeof found]();
  const more = kind === "size" && isWhole(found) ? ", and from 2^53 on a float is no single number: give an int" : "";
  if (strange !== undefined) refuse(`${name} must be ${expected}, got ${shown(strange)} in it`);
  if (!isRight) refuse(`${name} must be ${expected}, got ${shown(found)}${found instanceof Real ? more : ""}`);
  if (kind === "size" && found >= LARGE) refuse(`${name} must have at most ${FIELDS.digits} digits`);
  return found;
}

/** The first of the spellings of a field that are given, which all have to say the same. */
function agreed([first, ...others], given, name) {
  for (const other of others.filter((each) => !same(given.get(each), given.get(first))))
    refuse(`${pair(first, given.get(first))} and ${pair(other, given.get(other))} disagree: both mean ${name}`);
  return first;
}

function parseConfig(text) {
  const found = readJson(text, 900);
  return found instanceof Map ? found : refuse(`expected a JSON object such as {"n_layer": 12}, got ${shown(found)}`);
}

/** The model that a document gives, the fields that it gives, and what a reader should know. */
function readDocument(given) {
  const [type, text, names] = [given.get("model_type") ?? null, given.get("text_config"), given.get("architectures")];
  const isOther = Array.isArray(names) && names.some((name) => typeof name === "string" && typeOfClass(name));
  const isPart = text instanceof Map && text.has("model_type");
  return type === "gpt2" || (type === null && !isPart && !isOther) ? readGpt2(given) : readFamily(given);
}

/** The model type that a class of transformers is of; undefined where none is known, or where it is GPT-2. */
function typeOfClass(name) {
  const plain = name.replace(/(ForCausalLM|ForSequenceClassification|Model)$/, "").toLowerCase();
  return Object.keys(FAMILIES.types).find((type) => type !== "gpt2" && type.replaceAll("_", "") === plain);
}

/** A document with what its class and `id2label` say of the head. Of a GPT-2, one class that is known is enough. */
function withHead(given, type, classes) {
  const [labels, names, isOurs] = [given.get("id2label"), given.get("architectures"), type === "gpt2"];
  const found = new Map(given);
  if (!given.has("num_labels") && labels instanceof Map) found.set("num_labels", BigInt(labels.size));
  if (!isTrue(names) || (isOurs && ["head", "model_head"].some((name) => given.has(name)))) return found;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
    refuse(`architectures must be a list of class names, got ${shown(names)}`);
  const bare = isOurs ? names.map((name) => name.replace(/^[A-Z][A-Za-z]*(?=GPT2)/, "")) : names;
  const known = bare.filter((name) => Object.hasOwn(classes, name));
  if (known.length >= (isOurs ? 1 : names.length)) return found.set("head", classes[known[0]]);
  const strange = shortened(names.find((name) => !Object.hasOwn(classes, name)));
  const all = Object.keys(classes).join(", ");
  return refuse(`architectures: ${strange} is no class of ${type} that is counted: known are ${all}`);
}

// GPT-2, in every project's spelling

/** The GPT-2 that a document gives. One that bears a mark of transformers is read as transformers reads it, and notes
 * say what is not read; in any other, what is not known is refused. */
function readGpt2(document) {
  if (!document.size) refuse('expected a config with a field at least, such as {"n_layer": 12}, got an empty one');
  const own = new Map([...document].filter(([name]) => name !== FIELDS.ours));
  if (own.get("attention_head_type") === "multiquery")
    refuse("attention_head_type=multiquery is santacoder's, which gpt2calc count counts, and not this page");
  const isTheirs = FIELDS.marks.some((mark) => own.has(mark));
  const [given, notes] = isTheirs ? [own, []] : plainFields(own);
  const [headed, fields, found] = [withHead(given, "gpt2", FIELDS.classes), { ...DEFAULTS }, new Map()];
  for (const { name, mapped, spellings, in_transformers: isBuilt } of ROWS) {
    const theirs = [mapped || name, name];
    const names = [...new Set([...theirs, ...spellings])].filter((each) => headed.has(each));
    if (!names.length) continue;
    const first = isTheirs ? names[0] : agreed(names, headed, name);
    const value = headed.get(first);
    for (const other of names.filter((each) => !same(headed.get(each), value)))
      notes.push(`${pair(first, value)} is read, as transformers does, and ${pair(other, headed.get(other))} is not`);
    if (isTheirs && given.has(first) && !(theirs.includes(first) && isBuilt))
      notes.push(`transformers itself would not read ${pair(first, value)}; it is counted as given`);
    found.set(name, value);
  }
  if (isTheirs && !found.size && !given.get("model_type"))
    refuse("expected a config with a size, a model_type or a class of GPT-2's, got a document without any");
  notes.push(...unreadByGpt2(given, found, isTheirs));
  for (const [name, value] of found) {
    const word = name === "head" ? (FIELDS.classes[value] ?? value ?? "none") : value;
    fields[name] = checked(CANONICAL.get(name), word);
    if (value instanceof Real) notes.push(`${pair(name, value)} is read as ${grouped(fields[name])}`);
  }
  if (headsProblem(fields)) refuse(headsProblem(fields));
  const missing = Object.entries(FIELDS.documented).filter(([name]) => !found.has(name));
  const said = missing.map(([name, value]) => `${name} is not given; transformers' default ${value} is counted`);
  const all = missing.map(([name, value]) => `${name} ${value}`).join(", ");
  if (isTheirs) notes.push(...said);
  else if (missing.length === Object.keys(FIELDS.documented).length)
    notes.push(`no size is given; gpt2's are counted: ${all}`);
  const maker = document.get(FIELDS.ours)?.get?.("maker") ?? (isTheirs ? "huggingface" : "");
  return { type: "gpt2", fields, notes, model: gpt2Of(dimsOf(fields)), maker };
}

/** The notes on what nobody reads; what may change a shape, and in no document of transformers, is refused. */
function unreadByGpt2(given, found, isTheirs) {
  const { not_read: notRead, most_keys: most, most_notes: many } = FIELDS.unread;
  const [notes, unread] = [[], []];
  for (const [name, value] of given) {
    const gated = gating(name, value);
    const meant = Object.hasOwn(notRead, name) && notRead[name];
    if (name === "pruned_heads" && isTrue(value))
      refuse(`${pair(name, value)}: heads are taken out of blocks, and only blocks that are alike are counted`);
    else if (gated) notes.push(isTheirs ? `${gated}; the count is of those` : refuse(gated));
    else if (CANONICAL.has(name) || FIELDS.no_count.includes(name)) continue;
    else if (meant) {
      if (!isTheirs && !found.has(meant)) refuse(`GPT-2 does not read ${name}: give ${pair(meant, value)}`);
      if (isTheirs && !same(value, found.get(meant) ?? null))
        notes.push(`${pair(name, value)} is not read by GPT-2; ${meant} is what counts`);
    } else if (isTheirs) {
      if (!isForeign(name)) refuseSlip(name, value, found);
      if (!isForeign(name)) refuseWithin(name, value, found);
      unread.push(shortened(name));
    } else refuse(`there is no field ${shortened(name)}: known fields are ${Object.keys(DEFAULTS).join(", ")}`);
  }
  if (unread.length > most) refuse(`expected a config, got an object with more than ${most} keys that no GPT-2 has`);
  const note = `not read, as transformers' GPT-2 reads none of them: ${listed(unread, many)}`;
  return unread.length ? [...notes, note] : notes;
}

/** The first of some names, and how many more there are. */
const listed = (names, most) =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");

/** An activation that has matrices or parameters of its own, in a sentence; "" for any other. */
function gating(name, value) {
  const { activations, learned } = FIELDS.unread;
  if (!activations.includes(name) || typeof value !== "string") return "";
  const said = `${pair(name, value)} gives an MLP other parameters than those of c_fc and c_proj, which GPT-2's has`;
  return /glu|gated/i.test(value) || learned.includes(value) ? said : "";
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
  const isLearned = (name) => !isKnown(name) && FIELDS.unread.learned.includes(given.get(name));
  const learned = FIELDS.unread.activations.find(isLearned);
  if (learned) refuse(`${pair(learned, given.get(learned))} has parameters, which are not counted`);
  if (!isKnown("per_layer_config") && isTrue(given.get("per_layer_config")))
    refuse("per_layer_config gives layers sizes of their own, which are not counted");
  const [sizes, fields] = sizesBy(architecture, withHead(given, type, classes), notes);
  const model = modelOf(architecture, sizes);
  const known = new Set(architecture.rows.flatMap(({ layers }) => layers.split(" ")));
  const strange = [...new Set(model.kinds.flatMap(([tags]) => tags))].filter((tag) => !known.has(tag)).sort();
  if (strange.length) refuse(`${type} has no layers of the kind ${strange.join(", ")}`);
  notes.push(...toldBy(architecture.notes, lawful(architecture, sizes)), ...unreadIn(architecture, given));
  const beside = [...given].filter(([name]) => FAMILIES.caches.fields.includes(name)); // what no count depends on
  return { type, model, fields, notes, beside: Object.fromEntries(beside) };
}

/** The language model of a composite, and what is left out of it. */
function readPart(given, text) {
  const type = text.get("model_type") ?? "none";
  if (["none", "gpt2"].includes(type))
    refuse(`text_config must say its model_type, one that is counted as a part; it says ${type}`);
  let found = readFamily(text);
  const isPart = (name) => name.endsWith("_config") && !/^(text|quantization|generation)_config$/.test(name);
  const names = [...given.keys()].filter((name) => isPart(name) && isTrue(given.get(name)));
  const notes = [`the language model in text_config is counted alone, as ${type}'s causal language model`];
  if (names.length) notes.push(`left out: ${names.join(", ")}, and what joins them to the language model`);
  if (Object.hasOwn(found.model.sizes, TIE)) found = tiedAsBuilt(given, text, found, notes);
  return { ...found, notes: [...notes, ...found.notes] };
}

const TIE = "tie_word_embeddings";

/** A composite's language model with its head tied or not, as transformers builds the composite. */
function tiedAsBuilt(given, text, found, notes) {
  const [outside, inside, type] = [given.get(TIE) ?? null, isTrue(found.model.sizes[TIE]), given.get("model_type")];
  if (outside !== null && typeof outside !== "boolean") refuse(`${TIE} must be true or false, got ${shown(outside)}`);
  const { composites } = FAMILIES;
  const tied = composites[Object.hasOwn(composites, type) ? type : ""][`${outside},${inside}`];
  const kind = typeof type === "string" ? `a ${shortened(type)}` : "a composite of no model_type";
  const which = `which of them ${kind} follows is not known: give ${TIE}`;
  if (tied === null) refuse(`${pair(TIE, outside)} stands outside of text_config, and ${inside} holds within; ${which}`);
  if (tied === inside) return found;
  const said = outside === null ? ", where nothing outside of text_config says otherwise" : "";
  notes.push(`its head is ${tied ? "tied" : "not tied"}, as transformers ${FAMILIES.version} builds a ${type}${said}`);
  return readFamily(new Map([...text, [TIE, tied]]));
}

function dispatched(given) {
  const [type, types] = [given.get("model_type") ?? null, Object.keys(FAMILIES.types)];
  if (type === null) {
    const name = given.get("architectures").find(typeOfClass);
    return [architectureOf(typeOfClass(name)), [`model_type is not given, and ${name} is ${typeOfClass(name)}'s`]];
  }
  if (typeof type !== "string") refuse(`model_type must be text, got ${shown(type)}`);
  const inner = given.get("decoder")?.get?.("model_type");
  const isInside = types.includes(inner) && `its decoder is a ${inner}, which is: give the decoder's object alone`;
  const advice = isInside || `docs/architectures.md lists the ${types.length} that are`;
  return [architectureOf(type) ?? refuse(`model_type ${shown(type)} is not counted: ${advice}`), []];
}

/** A number for each size, in the order of the table, by which laws see what stands above; and the fields given. */
function sizesBy(architecture, given, notes) {
  const [sizes, fields, defaults] = [{}, {}, []];
  for (const row of architecture.sizes) {
    const { name, kind } = row;
    const first = agreed(kind === "law" ? [] : [name, ...row.spellings].filter((each) => given.has(each)), given, name);
    const [isGiven, isFree] = [first !== undefined, ["list", "fixed"].includes(kind)];
    const value = isGiven ? given.get(first) : null;
    let found;
    if (kind === "fixed" && value !== null) {
      const only = `${architecture.type} is counted for ${shown(kept(row.default))} alone`;
      found = same(value, kept(row.default)) ? value : refuse(`${pair(first, value)} changes shapes, and ${only}`);
    } else if (value !== null && !(kind === "size" && row.words.includes(value))) {
      fields[name] = found = checked({ ...row, name: first }, value);
      if (value instanceof Real && kind === "size") notes.push(`${pair(first, value)} is read as ${grouped(found)}`);
    } else {
      const isNull = isGiven && value === null;
      if (isNull && row.null === "refused" && !isFree) refuse(`${first} must be ${row.expected}, got null`);
      const usual = isNull && !["absent", "refused"].includes(row.null) ? row.null : row.default;
      if (usual === null && !isFree) refuse(`${name} is not given, and ${architecture.type} has no default`);
      const isLaw = Array.isArray(usual) && usual.length === 1; // a list that is usual has none, or several
      found = isLaw ? evaluate(usual[0], sizes) : kept(usual);
      const isTold = ["size", "flag"].includes(kind) && !isGiven && !isLaw && name !== "num_labels";
      if (isTold) defaults.push(`${name} ${found}`);
      if (isGiven && kind !== "fixed") fields[name] = value;
    }
    sizes[name] = kind === "flag" ? BigInt(found) : found;
  }
  const usual = `not given, and counted as transformers ${FAMILIES.version}'s default: ${defaults.join(", ")}`;
  if (defaults.length) notes.push(usual);
  if (fields.head === "lm") delete fields.head;
  if (fields.num_labels === 2n) delete fields.num_labels;
  return [sizes, fields];
}

const MOST_NOTES = 20;

/** A note for each key that changes no count because nobody reads it. */
function unreadIn({ type, fields }, given) {
  const unread = [...given.keys()].filter((name) => !fields.includes(name) && !name.startsWith("_"));
  const named = unread.slice(0, MOST_NOTES).map((name) => pair(name, given.get(name)));
  const notes = named.map((each) => `transformers' ${type} does not read ${each}`);
  if (unread.length > MOST_NOTES) notes.push(`nor does it read ${grouped(unread.length - MOST_NOTES)} more`);
  const own = `auto_map names code of its own, which is not read: counted is transformers' ${type}`;
  return isTrue(given.get("auto_map")) ? [own, ...notes] : notes;
}

/** A config.json from which the same model is read. */
function documentOf({ architecture: { type, classes, sizes: rows }, sizes }) {
  const [named] = Object.entries(classes).find(([, head]) => head === (sizes.head ?? "lm"));
  const isSaid = ({ name, kind }) => !["law", "fixed"].includes(kind) && name !== "head" && sizes[name] !== null;
  const value = ({ name, kind, least }) =>
    kind === "flag" ? sizes[name] === 1n : kind === "size" && sizes[name] < BigInt(least) ? null : sizes[name];
  const own = rows.filter(isSaid).map((row) => [row.name, value(row)]);
  return { model_type: type, architectures: [named], ...Object.fromEntries(own) };
}

// A number, or any field, as people type it

const TYPED = new RegExp(`^(?:${FIELDS.number})$`, "u");

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
  type === "gpt2" ? ROWS : architectureOf(type).sizes.filter(({ kind }) => !["law", "fixed"].includes(kind));

/** Read a field from words; a Sentence is thrown where it is nothing that the field takes. */
function typedField(row, text) {
  const { kind, null: nothing, words } = row;
  let value = kind === "size" ? typedNumber(text) : text;
  if (kind === "flag" && ["true", "false"].includes(text)) value = text === "true";
  if (kind === "list" && text) value = text.split(/[\s,]+/).map((each) => (words.length ? each : typedNumber(each)));
  if (nothing !== "refused" && nothing !== "none" && ["", "none"].includes(text)) return null;
  return checked(row, value);
}
