// A listing held against the tensors that a config has, as gpt2calc.verification does, by the same tables.

const NAMES = FACTS.names;
const BLOCK = new RegExp(NAMES.block);

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

  named(row, block = 0) {
    return this.wrapper + (isInBody(row) ? this.prefix : "") + row.template.replace("{}", block);
  }

  /** Every tensor that a checkpoint of these dims holds, up to a number of blocks, by its name. */
  expected(x, blocks) {
    const rows = new Map(tensorsOf(x).map((row) => [`${row.component}.${row.role}`, row]));
    const found = new Map();
    for (const piece of this.dialect.pieces) {
      const row = rows.get(`${piece.component}.${piece.role}`);
      if (!row.times) continue;
      const shape = piece.turned ? row.shape.toReversed() : row.shape;
      for (let block = 0; block < (piece.template.includes("{}") ? blocks : 1); block += 1)
        found.set(this.named(piece, block), { ...piece, shape, tableShape: row.shape });
    }
    return found;
  }
}

function unwrapped(name) {
  let bare = name;
  while (NAMES.wrappers.some((wrapper) => bare.startsWith(wrapper))) bare = bare.slice(bare.indexOf(".") + 1);
  return bare;
}

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

// From shapes to a config: each tensor votes for the sizes in it, and the majority wins.

function inferred(listing) {
  const names = listing.tensors.map((tensor) => tensor.name);
  const ranked = readings(names);
  const [most, nearestReading] = ranked[0];
  if (NAMES.fits * most < Math.max(names.length, 1)) {
    const unknown = names.find((name) => !nearestReading.find(name));
    const example = unknown === undefined ? "" : `, ${shown(unknown)} for one`;
    throw new Unreadable(
      listing.name,
      `its names fit no GPT-2: the nearest dialect, ${nearestReading.dialect.name}, knows ${grouped(most)} of ` +
        `${grouped(names.length)} tensors${example}`,
    );
  }
  const alike = ranked.filter(([known]) => known === most).map(([, reading]) => inferredAs(listing, reading));
  return alike.reduce((one, other) => (fitting(listing, other) > fitting(listing, one) ? other : one));
}

function inferredAs(listing, reading) {
  const found = listing.tensors
    .map((tensor) => ({ tensor, ...reading.find(tensor.name) }))
    .filter(({ row }) => row && "component" in row);
  const votes = new Map();
  for (const { tensor, row } of found)
    for (const [field, size] of sizesIn(row, tensor.shape)) {
      if (!votes.has(field)) votes.set(field, []);
      votes.get(field).push(size);
    }
  const sizes = [...votes].map(([field, cast]) => [field, mostFrequent(tally(cast))]);
  const fields = { ...DEFAULTS, n_positions: 1n, vocab_size: 1n, ...Object.fromEntries(sizes) };
  Object.assign(fields, { n_layer: BigInt(blocksIn(found)) }, structureOf(found, reading));
  if (fields.n_inner === dimsOf({ ...fields, n_inner: null }).n_inner) fields.n_inner = null;
  return { reading, fields };
}

/** The sizes that a shape shows, read against the letters of the tensor table: 2304 over 3d is d = 768. */
function sizesIn(row, shape) {
  const axes = NAMES.axes[`${row.component}.${row.role}`];
  const seen = row.turned ? shape.toReversed() : shape;
  if (seen.length !== axes.length) return [];
  return axes
    .map((axis, place) => axis && [axis[0], BigInt(axis[1]), seen[place]])
    .filter((each) => each && (each[2] || NAMES.may_be_0.includes(each[0])) && each[2] % each[1] === 0n)
    .map(([field, factor, size]) => [field, size / factor]);
}

/** How many blocks there are: up to the last that has half as many tensors as the fullest, or more. */
function blocksIn(found) {
  const held = tally(found.filter(({ block }) => block !== null).map(({ block }) => block));
  const fullest = Math.max(0, ...held.values());
  return 1 + Math.max(-1, ...[...held].filter(([, tensors]) => 2 * tensors >= fullest).map(([block]) => block));
}

/** The switches that the names show, each by the majority of the tensors that it decides on. */
function structureOf(found, { dialect }) {
  const held = tally(found.map(({ row }) => `${row.component}.${row.role}`));
  const number = (component, role = NAMES.weight) => held.get(`${component}.${role}`) ?? 0;
  const biased = [...new Set(dialect.pieces.filter(({ role }) => role === NAMES.bias).map(({ component }) => component))];
  const has = (isOfQkv) => {
    const names = biased.filter((name) => /\.[cq]_attn$/.test(name) === isOfQkv);
    const count = (role) => names.reduce((all, name) => all + number(name, role), 0);
    return 2 * count(NAMES.bias) >= count(NAMES.weight);
  };
  const ofComponents = (isMeant) => found.filter(({ row }) => isMeant(row.component)).length;
  const crossed = ofComponents((name) => name.includes("cross"));
  const own = ofComponents((name) => ["attn.c_attn", "attn.c_proj"].includes(name));
  return {
    head: "lm",
    tie_word_embeddings: !number("lm_head"),
    bias: has(false),
    qkv_bias: has(true) === has(false) ? null : has(true),
    add_cross_attention: 2 * crossed >= own && own > 0 && crossed > 0,
    ...headIn(found, number),
  };
}

function headIn(found, number) {
  const heads = { classifier: "token_classification", score: "sequence_classification", qa_outputs: "question_answering" };
  for (const [component, head] of Object.entries(heads))
    if (number(component)) return { head, tie_word_embeddings: true };
  const summary = found.find(({ tensor, row }) => row.component.endsWith("summary") && tensor.shape.length === 2);
  if (!summary) return {};
  return { head: "double_heads", summary_proj_to_labels: summary.tensor.shape[0] === 1n };
}

function fitting(listing, { reading, fields }) {
  const x = dimsOf(fields);
  const expected = reading.expected(x, Math.min(Number(x.n_layer), listing.tensors.length));
  return listing.tensors.filter(({ name, shape }) => expected.has(name) && sameShape(expected.get(name).shape, shape)).length;
}

const sameShape = (one, other) => one.length === other.length && one.every((size, place) => size === other[place]);

// Sorting and matching

/** The tensors of a listing by what they are: the model's own, masks, a tied head's copy, and strangers. */
function sorted(listing, reading, x) {
  const rows = listing.tensors.map((tensor) => ({ tensor, found: reading.find(tensor.name) }));
  const last = Math.max(-1, ...rows.map(({ found }) => found?.block ?? -1));
  const blocks = x.n_layer > BigInt(last + 1 + NAMES.beyond) ? last + 1 + NAMES.beyond : Number(x.n_layer);
  const expected = reading.expected(x, blocks);
  const isTied = Boolean(x.lm_head && x.tie_word_embeddings);
  const all = { listing, reading, x, blocks, expected, own: new Map(), extras: [], strangers: [], copy: null };
  for (const { tensor, found } of rows) {
    if (expected.has(tensor.name)) all.own.set(tensor.name, tensor);
    else if (found && "what" in found.row) all.extras.push({ tensor, extra: found.row });
    else if (found && isTied && found.row.component === "lm_head") Object.assign(all, { copy: tensor, copyRow: found.row });
    else all.strangers.push(tensor);
  }
  return all;
}

const storedOf = (all, component) =>
  [...all.own.values()].find((tensor) => all.expected.get(tensor.name).component === component) ?? null;

/** How many rows of a matrix of the vocabulary only pad it. */
function paddedRows({ x, reading }, component, shape) {
  if (!reading.dialect.pads_vocabulary || !["wte", "lm_head"].includes(component) || shape.length !== 2) return 0n;
  const [rows, width] = shape;
  const most = x.vocab_size + BigInt(NAMES.most_padded);
  const pads = width === x.n_embd && rows % BigInt(NAMES.multiple) === 0n && rows > x.vocab_size && rows < most;
  return pads ? rows - x.vocab_size : 0n;
}

function matched(listing, reading, x) {
  const all = sorted(listing, reading, x);
  const faults = [
    ...missingIn(all),
    ...strangersIn(all),
    ...wrongShapes(all),
    ...wrongDtypes(all),
    ...wrongMasks(all),
    ...wrongCopy(all),
    ...listing.faults,
  ];
  const components = new Map();
  for (const [name, tensor] of all.own) {
    const { component } = all.expected.get(name);
    const padding = paddedRows(all, component, tensor.shape) * x.n_embd;
    components.set(component, (components.get(component) ?? 0n) + tensor.numel - padding);
  }
  const dtypes = tally([...all.own.values()].map((tensor) => tensor.dtype));
  const [wte, head] = [storedOf(all, "wte"), all.copy ?? storedOf(all, "lm_head")];
  return { all, faults, components, dtypes, wte, head, held: held(all, components) };
}

const shapeText = (shape) => `[${shape.join(", ")}]`;

function missingIn({ expected, own, reading, x, blocks }) {
  const faults = [...expected]
    .filter(([name]) => !own.has(name))
    .map(([name, { shape }]) => fault("missing", name, "it is missing", shapeText(shape), "nothing"));
  const named = new Set(reading.dialect.pieces.map((piece) => `${piece.component}.${piece.role}`));
  for (const row of tensorsOf(x))
    if (row.times && !named.has(`${row.component}.${row.role}`)) {
      const message = `it is missing, and the dialect ${reading.dialect.name} has no name for it`;
      faults.push(fault("missing", row.template.replace("{}", "N"), message, shapeText(row.shape), "nothing"));
    }
  if (BigInt(blocks) < x.n_layer) {
    const name = `blocks ${grouped(blocks)} to ${grouped(x.n_layer - 1n)}`;
    faults.push(fault("missing", name, "they are missing as well", `${grouped(x.n_layer)} blocks`, grouped(blocks)));
  }
  return faults;
}

const blocksOf = (x) => `the model has ${grouped(x.n_layer)} block${x.n_layer === 1n ? "" : "s"}, numbered from 0`;

/** What does not belong there, with the missing tensor that it may have been meant to be. */
function strangersIn({ strangers, expected, own, reading, x }) {
  const missing = [...expected.keys()].filter((name) => !own.has(name));
  return strangers.map((tensor, place) => {
    const found = reading.find(tensor.name);
    let message = "it is no tensor of this model";
    if (found && found.block !== null && BigInt(found.block) >= x.n_layer) message = blocksOf(x);
    else if (missing.length && place < NAMES.most_compared) {
      const alike = missing.filter((name) => sameShape(expected.get(name).shape, tensor.shape));
      const names = (alike.length ? alike : missing).slice(0, NAMES.most_compared);
      const near = nearest(tensor.name.slice(0, 200), names, 0.5);
      if (near) message += `: is it ${near}, which is missing?`;
    }
    return fault("unexpected", tensor.name, message, "nothing", shapeText(tensor.shape));
  });
}

const wrongShapes = (all) =>
  [...all.expected]
    .filter(([name]) => all.own.has(name))
    .map(([name, each]) => [all.own.get(name), each])
    .filter(([tensor, each]) => !sameShape(tensor.shape, each.shape))
    .filter(([tensor, each]) => !paddedRows(all, each.component, tensor.shape))
    .map(([tensor, each]) => wrongShape(tensor, each.shape));

function wrongShape(tensor, expected, why = "") {
  const [wanted, got] = [shapeText(expected), shapeText(tensor.shape)];
  const turned = sameShape(tensor.shape, expected.toReversed()) ? ": it is transposed" : "";
  return fault("shape", tensor.name, `expected ${wanted}${why}, got ${got}${turned}`, wanted, got);
}

/** Each tensor whose dtype is not that of the others with as many dimensions. */
function wrongDtypes({ own, expected }) {
  const overall = tally([...own.values()].map((tensor) => tensor.dtype));
  return [1, 2].flatMap((rank) => {
    const group = [...own].filter(([name]) => expected.get(name).tableShape.length === rank);
    const counts = tally(group.map(([, tensor]) => tensor.dtype));
    const usual = [...counts.keys()].reduce((best, dtype) => {
      const [here, there] = [counts.get(dtype), counts.get(best)];
      return there === undefined || here > there || (here === there && overall.get(dtype) > overall.get(best)) ? dtype : best;
    }, "F32");
    return group.flatMap(([name, { dtype }]) => {
      if (FORMAT.plain.includes(dtype) && !FORMAT.floats.includes(dtype))
        return [fault("dtype", name, `expected a float, got ${dtype}`, "F32", dtype)];
      const others = rank === 1 ? "vectors" : "matrices";
      const message = `expected ${usual}, as the other ${others}, got ${dtype}`;
      return dtype === usual ? [] : [fault("dtype", name, message, usual, dtype)];
    });
  });
}

/** What is wrong beside the parameters: all blocks have a mask or none, in one shape and dtype. */
function wrongMasks(all) {
  const groups = Map.groupBy(all.extras, ({ extra }) => extra.template);
  return [...groups].flatMap(([template, masks]) => {
    const present = new Set(masks.map(({ tensor }) => tensor.name));
    const names = Array.from({ length: all.blocks }, (_, block) => all.reading.named(masks[0].extra, block));
    const inBlocks = template.includes("{}") ? names : [...present];
    return [
      ...unlikeMasks(all, masks),
      ...inBlocks
        .filter((name) => !present.has(name))
        .map((name) => fault("missing", name, "it is missing, and other blocks have it", "one in every block", "nothing")),
      ...[...present]
        .filter((name) => !inBlocks.includes(name))
        .sort()
        .map((name) => fault("unexpected", name, blocksOf(all.x), "nothing", name)),
    ];
  });
}

/** Each mask that is not of the form, or not as in the other blocks; where half differ, all of them. */
function unlikeMasks({ x }, masks) {
  const form = ({ shape, dtype }) => `${shapeText(shape)} ${dtype}`;
  const counts = [...tally(masks.map(({ tensor }) => form(tensor)))].sort((one, other) => other[1] - one[1]);
  const usual = masks.find(({ tensor }) => form(tensor) === counts[0][0]).tensor;
  const undecided = counts.length > 1 && counts[1][1] === counts[0][1];
  return masks.flatMap(({ tensor, extra }) => {
    if (!hasForm(tensor.shape, extra.shape, x)) return [wrongShape(tensor, extra.shape)];
    const got = form(tensor);
    if (!undecided && got === form(usual)) return [];
    const expected = undecided ? "the same in every block" : `${form(usual)}, as in other blocks`;
    const kind = sameShape(tensor.shape, usual.shape) ? "dtype" : "shape";
    return [fault(kind, tensor.name, `expected ${expected}, got ${got}`, expected, got)];
  });
}

/** Whether a shape is of the form that an extra has, such as [1, 1, n, n]. */
function hasForm(shape, form, x) {
  if (shape.length !== form.length) return false;
  const squares = [...new Set(shape.filter((_, place) => form[place] === "n"))];
  const sizes = { V: x.vocab_size, n: squares[0] ?? 0n };
  return squares.length < 2 && shape.every((size, place) => size === (sizes[form[place]] ?? BigInt(form[place])));
}

/** What is wrong with the shape of a tied head that is stored all the same: it has to be that of wte. */
function wrongCopy(all) {
  const { copy, copyRow, x } = all;
  if (!copy) return [];
  const wte = storedOf(all, "wte");
  const table = [x.vocab_size + (wte ? paddedRows(all, "wte", wte.shape) : 0n), x.n_embd];
  const expected = copyRow.turned ? table.toReversed() : table;
  const faults = sameShape(copy.shape, expected) ? [] : [wrongShape(copy, expected, ", as wte")];
  if (wte && copy.dtype !== wte.dtype)
    faults.push(fault("dtype", copy.name, `expected ${wte.dtype}, as wte, got ${copy.dtype}`, wte.dtype, copy.dtype));
  return faults;
}

/** What the stored elements and bytes are: parameters, padding, a head's copy, masks, strangers, the rest. */
function held(all, components) {
  const part = (what, tensors) => ({
    what,
    tensors: tensors.length,
    elements: sum(tensors.map((tensor) => tensor.numel)),
    bytes: sum(tensors.map((tensor) => tensor.nbytes)),
  });
  const parameters = part("parameters", [...all.own.values()]);
  const elements = sum([...components.values()]);
  const padding = parameters.elements - elements;
  const padded = sum(
    [...all.own].map(([name, tensor]) => {
      const rows = paddedRows(all, all.expected.get(name).component, tensor.shape) * all.x.n_embd;
      return rows ? (rows * tensor.nbytes) / tensor.numel : 0n;
    }),
  );
  const parts = [{ ...parameters, elements, bytes: parameters.bytes - padded }];
  if (padding) parts.push({ what: "padded rows of the vocabulary", tensors: 0, elements: padding, bytes: padded });
  if (all.copy) parts.push(part("the tied head, a second time", [all.copy]));
  for (const [what, masks] of Map.groupBy(all.extras, ({ extra }) => extra.what))
    parts.push(part(what, masks.map(({ tensor }) => tensor)));
  if (all.strangers.length) parts.push(part("unexpected tensors", all.strangers));
  const size = sum(all.listing.files.map((file) => BigInt(file.size)));
  const rest = size - sum(all.listing.tensors.map((tensor) => tensor.nbytes));
  return [...parts, { what: "headers, and all that is no tensor", tensors: 0, elements: 0n, bytes: rest }];
}

// How a stored head is tied, and the verdict

const AT_ONCE = 4 * 2 ** 20;
const MOST_TURNED = 2n ** 29n;
const WORDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array };

/** Whether a stored head has wte's values, bit by bit; null where that cannot be told, and why. */
async function tying(wte, head) {
  const open = (reason) => ({ tied: null, reason });
  if (!head) return { tied: true, reason: "no second matrix is stored" };
  for (const tensor of [wte, head])
    if (!FORMAT.plain.includes(tensor.dtype) || tensor.shape.length !== 2)
      return open(`${tensor.name} is no matrix of numbers of their own, but ${tensor.dtype} of ${tensor.shape.length} axes`);
  if (wte.dtype !== head.dtype) return open(`${wte.name} is ${wte.dtype} and ${head.name} is ${head.dtype}`);
  if (!head.shape.includes(wte.shape[1])) return open(`their shapes are ${shapeText(wte.shape)} and ${shapeText(head.shape)}`);
  const isTurned = head.shape[1] !== wte.shape[1];
  if (isTurned && head.nbytes + wte.nbytes > MOST_TURNED) return open("a head that is turned round is too large to compare here");
  const [rows, most] = [wte.shape[0], isTurned ? head.shape[1] : head.shape[0]].sort((a, b) => (a < b ? -1 : 1));
  const difference = await (isTurned ? turnedDifference : firstDifference)(wte, head, Number(rows));
  if (difference) return { tied: false, reason: difference };
  const all = rows === most ? "" : ` in the ${grouped(rows)} rows that both have, of ${grouped(most)}`;
  return { tied: true, reason: `every bit is the same${all}` };
}

async function firstDifference(wte, head, rows) {
  const size = FORMAT.bits[wte.dtype] / 8;
  const width = Number(wte.shape[1]);
  const count = rows * width * size;
  for (let from = 0; from < count; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - from);
    const read = ({ file, offset }) => bytesOf(file, Number(offset) + from, Number(offset) + from + length);
    const [ours, theirs] = await Promise.all([read(wte), read(head)]);
    const place = ours.findIndex((byte, i) => byte !== theirs[i]);
    if (place >= 0) {
      const element = Math.floor((from + place) / size);
      return differing(Math.floor(element / width), element % width);
    }
  }
  return null;
}

const differing = (row, column) => `they first differ in row ${grouped(row)}, column ${grouped(column)}`;

/** The same, of a head that is stored as [d, V]: both are read whole. */
async function turnedDifference(wte, head, rows) {
  const Words = WORDS[FORMAT.bits[wte.dtype] / 8];
  const read = async ({ file, offset, nbytes }) => new Words((await bytesOf(file, Number(offset), Number(offset + nbytes))).buffer);
  const [ours, theirs] = await Promise.all([read(wte), read(head)]);
  const [width, step] = [Number(wte.shape[1]), Number(head.shape[1])];
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < width; column += 1)
      if (ours[row * width + column] !== theirs[column * step + row]) return differing(row, column);
  return null;
}

/** Verify files: a safetensors file, or an index with its shards; `given` are the fields of a config, or null. */
async function verify(files, given = null) {
  const index = files.find((file) => file.name.endsWith(".index.json"));
  const first = index ?? files.find((file) => !file.name.endsWith(".json"));
  const listing = index ? await readIndex(index, files) : await readSafetensors(first);
  const shown = inferred(listing);
  const fields = { ...(given ?? shown.fields) };
  let match = matched(listing, shown.reading, dimsOf(fields));
  const notes = [...listing.notes];
  const { wte, head } = match;
  if (dimsOf(fields).lm_head && wte && head) {
    const found = await tying(wte, head);
    const tied = found.tied ?? (given ? fields.tie_word_embeddings : shown.reading.dialect.head_is_copied);
    if (found.tied === null)
      notes.push(`${head.name} is stored beside ${wte.name}, and ${found.reason}: it is taken as ${tied ? "tied" : "untied"}`);
    if (!given && tied !== fields.tie_word_embeddings) {
      fields.tie_word_embeddings = tied;
      match = matched(listing, shown.reading, dimsOf(fields));
    }
    if (given && fields.tie_word_embeddings && !tied) {
      const message = `the config ties it, and its values are not those of ${wte.name}: ${found.reason}`;
      match.faults.push(fault("tying", head.name, message, "the same values", "other values"));
    }
  }
  return verdictOf({ listing, reading: shown.reading, fields, given: given !== null, match, notes });
}

/** The verdict in one line, and all that it is made of. */
function verdictOf({ listing, reading, fields, given, match, notes }) {
  const x = dimsOf(fields);
  const rows = componentsOf(x).filter((row) => row.times);
  const expected = new Map(rows.map((row) => [row.component, row.times * (row.weights + row.biases)]));
  const total = totalOf(x);
  const parameters = sum([...match.components.values()]);
  const more = Math.max(0, match.faults.length - NAMES.most_faults);
  const faults = distinct(match.faults.slice(0, NAMES.most_faults));
  const agrees = [...expected].every(([name, count]) => (match.components.get(name) ?? 0n) === count);
  const matches = !faults.length && parameters === total && agrees;
  const found = { listing, reading, fields, given, notes, faults, more, total, parameters, expected, matches, match };
  return { ...found, verdict: matches ? isRight(found, x) : isWrong(found) };
}

const distinct = (faults) => [...new Map(faults.map((each) => [JSON.stringify(Object.values(each)), each])).values()];

function isRight({ listing, total, given }, x) {
  const tensors = sum(tensorsOf(x).map((row) => row.times));
  const whose = given ? "as the config says" : "as its own shapes imply; no config was given";
  return `${printable(listing.name)} matches: ${grouped(total)} parameters in ${grouped(tensors)} tensors, ${whose}`;
}

function isWrong({ listing, faults, more, total, parameters }) {
  const wrong = faults.length + more;
  const names = [...new Set(faults.map(({ tensor }) => tensor))];
  const others = names.length > 3 ? ` and ${grouped(names.length - 3 + more)} more` : "";
  const first = names.slice(0, 3).map(shortened).join(", ") + others;
  const what = wrong ? `${grouped(wrong)} thing${wrong === 1 ? " is" : "s are"} wrong: ${first}` : "the counts differ";
  const count =
    parameters === total
      ? "as many parameters as expected"
      : `${grouped(parameters)} parameters, expected ${grouped(total)}`;
  return `${printable(listing.name)} does not match: ${what} (${count})`;
}
