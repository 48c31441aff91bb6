// What running a model holds: its weights, what layers keep of the tokens before, and the FLOPs of a GPT-2. The laws are
// those of gpt2calc.architectures.caches and gpt2calc.costs, as data and as one printed function.

const cachesOf = () => FAMILIES.caches;

/** What the layers of a model keep, those that are alike together; a Sentence where it is not known. */
function keptOf({ type, model, fields, beside }) {
  const { mixers, grouped: inGroups, plain, windows: all, window: usual, none } = cachesOf();
  const { sizes, kinds, order } = model;
  if (type === "gpt2") {
    const kind = { kind: "attention", layers: sizes.n_layer, each: 2n * sizes.n_embd, window: null };
    if (!sizes.ln_f) refuse(`${none["openai-gpt"]}: there is nothing to count`);
    return [{ ...kind, apart: [], isKept: true, convolution: 0n, recurrence: 0n }];
  }
  if (none[type]) refuse(`${none[type]}: there is nothing to count`);
  const said = (name, otherwise) => ({ [name]: kept(otherwise), ...beside, ...fields })[name];
  const windows = all[type] ?? usual;
  const window = windowOf(windows, said);
  const rows = mixers[type] ?? ("num_key_value_heads" in sizes ? inGroups : plain);
  const layers = sum(kinds.map(([, n]) => n));
  const slides = slidingBy(windows, said, window, layers, order);
  const places = new Map();
  const add = (tags, isSliding, n) => {
    const key = [rows.findIndex(([wanted]) => !wanted || hasTags(tags, wanted)), Number(isSliding)].join();
    places.set(key, (places.get(key) ?? 0n) + n);
  };
  if (Array.isArray(slides)) slides.forEach((each, i) => add(order ? order[i].split(" ") : kinds[0][0], each, 1n));
  else for (const [tags, n] of kinds) add(tags, slides, n);
  return [...places].filter(([, n]) => n).map(([key, n]) => {
    const [place, isSliding] = key.split(",").map(Number);
    const [, isLatent, ...laws] = rows[place];
    const [each, convolution, recurrence, ...apart] = laws.map((law) => BigInt(evaluate(law, sizes)));
    const [isStill, where] = [recurrence ? "recurrence" : convolution ? "convolution" : "", isSliding && windows];
    const first = where ? (where.is_chunk ? "chunked" : "sliding") : isLatent ? "latent" : "";
    const words = [...(each ? [first, "attention", recurrence ? "and" : ""] : []), isStill].filter(Boolean);
    const about = { kind: words.join(" ") || "nothing kept", layers: n, window: isSliding ? window : null };
    return { ...about, each, apart, isKept: windows.is_kept, convolution, recurrence };
  });
}

/** How many tokens a window has; null where there is none. */
function windowOf({ field, default: usual, fields }, said) {
  const [both, value] = [said("use_bidirectional_attention", null) ?? false, said(field, usual)];
  if (both !== false && both !== "vision")
    refuse("use_bidirectional_attention is not covered: nothing is kept of tokens that see later ones");
  if (usual !== null && "use_sliding_window" in fields && !isTrue(said("use_sliding_window", false))) return null;
  if (value === null || value === 0n) return null;
  const isRight = typeof value === "bigint" && value > 0n;
  return isRight ? value : refuse(`${field} must be a whole number, 1 or more, or null, got ${shown(value)}`);
}

/** Whether each layer attends to a window alone; one answer where it is the same of all. */
function slidingBy(windows, said, window, layers, order) {
  const { sliding, others } = cachesOf();
  const [words, { law, fields, field }] = [said("layer_types", null), windows];
  if (law === false && (windows.default === null || words === null)) return false;
  if (words === null && same(JSON.stringify(law), JSON.stringify(cachesOf().window.law))) return window !== null;
  if (layers > FAMILIES.most_layers) refuse(`this page reads windows of ${grouped(FAMILIES.most_layers)} layers at most`);
  let found;
  if (words !== null) {
    if (!Array.isArray(words) || BigInt(words.length) !== layers)
      refuse(`layer_types must be a list of ${grouped(layers)} words, got ${shown(words)}`);
    const strange = words.find((word) => !sliding.includes(word) && !others.includes(word));
    if (strange !== undefined) refuse(`what a layer of ${shown(strange)} keeps is not known`);
    found = words.map((word) => sliding.includes(word));
  } else {
    const given = Object.entries(fields).map(([name, usual]) => [name, said(name, usual)]);
    for (const [name, value] of given) {
      const least = BigInt(new RegExp(`"%",\\[.*\\],"${name}"`).test(JSON.stringify(law)));
      const isBelow = typeof value !== "bigint" || value < least;
      if (typeof fields[name] === "number" && isBelow)
        refuse(`${name} must be a whole number, ${least} or more, got ${shown(value)}`);
      if (Array.isArray(value) && BigInt(value.length) !== layers)
        refuse(`${name} is a list of ${grouped(value.length)} layers, and there are ${grouped(layers)}`);
    }
    const groups = kept(said("attention_types", [[["global", "local"], 12]]));
    const local = Array.isArray(groups) ? groups.flatMap(([names, n]) => Array(Number(n)).fill(names).flat()) : [];
    if (field === "window_size" && BigInt(local.length) !== layers)
      refuse(`attention_types must give ${grouped(layers)} layers, got ${shown(groups)}`);
    const values = { ...Object.fromEntries(given), window, attention_layers: local };
    const at = (i) => ({ ...values, i: BigInt(i), tags: order?.[i].split(" ") ?? [] });
    found = Array.from({ length: Number(layers) }, (_, i) => isTrue(evaluate(law, at(i))));
  }
  if (found.some(Boolean) && window === null)
    refuse(`layers attend to a window, and ${field} does not say how large`);
  return found;
}

/** What a model holds: bytes of its weights, of a token, and of a batch at so many tokens, and what it then adds. */
function heldBy(config, { seq, batch, dtype, kv }) {
  const { types, elements, state } = cachesOf();
  const [rows, element] = [keptOf(config), BigInt(elements[dtype])];
  const [name, block, size] = types.find(([own]) => own === kv);
  const odd = rows.flatMap(({ each, apart }) => [each, ...apart]).find((n) => n % BigInt(block));
  if (odd) refuse(`${name} packs ${block} elements at a time, and a token leaves ${grouped(odd)} in a layer`);
  const bytesOf = (n) => (n / BigInt(block)) * BigInt(size);
  const seen = ({ window, isKept }) => (window === null || !isKept || window === 1n || seq < window ? seq : window - 1n);
  const states = ({ convolution, recurrence }) => convolution * element + recurrence * BigInt(state);
  const inLayer = (row) => bytesOf(seen(row) * row.each) + states(row);
  const cache = batch * sum(rows.map((row) => row.layers * inLayer(row)));
  const token = bytesOf(sum(rows.map((row) => row.layers * row.each)));
  return { rows, token, states: sum(rows.map((row) => row.layers * states(row))), cache, weights: totalOf(config.model) * element };
}

/** What is asked about, as people type it, over what is usual. */
const COSTS = { seq: "", batch: "1", dtype: "bf16", kv: "", memory: "24 GB" };

function askedOf(words, { type, model }) {
  const whole = (name, otherwise) => {
    const n = words[name].trim() ? typedNumber(words[name]) : otherwise;
    return typeof n === "bigint" && n > 0n ? n : refuse(`${name} must be a whole number, 1 or more, got ${shown(n)}`);
  };
  const longest = type === "gpt2" ? model.sizes.n_positions : 4096n;
  const [seq, batch] = [whole("seq", longest), whole("batch", 1n)];
  const problem = `${grouped(seq)} tokens are more than n_positions ${grouped(longest)} of the model takes`;
  if (type === "gpt2" && seq > longest) refuse(problem);
  const { dtype, kv } = words;
  return { seq, batch, dtype, kv: kv || dtype };
}
