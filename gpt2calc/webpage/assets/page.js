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
  counts = state.configs.map(({ fields }) => counted(dimsOf(fields)));
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
  const block = `${grouped(perBlock(count.x))} in each block`;
  setText(byId("glance"), `parameters, about ${atAGlance(count.total)}; ${block}${than}`);
}

const signed = (n) => (n > 0n ? "+" : n < 0n ? "−" : "") + grouped(absolute(n));

function drawBars() {
  const present = FACTS.groups.filter((name, place) => counts.some((count) => count.groups[place].total));
  const bars = counts.flatMap((count, place) => [
    ...(counts.length > 1 ? [make("p", { className: "bar-title" }, `${titleOf(state.configs[place])}: ${grouped(count.total)}`)] : []),
    barOf(count),
  ]);
  byId("bars").replaceChildren(...bars);
  const items = present.map((name) => {
    const said = counts.map((count) => partOf(count, name));
    return make("li", {}, swatch(name), name, ...said.map((text) => make("span", {}, text)));
  });
  byId("legend").replaceChildren(...items);
}

const groupOf = (count, name) => count.groups.find((group) => group.name === name);

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
  const lines = counts.flatMap(({ x, total }) => {
    const { letters, numbers } = totalForm(x);
    return [make("p", {}, `${numbers} = ${grouped(total)}`), make("p", { className: "letters" }, letters)];
  });
  byId("formula").replaceChildren(...lines);
}

function drawComponents() {
  const table = byId("components");
  if (counts.length === 1) {
    const [count] = counts;
    const cells = (part, formula = "") => [number(part.total), [percent(part.total, count.total), "n"], number(part.weights), number(part.biases), [formula, "f"]];
    const headers = ["component", ["parameters", "n"], ["share", "n"], ["weights", "n"], ["biases", "n"], "formula"];
    const rows = count.components.map((part) => [named(part.group, part.name), ...cells(part, part.form.text())]);
    return fill(table, headers, rows, [["total", ...cells(count)]]);
  }
  const names = FACTS.components.filter(({ component }) => counts.some((count) => partNamed(count, component)));
  const rows = names.map(({ component, group }) => [named(group, component), ...difference(counts.map((count) => partNamed(count, component)?.total ?? 0n))]);
  return fill(table, ["component", ...DIFFERENCE], rows, [["total", ...difference(counts.map((count) => count.total))]]);
}

const partNamed = (count, name) => count.components.find((part) => part.name === name);

const named = (group, name) => {
  const both = document.createDocumentFragment();
  both.append(swatch(group), name);
  return both;
};

const DIFFERENCE = ["first", "second", "difference", "ratio"].map((name) => [name, "n"]);

const difference = ([first, second]) => [number(first), number(second), [signed(second - first), "n"], [rounded(second, first, 3), "n"]];

function drawConventions() {
  const rows = FACTS.conventions.map(([name, unit, sentence, source]) => {
    const values = counts.map((count) => count.conventions[name]);
    const shown = counts.length === 1 ? values.map(number) : difference(values);
    const what = document.createDocumentFragment();
    what.append(make("code", {}, name), make("small", {}, `${sentence}${unit === "parameters" ? "" : `, in ${unit}`}`));
    return [[what, "what"], ...shown, ...(counts.length === 1 ? [[source, "source"]] : [])];
  });
  const headers = counts.length === 1 ? ["what is counted", ["count", "n"], "by whom"] : ["what is counted", ...DIFFERENCE];
  byId("conventions").classList.toggle("two", counts.length > 1);
  fill(byId("conventions"), headers, rows);
}

// Explain a number

let shipped = null;
let explaining = 0;

function drawExplained() {
  const table = byId("explained");
  const isAsked = state.figure.trim() !== "";
  if (byId("figure").value !== state.figure) byId("figure").value = state.figure;
  table.parentElement.hidden = true;
  if (!isAsked) return setText(byId("figure-said"), `Such as ${EXPLAIN.examples}: what was counted, and of which model.`);
  try {
    const figure = readPrinted(state.figure);
    shipped ??= shippedCandidates();
    const own = state.configs.map((config) => candidateOf(titleOf(config), dimsOf(config.fields)));
    const candidates = [...own.filter(({ x }) => !shipped.some((other) => sameModel(x, other.x))), ...shipped];
    const found = readingsOf(figure, candidates);
    setText(byId("figure-said"), `${answerOf(figure, found, candidates)}.`);
    table.parentElement.hidden = false;
    const rows = found.length ? found.slice(0, EXPLAIN.most_readings) : nearestReadings(figure, candidates);
    return fill(table, ["what is counted", ["exactly", "n"], "fits", ["rivals", "n"]], rows.map(explainedRow));
  } catch (error) {
    if (!(error instanceof Sentence)) throw error;
    return setText(byId("figure-said"), error.message);
  }
}

function explainedRow(reading) {
  const what = document.createDocumentFragment();
  what.append(reading.candidate.name, ", ", make("code", {}, conventionOf(reading)), make("small", {}, sentenceOf(reading)));
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

// A config.json, and files

function said(element, problem, notes = []) {
  const lines = problem ? [make("p", { className: "problem" }, problem)] : notes.map((note) => make("p", {}, note));
  element.replaceChildren(...lines);
}

/** Take a config.json as the config that the controls set; false where it is none, and why is said. */
function takeConfig(text, element) {
  try {
    const { fields, notes } = readConfig(text);
    state.configs[state.active] = ofFields(fields);
    changed();
    said(element, null, [`read: ${titleOf(active())}`, ...notes]);
    return true;
  } catch (error) {
    if (!(error instanceof Sentence)) throw error;
    said(element, error.message);
    return false;
  }
}

let latest = 0;

async function takeFiles(files) {
  latest += 1;
  const turn = latest;
  const config = files.find((file) => file.name.endsWith(".json") && !file.name.endsWith(".index.json"));
  const isTaken = config ? takeConfig((await config.text()).replace(/^\ufeff/, ""), byId("paste-said")) : true;
  if (!isTaken || files.every((file) => file === config)) return;
  const given = config || byId("against").checked ? active().fields : null;
  const parts = [make("p", { className: "hint" }, "reading the header ...")];
  byId("verified").replaceChildren(...parts);
  try {
    const found = await verify(files, given);
    if (turn === latest) byId("verified").replaceChildren(...verifiedParts(found));
  } catch (error) {
    const problem = error instanceof Sentence ? error.message : `it cannot be read: ${error.message}`;
    if (turn === latest) byId("verified").replaceChildren(verdictLine("unreadable", problem));
  }
}

function verdictLine(kind, text) {
  const [name, word] = { matches: ["good", "✓ "], wrong: ["bad", "✗ "], unreadable: ["bad", "✗ cannot be read: "] }[kind];
  return make("p", { className: `verdict ${name}` }, make("b", {}, word), text);
}

function verifiedParts(found) {
  const names = [...new Set([...found.expected.keys(), ...found.match.components.keys()])];
  const cells = (count, observed) => [number(count), number(observed), [signed(observed - count), "n"]];
  const rows = names.map((name) => [name, ...cells(found.expected.get(name) ?? 0n, found.match.components.get(name) ?? 0n)]);
  const some = (n) => (n ? number(n) : "");
  const parts = found.match.held.map(({ what, tensors, elements, bytes }) => [[what, "what"], some(tensors), some(elements), number(bytes)]);
  const button = make("button", { type: "button" }, "Count this model above");
  button.addEventListener("click", () => {
    state.configs[state.active] = ofFields(found.fields);
    changed();
    byId("total").focus();
  });
  return [
    verdictLine(found.matches ? "matches" : "wrong", found.verdict),
    ...(found.faults.length ? [faultTable(found)] : []),
    ...found.notes.map((note) => make("p", { className: "hint" }, note)),
    tableOf("Its components", ["component", ["formula", "n"], ["stored", "n"], ["difference", "n"]], rows, [["total", ...cells(found.total, found.parameters)]]),
    tableOf("What its bytes are", ["stored", ["tensors", "n"], ["elements", "n"], ["bytes", "n"]], parts),
    make("p", {}, button),
  ];
}

function tableOf(label, headers, rows, foot = []) {
  const table = make("table", {}, make("thead"), make("tbody"), make("tfoot"));
  fill(table, headers, rows, foot);
  return make("div", { className: "scroll", role: "region", "aria-label": label, tabIndex: 0 }, table);
}

const MOST_SHOWN = 20;

function faultTable({ faults, more }) {
  const groups = groupedFaults(faults);
  const rows = groups.slice(0, MOST_SHOWN).map(({ kind, tensor, message }) => {
    const what = document.createDocumentFragment();
    what.append(make("code", {}, shortened(tensor)), make("small", {}, message));
    return [kind, what];
  });
  const left = groups.slice(MOST_SHOWN).reduce((all, { size }) => all + size, more);
  if (left) rows.push(["and", `${grouped(left)} more`]);
  return tableOf("What is wrong", ["wrong", "which tensor, and why"], rows);
}

/** Put faults that differ in the number of the block alone into one. */
function groupedFaults(faults) {
  const all = faults.map(({ kind, tensor, message }) => {
    const [template, block] = templated(tensor);
    return { kind, template, block, message: block === null ? message : message.replaceAll(`.${block}.`, ".{}.") };
  });
  const groups = Map.groupBy(all, ({ kind, template, message }) => JSON.stringify([kind, template, message]));
  return [...groups.values()].map((group) => {
    const blocks = blockText(group.map(({ block }) => block));
    const [{ kind, template, message }] = group;
    return { kind, tensor: template.replace("{}", blocks), message: message.replaceAll("{}", blocks), size: group.length };
  });
}

/** Write the numbers of blocks: 3, or {0..11}, or {1,5,7}. */
function blockText(blocks) {
  const numbers = [...new Set(blocks.filter((block) => block !== null))].sort((a, b) => a - b);
  if (numbers.length < 2) return numbers.join("");
  const runs = [];
  for (const n of numbers) {
    if (runs.length && n === runs.at(-1)[1] + 1) runs.at(-1)[1] = n;
    else runs.push([n, n]);
  }
  const texts = runs.map(([first, last]) => (first === last ? `${first}` : `${first}..${last}`));
  return `{${[...texts.slice(0, 5), ...(texts.length > 5 ? ["..."] : [])].join(",")}}`;
}

function listenToFiles() {
  const drop = byId("drop");
  byId("paste").addEventListener("input", ({ target }) =>
    target.value.trim() ? takeConfig(target.value, byId("paste-said")) : said(byId("paste-said"), null),
  );
  byId("file").addEventListener("change", ({ target }) => target.files.length && takeFiles([...target.files]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) takeFiles([...event.dataTransfer.files]);
  });
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
  byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
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
  buildControls();
  buildForms();
  listenToFiles();
  byId("figure").addEventListener("input", ({ target }) => {
    state.figure = target.value;
    clearTimeout(explaining);
    explaining = setTimeout(drawExplained, shipped ? 0 : 50); // the first answer takes a tenth of a second
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
