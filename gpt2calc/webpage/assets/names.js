// How the names in a checkpoint are read, as gpt2calc.dialects does, by the same tables.

const NAMES = FACTS.names;
const BLOCK = new RegExp(NAMES.block);
const WRAPPED = new RegExp(`^(?:${NAMES.wrappers.map((wrapper) => wrapper.replace(".", "\\.")).join("|")})*`);

/** A name with {} in place of the number of its block, and that number. */
function templated(name) {
  const found = BLOCK.exec(name);
  if (!found) return [name, null];
  const start = found.index + found[1].length;
  return [`${name.slice(0, start)}{}${name.slice(start + found[2].length)}`, Number(found[2])];
}

const DIALECTS = NAMES.dialects.map((each) => {
  const pieces = each.pieces.map(([template, component, role, turned]) => ({ template, component, role, turned }));
  const extras = each.extras.map(([template, what, shape]) => ({ template, what, shape }));
  return { ...each, pieces, extras, known: new Map([...pieces, ...extras].map((row) => [row.template, row])) };
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

const unwrapped = (name) => name.replace(WRAPPED, "");

/** How often each value occurs, and the most frequent of them, the first of several. */
function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

const mostFrequent = (counts) => [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];

/** How the names read in each dialect, with how many of them it knows, the best first. */
function readings(names) {
  const wrapper = names.length
    ? mostFrequent(tally(names.map((name) => name.slice(0, name.length - unwrapped(name).length))))
    : "";
  const bare = names.filter((name) => name.startsWith(wrapper)).map((name) => templated(name.slice(wrapper.length))[0]);
  const templates = [...tally(bare)];
  const known = (reading) => templates.reduce((all, [template, n]) => all + (reading.row(template) ? n : 0), 0);
  const best = DIALECTS.map((dialect) => {
    const tried = dialect.prefix ? [dialect.prefix, ""] : [""];
    const counted = tried.map((prefix) => new Reading(dialect, wrapper, prefix)).map((each) => [known(each), each]);
    return counted.reduce((one, other) => (other[0] > one[0] ? other : one));
  });
  return best.sort((one, other) => other[0] - one[0]);
}
