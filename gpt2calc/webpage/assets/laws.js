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
};

/** Whether Python takes a value for true. */
function isTrue(value) {
  if (value instanceof Map || value instanceof Set) return value.size > 0;
  if (value instanceof Real) return value.value !== 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

const COMPILED = new WeakMap();

/** What a law comes to: a name is what `at` has under it, and a list begins with what is done with the rest. */
function evaluate(law, at) {
  if (!Array.isArray(law)) return typeof law === "string" ? at[law] : typeof law === "number" ? BigInt(law) : law;
  if (!COMPILED.has(law)) COMPILED.set(law, compiled(law));
  return COMPILED.get(law)(at);
}

/** A law that is a list as a function of what it knows. */
function compiled([operator, ...parts]) {
  if (operator === "'") return () => parts[0];
  const [first, second, third] = parts.map((part) => {
    if (Array.isArray(part)) return compiled(part);
    const value = typeof part === "number" ? BigInt(part) : part;
    return typeof part === "string" ? (at) => at[part] : () => value;
  });
  if (operator === "if") return (at) => (isTrue(first(at)) ? second(at) : third(at));
  if (operator === "and" || operator === "or") {
    const rest = parts.length > 2 ? compiled([operator, ...parts.slice(1)]) : second;
    return (at) => (isTrue(first(at)) === (operator === "or") ? first(at) : rest(at));
  }
  if (operator === "list") return (at) => parts.map((part) => evaluate(part, at));
  const act = OPERATORS[operator];
  return second ? (at) => act(first(at), second(at)) : (at) => act(first(at));
}

/** A sentence whose pieces are text and laws by turns. */
const told = (pieces, at) => pieces.map((piece, place) => (place % 2 ? evaluate(piece, at) : piece)).join("");

const TERMS = new Map();

/** The name whose place is written in letters, as a number to the base of 26. */
function nameOf(letters) {
  const place = [...letters].reduce((number, letter) => 26 * number + letter.charCodeAt(0) - 96, 0) - 1;
  return FAMILIES.names[place];
}

/** A polynomial that is printed as terms, as coefficients with the names that they are multiplied by. */
function termsOf(text) {
  if (!TERMS.has(text)) {
    const terms = text.split(" ").map((term) => {
      const [first, ...names] = term.split("*");
      return /\d/.test(first) ? [BigInt(first), names.map(nameOf)] : [1n, [first, ...names].map(nameOf)];
    });
    TERMS.set(text, text ? terms : []);
  }
  return TERMS.get(text);
}

const valueOf = (terms, sizes) =>
  terms.reduce((total, [n, names]) => total + names.reduce((product, name) => product * sizes[name], n), 0n);

/** A row of a table as an object, with what a cell is that is left out. */
const rowAs = (columns, cells) =>
  Object.fromEntries(Object.entries(columns).map(([name, usual], place) => [name, cells[place] ?? usual]));

const ARCHITECTURES = new Map();

/** Places that are written as text, those that follow each other as the first and the last: 3-7,9. */
const placesOf = (text) =>
  text.split(",").filter(Boolean).flatMap((span) => {
    const [first, last = first] = span.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });

/** The tables of a model type, read once it is asked for; null where there is none. */
function architectureOf(type) {
  if (!Object.hasOwn(FAMILIES.types, type)) return null;
  if (!ARCHITECTURES.has(type)) {
    const { classes, sizes, layers, rows, notes = [], buffers = [], fields = "" } = FAMILIES.types[type];
    if (!sizes) throw new Sentence(`${type} is counted by gpt2calc count, and not by this page`);
    const terms = ({ times, weights, biases, used }) => ({
      times: termsOf(times),
      weights: termsOf(weights),
      biases: termsOf(biases),
      used: used === null ? null : termsOf(used),
    });
    const all = placesOf(rows).map((place) => rowAs(FAMILIES.columns.rows, FAMILIES.rows[place]));
    ARCHITECTURES.set(type, {
      type,
      notes,
      classes: classesOf(classes),
      sizes: placesOf(sizes).map((place) => sizeAt(place, Object.values(classesOf(classes)))),
      layers: FAMILIES.layers[layers],
      rows: all.map((row) => ({ ...row, group: FACTS.groups[row.group], ...terms(row) })),
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
function sizeAt(place, heads) {
  const [kindPlace, usual = null] = FAMILIES.sizes[place];
  const row = rowAs(FAMILIES.columns.sizes, FAMILIES.kinds[kindPlace]);
  const { name, kind, least } = row;
  const words = name === "head" ? heads : row.words;
  const expected = {
    size: [`a whole number, ${least} or more`, ...words].join(", or "),
    list: words.length ? `a list of ${words.join(", ")}` : "a list of numbers of layers",
    flag: "true or false",
  };
  const value = usual?.real ? new Real(usual.real) : usual;
  return { ...row, words, default: value, expected: expected[kind] ?? `one of ${words.join(", ")}` };
}

/** What laws know of a model: its sizes, a list of numbers of layers as a set of them. */
function lawful({ type, sizes: rows }, sizes) {
  const sets = rows.filter(({ name, kind, words }) => kind === "list" && !words.length && sizes[name] !== null);
  return { ...sizes, model_type: type, ...Object.fromEntries(sets.map(({ name }) => [name, new Set(sizes[name])])) };
}

/** A model of sizes, with how many layers have which tags; a Sentence where they do not go together. */
function modelOf(architecture, sizes) {
  const values = lawful(architecture, sizes);
  for (const [law, ...pieces] of architecture.layers.musts ?? [])
    if (!isTrue(evaluate(law, values))) throw new Sentence(told(pieces, values));
  return { architecture, sizes, kinds: kindsOf(architecture.layers, values) };
}

/** The tags of layers, with how many have just these; of what there could be, if there is no layer. */
function kindsOf({ every = "decoder", kinds = [], number = "num_hidden_layers", lists = [], ...rest }, values) {
  const count = values[number];
  if (!kinds.length) return [[[every], count]];
  const [found, possible] = [new Map(), new Map()];
  const add = (key, n) => {
    const into = n ? found : possible;
    into.set(key, (into.get(key) ?? 0n) + n);
  };
  const here = Object.create(values);
  const tags = (i, part, word = null) => {
    Object.assign(here, { i, part, word });
    const own = kinds.map((row) => row.find(([, law]) => isTrue(evaluate(law, here)))[0]);
    return [every, ...own].filter(Boolean).join(" ");
  };
  const listed = lists.find((name) => values[name] !== null) ?? lists.at(-1);
  const isLast = listed === lists.at(-1) && !isTrue(values[listed]) && rest.otherwise;
  const words = listed === undefined ? null : isLast ? [...rest.otherwise] : values[listed];
  if (words) {
    if (BigInt(words.length) !== count) {
      const size = `${listed} is a list of ${grouped(words.length)} layers, and ${number} is ${grouped(count)}`;
      throw new Sentence(`${size}: they must be as many`);
    }
    words.forEach((word, i) => add(tags(BigInt(i), 0n, word), 1n));
    if (!count) add(tags(0n, 0n), 0n);
  } else {
    const ends = (rest.ends ?? []).map((law) => evaluate(law, values));
    [...ends, count].reduce((start, end, part) => {
      const stop = end > count ? count : end < start ? start : end;
      for (const [i, n] of repeating(stop - start, rest, values)) add(tags(start + i, BigInt(part)), n);
      return stop;
    }, 0n);
  }
  return [...(found.size ? found : possible)].map(([key, n]) => [key.split(" "), n]);
}

/** The numbers of layers that stand for all, each with how many it stands for: a pattern, and what stands out of it. */
function* repeating(layers, { period: law = 1, apart = ["list"] }, values) {
  const longest = BigInt(FAMILIES.longest);
  const period = evaluate(law, values);
  const out = [...new Set(evaluate(apart, values))].filter((i) => i >= 0n && i < layers);
  const stops = [...out.sort((a, b) => (a < b ? -1 : 1)), layers];
  let [start, steps] = [0n, 0n];
  for (const stop of stops) {
    const most = layers ? stop - start : longest;
    const length = period < most ? period : most;
    steps += length + 1n;
    if (steps > longest + 1n) {
      const pattern = `in a pattern of ${grouped(period)} layers with ${grouped(stops.length - 1)} exceptions`;
      const bound = `layers are counted by patterns of at most ${grouped(longest)} in all`;
      throw new Sentence(`num_hidden_layers is ${grouped(layers)}, ${pattern}: ${bound}`);
    }
    for (let i = 0n; i < length; i += 1n)
      yield [start + i, (stop - start) / length + BigInt(i < (stop - start) % length)];
    if (stop < layers) yield [stop, 1n];
    start = stop + 1n;
  }
}

/** How many layers have all of some tags; 1 for what stands outside of all layers. */
function layersWith({ kinds }, tags) {
  const wanted = tags ? tags.split(" ") : [];
  return tags ? sum(kinds.filter(([own]) => wanted.every((tag) => own.includes(tag))).map(([, n]) => n)) : 1n;
}

/** The components of a model: how often each occurs in a layer and in all, and what it holds each time. */
function rowsOf(model) {
  const { architecture, sizes } = model;
  const isHere = ({ when }) => Object.entries(when).every(([name, n]) => sizes[name] === BigInt(n));
  return architecture.rows.filter(isHere).map((row) => {
    const [weights, biases, here] = [row.weights, row.biases, row.times].map((terms) => valueOf(terms, sizes));
    const layers = here && layersWith(model, row.layers);
    const times = here * layers;
    const used = row.used === null ? null : valueOf(row.used, sizes);
    const held = { weights: times * weights, biases: times * biases, total: times * (weights + biases) };
    const each = weights + biases;
    const passed = (used ?? here) * layers * each;
    const isChosen = used !== null && times > 0n;
    const canPass = !isChosen || (used > 0n && used <= here);
    const about = { name: row.name, group: row.group, part: row.part, row, times, inLayer: here * each };
    return { ...held, ...about, passed, isChosen, canPass };
  });
}

const totalOf = (model) => sum(rowsOf(model).map(({ total }) => total));

/** What a layer of each kind holds, by the rows of a model. */
const inLayers = ({ kinds }, rows) =>
  kinds.map(([tags, layers]) => {
    const own = rows.filter(({ row }) => row.layers && row.layers.split(" ").every((tag) => tags.includes(tag)));
    return { tags, layers, total: sum(own.map(({ inLayer }) => inLayer)) };
  });

/** What is counted of a model of any architecture but GPT-2, by convention; what a token passes where it chooses. */
function waysOfCounting(model, plain) {
  const chooses = plain.some(({ isChosen }) => isChosen) && plain.every(({ canPass }) => canPass);
  const made = FAMILIES.conventions.filter(([, , , , , , , , active]) => chooses || !active);
  const ways = made.map(([name, , , , tie, without, buffers, bits, active]) => {
    const tied = { ...model, sizes: { ...model.sizes, tie_word_embeddings: BigInt(tie ?? 0) } };
    const rows = (tie === null ? plain : rowsOf(tied)).filter(({ part }) => !without.includes(part));
    const held = model.architecture.buffers.map(([tags, n]) => layersWith(model, tags) * valueOf(n, model.sizes));
    const total = sum(rows.map((row) => (active ? row.passed : row.total))) + (buffers ? sum(held) : 0n);
    return [name, bits ? -floored(-BigInt(bits) * total, 8n) : total];
  });
  return Object.fromEntries(ways);
}
