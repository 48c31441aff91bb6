// A count: what gpt2calc.ParameterCount gives, from the functions that Python printed.

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0n);

function counted(x) {
  const rows = componentsOf(x);
  const components = rows.map((row, place) => {
    const form = closedForm(FACTS.components[place], x);
    const [weights, biases] = [row.times * row.weights, row.times * row.biases];
    return { ...row, name: row.component, weights, biases, total: weights + biases, form };
  });
  const groups = FACTS.groups.map((name) => {
    const parts = components.filter((part) => part.group === name);
    const [weights, biases] = [sum(parts.map((part) => part.weights)), sum(parts.map((part) => part.biases))];
    return { name, weights, biases, total: weights + biases };
  });
  return {
    x,
    components: components.filter((part) => part.form.present),
    groups,
    weights: sum(groups.map((group) => group.weights)),
    biases: sum(groups.map((group) => group.biases)),
    total: sum(groups.map((group) => group.total)),
    conventions: conventionsOf(x),
  };
}

const totalOf = (x) => sum(componentsOf(x).map((row) => row.times * (row.weights + row.biases)));

const perBlock = (x) => totalOf({ ...x, n_layer: 1n }) - totalOf({ ...x, n_layer: 0n });

/** The fields that give these dims, in the order of dims.to_fields. */
function fieldsOfDims(x) {
  const modules = Object.keys(HEADS.none);
  const head = Object.keys(HEADS).find((name) => modules.every((module) => HEADS[name][module] === x[module]));
  const sizes = Object.keys(FACTS.letters);
  const switches = Object.keys(x).filter((name) => !sizes.includes(name) && !modules.includes(name));
  const pairs = [
    ...sizes.map((name) => [name, x[name]]),
    ["head", head],
    ...switches.map((name) => [name, x[name] === 1n]),
  ];
  return Object.fromEntries(pairs);
}

/** What `gpt2calc count --json` prints. */
function countDocument(name, count) {
  const held = (part) => ({
    weights: part.weights,
    biases: part.biases,
    total: part.total,
    share: new Float(share(part.total, count.total)),
  });
  const forms = count.components.map((part) => part.form.text()).join();
  const letters = Object.entries(FACTS.letters).filter(([, letter]) => forms.includes(letter));
  return {
    schema: FACTS.schema,
    model: name,
    model_type: "gpt2",
    total: count.total,
    weights: count.weights,
    biases: count.biases,
    per_block: perBlock(count.x),
    config: fieldsOfDims(count.x),
    sizes: count.x,
    groups: count.groups.map((group) => ({ name: group.name, ...held(group) })),
    components: count.components.map((part) => ({
      name: part.name,
      group: part.group,
      times: part.times,
      formula: part.form.text(),
      ...held(part),
    })),
    letters: Object.fromEntries(letters.map(([field, letter]) => [letter, count.x[field]])),
    conventions: count.conventions,
    notes: [],
  };
}

/** A number that JSON writes as a float, since all others here are whole. */
class Float {
  constructor(value) {
    this.value = value;
  }
}

/** JSON of BigInts, indented as Python does. */
function json(value, indent = "") {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Float) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const lines = isList
    ? value.map((each) => inner + json(each, inner))
    : Object.entries(value).map(([key, each]) => `${inner}${JSON.stringify(key)}: ${json(each, inner)}`);
  const [open, close] = isList ? "[]" : "{}";
  return lines.length ? `${open}\n${lines.join(",\n")}\n${indent}${close}` : open + close;
}
