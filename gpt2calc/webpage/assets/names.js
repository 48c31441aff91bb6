// How the names in a checkpoint are read, and the config that its shapes show, as gpt2calc does, by the same tables.

const NAMES = FACTS.names;
const [BLOCK, BLOCKS] = [new RegExp(NAMES.block), new RegExp(NAMES.block, "g")];

/** A name with {} in place of the number of its block, and that number. */
function templated(name) {
  const found = BLOCK.exec(name);
  if (!found) return [name, null];
  const start = found.index + found[1].length;
  return [`${name.slice(0, start)}{}${name.slice(start + found[2].length)}`, Number(found[2])];
}

const isInBlocks = (row) => row.template.includes("{}");

/** A name with # in place of each number in it. */
const keyed = (name) => name.replace(BLOCKS, "$1#");

/** Where the parts of a name begin. */
const places = (name) => [0, ...[...name.matchAll(/[./]/g)].map(({ index }) => index + 1)];

/** A dialect with its rows by their names, and by their names with # in place of each number, and how deep those are. */
function byNames(dialect) {
  const rows = [...dialect.pieces, ...dialect.extras];
  const keys = new Map(rows.map((row) => [keyed(row.template.replace("{}", "0")), row]));
  const depths = [...new Set([...keys.keys()].map((key) => places(key).length - 1))].sort((one, other) => other - one);
  return { ...dialect, keys, depths, known: new Map(rows.map((row) => [row.template, row])) };
}

const isInBody = (row) => "what" in row || !NAMES.heads.includes(row.component);

/** Whether a model has a block of this number, or whether it is none that a name gives. */
const isInModel = (block, x) => block === null || BigInt(block) < x.n_layer;

/** How the names of a checkpoint are read: the dialect, and the prefixes that its names share. */
class Reading {
  constructor(dialect, wrapper, prefix) {
    Object.assign(this, { dialect, wrapper, prefix, found: new Map() });
  }

  /** The row that a name is of, and the number of its block; no row where it is of none. */
  find(name) {
    if (!this.found.has(name)) {
      const [template, block] = templated(name.startsWith(this.wrapper) ? name.slice(this.wrapper.length) : "");
      const hasPrefix = this.prefix !== "" && template.startsWith(this.prefix);
      const row = this.dialect.known.get(hasPrefix ? template.slice(this.prefix.length) : template);
      const isMeant = row && (!this.prefix || hasPrefix === isInBody(row)) && (block !== null) === isInBlocks(row);
      this.found.set(name, isMeant ? { row, block } : { block: null });
    }
    return this.found.get(name);
  }

  named(row, block = "{}") {
    return this.wrapper + (isInBody(row) ? this.prefix : "") + row.template.replace("{}", block);
  }

  /** What a checkpoint of these dims holds, by the dialect's own template; what every block has, once. */
  expected(x) {
    const rows = new Map(tensorsOf(x).map((row) => [`${row.component}.${row.role}`, row]));
    const all = this.dialect.pieces.map((piece, place) => {
      const { shape: own, times } = rows.get(`${piece.component}.${piece.role}`);
      const shape = piece.turned ? own.toReversed() : own;
      return [piece.template, { ...piece, place, times, template: this.named(piece), shape }];
    });
    return new Map(all.filter(([, { times }]) => times));
  }
}

/** A listing whose names are spelt as today, without words of training tools within them; a note tells. */
function respelled(listing) {
  const [names, inside] = [listing.tensors.map(({ name }) => name).sort(), new RegExp(NAMES.inside, "g")];
  // What half of the names or more begin with, before the number of any block, is a prefix, and stays, and so does a
  // name that would be two tensors'.
  const median = names[names.length >> 1] ?? "";
  const words = [...median.matchAll(inside)].slice(0, NAMES.most_words);
  const outside = words.filter(({ index }) => !/\.\d+\./.test(median.slice(0, index)));
  const begins = outside.map(({ 0: word, index }) => median.slice(0, index + word.length));
  const isCommon = (each) => 2 * names.filter((name) => name.startsWith(each)).length >= names.length;
  const prefixes = begins.filter(isCommon).reverse();
  const [taken, found] = [new Set(names), new Map()];
  for (const { name } of listing.tensors) {
    const common = (prefixes.find((each) => name.startsWith(each))?.length ?? 1) - 1;
    const plain = name.slice(0, common) + name.slice(common).replace(inside, "");
    const [old, now] = NAMES.renamed.find(([each]) => `.${plain}`.endsWith(`.${each}`)) ?? ["", ""];
    const spelt = old ? plain.slice(0, -old.length) + now : plain;
    if (!taken.has(spelt)) found.set(name, spelt);
    taken.add(spelt);
  }
  if (!found.size) return listing;
  const [[one, other]] = found;
  const more = found.size > 1 ? `, and ${grouped(found.size - 1)} more so` : "";
  const note = `${shortened(one)} is read as ${shortened(other)}${more}: tools and old releases spell it so`;
  const tensors = listing.tensors.map((tensor) => ({ ...tensor, name: found.get(tensor.name) ?? tensor.name }));
  return { ...listing, tensors, notes: [...listing.notes, note] };
}

NAMES.dialects = NAMES.dialects.map(byNames);

/** The row that a name with # for numbers ends like, and how deep that end is; undefined where it is none's. */
function rowIn({ keys, depths }, key) {
  const starts = places(key);
  const known = (depth) => keys.get(key.slice(starts.at(-1 - depth)));
  const depth = depths.find((each) => each < starts.length && known(each));
  return depth === undefined ? undefined : [known(depth), depth];
}

/** How names can be read, in each dialect and behind each prefix, with how many are known so, the best first: a name
 * that ends like one that a dialect knows speaks for what stands before that. */
async function readings(names) {
  const votes = NAMES.dialects.map(() => [new Map(), new Map()]);
  for (const [key, group] of Map.groupBy(names, keyed)) {
    await breath();
    NAMES.dialects.forEach((dialect, place) => {
      const [row, depth] = rowIn(dialect, key) ?? [];
      if (!row) return;
      const spoken = votes[place][Number(!isInBody(row))];
      for (const [before, n] of tally(group.map((name) => name.slice(0, places(name).at(-1 - depth)))))
        spoken.set(before, (spoken.get(before) ?? 0) + n);
    });
  }
  const found = NAMES.dialects.flatMap((dialect, place) => {
    const [body, heads] = votes[place];
    const ways = [...body].map(([before, known]) => {
      const prefixes = [dialect.prefix, ""].filter((prefix) => `.${before}`.endsWith(`.${prefix}`) || !prefix);
      const all = prefixes.map((prefix) => [before.slice(0, before.length - prefix.length), prefix]);
      const alike = all.map(([wrapper, prefix]) => [known + (heads.get(wrapper) ?? 0), wrapper, prefix]);
      const [most, wrapper, prefix] = alike.reduce((one, other) => (other[0] > one[0] ? other : one));
      return [most, new Reading(dialect, wrapper, prefix)];
    });
    return ways.length ? ways : [[0, new Reading(dialect, "", dialect.prefix)]];
  });
  return found.sort((one, other) => other[0] - one[0]);
}

/** The readings that know the most names, all of them behind one prefix: a GPT-2 is where a token embedding stands and
 * most names are known. */
async function namesIn({ name, tensors }) {
  const [no, names] = [(problem) => refuse(`${printable(name)}: ${problem}`), tensors.map((each) => each.name)];
  const [ranked, stored] = [await readings(names), new Set(names)];
  const embedding = ({ pieces }) => pieces.find(({ component }) => component === "wte");
  const whole = ranked.filter(([, reading]) => stored.has(reading.named(embedding(reading.dialect))));
  const wrappers = new Set(whole.map(([, { wrapper }]) => wrapper));
  const within = (each) => places(each).map((end) => each.slice(0, end)).filter((before) => wrappers.has(before));
  const under = tally(wrappers.size ? names.flatMap(within) : []);
  const isWhole = ([known, { wrapper }]) => NAMES.fits * known >= under.get(wrapper);
  const fitting = [...Map.groupBy(whole.filter(isWhole), ([, { wrapper }]) => wrapper)];
  const isLarge = ([known, { dialect }]) => NAMES.part * known >= dialect.pieces.length;
  const large = fitting.filter(([, group]) => group.some(isLarge));
  const models = large.length ? large : fitting;
  const prefixes = models.slice(0, NAMES.most_named).map(([wrapper]) => (wrapper ? shortened(wrapper) : "none"));
  const all = prefixes.join(", ") + (models.length > NAMES.most_named ? " among them" : "");
  if (models.length > 1) no(`a GPT-2 is found under ${models.length} prefixes, ${all}: --prefix says which is meant`);
  const [most, nearest] = ranked[0];
  if (!models.length && NAMES.fits * most < Math.max(names.length, 1)) {
    const unknown = names.find((each) => !nearest.find(each).row);
    const example = unknown === undefined ? "" : `, ${shown(unknown)} for one`;
    const knows = `${nearest.dialect.name}, knows ${grouped(most)} of ${grouped(names.length)} tensors${example}`;
    no(`its names fit no GPT-2: the nearest dialect, ${knows}`);
  }
  const group = models.length ? models[0][1] : ranked;
  return group.filter(([known]) => known === group[0][0]).map(([, reading]) => reading);
}

// The config that shapes show: each tensor votes for the sizes in its own, and the majority wins

const sameShape = (one, other) => one.length === other.length && one.every((size, place) => size === other[place]);

/** The reading, with the fields that it shows, in which the most tensors have the shapes that they then should have. */
async function inferred({ tensors }, names) {
  let best = { fits: -1 };
  for (const reading of names) {
    const fields = fieldsShown(tensors, reading);
    await breath();
    const fits = assigned({ tensors }, reading, dimsOf(fields)).own.filter(hasItsShape).length;
    if (fits > best.fits) best = { reading, fields, fits };
    await breath();
  }
  return best;
}

const hasItsShape = ({ tensor, row }) => sameShape(tensor.shape, row.shape);

function fieldsShown(tensors, reading) {
  const found = tensors.map((tensor) => ({ tensor, ...reading.find(tensor.name) })).filter(({ row }) => row?.component);
  const votes = Map.groupBy(found.flatMap(({ tensor, row }) => sizesIn(row, tensor.shape)), ([field]) => field);
  const sizes = [...votes].map(([field, cast]) => [field, mostFrequent(tally(cast.map(([, size]) => size)))]);
  const own = { ...DEFAULTS, n_positions: 1n, vocab_size: 1n, ...Object.fromEntries(sizes) };
  const fields = { ...own, n_layer: BigInt(blocksIn(found)), ...structureOf(found, reading) };
  return { ...fields, n_inner: fields.n_inner === 4n * fields.n_embd ? null : fields.n_inner };
}

/** The sizes that a shape shows, read against the letters of the tensor table: 2304 over 3d is d = 768. */
function sizesIn({ component, role, turned }, shape) {
  const axes = NAMES.axes[`${component}.${role}`];
  const seen = turned ? shape.toReversed() : shape;
  if (seen.length !== axes.length) return [];
  const shows = ([axis, size]) => axis && (size || NAMES.may_be_0.includes(axis[0])) && size % BigInt(axis[1]) === 0n;
  const shown = axes.map((axis, place) => [axis, seen[place]]).filter(shows);
  return shown.map(([[field, factor], size]) => [field, size / BigInt(factor)]);
}

/** How many blocks there are: up to the last that has half as many tensors as the fullest, or more; one that is far
 * above the others is a stranger. */
function blocksIn(found) {
  const held = tally(found.filter(({ block }) => block !== null).map(({ block }) => block));
  const fullest = Math.max(0, ...held.values());
  const full = [...held].filter(([, tensors]) => 2 * tensors >= fullest).map(([block]) => block);
  full.sort((one, other) => one - other);
  return 1 + Math.max(-1, ...full.filter((block, place) => block < 2 * (place + 1) + NAMES.beyond));
}

/** The switches that the names show, each by the majority of the tensors that it decides on. */
function structureOf(found, { dialect }) {
  const held = tally(found.map(({ row }) => `${row.component}.${row.role}`));
  const number = (component, role = NAMES.weight) => held.get(`${component}.${role}`) ?? 0;
  const biases = dialect.pieces.filter(({ role }) => role === NAMES.bias);
  const biased = [...new Set(biases.map(({ component }) => component))];
  const has = (isOfQkv) => {
    const names = biased.filter((name) => /\.[cq]_attn$/.test(name) === isOfQkv);
    const count = (role) => names.reduce((all, name) => all + number(name, role), 0);
    return 2 * count(NAMES.bias) >= count(NAMES.weight);
  };
  const ofComponents = (pattern) => found.filter(({ row }) => pattern.test(row.component)).length;
  const [crossed, own] = [ofComponents(/cross/), ofComponents(/^attn\.c_(attn|proj)$/)];
  const head = Object.keys(NAMES.shown_heads).find((component) => number(component));
  const summary = found.find(({ tensor, row }) => row.component.endsWith("summary") && tensor.shape.length === 2);
  return {
    head: head ? NAMES.shown_heads[head] : summary ? "double_heads" : "lm",
    tie_word_embeddings: head !== undefined || !number("lm_head"),
    bias: has(false),
    qkv_bias: has(true) === has(false) ? null : has(true),
    add_cross_attention: 2 * crossed >= own && own > 0 && crossed > 0,
    ln_f: dialect.pieces.some(({ component }) => component === "ln_f"),
    ...(summary && !head && { summary_proj_to_labels: summary.tensor.shape[0] === 1n }),
  };
}
