// What the page shows: one config or two, each a model that ships with fields put over it, and a number to explain.
// All of it stands in the fragment of the address, and comes back from there; and it is copied in other forms.

const { rounded, short } = gpt2calc;
const percent = (part, whole, digits = 2n) => `${rounded(100n * part, whole, digits)} %`;

/** A value of a table as Python has it: whole numbers are BigInts. */
function kept(value) {
  if (typeof value === "number") return BigInt(value);
  if (value?.real) return new Real(value.real);
  return Array.isArray(value) ? value.map(kept) : value;
}

const keptAll = (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, kept(value)]));
const PRESETS = FACTS.presets.map((row) => ({ ...row, all: keptAll(row.all), beside: keptAll(row.beside ?? {}) }));

/** Why heads do not go with a width; null where they do. */
const headsProblem = ({ n_head: heads, n_embd: width }) =>
  attempt(() => gpt2calc.refuseHeads(heads, width), (problem) => problem);

/** A model that ships, by its name or an alias in any case; or a model type, where no model is called so. */
function findPreset(name) {
  const [exact, called] = [(preset) => keyOf(preset) === name, (each) => each.toLowerCase() === name.toLowerCase()];
  return PRESETS.find(exact) ?? PRESETS.find(({ name: own, aliases = [] }) => [own, ...aliases].some(called));
}

/** What a preset is called in an address, where openai-gpt is a model's alias, and a model type. */
const keyOf = (preset) => (preset.is_plain ? `model_type:${preset.name}` : preset.name);

/** A config with what it comes to: Python's source and count of it, and what a reader should know. */
function configOf(preset, fields, maker = "", beside = preset.beside) {
  const { type, name } = preset;
  const given = Object.entries(type === "gpt2" ? fields : { model_type: type, ...beside, ...fields });
  return counted(preset, gpt2calc.sourceOf(type, new py.dict(given), name, maker), fields, beside);
}

function counted(preset, source, fields, beside) {
  const count = new gpt2calc.ParameterCount(source.counted, source.name, source.notes);
  const { type } = preset;
  const notes = type === "gpt2" ? [] : [...source.notes];
  return { preset, type, source, fields, beside, notes, maker: source.maker, count, model: count.model };
}

const ofPreset = (preset) => configOf(preset, { ...preset.all }, preset.maker);

/** What a document or a file gives, over the model that ships that is most like it: a GPT-2 has its n_head where none
 * is given, and one of another architecture no field that is not given. */
function ofSource(source) {
  const model = new gpt2calc.ParameterCount(source.counted).model;
  const [type, fields, notes] = [model.architecture.model_type, py.object(gpt2calc.given(source)), [...source.notes]];
  const [alike, isOurs] = [PRESETS.filter((preset) => preset.type === type), type === "gpt2"];
  const beside = isOurs ? {} : py.object(gpt2calc.beside(source));
  const isSame = (config) => py.eq(config.model.sizes, model.sizes);
  const exact = isOurs ? null : alike.filter((preset) => !preset.is_needy).map(ofPreset).find(isSame);
  if (exact) return { ...exact, source, notes, beside };
  const fits = (own) => fields.n_head === null && own && fields.n_embd % own === 0n;
  const near = alike
    .filter((preset) => Object.keys(preset.all).every((name) => name in fields))
    .map((preset) => [preset, preset.all.n_head])
    .map(([preset, own]) => ({ preset, fields: fits(own) ? { ...fields, n_head: own } : fields }));
  const best = near.reduce((one, other) => (changesOf(other).length < changesOf(one).length ? other : one));
  return { ...configOf(best.preset, best.fields, source.maker, beside), notes };
}

/** Read a config.json as `gpt2calc count` reads it. */
function readConfig(text) {
  const found = readJson(text, 900);
  if (!(found instanceof py.dict)) refuse(`expected a JSON object such as {"n_layer": 12}, got ${shown(found)}`);
  return gpt2calc.fromDocument(found, "config.json");
}

/** The fields that are put over a model's own. */
const changesOf = ({ preset, fields }) =>
  Object.entries(fields).filter(([name, value]) => !same(preset.all[name], value));

/** What a config is called, as gpt2calc calls it, or how many fields it has of its own. */
function titleOf(config) {
  const plain = (value) => shortened(represented(value).replaceAll("'", ""));
  const changes = changesOf(config).map(([name, value]) => `${name}=${plain(value)}`);
  const all = config.type !== "gpt2" && changes.length > 5 ? `${changes.length} fields of its own` : changes.join(", ");
  return config.preset.name + (changes.length ? ` with ${all}` : "");
}

/** What is asked about, as people type it, over what is usual. */
const COSTS = { seq: "", batch: "1", dtype: "bf16", kv: "", memory: "24 GB" };

function askedOf({ seq, batch, dtype, kv }, source) {
  const typed = (text) => (text.trim() ? (gpt2calc.typed(text)?.whole ?? text) : null);
  const asked = { seq: typed(seq) ?? gpt2calc.usualTokens(source), batch: typed(batch), dtype, kv_dtype: kv || null };
  return new py.dict(Object.entries(asked));
}

const heldBy = (source, asked) => new gpt2calc.Serving(source.counted, source.of_files, asked, source.name);

const state = { configs: [ofPreset(PRESETS[0])], active: 0, figure: "", aim: "", held: null, costs: { ...COSTS }, theme: "" };
const active = () => state.configs[state.active];

const PREFIXES = { model: "", vs: "vs." };

const dark = matchMedia("(prefers-color-scheme: dark)");
const systemTheme = () => (dark.matches ? "dark" : "light");
const themeIn = (words) => ["dark", "light"].find((theme) => theme === words.get("theme")) ?? "";

const costsIn = (words) =>
  Object.fromEntries(Object.entries(COSTS).map(([name, usual]) => [name, words.get(`cost.${name}`) ?? usual]));

const inAddress = (value) => (Array.isArray(value) ? value.join(",") : (value ?? "none"));

/** The state as the fragment of an address. */
function fragment() {
  const words = new URLSearchParams();
  state.configs.forEach((config, place) => {
    const [key, prefix] = Object.entries(PREFIXES)[place];
    words.set(key, keyOf(config.preset));
    for (const [name, value] of changesOf(config)) words.set(prefix + name, inAddress(value));
    const isOwn = json(config.beside) !== json(config.preset.beside);
    if (isOwn) words.set(`${prefix}kept`, json(config.beside).replace(/\s+/g, ""));
  });
  if (state.figure) words.set("explain", state.figure);
  for (const [name, usual] of Object.entries(COSTS))
    if (state.costs[name] !== usual) words.set(`cost.${name}`, state.costs[name]);
  if (state.aim) words.set("aim", state.aim);
  if (state.held !== null) words.set("hold", state.held);
  if (state.theme && state.theme !== systemTheme()) words.set("theme", state.theme);
  return `#${words}`;
}

/** Take the state from a fragment; what cannot be read is passed over, and said. */
function restore(text) {
  const [words, problems] = [new URLSearchParams(text.replace(/^#/, "")), []];
  const said = (otherwise) => (problem) => (problems.push(problem), otherwise?.());
  const isTwo = [...words.keys()].some((key) => /^vs(\.|$)/.test(key));
  const configs = Object.entries(PREFIXES).slice(0, isTwo ? 2 : 1).map(([key, prefix]) => {
    const name = words.get(key) ?? PRESETS[0].name;
    const preset = findPreset(name) ?? PRESETS[0];
    if (!findPreset(name)) problems.push(`no model is called ${shown(name)}; ${preset.name} is shown`);
    const fields = { ...preset.all };
    for (const [word, value] of words) {
      if (["model", "vs", "explain", "aim", "hold", "theme"].includes(word) || word.startsWith("vs.") !== Boolean(prefix)) continue;
      const spelling = word.slice(prefix.length);
      if (spelling === "kept" || word.startsWith("cost.")) continue;
      attempt(() => {
        const read = gpt2calc.readField(preset.type, spelling, value);
        fields[gpt2calc.rowOf(preset.type, spelling).name] = read;
      }, said());
    }
    const plain = () => ofPreset(preset.is_needy ? PRESETS[0] : preset);
    const own = words.get(`${prefix}kept`);
    const beside = attempt(() => (own === null ? preset.beside : py.object(readJson(own, 900))), said());
    return attempt(() => configOf(preset, fields, preset.maker, beside ?? {}), said(plain));
  });
  const [active, figure] = [Math.min(state.active, configs.length - 1), words.get("explain") ?? ""];
  const held = /^\d{1,300}$/.test(words.get("hold") ?? "") ? BigInt(words.get("hold")) : null;
  const asked = { aim: words.get("aim") ?? "", held, costs: costsIn(words), theme: themeIn(words) };
  Object.assign(state, { configs, active, figure, ...asked });
  return problems;
}

// The forms that people paste elsewhere

/** The fields that are put over a model's own, as Python and the command line take them. */
const sharedChanges = (config) =>
  changesOf(config)
    .filter(([name]) => name !== "n_head" || !headsProblem(config.fields))
    .map(([name, value]) => [name, name === "qkv_bias" && value === null ? config.fields.bias : value]);

function asPython(config) {
  const { preset, type } = config;
  const base = preset.is_plain ? `model_type=${JSON.stringify(type)}` : JSON.stringify(preset.name);
  const words = sharedChanges(config).map(([field, value]) => `, ${field}=${represented(value)}`);
  return `import gpt2calc\n\nprint(gpt2calc.count(${base}${words.join("")}).total)`;
}

function asCommand(config) {
  const { preset, type } = config;
  const areShipped = state.configs.every((each) => !each.preset.is_plain && !changesOf(each).length);
  if (state.configs.length === 2 && areShipped)
    return `gpt2calc compare ${state.configs.map((each) => each.preset.name).join(" ")}`;
  const words = sharedChanges(config).map(([field, value]) => {
    const option = field.replaceAll("_", "-").replace(/^-+/, "");
    return typeof value === "boolean" ? ` --${value ? "" : "no-"}${option}` : ` --${option} ${inAddress(value)}`;
  });
  return `gpt2calc count ${preset.is_plain ? `--model-type ${type}` : preset.name}${words.join("")}`;
}

/** A config.json that transformers reads, with the fields that have their default left out. */
function asConfig({ type, fields, count }) {
  if (type !== "gpt2") return json(count.model.document());
  const isSaid = ({ name, default: usual, letter }) => letter || !same(fields[name], usual);
  const rows = [...gpt2calc.rows(type)].filter(({ name }) => name !== "head").filter(isSaid);
  const kept = rows.filter(({ name }) => name !== "n_head" || !headsProblem(fields));
  const [named] = count.model.architecture.classes.items().find(([, head]) => head === fields.head);
  const own = Object.fromEntries(kept.map(({ name }) => [name, fields[name]]));
  return json({ model_type: "gpt2", architectures: [named], ...own });
}

const titled = (config) => new gpt2calc.ParameterCount(config.source.counted, titleOf(config), config.notes);

const SHARED = {
  link: () => location.href.replace(/#.*/s, "") + fragment(),
  JSON: (config) => json(titled(config).to_dict()),
  "config.json": asConfig,
  Markdown: (config) => gpt2calc.markdown([titled(config).table()]).trimEnd(),
  Python: asPython,
  "command line": asCommand,
};
