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
function typedField(field, text) {
  const { kind, null: nothing } = ROWS[field];
  let value = kind === "size" ? typedNumber(text) : text;
  if (kind === "switch" && ["true", "false"].includes(text)) value = text === "true";
  if (nothing === "absent" && ["", "none"].includes(text)) value = null;
  if (typeof value === "bigint" && String(value).length > FIELDS.digits)
    throw new Sentence(`${field} must have at most ${FIELDS.digits} digits`);
  const problem = problemWith(field, value);
  if (problem) throw new Sentence(problem + (kind === "size" ? toldOf(text) : ""));
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
