// What the page shows of the state, and what its parts do.

/** Draw everything that depends on the state, and put the state into the address once it rests. */
function changed() {
  draw();
  restLater();
}

let resting = 0;

function restLater() {
  clearTimeout(resting);
  resting = setTimeout(rest, 300);
}

function rest() {
  clearTimeout(resting);
  const wanted = fragment();
  if (location.hash !== wanted) history.pushState(null, "", wanted);
  setText(byId("live"), `${byId("title").textContent}: ${byId("number").textContent} parameters`);
}

let counts = [];

function draw() {
  counts = state.configs.map(({ model }) => counted(model));
  showWhich();
  showControls();
  drawTotal();
  drawBars();
  drawFormula();
  drawComponents();
  drawConventions();
  drawExplained();
  drawShared();
}

function drawTotal() {
  const [first, second] = counts;
  const count = counts[state.active];
  setText(byId("title"), titleOf(active()));
  const text = grouped(count.total);
  setText(byId("number"), text);
  byId("number").classList.toggle("long", text.length > 22);
  byId("number").classList.toggle("longest", text.length > 90);
  const more = second && signed(second.total - first.total);
  const than = second ? `; ${more} in the second, ×${rounded(second.total, first.total, 3)}` : "";
  const block = layersText(count);
  setText(byId("glance"), `parameters, about ${atAGlance(count.total)}; ${block}${than}`);
}

/** What a layer holds, of each kind that there is. */
function layersText({ model, inLayers: kinds }) {
  const word = isGpt2(model) ? "block" : "layer";
  if (kinds.length === 1) return `${grouped(kinds[0].total)} in each ${word}`;
  const every = kinds.length ? kinds[0].tags.filter((tag) => kinds.every(({ tags }) => tags.includes(tag))) : [];
  const named = (tags) => tags.filter((tag) => !every.includes(tag)).join(" ").replaceAll("_", " ");
  return kinds.map(({ tags, layers, total }) => `${grouped(total)} in each of ${grouped(layers)} ${named(tags)} layers`).join(", ");
}

const signed = (n) => (n > 0n ? "+" : n < 0n ? "−" : "") + grouped(absolute(n));

function drawBars() {
  const present = FACTS.groups.filter((name) => counts.some((count) => groupOf(count, name).total));
  const bars = counts.flatMap((count, place) => [
    ...(counts.length > 1
      ? [make("p", { className: "bar-title" }, `${titleOf(state.configs[place])}: ${grouped(count.total)}`)]
      : []),
    barOf(count),
  ]);
  byId("bars").replaceChildren(...bars);
  const items = present.map((name) => {
    const said = counts.map((count) => partOf(count, name));
    return make("li", {}, swatch(name), name, ...said.map((text) => make("span", {}, text)));
  });
  byId("legend").replaceChildren(...items);
}

const groupOf = (count, name) => count.groups.find((group) => group.name === name) ?? { total: 0n };

function partOf(count, name) {
  const { total } = groupOf(count, name);
  return `${grouped(total)}, ${percent(total, count.total)}`;
}

function barOf(count) {
  const parts = count.groups.filter((group) => group.total);
  const segments = parts.map((group) => {
    const size = share(group.total, count.total);
    const segment = make("div", { className: group.name });
    segment.style.flexGrow = String(Math.max(size, 0.0005));
    segment.style.flexBasis = "0";
    if (size > 0.09) segment.append(`${rounded(100n * group.total, count.total, 0)} %`);
    return segment;
  });
  const said = parts.map((group) => `${group.name} ${percent(group.total, count.total)}`).join(", ");
  return make("div", { className: "bar", role: "img", "aria-label": said || "nothing" }, ...segments);
}

function drawFormula() {
  const lines = counts.flatMap((count) => {
    const { letters, numbers } = totalForm(count);
    return [make("p", {}, `${numbers} = ${grouped(count.total)}`), make("p", { className: "letters" }, letters)];
  });
  byId("formula").replaceChildren(...lines);
}

function drawComponents() {
  const table = byId("components");
  if (counts.length === 1) {
    const [count] = counts;
    const cells = (part, formula = "") => [
      number(part.total),
      [percent(part.total, count.total), "n"],
      number(part.weights),
      number(part.biases),
      [formula, "f"],
    ];
    const headers = ["component", ["parameters", "n"], ["share", "n"], ["weights", "n"], ["biases", "n"], "formula"];
    const rows = count.components.map((part) => [named(part.group, part.name), ...cells(part, part.form.text())]);
    return fill(table, headers, rows, [["total", ...cells(count)]]);
  }
  const all = counts.flatMap(({ model }) => model.architecture.rows.map(({ name, group }) => [name, group]));
  const names = [...new Map(all)].filter(([name]) => counts.some((count) => partNamed(count, name)));
  const rows = names.map(([name, group]) => [
    named(group, name),
    ...difference(counts.map((count) => partNamed(count, name)?.total ?? 0n)),
  ]);
  return fill(table, ["component", ...DIFFERENCE], rows, [
    ["total", ...difference(counts.map((count) => count.total))],
  ]);
}

const partNamed = (count, name) => count.components.find((part) => part.name === name);

const named = (group, name) => {
  const both = document.createDocumentFragment();
  both.append(swatch(group), name);
  return both;
};

const DIFFERENCE = ["first", "second", "difference", "ratio"].map((name) => [name, "n"]);

const difference = ([first, second]) => [
  number(first),
  number(second),
  [signed(second - first), "n"],
  [rounded(second, first, 3), "n"],
];

function drawConventions() {
  const of = ({ model }) => (isGpt2(model) ? FACTS : FAMILIES).conventions;
  const both = of(counts[0]).filter(([name]) => counts.every((count) => name in count.conventions));
  const rows = both.map(([name, unit, sentence, source]) => {
    const values = counts.map((count) => count.conventions[name]);
    const shown = counts.length === 1 ? values.map(number) : difference(values);
    const what = document.createDocumentFragment();
    what.append(make("code", {}, name), make("small", {}, unit === "bytes" ? `in bytes: ${sentence}` : sentence));
    return [[what, "what"], ...shown, ...(counts.length === 1 ? [[source, "source"]] : [])];
  });
  const headers =
    counts.length === 1 ? ["what is counted", ["count", "n"], "by whom"] : ["what is counted", ...DIFFERENCE];
  byId("conventions").classList.toggle("two", counts.length > 1);
  fill(byId("conventions"), headers, rows);
}

// Explain a number

let shipped = null;
let isPrepared = false;
let explaining = 0;

/** Look at what the models that ship can be said to have, a few at a time, so that nothing waits for it. */
function prepareExplained(found = [], rest = shippedModels()) {
  const until = performance.now() + 10;
  while (rest.length && performance.now() < until) found.push(shippedCandidate(rest.shift()));
  if (rest.length) return setTimeout(prepareExplained, 0, found, rest);
  shipped = found;
  return drawExplained();
}

function drawExplained() {
  const table = byId("explained");
  const isAsked = state.figure.trim() !== "";
  if (isAsked && !isPrepared) prepareExplained();
  isPrepared ||= isAsked;
  if (byId("figure").value !== state.figure) byId("figure").value = state.figure;
  table.parentElement.hidden = true;
  const say = (text, name) => {
    setText(byId("figure-said"), text);
    byId("figure-said").className = name;
  };
  if (!isAsked) return say(`Such as ${EXPLAIN.examples}: what was counted, and of which GPT-2.`, "hint");
  try {
    const figure = readPrinted(state.figure);
    if (!shipped) return say("looking ...", "hint");
    const gpt2s = state.configs.filter(({ type }) => type === "gpt2");
    const own = gpt2s.map((config) => [titleOf(config), config.model.sizes]);
    const others = own.filter(([, x]) => !shipped.some((other) => sameModel(x, other.x)));
    const candidates = [...others.map(([name, x]) => candidateOf(name, x)), ...shipped];
    const found = readingsOf(figure, candidates);
    say(`${answerOf(figure, found, candidates)}.`, "answer");
    table.parentElement.hidden = false;
    const rows = found.length ? found.slice(0, EXPLAIN.most_readings) : nearestReadings(figure, candidates);
    return fill(table, ["what is counted", ["exactly", "n"], "fits", ["rivals", "n"]], rows.map(explainedRow));
  } catch (error) {
    if (!(error instanceof Sentence)) throw error;
    return say(error.message, "problem");
  }
}

function explainedRow(reading) {
  const what = document.createDocumentFragment();
  what.append(
    reading.candidate.name,
    ", ",
    make("code", {}, conventionOf(reading)),
    make("small", {}, sentenceOf(reading)),
  );
  const { fit = "not", rivals } = reading;
  return [[what, "what"], number(reading.value), fit, rivals === undefined ? "" : [String(rivals), "n"]];
}

// Share

let form = "link";

function buildForms() {
  for (const name of Object.keys(SHARED)) {
    const input = make("input", { type: "radio", name: "form", value: name, checked: name === form });
    input.addEventListener("change", () => {
      form = name;
      drawShared();
    });
    byId("forms").append(make("label", {}, input, name));
  }
  byId("copy").addEventListener("click", copy);
}

function drawShared() {
  const text = SHARED[form](active(), counts[state.active]);
  if (byId("shared").value !== text) byId("shared").value = text;
  setText(byId("copied"), "");
}

async function copy() {
  rest();
  drawShared();
  const area = byId("shared");
  try {
    await navigator.clipboard.writeText(area.value);
    setText(byId("copied"), "copied");
  } catch {
    area.select(); // where a page may not write to the clipboard, a person can
    setText(byId("copied"), "selected: copy it with your keyboard");
  }
}

// Theme and address

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
}

function listenToTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => setTheme(system.matches ? "dark" : "light");
  system.addEventListener("change", follow);
  byId("theme").addEventListener("click", () =>
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
  );
  follow();
}

function restoreFromAddress() {
  if (location.hash === fragment()) return;
  const problems = restore(location.hash);
  byId("notice").hidden = !problems.length;
  setText(byId("notice"), problems.join(". "));
  draw();
}

function start() {
  listenToTheme();
  buildPresets();
  buildForms();
  listenToFiles();
  byId("figure").addEventListener("input", ({ target }) => {
    state.figure = target.value;
    clearTimeout(explaining);
    explaining = setTimeout(drawExplained, 0);
    restLater();
  });
  addEventListener("popstate", restoreFromAddress);
  addEventListener("hashchange", restoreFromAddress);
  const problems = restore(location.hash);
  byId("notice").hidden = !problems.length;
  setText(byId("notice"), problems.join(". "));
  draw();
}

start();
