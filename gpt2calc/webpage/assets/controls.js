// The controls, one for each row of FACTS.controls: how they are built, what they show, and what they set.

const active = () => state.configs[state.active];

/** What a slider can stand on: every number in a short span, else some in each octave, and every shipped model's. */
function stopsOf({ field, low, high, step }) {
  const stops = new Set(PRESETS.map(({ all }) => Number(all[field])).filter((n) => n >= low && n <= high));
  for (let n = low; n <= high;) {
    stops.add(n);
    n += high <= 128 ? 1 : Math.max(step, 2 ** (Math.floor(Math.log2(n)) - 5));
  }
  return [...stops].sort((a, b) => a - b);
}

function nearestStop(stops, size) {
  const wanted = size > BigInt(stops.at(-1)) ? stops.at(-1) : Number(size);
  return stops.reduce(
    (best, stop, place) => (Math.abs(stop - wanted) < Math.abs(stops[best] - wanted) ? place : best),
    0,
  );
}

/** Each control as an element, with `show`, which makes it say what a config has. */
const controls = [];

function buildControls() {
  const builders = { size: sizeControl, number: numberControl, switch: switchControl, choice: choiceControl };
  for (const row of FACTS.controls) {
    const control = builders[row.kind](row);
    controls.push({ ...row, ...control });
    byId(row.kind === "size" ? "sizes" : "structure").append(control.element);
  }
}

function set(field, value) {
  active().fields[field] = value;
  changed();
}

/** A field for a number: what is typed is set at once, or a sentence says why not. */
function numberField({ field, empty }) {
  const said = make("p", { className: "problem", id: `${field}-problem`, hidden: true });
  const input = make("input", {
    id: field,
    inputMode: "numeric",
    autocomplete: "off",
    "aria-describedby": `${field}-hint ${field}-problem`,
  });
  const say = (problem, hint = "") => {
    said.hidden = !problem && !hint;
    said.className = problem ? "problem" : "hint";
    setText(said, problem ?? hint);
    input.setAttribute("aria-invalid", String(Boolean(problem)));
  };
  input.addEventListener("input", () => {
    try {
      set(field, typedField(field, input.value.trim()));
    } catch (error) {
      if (!(error instanceof Sentence)) throw error;
      say(error.message);
    }
  });
  input.addEventListener("change", () => showControls());
  const show = (fields) => {
    const value = fields[field];
    const isTyping =
      document.activeElement === input && input.value.trim() !== "" && typedNumber(input.value) === value;
    if (!isTyping) input.value = value === null ? "" : grouped(value);
    const follows = field === "n_inner" ? ` = ${grouped(dimsOf({ ...fields, n_inner: null }).n_inner)}` : "";
    input.placeholder = empty && empty + follows;
    if (field === "n_head" && value === active().preset.all.n_head) say(null, leftOut(fields));
    else say(field === "n_head" ? headsProblem(fields) : null);
  };
  return { input, said, show };
}

/** What is said of a model's own heads where the width no longer goes with them. */
const leftOut = (fields) =>
  headsProblem(fields) ? `it does not divide n_embd ${grouped(fields.n_embd)}, and is left out` : "";

function sizeControl(row) {
  const { field, hint } = row;
  const stops = stopsOf(row);
  const typed = numberField(row);
  const slider = make("input", {
    type: "range",
    min: 0,
    max: stops.length - 1,
    step: 1,
    "aria-label": `${field}, slider`,
  });
  slider.addEventListener("input", () => set(field, BigInt(stops[slider.value])));
  const label = make("label", { htmlFor: field }, field);
  const names = make(
    "div",
    { className: "names" },
    label,
    make("span", { className: "hint", id: `${field}-hint` }, hint),
  );
  const element = make("div", { className: "control size" }, names, slider, typed.input, typed.said);
  const show = (fields) => {
    const size = fields[field] ?? (field === "n_inner" ? dimsOf(fields).n_inner : 1n);
    slider.value = nearestStop(stops, size);
    slider.setAttribute("aria-valuetext", fields[field] === null ? row.empty : grouped(size));
    typed.show(fields);
  };
  return { element, show };
}

function numberControl(row) {
  const typed = numberField(row);
  const hint = make("p", { className: "hint", id: `${row.field}-hint` }, row.hint);
  const element = make(
    "div",
    { className: "small" },
    make("label", { htmlFor: row.field }, row.field),
    typed.input,
    hint,
    typed.said,
  );
  return { element, show: typed.show };
}

function switchControl({ field, hint }) {
  const input = make("input", { type: "checkbox", id: field, "aria-describedby": `${field}-hint` });
  const words = make("span", {}, field, make("small", { id: `${field}-hint` }, hint));
  input.addEventListener("change", () => {
    const follows = field === "qkv_bias" && input.checked === active().fields.bias; // as bias, unless it differs
    set(field, follows ? null : input.checked);
  });
  const show = (fields) => {
    input.checked = dimsOf(fields)[field] === 1n;
  };
  return { element: make("label", { className: "switch" }, input, words), show };
}

function choiceControl({ field, hint }) {
  const options = ROWS[field].words.map((word) => {
    const [name] = Object.entries(FIELDS.classes).find(([, head]) => head === word);
    return make("option", { value: word }, `${word} (${name})`);
  });
  const select = make("select", { id: field, "aria-describedby": `${field}-hint` }, ...options);
  select.addEventListener("change", () => set(field, select.value));
  const label = make("label", { htmlFor: field }, field);
  const element = make(
    "div",
    { className: "small" },
    label,
    select,
    make("p", { className: "hint", id: `${field}-hint` }, hint),
  );
  const show = (fields) => {
    select.value = fields[field];
  };
  return { element, show };
}

/** Whether a field changes something: those of a head are shown where they do. */
function isOfUse(field, fields) {
  const value = typeof fields[field] === "boolean" ? !fields[field] : fields[field] + 1n;
  return totalOf(dimsOf({ ...fields, [field]: value })) !== totalOf(dimsOf(fields));
}

function showControls() {
  const { preset, fields } = active();
  for (const control of controls) {
    control.show(fields);
    if (ROWS[control.field].of_head) control.element.hidden = !isOfUse(control.field, fields);
  }
  byId("preset").value = preset.name;
  setText(byId("summary"), preset.summary);
  byId("reset").hidden = !changesOf(active()).length;
}

function buildPresets() {
  const family = ({ name }) => name.split("-")[0];
  const groups = Map.groupBy(PRESETS, family);
  const option = ({ name }) => make("option", { value: name }, name);
  const several = [...groups].filter(([, members]) => members.length > 1);
  const alone = [...groups.values()].filter((members) => members.length === 1).flat();
  const lists = [...several, ["others", alone]].map(([label, members]) =>
    make("optgroup", { label }, ...members.map(option)),
  );
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
    state.configs.push({ ...active(), fields: { ...active().fields } });
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
