// What the page shows of the state, and what its parts do.

let [resting, explaining, latest] = [0, 0, 0];

/** Draw everything that depends on the state, and put the state into the address once it rests. */
function changed(show = draw) {
  show();
  clearTimeout(resting);
  resting = setTimeout(rest, 300);
}

function rest() {
  clearTimeout(resting);
  if (location.hash !== fragment()) history.pushState(null, "", fragment());
  setText(byId("live"), `${byId("title").textContent}: ${byId("number").textContent} parameters`);
}

/** Say a verdict under the total, where a person sees it who looks at something else than where it is explained. */
function announce(className, text, where) {
  const [said, link] = byId("band").children;
  if (!text && link.hash !== where) return;
  Object.assign(byId("band"), { hidden: !text, className: `verdict ${className}` });
  setText(said, text);
  link.href = where;
  const { top, bottom } = document.querySelector(where).parentElement.getBoundingClientRect();
  if (text && (bottom < 0 || top > innerHeight)) byId("total").scrollIntoView({ block: "nearest" });
}

function listenToLinks() {
  for (const type of ["pointerover", "focusin"]) document.addEventListener(type, light);
  byId("band").lastElementChild.addEventListener("click", () => (byId("band").hidden = true));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    event.preventDefault(); // the fragment of the address is the state
    const target = document.querySelector(link.hash);
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  });
}

let [counts, isDue] = [[], false];

/** Draw all that depends on the state: what is seen first now, and all else once that is painted. */
function draw() {
  counts = state.configs.map(countOf);
  for (const part of [showWhich, showControls, drawTotal, drawAim, drawBars]) part();
  if (!isDue) requestAnimationFrame(() => setTimeout(drawElse));
  isDue = true;
}

function drawElse() {
  isDue = false;
  for (const part of [drawTables, drawFlow, drawCosts, drawExplained, drawShared, keepSaid]) part();
}

/** What is shown of a count, each once. */
function countOf({ type, count }) {
  const components = [...count.components];
  const [groups, conventions] = [count.groups.values(), py.object(count.conventions)];
  const { total, weights, biases, letters } = count;
  return { type, components, groups, conventions, total, weights, biases, letters, layers: [...count.layers] };
}

function drawTotal() {
  const [[first, second], count, text] = [counts, counts[state.active], grouped(counts[state.active].total)];
  setText(byId("title"), titleOf(active()));
  setText(byId("number"), text);
  for (const [name, most] of [["long", 22], ["longest", 90]]) byId("number").classList.toggle(name, text.length > most);
  const inBytes = (dtype, bytes = count.conventions[`${dtype}_bytes`]) => {
    const [unit, name] = bytes < 10n ** 9n ? [10n ** 6n, "MB"] : [10n ** 9n, "GB"];
    return `${rounded(bytes, unit, 2n)} ${name} in ${dtype}`;
  };
  const stored = `${inBytes("fp32")}, ${inBytes("bf16")}`;
  const one = () => `parameters, about ${short(count.total)}; ${stored}; ${layersText(count)}`;
  const [more, by] = second ? [100n * (second.total - first.total), rounded(second.total, first.total, 3n)] : [];
  const change = () => `${more > 0n ? "+" : ""}${rounded(more, first.total, 1n).replace("-", "−")} %, ×${by}`;
  const both = () => `${grouped(first.total)} → ${grouped(second.total)} parameters (${change()})`;
  setText(byId("glance"), second ? both() : one());
  byId("stripe").replaceChildren(barOf(count));
  document.title = `${titleOf(active())}: ${short(count.total)} parameters - gpt2calc`;
}

let room = 0; // for the drawing, which to ask for at each draw would lay the whole page out

function drawFlow() {
  if (!room) return;
  const [{ source }, { total }] = [active(), counts[state.active]];
  byId("flow").replaceChildren(flowOf(source, total, Math.min(Math.max(room, 240), 760)));
}

function watchRoom() {
  const seen = ([{ contentRect }]) => {
    if (contentRect.width === room) return;
    room = contentRect.width;
    drawFlow();
  };
  new ResizeObserver(seen).observe(byId("flow"));
}

/** What a layer holds, of each kind that there is. */
function layersText({ type, layers: kinds }) {
  const isEverywhere = (tag) => kinds.every(({ tags }) => tags.includes(tag));
  const named = (tags) => tags.filter((tag) => !isEverywhere(tag)).join(" ").replaceAll("_", " ");
  if (kinds.length === 1) return `${grouped(kinds[0].each)} in each ${type === "gpt2" ? "block" : "layer"}`;
  const many = ({ tags, number: layers }) => `${grouped(layers)} ${named(tags)} layers`;
  return kinds.map((kind) => `${grouped(kind.each)} in each of ${many(kind)}`).join(", ");
}

// Aim for a size

function drawAim() {
  const [{ type, fields }, table, text] = [active(), byId("shapes"), state.aim.trim()];
  if (byId("aim").value !== state.aim) byId("aim").value = state.aim;
  const say = (said, className = "hint") => Object.assign(byId("aim-said"), { textContent: said, className });
  byId("hold").checked = state.held !== null;
  say(state.held === null ? "" : `held are ${grouped(state.held)}: ${signed(counts[state.active].total - state.held)}`);
  table.parentElement.hidden = true;
  if (!text || !FACTS.design) return;
  if (type !== "gpt2") return say(`shapes here are of GPT-2s; gpt2calc design --family ${type} finds these`);
  attempt(() => {
    const [x, target] = [dimsOf(fields), aimOf(text)];
    const shapes = shapesNear(x, target);
    if (!shapes.length) refuse(`no GPT-2 with this vocabulary fits ${text}`);
    const rows = shapes.map((shape) => {
      const { n_layer: L, n_embd: d, n_inner: m, n_head: heads, value } = shape;
      const own = gpt2calc.totalOf(dimsOf(shaped(fields, shape)));
      const button = make("button", { type: "button", value: [L, d, m, heads].join() }, `${L} × ${grouped(d)}`);
      const apart = target.isMost ? target.value - value : value - target.value;
      return [button, number(own), [signed(apart), "n"], number(heads), [rounded(d, L, 1n), "n"]];
    });
    const by = target.isMost ? `bytes to spare in ${target.dtype}` : "difference";
    fill(table, ["layers × width", ["parameters", "n"], [by, "n"], ["heads", "n"], ["width / layers", "n"]], rows);
    table.parentElement.hidden = false;
  }, (problem) => say(problem, "problem"));
}

function listenToAim() {
  byId("aim").addEventListener("input", ({ target }) => {
    state.aim = target.value;
    changed(drawAim);
  });
  byId("hold").addEventListener("change", ({ target }) => {
    state.held = target.checked ? counts[state.active].total : null;
    changed(drawAim);
  });
  byId("shapes").addEventListener("click", ({ target }) => {
    if (!target.value) return;
    const [{ preset, fields, maker }, names] = [active(), ["n_layer", "n_embd", "n_inner", "n_head"]];
    const shape = Object.fromEntries(target.value.split(",").map((n, place) => [names[place], BigInt(n)]));
    state.configs[state.active] = configOf(preset, shaped(fields, shape), maker);
    changed();
  });
}

// What it costs to run

function drawCosts() {
  const sources = state.configs.map(({ source }) => source);
  for (const field of byId("costs").querySelectorAll("input, select")) {
    const cost = field.id.slice(5);
    if (document.activeElement !== field) field.value = state.costs[cost];
    if (cost === "seq") field.placeholder = grouped(gpt2calc.usualTokens(sources[state.active]));
  }
  const tables = ["costed", "keeping", "flops"].map(byId);
  const say = (said, className) => Object.assign(byId("cost-said"), { textContent: said, className });
  for (const table of tables) table.parentElement.hidden = true;
  attempt(() => {
    const memory = aimOf(state.costs.memory);
    if (!memory.isMost) refuse(`expected bytes such as 24 GB, got ${shown(state.costs.memory)}`);
    const held = sources.map((source) => heldBy(source, askedOf(state.costs, source)));
    const inBytes = (n, said) =>
      [make("span", {}, grouped(n), make("small", {}, `${rounded(n, 10n ** 9n, 2n)} GB${said}`)), "n"];
    const row = (name, of, said = () => "") => [name, ...held.map((each) => inBytes(of(each), said(each)))];
    const { dtype, kv_dtype: kv } = held[0];
    const sequences = ({ tokens, batch }) => ` of ${grouped(batch)} × ${grouped(tokens)} tokens`;
    const rows = [
      row(`weights, ${dtype}`, ({ weights }) => weights),
      row(`cache and states, ${kv}`, ({ kv_bytes: cache }) => cache, sequences),
    ];
    const each = [
      row("cache, a token", ({ kv_bytes_per_token: token }) => token),
      row("states, a sequence", ({ state_bytes: states }) => states),
    ];
    const names = held.length > 1 ? namesOfTwo() : ["bytes"];
    const together = row("together", ({ weights, kv_bytes: cache }) => weights + cache);
    fill(tables[0], ["what is held", ...names.map((name) => [name, "n"])], [...each, ...rows], [together]);
    const own = held[state.active];
    const left = memory.value - own.weights - own.kv_bytes;
    const verdict = left < 0n ? `does not fit in ${state.costs.memory}, by` : `fits in ${state.costs.memory}, and leaves`;
    const notes = ["an engine's own workspace is not counted", ...own.notes].join("; ");
    say(`${titleOf(active())} ${verdict} ${grouped(absolute(left))} bytes; ${notes}`, left < 0n ? "problem" : "hint");
    const headers = ["layers", ["number", "n"], ["elements a token", "n"], ["window", "n"], ["state", "n"]];
    const kindsOfLayers = own.rows.map(({ kind, layers, per_token: elements, window, convolution, recurrence }) => {
      const [counted, state] = [[layers, elements].map(number), number(convolution + recurrence)];
      return [kind, ...counted, [window === null ? "" : grouped(window), "n"], state];
    });
    fill(tables[1], headers, kindsOfLayers);
    drawFlops(tables[2], own);
    for (const table of tables) table.parentElement.hidden = false;
  }, (problem) => say(problem, "problem"));
}

function drawFlops(table, { products, forward, flops_notes: notes }) {
  const row = (name, n) => [name, number(n), [percent(n, forward), "n"]];
  const rows = products.map((own) => row(make("span", {}, swatch(own.group), own.component), own.forward));
  const headers = products.length ? ["a forward pass", ["FLOPs", "n"], ["share", "n"]] : [notes.join("; ")];
  return fill(table, headers, rows, products.length ? [row("total", forward)] : []);
}

function listenToCosts() {
  const [dtype, kv] = ["cost-dtype", "cost-kv"].map(byId);
  dtype.append(...gpt2calc.WEIGHTS.map((name) => make("option", {}, name)));
  kv.append(make("option", { value: "" }, "the same"), ...[...gpt2calc.CACHE_TYPES].map((name) => make("option", {}, name)));
  byId("costs").addEventListener("input", ({ target }) => {
    state.costs[target.id.slice(5)] = target.value;
    changed(drawCosts);
  });
}

const groupOf = (count, name) => count.groups.find((group) => group.name === name) ?? { total: 0n };
const swatch = (group) => make("i", { className: group, "aria-hidden": "true" });

function drawBars() {
  const titles = state.configs.map((config, place) => `${titleOf(config)}: ${grouped(counts[place].total)}`);
  const most = counts.map(({ total }) => total).reduce((a, b) => (a > b ? a : b));
  const titled = (count, place) => [make("p", { className: "bar-title" }, titles[place]), barOf(count, most)];
  byId("bars").replaceChildren(...(counts.length > 1 ? counts.flatMap(titled) : [barOf(counts[0])]));
  const said = (count, { total }) => make("span", {}, `${grouped(total)}, ${percent(total, count.total)}`);
  byId("legend").replaceChildren(...FACTS.groups
    .filter((name) => counts.some((count) => groupOf(count, name).total))
    .map((name) => make("li", {}, swatch(name), name, ...counts.map((count) => said(count, groupOf(count, name))))));
}

/** A bar of groups, as long as its total is of the larger one's. */
function barOf({ groups, total }, most = total) {
  const parts = groups.filter((group) => group.total);
  const scale = share(total, most || 1n);
  const segments = parts.map((group) => {
    const size = share(group.total, total || 1n);
    const segment = make("div", { className: group.name }, size * scale > 0.13 ? percent(group.total, total, 1n) : "");
    segment.style.flex = `${Math.max(size, 0.0005)} 1 0`;
    return segment;
  });
  const said = parts.map((group) => `${group.name} ${percent(group.total, total)}`).join(", ");
  const bar = make("div", { className: "bar", role: "img", "aria-label": said || "nothing" }, ...segments);
  bar.style.width = `${100 * scale || 100}%`;
  return bar;
}

const narrow = matchMedia("(max-width: 56rem)");

/** What two have, and how they differ, which a narrow window shows first. */
const inPlace = (pair, ...more) => (narrow.matches ? [...more, ...pair] : [...pair, ...more]);

/** The heads of these columns: configs by their names, where they have two. */
function namesOfTwo() {
  const names = state.configs.map((config) => titleOf(config)).map((name) => [...name].slice(0, 40).join(""));
  return names[0] === names[1] ? ["first", "second"] : names;
}

const columnsOfTwo = () => inPlace(namesOfTwo(), "difference", "ratio").map((name) => [name, "n"]);

const difference = ([first, second]) =>
  inPlace([number(first), number(second)], [signed(second - first), "n"], [rounded(second, first, 3n), "n"]);

/** The formula of the total. */
const formOf = (components) =>
  components.reduce((all, { formula }) => py.add(all, formula.simplified), gpt2calc.Expression.of(0n));

function drawTables() {
  const lines = counts.flatMap(({ letters, total, components }) => {
    const form = formOf(components);
    const terms = make("p", { className: "letters" }, ...termsOf({ form, components }));
    return [make("p", {}, `${form.text(letters)} = ${grouped(total)}`), terms];
  });
  byId("formula").replaceChildren(...lines);
  const [[count], isOne] = [counts, counts.length === 1];
  const all = counts.flatMap(({ components }) => components.map(({ name, group }) => [name, group]));
  const partsNamed = (name) => counts.map(({ components }) => components.find((part) => part.name === name));
  const cells = (parts, formula = "") => {
    const [{ total, weights, biases }] = parts;
    if (!isOne) return difference(parts.map((part) => part.total));
    return [number(total), [percent(total, count.total), "n"], number(weights), number(biases), [formula, "f"]];
  };
  const rows = [...new Map(all)]
    .map(([name, group]) => [make("span", { "data-parts": name }, swatch(group), name), partsNamed(name)])
    .filter(([, parts]) => parts.some(Boolean))
    .map(([name, parts]) => [name, ...cells(parts.map((part) => part ?? { total: 0n }), isOne ? parts[0].formula.text() : "")]);
  const headers = [["parameters", "n"], ["share", "n"], ["weights", "n"], ["biases", "n"], "formula"];
  const two = isOne ? [] : columnsOfTwo();
  fill(byId("components"), ["component", ...(isOne ? headers : two)], rows, [["total", ...cells(counts)]]);
  const conventions = count.type === "gpt2" ? FACTS.conventions : FACTS.general;
  const both = conventions.filter(([name]) => counts.every((each) => name in each.conventions));
  const [bytes, others] = [true, false].map((wanted) => both.filter(([, unit]) => (unit === "bytes") === wanted));
  const waysIn = (rows, more) =>
    rows.map(([name, , sentence, source]) => {
      const values = counts.map((each) => each.conventions[name]);
      const what = whatCell(name, sentence.replace("in bytes: ", ""));
      return isOne ? [what, number(values[0]), ...more(values[0], source)] : [what, ...difference(values)];
    });
  const headed = (...own) => ["what is counted", ...(isOne ? own : two)];
  for (const id of ["components", "conventions", "stored"]) byId(id).classList.toggle("two", !isOne);
  const ways = waysIn(others, (_, source) => [[source, "source"]]);
  fill(byId("conventions"), headed(["count", "n"], "by whom"), ways);
  const stored = waysIn(bytes, (n) => [10n ** 6n, 2n ** 20n].map((unit) => [rounded(n, unit, 2n), "n"]));
  fill(byId("stored"), headed(["bytes", "n"], ["MB", "n"], ["MiB", "n"]), stored);
}

/** A cell with a name, and in small what it is. */
const whatCell = (name, sentence, before = "") =>
  [make("span", {}, before, make("code", {}, name), make("small", {}, sentence)), "what"];

// Explain a number

let explained = 0; // how often it was asked, so that an answer that comes late is passed over

function drawExplained() {
  const table = byId("explained");
  const turn = (explained += 1);
  if (byId("figure").value !== state.figure) byId("figure").value = state.figure;
  table.parentElement.hidden = true;
  const say = (text, className) => {
    const isNew = byId("figure-said").textContent !== text;
    setText(byId("figure-said"), text);
    Object.assign(byId("figure-said"), { className });
    const colour = { answer: "told", problem: "bad" }[className];
    if (isNew) announce(colour, colour ? text : "", "#explain-heading");
  };
  if (!state.figure.trim()) return say(`Such as ${FACTS.examples}: what was counted, and of which GPT-2.`, "hint");
  const show = ({ answer, rows }) => {
    if (turn !== explained) return;
    say(`${answer}.`, "answer");
    table.parentElement.hidden = false;
    const cells = rows.map(({ model, convention, sentence, value, fit, rivals }) =>
      [whatCell(convention, sentence, `${model}, `), number(value), fit, [rivals, "n"]]);
    fill(table, ["what is counted", ["exactly", "n"], "fits", ["rivals", "n"]], cells);
  };
  const own = state.configs.filter(({ type }) => type === "gpt2");
  say("looking ...", "hint");
  const named = own.map((config) => [titleOf(config), Object.entries(config.fields)]);
  ask("explain", state.figure, named).then(show, ({ message }) => turn === explained && say(message, "problem"));
}

// A config.json that is pasted, and files that are dropped

/** Keep what is said of what is pasted in view: what is above it grows. */
const keepSaid = () => document.activeElement === byId("paste") && byId("paste-said").scrollIntoView({ block: "nearest" });

function sayOfConfig(problem, notes = []) {
  const className = problem ? "problem" : "";
  byId("paste-said").replaceChildren(...(problem ? [problem] : notes).map((line) => make("p", { className }, line)));
  keepSaid();
  announce(problem ? "bad" : "good", problem || (notes[0] ?? ""), "#files-heading");
  return !problem;
}

/** Take a config.json as the config that the controls set; false where it is none, and why is said. */
const takeConfig = (text) =>
  attempt(() => {
    const found = readConfig(text.replace(/^\ufeff/, ""));
    state.configs[state.active] = ofSource(found);
    changed();
    const read = `read: ${titleOf(active())}, ${grouped(counts[state.active].total)} parameters`;
    return sayOfConfig(null, [read, ...found.notes]);
  }, sayOfConfig);

/** Whether what is given is too large to be read while a person waits, which is then said. */
function isLarge(size) {
  const problem = `expected a config.json of at most ${grouped(FACTS.largest)} bytes, got ${grouped(size)}`;
  return size > FACTS.largest && !sayOfConfig(problem);
}

const isIndex = (name) => /\.index(\.[^./]+)?\.json$/.test(name);

/** The active config as a document, from which a worker reads it; what is not given is not in it. */
function documentOf({ type, fields, maker, source }) {
  const own = Object.entries(fields).filter(([, value]) => value !== null);
  return json(type === "gpt2" ? { gpt2calc: { maker }, ...Object.fromEntries(own) } : source.given);
}

async function takeFiles(files) {
  const turn = (latest += 1);
  const config = files.find((file) => file.name.endsWith(".json") && !isIndex(file.name));
  const said = config && !isLarge(config.size) ? await config.text() : null;
  if (config && (said === null || !takeConfig(said))) return;
  const held = files.filter((file) => file !== config);
  if (!held.length) return;
  byId("verified").replaceChildren(make("p", { className: "hint" }, "reading the header ..."));
  const show = (className, mark, text, ...parts) => {
    if (turn !== latest) return;
    const verdict = make("p", { className: `verdict ${className}` }, make("b", {}, mark), text);
    byId("verified").replaceChildren(verdict, ...parts);
    setText(byId("live"), verdict.textContent); // the verdict alone is read out
    announce(className, verdict.textContent, "#files-heading");
  };
  const against = config ? said : byId("against").checked ? documentOf(active()) : null;
  try {
    const found = await ask("check", held, against, config ? "config.json" : "the config above");
    show(...(found.matches ? ["good", "✓ "] : ["bad", "✗ "]), found.verdict, ...verifiedParts(found));
  } catch ({ message }) {
    show("bad", "✗ cannot be read: ", message);
  }
}

const LABELS = { wrong: "What is wrong", component: "Its components", stored: "What its bytes are" };

function verifiedParts({ notes, tables, config }) {
  const button = make("button", { type: "button" }, "Count this model above");
  button.addEventListener("click", () => {
    const type = config.model_type ?? "gpt2";
    const source = gpt2calc.sourceOf(type, new py.dict(Object.entries(config)), "config", "");
    state.configs[state.active] = ofSource(source);
    changed();
    byId("total").focus();
  });
  const cell = (text) => (/^[+−-]?[\d,.]+( MB| %)?$/.test(text) ? [text, "n"] : [text, "what"]);
  const laidOut = tables.map(([headers, rows, last]) => {
    const table = make("table", {}, make("thead"), make("tbody"), make("tfoot"));
    fill(table, headers.map((name) => [name, ""]), rows.map((row) => row.map(cell)), last.map((row) => row.map(cell)));
    const about = { className: "scroll", role: "region", "aria-label": LABELS[headers[0]] ?? headers[0], tabIndex: 0 };
    return make("div", about, table);
  });
  return [...notes.map((note) => make("p", { className: "hint" }, note)), ...laidOut, make("p", {}, button)];
}

function listenToFiles() {
  const [drop, paste] = [byId("drop"), byId("paste")];
  paste.addEventListener("paste", (event) => {
    // a browser takes seconds to lay out what is too large, so it is kept out
    if (isLarge(event.clipboardData.getData("text").length)) event.preventDefault();
  });
  paste.addEventListener("input", () => {
    if (isLarge(paste.value.length)) paste.value = "";
    else if (paste.value.trim()) takeConfig(paste.value);
    else sayOfConfig(null);
  });
  byId("file").addEventListener("change", ({ target }) => target.files.length && takeFiles([...target.files]));
  for (const type of ["dragover", "dragleave", "drop"])
    document.addEventListener(type, (event) => {
      if (type !== "dragleave") event.preventDefault();
      if (type !== "dragleave" || !event.relatedTarget) drop.classList.toggle("over", type === "dragover");
      if (type === "drop" && event.dataTransfer.files.length) takeFiles([...event.dataTransfer.files]);
    });
}

// Share

let form = "link";

function listenToForms() {
  byId("forms").addEventListener("change", ({ target }) => {
    form = target.value;
    drawShared();
  });
  byId("copy").addEventListener("click", async () => {
    rest();
    drawShared();
    const refused = await navigator.clipboard.writeText(byId("shared").value).catch(() => true);
    if (refused) byId("shared").select(); // where a page may not write to the clipboard, a person can
    setText(byId("copied"), refused ? "selected: copy it with your keyboard" : "copied");
  });
}

function drawShared() {
  const text = SHARED[form](active(), counts[state.active]);
  if (byId("shared").value !== text) byId("shared").value = text;
  setText(byId("copied"), "");
}

// Theme and address

function drawTheme() {
  const theme = state.theme || systemTheme();
  document.documentElement.dataset.theme = theme;
  setText(byId("theme"), theme === "dark" ? "Light" : "Dark");
}

function listenToTheme() {
  dark.addEventListener("change", drawTheme);
  byId("theme").addEventListener("click", () => {
    state.theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    changed(drawTheme);
  });
  state.theme = themeIn(new URLSearchParams(location.hash.slice(1)));
  drawTheme();
}

function notify(...problems) {
  byId("notice").hidden = !problems.length;
  setText(byId("notice"), problems.join(". "));
}

function restoreFromAddress() {
  notify(...restore(location.hash));
  drawTheme();
  draw();
}

function start() {
  listenToTheme();
  listenToLinks();
  byId("more").open = !narrow.matches;
  narrow.addEventListener("change", draw);
  const parts = [buildWhich, buildPresets, listenToForms, listenToPresets, listenToAim, listenToCosts, listenToFiles];
  for (const each of [...parts, restoreFromAddress, watchRoom]) each();
  byId("figure").addEventListener("input", ({ target }) => {
    state.figure = target.value;
    clearTimeout(explaining);
    changed(() => (explaining = setTimeout(drawExplained, 0)));
  });
  for (const type of ["popstate", "hashchange"])
    addEventListener(type, () => location.hash !== fragment() && restoreFromAddress());
}
