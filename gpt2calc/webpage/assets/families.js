// A config.json of any architecture but GPT-2, as gpt2calc.architectures.reading reads it, by the tables of each.

const NO_COUNT = new Set(FIELDS.no_count);

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
  const alike = (type) => type !== "gpt2" && type.replaceAll("_", "") === plain.toLowerCase();
  return Object.keys(FAMILIES.types).find(alike);
}

/** The model that a document gives, and what a reader should know; a Sentence where it gives none. */
function readFamily(given) {
  const text = given.get("text_config");
  if (text instanceof Map) return readPart(given, text);
  const [architecture, notes] = dispatched(given);
  refuseOwnParameters(given, new Set(architecture.sizes.map(({ name }) => name)));
  const sizes = sizesBy(architecture, new Map([...given, ...headBy(architecture, given)]), notes);
  const model = modelOf(architecture, sizes);
  const known = new Set(architecture.rows.flatMap(({ layers }) => layers.split(" ")));
  const strange = [...new Set(model.kinds.flatMap(([tags]) => tags))].filter((tag) => !known.has(tag)).sort();
  if (strange.length) throw new Sentence(`${architecture.type} has no layers of the kind ${strange.join(", ")}`);
  const values = lawful(architecture, sizes);
  for (const [law, ...pieces] of architecture.notes) if (isTrue(evaluate(law, values))) notes.push(told(pieces, values));
  return { model, notes: [...notes, ...unreadIn(architecture, given)], isPart: false };
}

const TIE = "tie_word_embeddings";

/** Whether the head of a composite's language model is tied, as gpt2calc.architectures.composites has it. */
function isTied(type, outside, inside) {
  const { outside: tied, outside_or_untied: untied, either, inside: within, never } = FAMILIES.composites;
  if (tied.includes(type) || untied.includes(type)) return outside ?? tied.includes(type);
  if (either.includes(type)) return Boolean(outside) || inside;
  if (never.includes(type)) return false;
  return within.includes(type) || outside === null || outside === inside ? inside : null;
}

/** A composite's language model with its head tied or not, as transformers builds the composite. */
function tiedAsBuilt(given, text, found, notes) {
  const [outside, inside] = [given.get(TIE) ?? null, isTrue(found.model.sizes[TIE])];
  if (outside !== null && typeof outside !== "boolean")
    throw new Sentence(`${TIE} must be true or false, got ${shown(outside)}`);
  const type = given.get("model_type") ?? null;
  const tied = isTied(type, outside, inside);
  if (tied === null) {
    const kind = typeof type === "string" ? `a ${shortened(type)}` : "a composite of no model_type";
    const what = `${pair(TIE, outside)} stands outside of text_config, and ${inside} holds within`;
    throw new Sentence(`${what}; which of them ${kind} follows is not known: give ${TIE}`);
  }
  if (tied === inside) return found;
  const said = outside === null ? ", where nothing outside of text_config says otherwise" : "";
  notes.push(`its head is ${tied ? "tied" : "not tied"}, as transformers ${FAMILIES.version} builds a ${type}${said}`);
  return readFamily(new Map([...text, [TIE, tied]]));
}

/** The language model of a composite, and what is left out of it. */
function readPart(given, text) {
  const type = text.get("model_type") ?? null;
  if (type === null || type === "gpt2") {
    const says = type === null ? "none" : "gpt2";
    throw new Sentence(`text_config must say its model_type, one that is counted as a part; it says ${says}`);
  }
  let found = readFamily(text);
  const others = [...given].filter(([name, value]) => name !== "text_config" && name.endsWith("_config") && isTrue(value));
  const names = others.map(([name]) => name).filter((name) => !["quantization_config", "generation_config"].includes(name));
  const notes = [`the language model in text_config is counted alone, as ${type}'s causal language model`];
  if (names.length) notes.push(`left out: ${names.join(", ")}, and what joins them to the language model`);
  if (Object.hasOwn(found.model.sizes, TIE)) found = tiedAsBuilt(given, text, found, notes);
  return { ...found, notes: [...notes, ...found.notes], isPart: true };
}

function dispatched(given) {
  const type = given.get("model_type") ?? null;
  if (type === null) {
    const name = classesIn(given).find(typeOfClass);
    return [architectureOf(typeOfClass(name)), [`model_type is not given, and ${name} is ${typeOfClass(name)}'s`]];
  }
  if (typeof type !== "string") throw new Sentence(`model_type must be text, got ${shown(type)}`);
  const found = architectureOf(type);
  if (found) return [found, []];
  const types = Object.keys(FAMILIES.types);
  const inner = given.get("decoder") instanceof Map ? given.get("decoder").get("model_type") : null;
  const near = mistyped(type, types);
  let advice = near ? `did you mean ${near}?` : `docs/architectures.md lists the ${types.length} that are`;
  if (types.includes(inner)) advice = `its decoder is a ${inner}, which is: give the decoder's object alone`;
  throw new Sentence(`model_type ${shown(type)} is not counted: ${advice}`);
}

function classesIn(given) {
  const found = isTrue(given.get("architectures")) ? given.get("architectures") : [];
  if (!Array.isArray(found) || !found.every((name) => typeof name === "string"))
    throw new Sentence(`architectures must be a list of class names, got ${shown(found)}`);
  return found;
}

/** What the class in `architectures` and `id2label` say of the head. */
function headBy({ type, classes }, given) {
  const labels = given.get("id2label");
  const found = new Map();
  if (!given.has("num_labels") && labels instanceof Map) found.set("num_labels", BigInt(labels.size));
  const names = classesIn(given);
  const strange = names.find((name) => !Object.hasOwn(classes, name));
  if (strange !== undefined) {
    const problem = `${shortened(strange)} is no class of ${type} that is counted`;
    throw new Sentence(`architectures: ${problem}: known are ${Object.keys(classes).join(", ")}`);
  }
  return names.length ? found.set("head", classes[names[0]]) : found;
}

function refuseOwnParameters(given, known) {
  for (const name of FIELDS.unread.activations)
    if (!known.has(name) && FIELDS.unread.learned.includes(given.get(name)))
      throw new Sentence(`${pair(name, given.get(name))} has parameters, which are not counted`);
  if (isTrue(given.get("per_layer_config") ?? null))
    throw new Sentence("per_layer_config gives layers sizes of their own, which are not counted");
}

/** A number for each size, in the order of the table, by which laws see what stands above them. */
function sizesBy(architecture, given, notes) {
  const sizes = {};
  const defaults = [];
  for (const row of architecture.sizes) {
    const names = row.kind === "law" ? [] : [row.name, ...row.spellings].filter((name) => given.has(name));
    const [first] = names;
    for (const name of names.slice(1))
      if (!same(given.get(name), given.get(first))) {
        const what = `${pair(first, given.get(first))} and ${pair(name, given.get(name))}`;
        throw new Sentence(`${what} disagree: both mean ${row.name}`);
      }
    const value = names.length ? given.get(first) : null;
    const saysNothing = row.kind === "size" && typeof value === "string" && row.words.includes(value);
    if (value !== null && !saysNothing) {
      sizes[row.name] = checked(architecture, { ...row, name: first }, value);
      if (value instanceof Real && row.kind === "size")
        notes.push(`${pair(first, value)} is read as ${grouped(sizes[row.name])}`);
      continue;
    }
    const isNull = names.length > 0 && value === null;
    const isFree = ["list", "fixed"].includes(row.kind);
    if (isNull && row.null === "refused" && !isFree) throw new Sentence(`${first} must be ${row.expected}, got null`);
    const usual = isNull && !["absent", "refused"].includes(row.null) ? row.null : row.default;
    const isLaw = Array.isArray(usual) && usual.length > 0;
    if (usual === null && !isFree)
      throw new Sentence(`${row.name} is not given, and ${architecture.type} has no default`);
    const found = isLaw ? evaluate(usual[0], sizes) : kept(usual);
    if (["size", "flag"].includes(row.kind) && !names.length && !isLaw && row.name !== "num_labels")
      defaults.push(`${row.name} ${found}`);
    sizes[row.name] = row.kind === "flag" ? BigInt(found) : found;
  }
  if (defaults.length)
    notes.push(`not given, and counted as transformers ${FAMILIES.version}'s default: ${defaults.join(", ")}`);
  return sizes;
}

/** A value in numbers, if it is one of its field. */
function checked({ type }, row, value) {
  const { name, kind, words } = row;
  if (kind === "fixed") {
    if (same(value, kept(row.default))) return value;
    const only = `${type} is counted for ${shown(kept(row.default))} alone`;
    throw new Sentence(`${pair(name, value)} changes shapes, and ${only}`);
  }
  const isSpelled = kind === "list" && typeof value === "string" && words.length && words.every((word) => word.length === 1);
  const found = kind === "size" ? inWhole(value) : isSpelled ? [...value] : value;
  const problem = problemWith(row, found) ?? tooLong(name, found);
  if (problem) throw new Sentence(problem);
  return kind === "flag" ? BigInt(found) : found;
}

/** A float that is exactly one whole number as that; anything else as it came. */
const inWhole = (value) =>
  value instanceof Real && Number.isSafeInteger(value.value) ? BigInt(value.value) : value;

const MOST_NOTES = 20;

/** A note for each key that changes no count because nobody reads it. */
function unreadIn(architecture, given) {
  const rows = architecture.sizes;
  const others = ["architectures", "model_type", "id2label", "label2id"];
  const known = new Set([...rows.flatMap(({ name, spellings }) => [name, ...spellings]), ...others]);
  const isKnown = (name) => known.has(name) || architecture.fields.has(name) || NO_COUNT.has(name) || name.startsWith("_");
  const names = rows.filter(({ kind }) => kind !== "law").map(({ name }) => name);
  const unread = [...given.keys()].filter((name) => !isKnown(name));
  const notes = unread.slice(0, MOST_NOTES).map((name) => {
    const near = mistyped(name, names);
    const advice = near ? `; did you mean ${near}?` : "";
    return `transformers' ${architecture.type} does not read ${pair(name, given.get(name))}${advice}`;
  });
  if (unread.length > MOST_NOTES) notes.push(`nor does it read ${grouped(unread.length - MOST_NOTES)} more`);
  const own = `auto_map names code of its own, which is not read: counted is transformers' ${architecture.type}`;
  return isTrue(given.get("auto_map")) ? [own, ...notes] : notes;
}

/** A config.json from which the same model is read. */
function documentOf({ architecture: { type, classes, sizes: rows }, sizes }) {
  const [named] = Object.entries(classes).find(([, head]) => head === (sizes.head ?? "lm"));
  const found = { model_type: type, architectures: [named] };
  for (const { name, kind, least } of rows) {
    const value = sizes[name];
    if (["law", "fixed"].includes(kind) || name === "head" || value === null) continue;
    const isNull = kind === "size" && value < BigInt(least);
    found[name] = isNull ? null : kind === "flag" ? value === 1n : value;
  }
  return found;
}
