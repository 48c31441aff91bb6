// A count: what gpt2calc.ParameterCount gives, from the functions that Python printed.

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0n);

const gpt2Of = (x) => ({ architecture: architectureOf("gpt2"), sizes: x, kinds: [[["block"], x.n_layer]] });

const isGpt2 = ({ architecture }) => architecture.type === "gpt2";

function counted(model) {
  const { forms, total } = formsOf(model);
  const all = rowsOf(model).map((part) => ({ ...part, form: forms.get(part.row) }));
  const summed = (parts) => {
    const [weights, biases] = [sum(parts.map((part) => part.weights)), sum(parts.map((part) => part.biases))];
    return { weights, biases, total: weights + biases };
  };
  const groups = FACTS.groups.map((name) => [name, all.filter(({ group }) => group === name)]);
  return {
    model,
    components: all.filter(({ form }) => form.present),
    groups: groups.filter(([, parts]) => parts.length).map(([name, parts]) => ({ name, ...summed(parts) })),
    ...summed(all),
    form: total,
    conventions: isGpt2(model) ? conventionsOf(model.sizes) : waysOfCounting(model, all),
    inLayers: inLayers(model, all),
  };
}

/** The fields that give these dims, in the order of dims.to_fields. */
function fieldsOfDims(x) {
  const modules = Object.keys(TASK_HEADS.none);
  const head = Object.keys(TASK_HEADS).find((name) => modules.every((module) => TASK_HEADS[name][module] === x[module]));
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
function countDocument(name, count, notes) {
  const { model } = count;
  const held = (part) => ({
    weights: part.weights,
    biases: part.biases,
    total: part.total,
    share: new Float(share(part.total, count.total)),
  });
  const used = new Set(count.components.flatMap(({ form }) => [...form.simplified.keys()].flatMap(lettersIn)));
  const whole = Object.entries(model.sizes).filter(([, value]) => ["bigint", "boolean"].includes(typeof value));
  return {
    schema: FACTS.schema,
    model: name,
    model_type: model.architecture.type,
    total: count.total,
    weights: count.weights,
    biases: count.biases,
    per_block: count.inLayers.length === 1 ? count.inLayers[0].total : null,
    layers: count.inLayers.map(({ tags, layers, total }) => ({
      tags: [...tags].sort(),
      number: layers,
      each: total,
      total: layers * total,
    })),
    config: isGpt2(model) ? fieldsOfDims(model.sizes) : documentOf(model),
    sizes: Object.fromEntries(whole),
    groups: count.groups.map((group) => ({ name: group.name, ...held(group) })),
    components: count.components.map((part) => ({
      name: part.name,
      group: part.group,
      times: part.times,
      formula: part.form.text(),
      ...held(part),
    })),
    letters: Object.fromEntries(Object.entries(numbersOf(model)).filter(([letter]) => used.has(letter))),
    conventions: count.conventions,
    notes,
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
