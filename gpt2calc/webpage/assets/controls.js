// Elements, built node by node: text is text, whoever wrote it, and no markup is ever parsed. And the controls of the
// active config, one for each field of its architecture: how they are built, and what they set.

const byId = (id) => document.getElementById(id);

/** An element with properties of its own, attributes where they have a hyphen or are given as such, and children. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Set a text where it differs, so that nothing is drawn anew that stays. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const number = (n) => [grouped(n), "n"];

/** Fill a table; rows that read as before keep their nodes. A cell is a text, a node, or [text, class]. */
function fill(table, headers, rows, foot = []) {
  [[table.tHead, [headers]], [table.tBodies[0], rows], [table.tFoot, foot]].forEach(([section, wanted], part) => {
    const present = [...(section?.rows ?? [])];
    wanted.forEach((cells, line) => {
      const made = cells.map((cell, place) => {
        const [content, className] = Array.isArray(cell) ? cell : [cell, ""];
        const scope = part === 0 ? "col" : place === 0 ? "row" : null;
        return make(scope ? "th" : "td", { className, ...(scope && { scope }) }, content);
      });
      const row = make("tr", {}, ...made);
      if (!present[line]) section.append(row);
      else if (!present[line].isEqualNode(row)) present[line].replaceWith(row);
    });
    present.slice(wanted.length).forEach((row) => row.remove());
  });
}

/** What controls a config has: those that Python lists for a GPT-2, else one for each row of the table of its sizes. */
function controlsOf({ type, model: { sizes } }) {
  if (type === "gpt2") return FACTS.controls;
  const kinds = { flag: "switch", word: "choice" };
  return [...gpt2calc.rows(type)].map(({ name, kind, letter, least, help }) => {
    const hasSlider = kind === "size" && letter && typeof sizes.get(name) === "bigint";
    const high = hasSlider ? 2 ** Math.ceil(Math.log2(Math.max(8, 4 * Number(sizes.get(name))))) : 0;
    const shipped = PRESETS.map(({ all }) => Number(all[name])).filter((n) => n >= least && n <= high);
    const shown = hasSlider ? "size" : (kinds[kind] ?? "number");
    return { field: name, hint: help, low: Number(least), high, step: 0, empty: "", kind: shown, shipped };
  });
}

/** What a slider can stand on: every number in a short span, else some in each octave, and every shipped model's. */
function stopsOf({ low, high, step, shipped }) {
  const stops = new Set([...shipped, low, high]);
  for (let n = low; n <= high;) {
    stops.add(n);
    n += high <= 128 ? 1 : Math.max(step, 2 ** (Math.floor(Math.log2(Math.max(n, 1))) - 5), 1);
  }
  return [...stops].sort((a, b) => a - b);
}

/** What a value of a config is, whether it is given or follows. */
const valueIn = ({ fields, model }, field) => fields[field] ?? model.sizes.get(field);

const inWords = (value) => (Array.isArray(value) ? value.join(",") : value === null ? "" : grouped(value));

/** Whether what is typed says a value. */
const isTyped = (type, field, text, value) =>
  attempt(() => same(gpt2calc.readField(type, field, text), value), () => false);

/** Put a value over the active config's own, or take it away where it is undefined. */
function set(field, value) {
  const { preset, fields, maker, beside } = active();
  const given = Object.entries({ ...fields, [field]: value }).filter(([, each]) => each !== undefined);
  const own = Object.fromEntries(given);
  const isHeld = state.held !== null && field === "n_layer";
  state.configs[state.active] = configOf(preset, isHeld ? heldAt(own, state.held) : own, maker, beside);
  changed();
}

/** A control: its element, `show`, which makes it say what a config has, and `say`, which says what is wrong. */
function buildControl(row) {
  const { field, kind } = row;
  const [isSize, { of_head: isOfHead }] = [kind === "size", gpt2calc.rowOf(active().type, field)];
  const hint = make("small", { className: "hint", id: `${field}-hint` }, row.hint);
  const said = make("small", { id: `${field}-problem` });
  const label = make("label", { htmlFor: field }, field);
  const inputs = { switch: { type: "checkbox" }, size: { inputMode: "numeric", autocomplete: "off" } };
  const about = { id: field, "aria-describedby": `${field}-hint ${field}-problem`, ...(inputs[kind] ?? inputs.size) };
  const input = make(kind === "choice" ? "select" : "input", about);
  const say = (problem, note = "") => {
    said.hidden = !problem && !note;
    said.className = problem ? "problem" : "hint";
    setText(said, problem || note);
    input.setAttribute("aria-invalid", String(Boolean(problem)));
  };
  const listen = (element, event, read) =>
    element.addEventListener(event, () => attempt(() => set(field, read(active())), say));
  const found = (show, className, ...children) => {
    const shown = (config) => say(...(show(config) ?? []));
    return { field, isOfHead, isSize, say, show: shown, element: make("div", { className }, ...children) };
  };
  if (kind === "switch") {
    // qkv_bias is as bias, unless it differs
    const isAsBias = ({ fields }) => field === "qkv_bias" && input.checked === fields.bias;
    listen(input, "change", (config) => (isAsBias(config) ? null : input.checked));
    const show = ({ model }) => void (input.checked = py.t(model.sizes.get(field)));
    return found(show, "switch", input, make("span", {}, label, hint, said));
  }
  if (kind === "choice") {
    const heads = active().model.architecture.classes.items();
    input.append(...heads.map(([name, value]) => make("option", { value }, `${value} (${name})`)));
    listen(input, "change", () => input.value);
    return found((config) => void (input.value = valueIn(config, field)), "small", label, input, hint, said);
  }
  listen(input, "input", ({ type, preset }) => {
    const text = input.value.trim();
    const isLeftOut = type !== "gpt2" && !text && !(field in preset.all);
    return isLeftOut ? undefined : gpt2calc.readField(type, field, text);
  });
  input.addEventListener("change", () => showControls());
  const stops = isSize ? stopsOf(row) : [0];
  const range = { type: "range", "aria-label": `${field}, slider`, min: 0, max: stops.length - 1, step: 1 };
  const slider = make("input", range);
  listen(slider, "input", () => BigInt(stops[slider.value]));
  const show = (config) => {
    const { fields, type, preset } = config;
    const [isOurs, value, size] = [type === "gpt2", fields[field] ?? null, valueIn(config, field) ?? 1n];
    const isTyping = document.activeElement === input && input.value.trim() !== "";
    if (!isTyping || !isTyped(type, field, input.value, value)) input.value = inWords(value);
    const inner = isOurs && field === "n_inner" ? ` = ${grouped(4n * fields.n_embd)}` : "";
    input.placeholder = isOurs ? row.empty && row.empty + inner : inWords(valueIn(config, field));
    const off = stops.map((stop) => Math.abs(stop - Number(size)));
    slider.value = off.indexOf(Math.min(...off));
    slider.setAttribute("aria-valuetext", value !== null || !row.empty ? grouped(size) : row.empty);
    const problem = isOurs && field === "n_head" ? headsProblem(fields) : null;
    // A model's own heads, where the width no longer goes with them, are left out, as Python does.
    const isTheirs = value === preset.all.n_head;
    const note = `it does not divide n_embd ${grouped(fields.n_embd)}, and is left out`;
    return [isTheirs ? null : problem, problem && note];
  };
  if (!isSize) return found(show, "small", label, input, hint, said);
  return found(show, "control size", make("div", { className: "names" }, label, hint), slider, input, said);
}

let controls = [];

function buildControls(config) {
  controls = controlsOf(config).map(buildControl);
  const { true: sizes = [], false: others = [] } = Object.groupBy(controls, ({ isSize }) => isSize);
  byId("sizes").replaceChildren(...sizes.map(({ element }) => element));
  byId("structure").replaceChildren(...others.map(({ element }) => element));
}

/** Whether a field changes something: those of a head are shown where they do. */
function isOfUse(field, config) {
  const value = valueIn(config, field);
  const other = typeof value === "boolean" ? !value : value + 1n;
  return configOf(config.preset, { ...config.fields, [field]: other }).count.total !== config.count.total;
}

function showControls() {
  const config = active();
  const key = config.type === "gpt2" ? "gpt2" : keyOf(config.preset);
  if (byId("sizes").dataset.of !== key) buildControls(config);
  byId("sizes").dataset.of = key;
  for (const control of controls) {
    control.show(config);
    if (control.isOfHead || control.field === "num_labels") control.element.hidden = !isOfUse(control.field, config);
  }
  if (document.activeElement !== byId("preset")) byId("preset").value = keyOf(config.preset);
  setText(byId("summary"), config.preset.summary);
  byId("notes").replaceChildren(...config.notes.map((note) => make("p", {}, note)));
  byId("reset").hidden = !changesOf(config).length || Boolean(config.preset.is_needy);
}

/** Every model that can be chosen, with its size; Python says the sizes. */
function buildPresets() {
  const listed = PRESETS.filter(({ is_needy: isNeedy }) => !isNeedy);
  byId("presets").append(...listed.map((preset) => make("option", { value: keyOf(preset), label: preset.size ?? "" })));
}

function listenToPresets() {
  const field = byId("preset");
  const choose = (preset) => {
    state.configs[state.active] = ofPreset(preset);
    changed();
  };
  // What is typed is taken at once where it is a name, and a part of one when the field is left or Enter is pressed.
  const read = (isWhole) => {
    const text = field.value.trim();
    const holds = (preset) => !isWhole && !preset.is_needy && keyOf(preset).toLowerCase().includes(text.toLowerCase());
    const found = text && (findPreset(text) ?? PRESETS.find(holds));
    setText(byId("preset-said"), text && !found && !isWhole ? `no model is called ${shown(text)}` : "");
    if (found && !found.is_needy) choose(found);
    if (found && !isWhole) field.value = keyOf(found);
  };
  // The list shows what fits the text: so that all can be seen, a field that is entered is empty until it is left.
  field.addEventListener("focus", () => ([field.placeholder, field.value] = [field.value, ""]));
  field.addEventListener("blur", () => (field.value ||= keyOf(active().preset)));
  field.addEventListener("change", () => read(false));
  field.addEventListener("input", () => read(true));
  byId("reset").addEventListener("click", () => {
    choose(active().preset);
    byId("title").focus();
  });
}

/** What the buttons above the controls do: which config they set, and whether there is a second. */
const WHICH = [
  () => Object.assign(state, { active: 0 }),
  () => Object.assign(state, { active: 1 }),
  () => state.configs.reverse(),
  () => Object.assign(state, { configs: [state.configs[0]], active: 0 }),
  () => Object.assign(state, { configs: [active(), { ...active() }], active: 1 }),
];

function buildWhich() {
  const buttons = [...byId("which").children];
  buttons.forEach((button, place) =>
    button.addEventListener("click", () => {
      WHICH[place]();
      changed();
      buttons[state.configs.length === 2 ? state.active : 4].focus();
    }),
  );
}

function showWhich() {
  [...byId("which").children].forEach((button, place) => {
    button.hidden = (state.configs.length === 2) === (place === 4);
    if (place > 1) return;
    button.setAttribute("aria-pressed", String(state.active === place));
    setText(button, state.configs[place] ? titleOf(state.configs[place]) : "");
  });
}
