// A config.json that is pasted and files that are dropped: what is done with them, and how a verdict is shown.

function said(element, problem, notes = []) {
  const lines = problem ? [make("p", { className: "problem" }, problem)] : notes.map((note) => make("p", {}, note));
  element.replaceChildren(...lines);
}

/** Take a config.json as the config that the controls set; false where it is none, and why is said. */
function takeConfig(text, element) {
  try {
    const found = readConfig(text);
    state.configs[state.active] = found.given ? ofDocument(found.given) : ofFields(found.fields, found.maker);
    changed();
    const notes = found.given ? [...found.said, ...active().notes] : found.notes;
    said(element, null, [`read: ${titleOf(active())}`, ...notes]);
    return true;
  } catch (error) {
    if (!(error instanceof Sentence)) throw error;
    said(element, error.message);
    return false;
  }
}

async function takeConfigFile(file) {
  const element = byId("paste-said");
  const text = isLarge(file.size, element) ? null : await file.text();
  return text !== null && takeConfig(text.replace(/^\ufeff/, ""), element);
}

/** Whether what is given is too large to be read while a person waits, which is then said. */
function isLarge(size, element) {
  if (size <= FIELDS.largest) return false;
  said(element, `expected a config.json of at most ${grouped(FIELDS.largest)} bytes, got ${grouped(size)}`);
  return true;
}

let latest = 0;

async function takeFiles(files) {
  latest += 1;
  const turn = latest;
  const config = files.find((file) => file.name.endsWith(".json") && !isIndex(file.name));
  const isTaken = config ? await takeConfigFile(config) : true;
  if (!isTaken || files.every((file) => file === config)) return;
  const against = config || byId("against").checked ? active() : null;
  if (against && against.type !== "gpt2") {
    const problem = `a file of ${against.type} is checked by gpt2calc verify; this page checks those of GPT-2s`;
    return showVerified([verdictLine("unreadable", problem)]);
  }
  const parts = [make("p", { className: "hint" }, "reading the header ...")];
  byId("verified").replaceChildren(...parts);
  try {
    const found = await verify(files, against?.fields ?? null, against?.maker ?? "");
    if (turn === latest) showVerified(verifiedParts(found));
  } catch (error) {
    const problem = error instanceof Sentence ? error.message : `it cannot be read: ${error.message}`;
    if (turn === latest) showVerified([verdictLine("unreadable", problem)]);
  }
}

/** Show a verdict and its tables; the verdict alone is read out. */
function showVerified(parts) {
  byId("verified").replaceChildren(...parts);
  setText(byId("live"), parts[0].textContent);
}

const VERDICTS = { matches: ["good", "✓ "], wrong: ["bad", "✗ "], unreadable: ["bad", "✗ cannot be read: "] };

function verdictLine(kind, text) {
  const [name, word] = VERDICTS[kind];
  return make("p", { className: `verdict ${name}` }, make("b", {}, word), text);
}

function verifiedParts(found) {
  const names = [...new Set([...found.expected.keys(), ...found.match.components.keys()])];
  const cells = (count, observed) => [number(count), number(observed), [signed(observed - count), "n"]];
  const rows = names.map((name) => [
    name,
    ...cells(found.expected.get(name) ?? 0n, found.match.components.get(name) ?? 0n),
  ]);
  const some = (n) => (n ? number(n) : "");
  const parts = found.match.held.map(({ what, tensors, elements, bytes }) => [
    [what, "what"],
    some(tensors),
    some(elements),
    number(bytes),
  ]);
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
    tableOf("Its components", ["component", ["formula", "n"], ["stored", "n"], ["difference", "n"]], rows, [
      ["total", ...cells(found.total, found.parameters)],
    ]),
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
    return {
      kind,
      tensor: template.replace("{}", blocks),
      message: message.replaceAll("{}", blocks),
      size: group.length,
    };
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
  const paste = byId("paste");
  paste.addEventListener("paste", (event) => {
    // a browser takes seconds to lay out what is too large, so it is kept out
    if (isLarge(event.clipboardData.getData("text").length, byId("paste-said"))) event.preventDefault();
  });
  paste.addEventListener("input", () => {
    if (isLarge(paste.value.length, byId("paste-said"))) paste.value = "";
    else if (paste.value.trim()) takeConfig(paste.value, byId("paste-said"));
    else said(byId("paste-said"), null);
  });
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
