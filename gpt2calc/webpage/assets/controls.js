// The controls of the active config, one for each field of its architecture: how they are built, and what they set.

const active = () => state.configs[state.active];

/** What controls a config has: those that Python lists for a GPT-2, else one for each row of the table of its sizes. */
function controlsOf({ type, preset }) {
  if (type === "gpt2") return FACTS.controls;
  const { sizes } = (preset.isNeedy ? active() : ofPreset(preset)).model;
  const kinds = { flag: "switch", list: "number", word: "choice" };
  const rows = architectureOf(type).sizes.filter(({ kind }) => !["law", "fixed"].includes(kind));
  return rows.map(({ name, kind, letter, least, help }) => {
    const hasSlider = kind === "size" && letter && typeof sizes[name] === "bigint";
    const high = hasSlider ? 2 ** Math.ceil(Math.log2(Math.max(8, 4 * Number(sizes[name])))) : 0;
    return { field: name, hint: help, low: least, high, step: 0, empty: "", kind: high ? "size" : (kinds[kind] ?? "number") };
  });
}

/** What a slider can stand on: every number in a short span, else some in each octave, and every shipped model's. */
function stopsOf({ field, low, high, step }) {
  const shipped = PRESETS.map(({ all }) => Number(all[field])).filter((n) => n >= low && n <= high);
  const stops = new Set([...shipped, low, high]);
  for (let n = low; n <= high;) {
    stops.add(n);
    n += high <= 128 ? 1 : Math.max(step, 2 ** (Math.floor(Math.log2(Math.max(n, 1))) - 5), 1);
  }
  return [...stops].sort((a, b) => a - b);
}

function nearestStop(stops, size) {
  const wanted = size > BigInt(stops.at(-1)) ? stops.at(-1) : Number(size);
  const nearer = (best, stop, place) => (Math.abs(stop - wanted) < Math.abs(stops[best] - wanted) ? place : best);
  return stops.reduce(nearer, 0);
}

/** Each control as an element, with `show`, which makes it say what a config has, and `say`, which says what is wrong. */
let controls = [];

function buildControls() {
  const builders = { size: sizeControl, number: numberControl, switch: switchControl, choice: choiceControl };
  controls = controlsOf(active()).map((row) => ({ ...row, ...builders[row.kind](row) }));
  const parts = (isSize) => controls.filter(({ kind }) => (kind === "size") === isSize).map(({ element }) => element);
  byId("sizes").replaceChildren(...parts(true));
  byId("structure").replaceChildren(make("legend", {}, "Structure"), ...parts(false));
}

/** Put a value over the active config's own; where the config is then none, why is said beside the control. */
function set(field, value) {
  const { preset, fields, maker } = active();
  const given = { ...fields, [field]: value };
  if (value === null && active().type !== "gpt2" && !(field in preset.all)) delete given[field];
  try {
    state.configs[state.active] = configOf(preset, given, maker);
  } catch (error) {
    if (!(error instanceof Sentence)) throw error;
    controls.find((control) => control.field === field).say(error.message);
    return;
  }
  changed();
}

/** What a value of a config is, whether it is given or follows. */
const valueIn = ({ fields, model }, field) => fields[field] ?? (field in model.sizes ? model.sizes[field] : null);

const inWords = (value) => (Array.isArray(value) ? value.join(",") : value === null ? "" : grouped(value));

/** A field for a number: what is typed is set at once, or a sentence says why not. */
function numberField({ field, empty }) {
  const said = make("p", { className: "problem", id: `${field}-problem`, hidden: true });
  const described = `${field}-hint ${field}-problem`;
  const input = make("input", { id: field, inputMode: "numeric", autocomplete: "off", "aria-describedby": described });
  const say = (problem, hint = "") => {
    said.hidden = !problem && !hint;
    said.className = problem ? "problem" : "hint";
    setText(said, problem ?? hint);
    input.setAttribute("aria-invalid", String(Boolean(problem)));
  };
  input.addEventListener("input", () => {
    const text = input.value.trim();
    const isOwn = active().type !== "gpt2" && !text && !(field in active().preset.all);
    try {
      set(field, isOwn ? null : typedField(rowFor(active().type, field), text));
    } catch (error) {
      if (!(error instanceof Sentence)) throw error;
      say(error.message);
    }
  });
  input.addEventListener("change", () => showControls());
  const show = (config) => {
    const value = config.fields[field] ?? null;
    const isFocused = document.activeElement === input && input.value.trim() !== "";
    if (!(isFocused && same(typedNumber(input.value), value))) input.value = inWords(value);
    const { fields, model, type } = config;
    const follows = field === "n_inner" ? dimsOf({ ...fields, n_inner: null }).n_inner : model.sizes[field];
    if (type !== "gpt2") input.placeholder = inWords(follows ?? null);
    else input.placeholder = empty && empty + (field === "n_inner" ? ` = ${grouped(follows)}` : "");
    if (field === "n_head" && type === "gpt2" && value === config.preset.all.n_head) say(null, leftOut(fields));
    else say(field === "n_head" ? headsProblem(fields) : null);
  };
  return { input, said, show, say };
}

/** What is said of a model's own heads where the width no longer goes with them. */
const leftOut = (fields) =>
  headsProblem(fields) ? `it does not divide n_embd ${grouped(fields.n_embd)}, and is left out` : "";

const hintOf = ({ field, hint }, tag = "p") => make(tag, { className: "hint", id: `${field}-hint` }, hint);

function sizeControl(row) {
  const { field } = row;
  const stops = stopsOf(row);
  const typed = numberField(row);
  const range = { type: "range", min: 0, max: stops.length - 1, step: 1, "aria-label": `${field}, slider` };
  const slider = make("input", range);
  slider.addEventListener("input", () => set(field, BigInt(stops[slider.value])));
  const names = make("div", { className: "names" }, make("label", { htmlFor: field }, field), hintOf(row, "span"));
  const element = make("div", { className: "control size" }, names, slider, typed.input, typed.said);
  const show = (config) => {
    const isGiven = (config.fields[field] ?? null) !== null;
    const size = valueIn(config, field) ?? 1n;
    slider.value = nearestStop(stops, size);
    slider.setAttribute("aria-valuetext", isGiven || !row.empty ? grouped(size) : row.empty);
    typed.show(config);
  };
  return { element, show, say: typed.say };
}

function numberControl(row) {
  const typed = numberField(row);
  const label = make("label", { htmlFor: row.field }, row.field);
  const element = make("div", { className: "small" }, label, typed.input, hintOf(row), typed.said);
  return { element, show: typed.show, say: typed.say };
}

function switchControl({ field, hint }) {
  const said = make("small", { className: "problem", hidden: true });
  const input = make("input", { type: "checkbox", id: field, "aria-describedby": `${field}-hint` });
  const words = make("span", {}, field, make("small", { id: `${field}-hint` }, hint), said);
  const say = (problem) => {
    said.hidden = !problem;
    setText(said, problem ?? "");
  };
  input.addEventListener("change", () => {
    const { type, fields } = active();
    const follows = type === "gpt2" && field === "qkv_bias" && input.checked === fields.bias; // as bias, unless it differs
    set(field, follows ? null : input.checked);
  });
  const show = ({ model }) => {
    input.checked = isTrue(model.sizes[field]);
    say(null);
  };
  return { element: make("label", { className: "switch" }, input, words), show, say };
}

function choiceControl(row) {
  const { field } = row;
  const { type } = active();
  const { classes } = architectureOf(type);
  const options = Object.entries(classes).map(([name, head]) => make("option", { value: head }, `${head} (${name})`));
  const select = make("select", { id: field, "aria-describedby": `${field}-hint` }, ...options);
  select.addEventListener("change", () => set(field, select.value));
  const element = make("div", { className: "small" }, make("label", { htmlFor: field }, field), select, hintOf(row));
  const show = (config) => {
    select.value = valueIn(config, field);
  };
  return { element, show, say: () => {} };
}

/** Whether a field changes something: those of a head are shown where they do. */
function isOfUse(field, config) {
  const value = valueIn(config, field);
  const other = typeof value === "boolean" ? !value : value + 1n;
  const { model } = configOf(config.preset, { ...config.fields, [field]: other });
  return totalOf(model) !== totalOf(config.model);
}

function showControls() {
  const config = active();
  const key = config.type === "gpt2" ? "gpt2" : keyOf(config.preset);
  if (byId("sizes").dataset.of !== key) buildControls();
  byId("sizes").dataset.of = key;
  for (const control of controls) {
    control.show(config);
    const isOfHead = config.type === "gpt2" ? ROWS[control.field].of_head : control.field === "num_labels";
    if (isOfHead) control.element.hidden = !isOfUse(control.field, config);
  }
  byId("preset").value = keyOf(config.preset);
  setText(byId("summary"), config.preset.summary);
  byId("notes").replaceChildren(...config.notes.map((note) => make("p", {}, note)));
  byId("reset").hidden = !changesOf(config).length || Boolean(config.preset.isNeedy);
}

function buildPresets() {
  const shipped = PRESETS.filter((preset) => !PLAIN.includes(preset));
  const groups = Map.groupBy(shipped, ({ name }) => /^[^-.\d]*\d*/.exec(name.split("-")[0])[0]);
  const option = (preset) => make("option", { value: keyOf(preset) }, preset.name);
  const several = [...groups].filter(([, members]) => members.length > 1);
  const alone = [...groups.values()].filter((members) => members.length === 1).flat();
  const plain = PLAIN.filter(({ isNeedy: needs }) => !needs);
  const labelled = [...several, ["others", alone], ["architectures, with transformers' defaults", plain]];
  const lists = labelled.map(([label, members]) => make("optgroup", { label }, ...members.map(option)));
  byId("preset").append(...lists);
  byId("preset").addEventListener("change", ({ target }) => {
    state.configs[state.active] = ofPreset(findPreset(target.value));
    changed();
  });
  byId("reset").addEventListener("click", () => {
    state.configs[state.active] = ofPreset(active().preset);
    changed();
    byId("preset").focus();
  });
}

/** The buttons above the controls: which config they set, and whether there is a second. */
function showWhich() {
  const button = (text, pressed, act) => {
    const made = make("button", { type: "button", ...(pressed !== null && { "aria-pressed": String(pressed) }) }, text);
    made.addEventListener("click", () => {
      act();
      changed();
      [...byId("which").children].find((each) => each.getAttribute("aria-pressed") === "true")?.focus();
    });
    return made;
  };
  const choose = (place) => () => Object.assign(state, { active: place });
  const add = () => {
    state.configs.push({ ...active() });
    state.active = 1;
  };
  const drop = () => Object.assign(state, { configs: [state.configs[0]], active: 0 });
  const isTwo = state.configs.length === 2;
  const buttons = isTwo
    ? [
        button("First", state.active === 0, choose(0)),
        button("Second", state.active === 1, choose(1)),
        button("Swap", null, () => state.configs.reverse()),
        button("Remove the second", null, drop),
      ]
    : [button("Compare with a second", null, add)];
  const present = byId("which");
  const key = `${state.configs.length}${state.active}`;
  if (present.dataset.key === key) return;
  present.dataset.key = key;
  present.replaceChildren(...buttons);
}
