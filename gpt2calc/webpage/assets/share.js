// A config and its count in the forms that people paste elsewhere.

/** The fields that are put over a model's own, as Python and the command line take them. */
function sharedChanges({ type, fields, ...config }) {
  const changes = changesOf({ ...config, fields });
  if (type !== "gpt2") return changes;
  return changes
    .filter(([name]) => name !== "n_head" || !headsProblem(fields))
    .map(([name, value]) => [name, name === "qkv_bias" && value === null ? fields.bias : value]);
}

function asPython(config) {
  const { name, type } = config.preset;
  const base = PLAIN.includes(config.preset) ? `model_type=${JSON.stringify(type)}` : JSON.stringify(name);
  const words = sharedChanges(config).map(([field, value]) => `, ${field}=${represented(value)}`);
  return `import gpt2calc\n\nprint(gpt2calc.count(${base}${words.join("")}).total)`;
}

function asCommand(config) {
  const { name, type } = config.preset;
  const words = sharedChanges(config).map(([field, value]) => {
    const option = field.replaceAll("_", "-").replace(/^-+/, "");
    if (typeof value === "boolean") return ` --${value ? "" : "no-"}${option}`;
    return ` --${option} ${inAddress(value)}`;
  });
  return `gpt2calc count ${PLAIN.includes(config.preset) ? `--model-type ${type}` : name}${words.join("")}`;
}

const asJson = (config, count) => json(countDocument(titleOf(config), count, config.type === "gpt2" ? [] : config.notes));

/** A config.json that transformers reads, with the fields that have their default left out. */
function asConfig({ type, fields, model }) {
  if (type !== "gpt2") return json(documentOf(model));
  const sizes = ["vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner"];
  const kept = sizes.filter((name) => name !== "n_head" || (fields.n_head && !headsProblem(fields)));
  const others = Object.keys(DEFAULTS).filter(
    (name) => ![...sizes, "head"].includes(name) && fields[name] !== DEFAULTS[name],
  );
  const [architecture] = Object.entries(FIELDS.classes).find(([, head]) => head === fields.head);
  const given = [...kept, ...others].map((name) => [name, fields[name]]);
  return json({ model_type: "gpt2", architectures: [architecture], ...Object.fromEntries(given) });
}

/** The table that `gpt2calc count --format markdown` prints. */
function asMarkdown(config, count) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const parts = (part) => [part.weights, part.biases, part.total].map(grouped);
  const cells = (part, formula = "") => [part.name, formula, ...parts(part), percent(part.total, count.total)];
  const escaped = (text) => text.replace(/[\\`*[\]<>|]|(?<!\w)_|_(?!\w)/g, "\\$&");
  const groups = count.groups.filter(({ name }) => count.components.some((part) => part.group === name));
  const total = cells({ ...count, name: "total" }).map((cell) => (cell ? `**${cell}**` : cell));
  return [
    `**${escaped(titleOf(config))}**`,
    "",
    row(["component", "formula", "weights", "biases", "parameters", "share"]),
    row(["---", "---", "---:", "---:", "---:", "---:"]),
    ...count.components.map((part) => row(cells(part, part.form.text()))),
    ...groups.map((part) => row(cells(part))),
    row(total),
  ].join("\n");
}

const SHARED = {
  link: () => location.href.replace(/#.*/s, "") + fragment(),
  JSON: asJson,
  "config.json": asConfig,
  Markdown: asMarkdown,
  Python: asPython,
  "command line": asCommand,
};
