// How the names in a checkpoint are read, as gpt2calc.dialects does, by the same tables.

const NAMES = FACTS.names;
const BLOCK = new RegExp(NAMES.block);
const BLOCKS = new RegExp(NAMES.block, "g");

/** A name with {} in place of the number of its block, and that number. */
function templated(name) {
  const found = BLOCK.exec(name);
  if (!found) return [name, null];
  const start = found.index + found[1].length;
  return [`${name.slice(0, start)}{}${name.slice(start + found[2].length)}`, Number(found[2])];
}

/** A name with # in place of each number in it. */
const keyed = (name) => name.replace(BLOCKS, "$1#");

/** Where the parts of a name begin. */
const places = (name) => [0, ...[...name.matchAll(/[./]/g)].map(({ index }) => index + 1)];

const DIALECTS = NAMES.dialects.map((each) => {
  const pieces = each.pieces.map(([template, component, role, turned]) => ({ template, component, role, turned }));
  const extras = each.extras.map(([template, what, shape]) => ({ template, what, shape }));
  const rows = [...pieces, ...extras];
  const keys = new Map(rows.map((row) => [keyed(row.template.replace("{}", "0")), row]));
  const depths = [...new Set([...keys.keys()].map((key) => places(key).length - 1))].sort((one, other) => other - one);
  return { ...each, pieces, extras, keys, depths, known: new Map(rows.map((row) => [row.template, row])) };
});

const isInBody = (row) => "what" in row || !NAMES.heads.includes(row.component);

/** How the names of a checkpoint are read: the dialect, and the prefixes that its names share. */
class Reading {
  constructor(dialect, wrapper, prefix) {
    Object.assign(this, { dialect, wrapper, prefix });
  }

  find(name) {
    if (!name.startsWith(this.wrapper)) return null;
    const [template, block] = templated(name.slice(this.wrapper.length));
    const row = this.row(template);
    return !row || (block === null) === row.template.includes("{}") ? null : { row, block };
  }

  row(template) {
    const hasPrefix = this.prefix !== "" && template.startsWith(this.prefix);
    const row = this.dialect.known.get(hasPrefix ? template.slice(this.prefix.length) : template);
    return !row || (this.prefix && hasPrefix !== isInBody(row)) ? null : row;
  }

  named(row, block = "{}") {
    return this.wrapper + (isInBody(row) ? this.prefix : "") + row.template.replace("{}", block);
  }

  /** What a checkpoint of these dims holds, by the dialect's own template; what every block has, once. */
  expected(x) {
    const rows = new Map(tensorsOf(x).map((row) => [`${row.component}.${row.role}`, row]));
    const found = new Map();
    for (const piece of this.dialect.pieces) {
      const row = rows.get(`${piece.component}.${piece.role}`);
      if (!row.times) continue;
      const shape = piece.turned ? row.shape.toReversed() : row.shape;
      const template = this.named(piece);
      found.set(piece.template, { ...piece, template, shape, tableShape: row.shape, place: found.size });
    }
    return found;
  }
}

const isInBlocks = (row) => row.template.includes("{}");

/** The name of a row in a block. */
const nameAt = (row, block) => row.template.replace("{}", block);

/** Whether a model has a block of this number, or whether it is none that a name gives. */
const isInModel = (block, x) => block === null || BigInt(block) < x.n_layer;

/** How often each value occurs, and the most frequent of them, the first of several. */
function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

const mostFrequent = (counts) => [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];

/** How names can be read, in each dialect and behind each prefix, with how many are known so, the best first: a name that
 * ends like one that a dialect knows speaks for what stands before that. */
function readings(names) {
  const alike = [...Map.groupBy(names, keyed)].map(([key, group]) => [key, places(key), group]);
  const found = DIALECTS.flatMap((dialect) => {
    const votes = { body: new Map(), heads: new Map() };
    for (const [key, starts, group] of alike) {
      const rowAt = (depth) => (depth < starts.length ? dialect.keys.get(key.slice(starts.at(-1 - depth))) : undefined);
      const depth = dialect.depths.find(rowAt);
      if (depth === undefined) continue;
      const spoken = isInBody(rowAt(depth)) ? votes.body : votes.heads;
      for (const [before, n] of tally(group.map((name) => name.slice(0, places(name).at(-1 - depth)))))
        spoken.set(before, (spoken.get(before) ?? 0) + n);
    }
    const ways = [...votes.body].map(([before, known]) =>
      [dialect.prefix, ""]
        .filter((prefix) => `.${before}`.endsWith(`.${prefix}`) || !prefix)
        .map((prefix) => [before.slice(0, before.length - prefix.length), prefix])
        .map(([wrapper, prefix]) => [known + (votes.heads.get(wrapper) ?? 0), new Reading(dialect, wrapper, prefix)])
        .reduce((one, other) => (other[0] > one[0] ? other : one)),
    );
    return ways.length ? ways : [[0, new Reading(dialect, "", dialect.prefix)]];
  });
  return found.sort((one, other) => other[0] - one[0]);
}

/** The readings that know the most names, all of them behind one prefix: a GPT-2 is where a token embedding stands and
 * most names are known. */
function namesIn(listing) {
  const names = listing.tensors.map((tensor) => tensor.name);
  const stored = new Set(names);
  const ranked = readings(names);
  const hasEmbedding = ({ dialect, ...reading }) =>
    dialect.pieces.some(
      ({ component, template }) => component === "wte" && stored.has(reading.wrapper + reading.prefix + template),
    );
  const whole = ranked.filter(([, reading]) => hasEmbedding(reading));
  const wrappers = new Set(whole.map(([, { wrapper }]) => wrapper));
  const under = tally(
    names.flatMap((name) => places(name).map((end) => name.slice(0, end)).filter((each) => wrappers.has(each))),
  );
  const isWhole = ([known, { wrapper }]) => NAMES.fits * known >= under.get(wrapper);
  const fitting = [...Map.groupBy(whole.filter(isWhole), ([, { wrapper }]) => wrapper)];
  const large = fitting.filter(([, group]) =>
    group.some(([known, { dialect }]) => NAMES.part * known >= dialect.pieces.length),
  );
  const models = large.length ? large : fitting;
  if (models.length > 1) {
    const prefixes = models.slice(0, NAMES.most_named).map(([wrapper]) => (wrapper ? shortened(wrapper) : "none"));
    const among = models.length > NAMES.most_named ? " among them" : "";
    const found = `${models.length} prefixes, ${prefixes.join(", ")}${among}`;
    throw new Unreadable(listing.name, `a GPT-2 is found under ${found}: --prefix says which is meant`);
  }
  const [most, nearestReading] = ranked[0];
  if (!models.length && NAMES.fits * most < Math.max(names.length, 1)) {
    const unknown = names.find((name) => !nearestReading.find(name));
    const example = unknown === undefined ? "" : `, ${shown(unknown)} for one`;
    throw new Unreadable(
      listing.name,
      `its names fit no GPT-2: the nearest dialect, ${nearestReading.dialect.name}, knows ${grouped(most)} of ` +
        `${grouped(names.length)} tensors${example}`,
    );
  }
  const group = models.length ? models[0][1] : ranked;
  return group.filter(([known]) => known === group[0][0]).map(([, reading]) => reading);
}

/** A listing without what is not under the prefix of a model, which is left aside. */
function parted(listing, { wrapper }) {
  const isInside = ({ name }) => name.startsWith(wrapper);
  const [tensors, aside] = [isInside, (each) => !isInside(each)].map((isMeant) => listing.tensors.filter(isMeant));
  return { ...listing, tensors, aside };
}
