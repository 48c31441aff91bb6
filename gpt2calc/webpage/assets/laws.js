// Architectures as data: their laws, evaluated on BigInts, and how many layers are of which kind. No law stands here.

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

const OPERATORS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b,
  "//": floored, "%": (a, b) => a - floored(a, b) * b, lcm: (a, b) => (a / gcd(a, b)) * b,
  "==": (a, b) => a === b, "!=": (a, b) => a !== b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, ">": (a, b) => a > b,
  in: (a, b) => (b instanceof Set ? b.has(a) : b.includes(a)),
  "not in": (a, b) => !OPERATORS.in(a, b),
  not: (a) => !isTrue(a),
  int: BigInt,
  len: (a) => BigInt(a.length),
  list: (...parts) => parts,
  at: (list, i) => list[i],
};

/** Whether Python takes a value for true. */
const isTrue = (value) => Boolean(value instanceof Real ? value.value : (value?.size ?? value?.length ?? value));

/** What a law comes to: a name is what `at` has under it, and a list begins with what is done with the rest. */
function evaluate(law, at) {
  if (typeof law === "string") return at[law];
  if (!Array.isArray(law)) return typeof law === "number" ? BigInt(law) : law;
  const [operator, ...parts] = law;
  if (operator === "'") return parts[0];
  if (operator === "if") return evaluate(isTrue(evaluate(parts[0], at)) ? parts[1] : parts[2], at);
  if (!["and", "or"].includes(operator)) return OPERATORS[operator](...parts.map((part) => evaluate(part, at)));
  const rest = parts.slice(0, -1).find((part) => isTrue(evaluate(part, at)) === (operator === "or"));
  return evaluate(rest ?? parts.at(-1), at);
}

/** Sentences that data says, each where its law is true: pieces are text and laws by turns. */
const toldBy = (rows, at, isWanted = true) =>
  rows
    .filter(([law]) => isTrue(evaluate(law, at)) === isWanted)
    .map(([, ...pieces]) => pieces.map((piece, place) => (place % 2 ? evaluate(piece, at) : piece)).join(""));

/** What a polynomial comes to, whose terms are coefficients with the names that they are multiplied by. */
const valueOf = (terms, sizes) =>
  sum(terms.map(([n, names]) => names.reduce((product, name) => product * sizes[name], BigInt(n))));

/** The tables of architectures, with the rows that stand in each by their places. */
function placed({ types, sizes, rows, common, ...beside }) {
  for (const each of Object.values(types).filter((type) => type.sizes)) {
    Object.assign(each, { sizes: each.sizes.map((place) => sizes[place]), rows: each.rows.map((place) => rows[place]) });
    each.fields.push(...common);
  }
  return { types, ...beside };
}

const FAMILIES = placed(FACTS.families);

/** The tables of a model type; null where there is none. */
function architectureOf(type) {
  const found = Object.hasOwn(FAMILIES.types, type) ? FAMILIES.types[type] : null;
  return found && !found.sizes ? refuse(`${type} is counted by gpt2calc count, and not by this page`) : found;
}

/** How often each value occurs, and the most frequent of them, the first of several. */
const tally = (values) => new Map([...Map.groupBy(values, (each) => each)].map(([each, all]) => [each, all.length]));
const mostFrequent = (counts) => [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];

/** What laws know of a model: its sizes, a list of numbers of layers as a set of them. */
function lawful({ type, sizes: rows }, sizes) {
  const sets = rows.filter(({ name, kind, words }) => kind === "list" && !words.length && sizes[name] !== null);
  return { ...sizes, model_type: type, ...Object.fromEntries(sets.map(({ name }) => [name, new Set(sizes[name])])) };
}

/** A model of sizes, with how many layers have which tags; a Sentence where they do not go together. */
function modelOf(architecture, sizes) {
  const values = lawful(architecture, sizes);
  toldBy(architecture.layers.musts ?? [], values, false).forEach(refuse);
  const { every = "decoder", number = "num_hidden_layers" } = architecture.layers;
  const order = orderOf(architecture.layers, values);
  const count = values[number];
  const kinds = order ? [...tally(order)].map(([key, n]) => [key.split(" "), count && BigInt(n)]) : [[[every], count]];
  return { architecture, sizes, kinds, order };
}

/** The tags of each layer, of what there could be if there is no layer; null where all are alike. */
function orderOf({ every = "decoder", kinds = [], number = "num_hidden_layers", lists = [], ...rest }, values) {
  const [count, most] = [values[number], FAMILIES.most_layers];
  if (!kinds.length) return null;
  const listed = lists.find((name) => values[name] !== null) ?? lists.at(-1);
  const isOtherwise = listed === lists.at(-1) && !isTrue(values[listed]) && rest.otherwise;
  const words = listed === undefined ? null : isOtherwise ? [...rest.otherwise] : values[listed];
  const size = `${words && grouped(words.length)} layers, and ${number} is ${grouped(count)}: they must be as many`;
  if (words && BigInt(words.length) !== count) refuse(`${listed} is a list of ${size}`);
  const layers = count || (words ? 1n : evaluate(rest.period ?? 1, values));
  const bound = `this page counts ${grouped(most)} layers of several kinds at most`;
  if (layers > most) refuse(`${number} is ${grouped(count)}, and ${bound}`);
  const ends = (rest.ends ?? []).map((law) => Number(evaluate(law, values)));
  // Where there is no layer, each part has those that it could have; where a list says the kinds, there is one part.
  const partAt = (i) => ends.filter((_, n) => Math.max(...ends.slice(0, n + 1)) <= i).length;
  const partsAt = (i) => (words ? [0] : count ? [partAt(i)] : [...ends.keys(), ends.length]);
  return Array.from({ length: Number(layers) }, (_, i) => i).flatMap((i) =>
    partsAt(i).map((part) => {
      const here = { __proto__: values, i: BigInt(i), part: BigInt(part), word: words?.[i] ?? null };
      const own = kinds.map((row) => row.find(([, law]) => isTrue(evaluate(law, here)))[0]);
      return [every, ...own].filter(Boolean).join(" ");
    }),
  );
}

const hasTags = (own, tags) => tags.split(" ").every((tag) => own.includes(tag));

/** How many layers have all of some tags; 1 for what stands outside of all layers. */
const layersWith = ({ kinds }, tags) => (tags ? sum(kinds.map(([own, n]) => (hasTags(own, tags) ? n : 0n))) : 1n);

/** The components of a model: how often each occurs in a layer and in all, and what it holds each time. */
function rowsOf(model) {
  const { architecture, sizes } = model;
  const isHere = ({ when }) => Object.entries(when).every(([name, n]) => sizes[name] === BigInt(n));
  return architecture.rows.filter(isHere).map((row) => {
    const [weights, biases, here] = [row.weights, row.biases, row.times].map((terms) => valueOf(terms, sizes));
    const [used, each] = [row.used && valueOf(row.used, sizes), weights + biases];
    const layers = here && layersWith(model, row.layers);
    const [times, passed] = [here * layers, (used ?? here) * layers * each];
    const isChosen = used !== null && times > 0n;
    const canPass = !isChosen || (used > 0n && used <= here);
    const held = { weights: times * weights, biases: times * biases, total: times * each };
    const about = { name: row.name, group: row.group, part: row.part, row, times, inLayer: here * each };
    return { ...held, ...about, passed, isChosen, canPass };
  });
}

const totalOf = (model) => sum(rowsOf(model).map(({ total }) => total));

/** What a layer of each kind holds, by the rows of a model. */
const inLayers = ({ kinds }, rows) =>
  kinds.map(([tags, layers]) => {
    const own = rows.filter(({ row }) => row.layers && hasTags(tags, row.layers));
    return { tags, layers, total: sum(own.map(({ inLayer }) => inLayer)) };
  });

/** What is counted of a model of any architecture but GPT-2, by convention; what a token passes where it chooses. */
function waysOfCounting(model, plain) {
  const chooses = plain.some(({ isChosen }) => isChosen) && plain.every(({ canPass }) => canPass);
  const isHeld = (name) => name !== FAMILIES.layer_embedding || plain.some(({ part, times }) => part === name && times);
  const made = FAMILIES.conventions.filter((row) => (chooses || !row[8]) && row[5].every(isHeld));
  const ways = made.map(([name, , , , tie, without, buffers, bits, active]) => {
    const tied = { ...model, sizes: { ...model.sizes, tie_word_embeddings: BigInt(tie ?? 0) } };
    const rows = (tie === null ? plain : rowsOf(tied)).filter(({ part }) => !without.includes(part));
    const held = model.architecture.buffers.map(([tags, n]) => layersWith(model, tags) * valueOf(n, model.sizes));
    const total = sum(rows.map((row) => (active ? row.passed : row.total))) + (buffers ? sum(held) : 0n);
    return [name, bits ? -floored(-BigInt(bits) * total, 8n) : total];
  });
  return Object.fromEntries(ways);
}
