// A count: what gpt2calc.ParameterCount gives, and what `gpt2calc count --json` prints of it.

const gpt2Of = (x) => ({ architecture: architectureOf("gpt2"), sizes: x, kinds: [[["block"], x.n_layer]] });
const isGpt2 = ({ architecture }) => architecture.type === "gpt2";

function counted(model) {
  const letters = lettersOf(model);
  const all = rowsOf(model).map((part) => ({ ...part, form: closedForm(model, part.row, letters) }));
  const summed = (parts) => {
    const [weights, biases] = ["weights", "biases"].map((of) => sum(parts.map((part) => part[of])));
    return { weights, biases, total: weights + biases };
  };
  const groups = FACTS.groups.map((name) => [name, all.filter(({ group }) => group === name)]);
  return {
    model,
    components: all.filter(({ form }) => form.present),
    groups: groups.filter(([, parts]) => parts.length).map(([name, parts]) => ({ name, ...summed(parts) })),
    ...summed(all),
    form: plus(...all.map(({ form }) => form.simplified)),
    conventions: isGpt2(model) ? conventionsOf(model.sizes) : waysOfCounting(model, all),
    inLayers: inLayers(model, all),
  };
}

/** What `gpt2calc count --json` prints. */
function countDocument(name, count, notes) {
  const { model, total, weights, biases, conventions } = count;
  const held = ({ weights: own, biases: beside, total: all }) => {
    return { weights: own, biases: beside, total: all, share: new Real(`${share(all, total)}`) };
  };
  const used = new Set(count.components.flatMap(({ form }) => [...form.simplified.keys()].flatMap(lettersIn)));
  const whole = Object.entries(model.sizes).filter(([, value]) => ["bigint", "boolean"].includes(typeof value));
  const layers = count.inLayers.map(({ tags, layers: number, total: each }) => {
    return { tags: [...tags].sort(), number, each, total: number * each };
  });
  return {
    ...{ schema: FACTS.schema, model: name, model_type: model.architecture.type, total, weights, biases },
    per_block: layers.length === 1 ? layers[0].each : null,
    layers,
    config: isGpt2(model) ? fieldsOfDims(model.sizes) : documentOf(model),
    sizes: Object.fromEntries(whole),
    groups: count.groups.map((group) => ({ name: group.name, ...held(group) })),
    components: count.components.map(({ name: own, group, times, form, ...part }) => {
      return { name: own, group, times, formula: form.text(), ...held(part) };
    }),
    letters: Object.fromEntries(Object.entries(numbersOf(model)).filter(([letter]) => used.has(letter))),
    ...{ conventions, notes },
  };
}

/** JSON of BigInts, indented as Python does. */
function json(value, indent = "\n") {
  if (typeof value === "bigint" || value instanceof Real) return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const [[open, close], lines] = Array.isArray(value)
    ? ["[]", value.map((each) => inner + json(each, inner))]
    : ["{}", Object.entries(value).map(([key, each]) => `${inner}${JSON.stringify(key)}: ${json(each, inner)}`)];
  return lines.length ? open + lines.join(",") + indent + close : open + close;
}
