// What the page shows: one config or two, each a model that ships with fields put over it, and a number to explain.
// All of it stands in the fragment of the address, and comes back from there.

const GPT2S = FACTS.presets.map((preset) => ({ ...preset, type: "gpt2", all: { ...DEFAULTS, ...keptAll(preset.fields ?? {}) } }));
const OTHERS = FAMILIES.presets.map(({ fields, ...preset }) => ({ ...preset, all: keptAll(allOf(preset.type, fields)) }));
/** Each architecture with transformers' defaults: what a model type alone says. */
const PLAIN = Object.keys(FAMILIES.types)
  .filter((type) => type !== "gpt2" && FAMILIES.types[type].sizes)
  .map((type) => ({ name: type, type, all: {}, summary: `${type} with transformers' defaults`, isNeedy: isNeedy(type) }));
const PRESETS = [...GPT2S, ...OTHERS, ...PLAIN];

/** Whether a model type has a size of which transformers has no default. */
function isNeedy(type) {
  const isFree = (kind) => ["list", "fixed"].includes(FAMILIES.kinds[kind][1]);
  return placesOf(FAMILIES.types[type].sizes).some((place) => FAMILIES.sizes[place].length < 2 && !isFree(FAMILIES.sizes[place][0]));
}

/** The fields of a model that ships: by their places in its type's table, and the plain defaults, which are left out. */
function allOf(type, fields) {
  const found = {};
  placesOf(FAMILIES.types[type].sizes).forEach((place, at) => {
    const [kind, usual] = FAMILIES.sizes[place];
    const [name, what = "size"] = FAMILIES.kinds[kind];
    const isPlain = ["size", "flag"].includes(what) && ["number", "boolean"].includes(typeof usual) && name !== "num_labels";
    if (at in fields) found[name] = fields[at];
    else if (isPlain) found[name] = usual;
  });
  return found;
}

/** A model that ships, by its name or an alias in any case; or a model type, where no model is called so. */
function findPreset(name) {
  const known = ({ name: own, aliases = [] }) => [own, ...aliases].map((each) => each.toLowerCase());
  const exact = PRESETS.find((preset) => keyOf(preset) === name);
  return exact ?? PRESETS.find((preset) => known(preset).includes(name.toLowerCase()));
}

/** What a preset is called in an address, where openai-gpt is a model's alias, and a model type. */
const keyOf = (preset) => (PLAIN.includes(preset) ? `model_type:${preset.name}` : preset.name);

/** What is known of a field of a model type, under any of its spellings; undefined where it has none of the name. */
function rowFor(type, name) {
  if (type === "gpt2") return ROWS[CANONICAL.get(name)] && { ...ROWS[CANONICAL.get(name)], name: CANONICAL.get(name) };
  const rows = architectureOf(type).sizes.filter(({ kind }) => !["law", "fixed"].includes(kind));
  return rows.find((row) => row.name === name || row.spellings.includes(name));
}

/** A config with what it comes to: its model, and what a reader should know of it. */
function configOf(preset, fields, maker = "") {
  const { type } = preset;
  const others = type === "gpt2" ? null : readFamily(new Map([["model_type", type], ...Object.entries(fields)]));
  return { preset, fields, maker, type, ...(others ?? { model: gpt2Of(dimsOf(fields)), notes: [] }) };
}

const ofPreset = (preset) => configOf(preset, { ...preset.all }, preset.maker);

/** A GPT-2 of these fields, over the model that ships that is most like it, and with its n_head where none is given;
 * `maker` is whose config it is. */
function ofFields(fields, maker = "") {
  const near = GPT2S.map((preset) => {
    const heads = preset.all.n_head;
    const divides = heads !== null && fields.n_embd % heads === 0n;
    return { preset, fields: { ...fields, n_head: fields.n_head ?? (divides ? heads : null) } };
  });
  const best = near.reduce((one, other) => (changesOf(other).length < changesOf(one).length ? other : one));
  return configOf(best.preset, best.fields, maker);
}

/** A model of another architecture, over one that ships and gives no field that the document does not. */
function ofDocument(given) {
  const { model, notes } = readFamily(given);
  const { type } = model.architecture;
  const text = given.get("text_config") instanceof Map ? given.get("text_config") : given;
  const fields = { head: model.sizes.head };
  for (const { name, kind, spellings } of model.architecture.sizes) {
    const first = [name, ...spellings].find((each) => text.has(each));
    if (first !== undefined && !["law", "fixed"].includes(kind) && name !== "head") {
      const value = text.get(first);
      fields[name] = kind === "list" && value !== null ? model.sizes[name] : inWhole(value);
    }
  }
  if (fields.head === "lm") delete fields.head;
  if (model.sizes.num_labels !== 2n) fields.num_labels = model.sizes.num_labels;
  const alike = PRESETS.filter((preset) => preset.type === type);
  const same = alike.find((preset) => !preset.isNeedy && sameSizes(ofPreset(preset).model, model));
  const isPart = (preset) => Object.keys(preset.all).every((name) => name in fields);
  const near = alike.filter(isPart).map((preset) => ({ preset, fields }));
  const best = near.reduce((one, other) => (changesOf(other).length < changesOf(one).length ? other : one));
  return { ...(same ? ofPreset(same) : configOf(best.preset, fields)), notes };
}

const sameSizes = (one, other) => Object.keys(one.sizes).every((name) => same(one.sizes[name], other.sizes[name]));

/** The fields that are put over a model's own. */
const changesOf = ({ preset, fields }) =>
  Object.entries(fields).filter(([name, value]) => !same(preset.all[name], value));

/** What a config is called, as gpt2calc calls it, or how many fields it has of its own. */
function titleOf(config) {
  const changes = changesOf(config).map(([name, value]) => `${name}=${shortened(represented(value).replaceAll("'", ""))}`);
  if (config.type !== "gpt2" && changes.length > 5) return `${config.preset.name} with ${changes.length} fields of its own`;
  return changes.length ? `${config.preset.name} with ${changes.join(", ")}` : config.preset.name;
}

const state = { configs: [ofPreset(PRESETS[0])], active: 0, figure: "" };

const TYPED = new RegExp(`^(?:${FIELDS.number})$`, "u");
const LARGE = 10n ** BigInt(FIELDS.digits);

/** Decimal digits of any script as 0 to 9: they stand in runs of ten, from the one that is 0 on. */
const inDigits = (text) =>
  text.replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    let first = digit.codePointAt(0);
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((digit.codePointAt(0) - first) % 10);
  });

/** A number as people type it, as a whole number over one, null where it is none: gpt2calc.numbers.typed. */
function exactly(text) {
  const found = TYPED.exec(inDigits(text.trim().split(/\s+/).join(" ")));
  if (!found) return null;
  const { sign, whole, decimals = "", power = "0", unit, base, exponent } = found.groups;
  const signed = (value) => (sign === "-" || sign === "−" ? -value : value);
  const kept = (value) => [signed(value > LARGE ? LARGE : value), 1n];
  if (base) return kept(BigInt(base) ** BigInt(exponent));
  const head = whole.replace(/[,_ ]/g, "").replace(/^0+/, "");
  const shift = Number(power) + (FIELDS.thousands[unit] ?? 0);
  if (head && head.length + shift > FIELDS.digits) return kept(LARGE);
  if (head.length + decimals.length > 2 * FIELDS.digits) return null;
  const [digits, zeros] = [BigInt(head + decimals), shift - decimals.length];
  if (zeros >= 0) return kept(digits * 10n ** BigInt(zeros));
  const below = 10n ** BigInt(-zeros);
  return digits % below ? [signed(digits), below] : kept(digits / below);
}

/** Read a whole number as people type it; what is none comes back as it is. */
function typedNumber(text) {
  const found = exactly(text);
  return found && found[1] === 1n ? found[0] : text.trim();
}

/** What a text is where it is a number and no whole one, and was not typed so. */
function toldOf(text) {
  const found = exactly(text);
  if (!found || found[1] === 1n) return "";
  const value = Number(found[0]) / Number(found[1]);
  const isOther = Math.abs(value) >= 0.001 && Math.abs(value) < 2 ** 53 && text.trim() !== String(value);
  return isOther ? `, which is ${value}` : "";
}

/** Read a field from words; a Sentence is thrown where it is nothing that the field takes. */
function typedField(row, text) {
  const { name, kind, null: nothing, words } = row;
  let value = kind === "size" ? typedNumber(text) : text;
  if (["switch", "flag"].includes(kind) && ["true", "false"].includes(text)) value = text === "true";
  if (kind === "list" && text) value = text.split(/[\s,]+/).map((each) => (words.length ? each : typedNumber(each)));
  if (nothing !== "refused" && nothing !== "none" && ["", "none"].includes(text)) value = null;
  const [long, problem] = [tooLong(name, value), problemWith(row, value)];
  if (long) throw new Sentence(long);
  if (problem) throw new Sentence(problem + (kind === "size" ? toldOf(text) : ""));
  return value;
}

const PREFIXES = ["", "vs."];
const MODELS = ["model", "vs"];

const inAddress = (value) => (Array.isArray(value) ? value.join(",") : (value ?? "none"));

/** The state as the fragment of an address. */
function fragment() {
  const words = new URLSearchParams();
  state.configs.forEach((config, place) => {
    words.set(MODELS[place], keyOf(config.preset));
    for (const [name, value] of changesOf(config)) words.set(PREFIXES[place] + name, inAddress(value));
  });
  if (state.figure) words.set("explain", state.figure);
  return `#${words}`;
}

/** Take the state from a fragment; what cannot be read is passed over, and said. */
function restore(text) {
  const words = new URLSearchParams(text.replace(/^#/, ""));
  const problems = [];
  const attempt = (act, otherwise) => {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Sentence)) throw error;
      problems.push(error.message);
      return otherwise?.();
    }
  };
  const isTwo = [...words.keys()].some((key) => key === "vs" || key.startsWith("vs."));
  const configs = (isTwo ? MODELS : ["model"]).map((key, place) => {
    const name = words.get(key) ?? PRESETS[0].name;
    const preset = findPreset(name) ?? PRESETS[0];
    if (!findPreset(name)) problems.push(`no model is called ${shown(name)}; ${PRESETS[0].name} is shown`);
    const fields = { ...preset.all };
    for (const [word, value] of words) {
      if ([...MODELS, "explain"].includes(word) || Number(word.startsWith("vs.")) !== place) continue;
      const spelling = word.slice(PREFIXES[place].length);
      attempt(() => {
        const row = rowFor(preset.type, spelling);
        if (!row) throw new Sentence(`there is no field ${shortened(spelling)}`);
        fields[row.name] = typedField(row, value);
      });
    }
    return attempt(
      () => configOf(preset, fields, preset.maker),
      () => ofPreset(preset.isNeedy ? PRESETS[0] : preset),
    );
  });
  const [active, figure] = [Math.min(state.active, configs.length - 1), words.get("explain") ?? ""];
  Object.assign(state, { configs, active, figure });
  return problems;
}
