// Architectures as data: their laws, evaluated on BigInts, and how many layers are of which kind. No law stands here.

const FAMILIES = JSON.parse(document.getElementById("families").textContent);

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

const OPERATORS = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "//": floored,
  "%": (a, b) => a - floored(a, b) * b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  in: (a, b) => (b instanceof Set ? b.has(a) : b.includes(a)),
  "not in": (a, b) => !OPERATORS.in(a, b),
  not: (a) => !isTrue(a),
  int: BigInt,
  len: (a) => BigInt(a.length),
  lcm: (a, b) => (a / gcd(a, b)) * b,
  list: (...parts) => parts,
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

/** The name whose place is written in letters, as a number to the base of 26. */
const nameOf = (letters) =>
  FAMILIES.names[[...letters].reduce((number, letter) => 26 * number + letter.charCodeAt(0) - 96, 0) - 1];

/** A polynomial that is printed as terms, as coefficients with the names that they are multiplied by. */
const termsOf = (text) =>
  (text?.split(" ") ?? []).filter(Boolean).map((term) => {
    const factors = term.split("*");
    return [/\d/.test(factors[0]) ? BigInt(factors.shift()) : 1n, factors.map(nameOf)];
  });

const valueOf = (terms, sizes) =>
  terms.reduce((total, [n, names]) => total + names.reduce((product, name) => product * sizes[name], n), 0n);

/** A row of a table as an object, with what a cell is that is left out. */
const rowAs = (columns, cells) =>
  Object.fromEntries(Object.entries(columns).map(([name, usual], place) => [name, cells[place] ?? usual]));

/** Places that are written as text, those that follow each other as the first and the last: 3-7,9. */
const placesOf = (text) =>
  text.split(",").filter(Boolean).flatMap((span) => {
    const [first, last = first] = span.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });

const ARCHITECTURES = new Map();

/** The tables of a model type, read once it is asked for; null where there is none. */
function architectureOf(type) {
  if (!Object.hasOwn(FAMILIES.types, type)) return null;
  if (!ARCHITECTURES.has(type)) {
    const { classes: named, sizes, layers, rows, notes = [], buffers = [], fields = "" } = FAMILIES.types[type];
    if (!sizes) refuse(`${type} is counted by gpt2calc count, and not by this page`);
    const classes = classesOf(named);
    const rowAt = (place) => {
      const { group, used, times, weights, biases, ...row } = rowAs(FAMILIES.columns.rows, FAMILIES.rows[place]);
      const terms = { times: termsOf(times), weights: termsOf(weights), biases: termsOf(biases) };
      return { ...row, ...terms, group: FACTS.groups[group], used: used === null ? null : termsOf(used) };
    };
    ARCHITECTURES.set(type, {
      type,
      notes,
      classes,
      sizes: placesOf(sizes).map((place) => sizeAt(FAMILIES.sizes[place], Object.values(classes))),
      layers: FAMILIES.layers[layers],
      rows: placesOf(rows).map(rowAt),
      buffers: buffers.map(([tags, text]) => [tags, termsOf(text)]),
      fields: new Set([...FAMILIES.common, ...placesOf(fields).map((place) => FAMILIES.names[place])]),
    });
  }
  return ARCHITECTURES.get(type);
}

/** Transformers' classes with their heads: all are given, or what the usual ones begin with, the last left out in a list. */
function classesOf(given) {
  if (typeof given !== "string" && !Array.isArray(given)) return given;
  const ends = Object.entries(FAMILIES.heads).slice(0, Array.isArray(given) ? -1 : undefined);
  return Object.fromEntries(ends.map(([end, head]) => [given + end, head]));
}

/** A size, with what a value must be, as an error says it; the heads of an architecture are those of its classes. */
function sizeAt([kindPlace, usual = null], heads) {
  const row = rowAs(FAMILIES.columns.sizes, FAMILIES.kinds[kindPlace]);
  const words = row.name === "head" ? heads : row.words;
  return { ...row, words, default: usual?.real ? new Real(usual.real) : usual, expected: expectedOf({ ...row, words }) };
}

function expectedOf({ kind, least, words }) {
  if (kind === "size") return [`a whole number, ${least} or more`, ...words].join(", or ");
  if (kind === "flag") return "true or false";
  if (kind === "list") return words.length ? `a list of ${words.join(", ")}` : "a list of numbers of layers";
  return `one of ${words.join(", ")}`;
}

/** What laws know of a model: its sizes, a list of numbers of layers as a set of them. */
function lawful({ type, sizes: rows }, sizes) {
  const sets = rows.filter(({ name, kind, words }) => kind === "list" && !words.length && sizes[name] !== null);
  return { ...sizes, model_type: type, ...Object.fromEntries(sets.map(({ name }) => [name, new Set(sizes[name])])) };
}

/** A model of sizes, with how many layers have which tags; a Sentence where they do not go together. */
function modelOf(architecture, sizes) {
  const values = lawful(architecture, sizes);
  toldBy(architecture.layers.musts ?? [], values, false).forEach(refuse);
  return { architecture, sizes, kinds: kindsOf(architecture.layers, values) };
}

/** The tags of layers, with how many have just these; of what there could be, if there is no layer. */
function kindsOf({ every = "decoder", kinds = [], number = "num_hidden_layers", lists = [], ...rest }, values) {
  const count = values[number];
  if (!kinds.length) return [[[every], count]];
  const [found, possible, here] = [new Map(), new Map(), Object.create(values)];
  const add = (n, i, part, word = null) => {
    Object.assign(here, { i, part, word });
    const own = kinds.map((row) => row.find(([, law]) => isTrue(evaluate(law, here)))[0]);
    const [key, into] = [[every, ...own].filter(Boolean).join(" "), n ? found : possible];
    into.set(key, (into.get(key) ?? 0n) + n);
  };
  const listed = lists.find((name) => values[name] !== null) ?? lists.at(-1);
  const isLast = listed === lists.at(-1) && !isTrue(values[listed]) && rest.otherwise;
  const words = listed === undefined ? null : isLast ? [...rest.otherwise] : values[listed];
  if (words) {
    const size = `${listed} is a list of ${grouped(words.length)} layers, and ${number} is ${grouped(count)}`;
    if (BigInt(words.length) !== count) refuse(`${size}: they must be as many`);
    words.forEach((word, i) => add(1n, BigInt(i), 0n, word));
    if (!count) add(0n, 0n, 0n);
  } else {
    const ends = (rest.ends ?? []).map((law) => evaluate(law, values));
    [...ends, count].reduce((start, end, part) => {
      const stop = end > count ? count : end < start ? start : end;
      for (const [i, n] of repeating(stop - start, rest, values)) add(n, start + i, BigInt(part));
      return stop;
    }, 0n);
  }
  return [...(found.size ? found : possible)].map(([key, n]) => [key.split(" "), n]);
}

/** The numbers of layers that stand for all, each with how many it stands for: a pattern, and what stands out of it. */
function* repeating(layers, { period: law = 1, apart = ["list"] }, values) {
  const [longest, period] = [BigInt(FAMILIES.longest), evaluate(law, values)];
  const out = [...new Set(evaluate(apart, values))].filter((i) => i >= 0n && i < layers).sort(inOrder);
  let [start, steps] = [0n, 0n];
  for (const stop of [...out, layers]) {
    const most = layers ? stop - start : longest;
    const length = period < most ? period : most;
    steps += length + 1n;
    if (steps > longest + 1n) {
      const pattern = `in a pattern of ${grouped(period)} layers with ${grouped(out.length)} exceptions`;
      const bound = `layers are counted by patterns of at most ${grouped(longest)} in all`;
      refuse(`num_hidden_layers is ${grouped(layers)}, ${pattern}: ${bound}`);
    }
    for (let i = 0n; i < length; i += 1n)
      yield [start + i, (stop - start) / length + BigInt(i < (stop - start) % length)];
    if (stop < layers) yield [stop, 1n];
    start = stop + 1n;
  }
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
  const made = FAMILIES.conventions.filter((row) => chooses || !row[8]);
  const ways = made.map(([name, , , , tie, without, buffers, bits, active]) => {
    const tied = { ...model, sizes: { ...model.sizes, tie_word_embeddings: BigInt(tie ?? 0) } };
    const rows = (tie === null ? plain : rowsOf(tied)).filter(({ part }) => !without.includes(part));
    const held = model.architecture.buffers.map(([tags, n]) => layersWith(model, tags) * valueOf(n, model.sizes));
    const total = sum(rows.map((row) => (active ? row.passed : row.total))) + (buffers ? sum(held) : 0n);
    return [name, bits ? -floored(-BigInt(bits) * total, 8n) : total];
  });
  return Object.fromEntries(ways);
}
