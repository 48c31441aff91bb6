// What the page shows: one config or two, each a model that ships with fields put over it, and a number to explain.
// All of it stands in the fragment of the address, and comes back from there.

const PRESETS = FACTS.presets.map((preset) => ({
  aliases: [],
  ...preset,
  all: { ...DEFAULTS, ...keptAll(preset.fields ?? {}) },
}));

function findPreset(name) {
  const wanted = name.toLowerCase();
  return (
    PRESETS.find((preset) => preset.name === name) ??
    PRESETS.find((preset) => [preset.name, ...preset.aliases].some((known) => known.toLowerCase() === wanted))
  );
}

const ofPreset = (preset) => ({ preset, fields: { ...preset.all }, maker: preset.maker ?? "" });

/** A config of these fields, over the model that ships that is most like it, and with its n_head where none is given;
 * `maker` is whose config it is. */
function ofFields(fields, maker = "") {
  const near = PRESETS.map((preset) => {
    const heads = preset.all.n_head;
    const divides = heads !== null && fields.n_embd % heads === 0n;
    return { preset, fields: { ...fields, n_head: fields.n_head ?? (divides ? heads : null) }, maker };
  });
  return near.reduce((one, other) => (changesOf(other).length < changesOf(one).length ? other : one));
}

/** The fields that are put over a model's own. */
const changesOf = ({ preset, fields }) => Object.entries(fields).filter(([name, value]) => preset.all[name] !== value);

/** What a config is called, as gpt2calc calls it. */
function titleOf(config) {
  const changes = changesOf(config).map(([name, value]) => `${name}=${represented(value).replaceAll("'", "")}`);
  return changes.length ? `${config.preset.name} with ${changes.join(", ")}` : config.preset.name;
}

const state = { configs: [ofPreset(PRESETS[0])], active: 0, figure: "" };

/** Read a number as people type it: 50257, 50,257, 50_257 or 50 257; what is none comes back as it is. */
function typedNumber(text) {
  const bare = text.trim();
  const isGrouped = /^\d{1,3}([,_ ]\d{3})+$/.test(bare);
  return /^\d+$/.test(bare) || isGrouped ? BigInt(bare.replace(/[,_ ]/g, "")) : bare;
}

/** Read a field from words; a Sentence is thrown where it is nothing that the field takes. */
function typedField(field, text) {
  const { kind, null: nothing } = ROWS[field];
  let value = kind === "size" ? typedNumber(text) : text;
  if (kind === "switch" && ["true", "false"].includes(text)) value = text === "true";
  if (nothing === "absent" && ["", "none"].includes(text)) value = null;
  if (typeof value === "bigint" && String(value).length > FIELDS.digits)
    throw new Sentence(`${field} must have at most ${FIELDS.digits} digits`);
  const problem = problemWith(field, value);
  if (problem) throw new Sentence(problem);
  return value;
}

const PREFIXES = ["", "vs."];
const MODELS = ["model", "vs"];

/** The state as the fragment of an address. */
function fragment() {
  const words = new URLSearchParams();
  state.configs.forEach((config, place) => {
    words.set(MODELS[place], config.preset.name);
    for (const [name, value] of changesOf(config)) words.set(PREFIXES[place] + name, value ?? "none");
  });
  if (state.figure) words.set("explain", state.figure);
  return `#${words}`;
}

/** Take the state from a fragment; what cannot be read is passed over, and said. */
function restore(text) {
  const words = new URLSearchParams(text.replace(/^#/, ""));
  const problems = [];
  const isTwo = [...words.keys()].some((key) => key === "vs" || key.startsWith("vs."));
  const configs = (isTwo ? MODELS : ["model"]).map((key) => {
    const name = words.get(key) ?? PRESETS[0].name;
    const preset = findPreset(name);
    if (!preset) problems.push(`no model is called ${shown(name)}; ${PRESETS[0].name} is shown`);
    return ofPreset(preset ?? PRESETS[0]);
  });
  for (const [key, value] of words) {
    if (MODELS.includes(key) || key === "explain") continue;
    const place = Number(key.startsWith("vs."));
    const field = CANONICAL.get(key.slice(PREFIXES[place].length));
    try {
      if (!field) throw new Sentence(`there is no field ${shortened(key)}`);
      configs[place].fields[field] = typedField(field, value);
    } catch (error) {
      if (!(error instanceof Sentence)) throw error;
      problems.push(error.message);
    }
  }
  Object.assign(state, {
    configs,
    active: Math.min(state.active, configs.length - 1),
    figure: words.get("explain") ?? "",
  });
  return problems;
}
