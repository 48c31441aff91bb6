// What the page shows: one config or two, each a model that ships with fields put over it, and a number to explain.
// All of it stands in the fragment of the address, and comes back from there; and it is copied in other forms.

const keptPreset = (preset) => ({ ...preset, all: keptAll(preset.all), beside: keptAll(preset.beside ?? {}) });
const PRESETS = FACTS.presets.map(keptPreset);
const gpt2s = () => PRESETS.filter(({ type }) => type === "gpt2");

/** A model that ships, by its name or an alias in any case; or a model type, where no model is called so. */
function findPreset(name) {
  const [exact, called] = [(preset) => keyOf(preset) === name, (each) => each.toLowerCase() === name.toLowerCase()];
  return PRESETS.find(exact) ?? PRESETS.find(({ name: own, aliases = [] }) => [own, ...aliases].some(called));
}

/** What a preset is called in an address, where openai-gpt is a model's alias, and a model type. */
const keyOf = (preset) => (preset.is_plain ? `model_type:${preset.name}` : preset.name);

/** A config with what it comes to: its model, and what a reader should know of it. */
function configOf(preset, fields, maker = "", beside = preset.beside) {
  const { type } = preset;
  if (type === "gpt2") return { preset, fields, maker, type, model: gpt2Of(dimsOf(fields)), notes: [], beside: {} };
  const { model, notes } = readFamily(new Map([["model_type", type], ...Object.entries(fields)]));
  return { preset, fields, maker, type, model, notes, beside };
}

const ofPreset = (preset) => configOf(preset, { ...preset.all }, preset.maker);

/** What a document or a file gives, over the model that ships that is most like it: a GPT-2 has its n_head where none
 * is given, and one of another architecture no field that is not given. */
function ofDocument({ type, model, fields, notes = [], maker = "", beside = {} }) {
  const alike = PRESETS.filter((preset) => preset.type === type);
  const names = Object.keys(model.sizes);
  const isSame = ({ model: { sizes } }) => names.every((name) => same(sizes[name], model.sizes[name]));
  const exact = type === "gpt2" ? null : alike.filter((preset) => !preset.is_needy).map(ofPreset).find(isSame);
  if (exact) return { ...exact, notes, beside };
  const fits = (own) => fields.n_head === null && own && fields.n_embd % own === 0n;
  const near = alike
    .filter((preset) => Object.keys(preset.all).every((name) => name in fields))
    .map((preset) => [preset, preset.all.n_head])
    .map(([preset, own]) => ({ preset, fields: fits(own) ? { ...fields, n_head: own } : fields }));
  const best = near.reduce((one, other) => (changesOf(other).length < changesOf(one).length ? other : one));
  return { ...configOf(best.preset, best.fields, maker, beside), notes };
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
  const words = new URLSearchParams(text.replace(/^#/, ""));
  const problems = [];
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
        const row = rowFor(preset.type, spelling) ?? refuse(`there is no field ${shortened(spelling)}`);
        fields[row.name] = typedField(row, value);
      }, said());
    }
    const plain = () => ofPreset(preset.is_needy ? PRESETS[0] : preset);
    const own = words.get(`${prefix}kept`);
    const beside = attempt(() => (own === null ? preset.beside : Object.fromEntries(parseConfig(own))), said());
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
function asConfig({ type, fields, model }) {
  if (type !== "gpt2") return json(documentOf(model));
  const isSaid = (name) => name in FIELDS.documented || name === "n_inner" || !same(fields[name], DEFAULTS[name]);
  const names = Object.keys(DEFAULTS).filter((name) => name !== "head" && isSaid(name));
  const kept = names.filter((name) => name !== "n_head" || !headsProblem(fields));
  const [named] = Object.entries(FIELDS.classes).find(([, head]) => head === fields.head);
  const own = Object.fromEntries(kept.map((name) => [name, fields[name]]));
  return json({ model_type: "gpt2", architectures: [named], ...own });
}

/** The table that `gpt2calc count --format markdown` prints. */
function asMarkdown(config, count) {
  const cells = ({ name, form, weights, biases, total }) => {
    const numbers = [weights, biases, total].map(grouped);
    return [name, form?.text?.() ?? "", ...numbers, percent(total, count.total)];
  };
  const groups = count.groups.filter(({ name }) => count.components.some((part) => part.group === name));
  const total = cells({ ...count, name: "total" }).map((cell) => (cell ? `**${cell}**` : cell));
  const names = ["component", "formula", "weights", "biases", "parameters", "share"];
  const heads = [names, ["---", "---", "---:", "---:", "---:", "---:"]];
  const rows = [...heads, ...[...count.components, ...groups].map(cells), total];
  const title = titleOf(config).replace(/[\\`*[\]<>|]|(?<!\w)_|_(?!\w)/g, "\\$&");
  return [`**${title}**`, "", ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
}

const SHARED = {
  link: () => location.href.replace(/#.*/s, "") + fragment(),
  JSON: (config, count) => json(countDocument(titleOf(config), count, config.type === "gpt2" ? [] : config.notes)),
  "config.json": asConfig,
  Markdown: asMarkdown,
  Python: asPython,
  "command line": asCommand,
};
