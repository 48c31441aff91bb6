// A listing held against the tensors that a config has, as gpt2calc.verification does: what is missing, unexpected, of
// another shape or dtype, what the stored bytes are, how a stored head is tied, and the verdict.

/** The tensors of a listing by what they are: the model's own, masks, a tied head's copy, and strangers. */
function assigned(listing, reading, x) {
  const rows = reading.expected(x);
  const isTied = x.lm_head && x.tie_word_embeddings;
  const all = { listing, reading, x, rows: [...rows.values()], own: [], extras: [], strangers: [], copy: null };
  const [seen, names] = [new Set(), new Set()];
  for (const tensor of listing.tensors) {
    const { row, block } = reading.find(tensor.name);
    const expected = isInModel(block, x) && row && rows.get(row.template);
    if (block !== null && isInModel(block, x)) seen.add(block);
    if (expected) all.own.push({ tensor, row: expected, block: block ?? 0 });
    else if (row?.what) all.extras.push({ tensor, row, block: block ?? 0 });
    else if (isTied && row?.component === "lm_head") all.copy = { tensor, row };
    else all.strangers.push(tensor);
    if (expected) names.add(tensor.name);
  }
  // The blocks that a file has something of, and the first that it has nothing of: as many, and a few more.
  const listed = [...seen];
  for (let block = 0; BigInt(block) < x.n_layer && listed.length < 2 * seen.size + NAMES.beyond; block += 1)
    if (!seen.has(block)) listed.push(block);
  listed.sort((one, other) => one - other);
  const ranked = all.own.toSorted((one, other) => one.row.place - other.row.place || one.block - other.block);
  const lacking = all.rows.reduce((count, row) => count + (isInBlocks(row) ? listed.length : 1), -names.size);
  return { ...all, seen, names, listed, ranked, lacking };
}

const storedOf = ({ own }, component) => own.find(({ row }) => row.component === component)?.tensor ?? null;

/** How many elements of a matrix of the vocabulary only pad it. */
function paddingOf({ x, reading }, { component }, [rows, width, ...rest]) {
  if (!reading.dialect.pads_vocabulary || !["wte", "lm_head"].includes(component) || rest.length) return 0n;
  const isMore = rows > x.vocab_size && rows < x.vocab_size + BigInt(NAMES.most_padded);
  return isMore && width === x.n_embd && rows % BigInt(NAMES.multiple) === 0n ? (rows - x.vocab_size) * width : 0n;
}

async function matched(listing, reading, x) {
  const [all, found] = [assigned(listing, reading, x), []];
  await breath();
  const checks = [missingIn, strangersIn, wrongShapes, wrongDtypes, wrongMemories, wrongMasks, wrongCopy];
  for (const check of checks) {
    found.push(...check(all));
    await breath();
  }
  found.push(...listing.faults);
  const faults = found.slice(0, NAMES.most_faults);
  const more = found.length - faults.length + Math.max(0, all.lacking - NAMES.most_faults);
  const elementsOf = ({ tensor, row }) => tensor.numel - paddingOf(all, row, tensor.shape);
  const components = [...Map.groupBy(all.own, ({ row }) => row.component)];
  const counts = new Map(components.map(([name, parts]) => [name, sum(parts.map(elementsOf))]));
  return { all, faults, more, components: counts, held: held(all, sum([...counts.values()])) };
}

const shapeText = (shape) => `[${shape.join(", ")}]`;
const blocksOf = (x) => `${grouped(x.n_layer)} block${x.n_layer === 1n ? "" : "s"}, numbered from 0`;

/** What the model has and the file has not, at most so many; of the blocks, those listed, and runs of others. */
function missingIn({ reading, x, rows, names, listed, seen }) {
  const [faults, most, { pieces, name: dialect }] = [[], NAMES.most_faults, reading.dialect];
  const missing = (name, { shape }, got) => faults.push(fault("missing", name, shapeText(shape), got));
  for (const row of rows)
    for (const block of isInBlocks(row) && faults.length < most ? listed : [0]) {
      const name = row.template.replace("{}", block);
      if (faults.length < most && !names.has(name)) missing(name, row, "nothing");
    }
  const isNamed = ({ component, role }) => pieces.some((each) => each.component === component && each.role === role);
  for (const row of tensorsOf(x).filter((each) => each.times && !isNamed(each)))
    missing(row.template.replace("{}", "N"), row, `no such name in ${dialect}`);
  const runs = [...listed.map(BigInt), x.n_layer]
    .map((after, place) => [BigInt(place ? listed[place - 1] + 1 : 0), after - 1n])
    .filter(([first, last]) => first <= last)
    .map((run) => [...new Set(run)].map(grouped).join(" to "));
  const more = runs.length > NAMES.most_runs ? ` and ${grouped(runs.length - NAMES.most_runs)} runs more` : "";
  const blocks = `blocks ${runs.slice(0, NAMES.most_runs).join(", ")}${more}`;
  const isShort = rows.some(isInBlocks) && runs.length;
  return isShort ? [...faults, fault("missing", blocks, `${grouped(x.n_layer)} blocks`, grouped(seen.size))] : faults;
}

const strangersIn = ({ strangers, reading, x }) =>
  strangers.map(({ name, shape }) => {
    const isBeyond = !isInModel(reading.find(name).block, x);
    return fault("unexpected", name, isBeyond ? blocksOf(x) : "no such tensor", shapeText(shape));
  });

const wrongShapes = (all) =>
  all.ranked
    .filter((part) => !hasItsShape(part) && !paddingOf(all, part.row, part.tensor.shape))
    .map(({ tensor, row }) => wrongShape(tensor, row.shape));

function wrongShape({ name, shape }, expected) {
  const turned = sameShape(shape, expected.toReversed()) ? ", which is transposed" : "";
  return fault("shape", name, shapeText(expected), shapeText(shape) + turned);
}

/** Each tensor whose dtype no parameter has, or is not that of the same tensor in the other blocks. */
function wrongDtypes({ ranked }) {
  const isFloat = ({ tensor }) => FORMAT.floats.includes(tensor.dtype);
  const dtypesOf = (group) => tally(group.map(({ tensor }) => tensor.dtype));
  const wrong = (group, expected) => group.map(({ tensor }) => fault("dtype", tensor.name, expected, tensor.dtype));
  const byRank = Map.groupBy(ranked.filter(isFloat), ({ row }) => row.shape.length);
  const unlike = [...Map.groupBy(ranked.filter(isFloat), ({ row }) => row.place).values()].flatMap((group) => {
    // of two that are equally frequent, the one that most matrices have, or most vectors
    const [others, counts] = [dtypesOf(byRank.get(group[0].row.shape.length)), dtypesOf(group)];
    const order = (one, other) => counts.get(other) - counts.get(one) || others.get(other) - others.get(one);
    const [usual] = [...counts.keys()].sort(order);
    return wrong(group.filter(({ tensor }) => tensor.dtype !== usual), `${usual}, as in the other blocks`);
  });
  return [...wrong(ranked.filter((part) => !isFloat(part)), `one of ${FORMAT.floats.join(", ")}`), ...unlike];
}

/** Each parameter that is stored under another's name, as the metadata says, and should be a tensor of its own. */
function wrongMemories(all) {
  const isOther = all.copy && all.copy.tensor.storage !== storedOf(all, "wte")?.storage;
  const tensors = [...all.own, ...(isOther ? [all.copy] : [])].map(({ tensor }) => tensor);
  const whole = tensors.filter(({ storage, numel }) => storage && numel).sort((a, b) => inOrder(a.offset, b.offset));
  return [...Map.groupBy(whole, ({ storage }) => storage).values()].flatMap((group) => {
    const [first, ...others] = group.map(({ name }) => name).sort();
    return others.map((name) => fault("shared", name, "a memory of its own", `that of ${first}`));
  });
}

/** What is wrong beside the parameters: all blocks have a mask or none, of one form, such as [1, 1, n, n]. */
function wrongMasks({ extras, listed, reading, x }) {
  const told = ({ shape, dtype }) => `${shapeText(shape)} ${dtype}`;
  return [...Map.groupBy(extras, ({ row }) => row)].flatMap(([row, parts]) => {
    const masks = parts.map(({ tensor }) => tensor);
    const [[usual, most], [, next] = []] = [...tally(masks.map(told))].sort((one, other) => other[1] - one[1]);
    const { shape } = masks.find((mask) => told(mask) === usual);
    const faults = masks.flatMap((mask) => {
      const sizes = { n: mask.shape.find((_, place) => row.form[place] === "n"), V: x.vocab_size };
      const form = row.form.map((size) => (size in sizes ? sizes[size] : BigInt(size)));
      if (!sameShape(mask.shape, form)) return [wrongShape(mask, row.form)];
      if (next !== most && told(mask) === usual) return []; // where half differ, all do
      const expected = next === most ? "the same in every block" : `${usual}, as in other blocks`;
      return [fault(sameShape(mask.shape, shape) ? "dtype" : "shape", mask.name, expected, told(mask))];
    });
    const present = new Set(masks.map(({ name }) => name));
    const names = isInBlocks(row) ? new Set(listed.map((block) => reading.named(row, block))) : present;
    const missing = (name) => fault("missing", name, "one in every block", "nothing");
    const beyond = (name) => fault("unexpected", name, blocksOf(x), name);
    const [absent, others] = [[...names.difference(present)], [...present.difference(names)].sort()];
    return [...faults, ...absent.map(missing), ...others.map(beyond)];
  });
}

/** What is wrong with a tied head that is stored all the same: it has to be as wte is. */
function wrongCopy(all) {
  if (!all.copy) return [];
  const [{ tensor, row }, wte, { x }] = [all.copy, storedOf(all, "wte"), all];
  const padding = wte ? paddingOf(all, { component: "wte" }, wte.shape) / x.n_embd : 0n;
  const table = [x.vocab_size + padding, x.n_embd];
  const shape = row.turned ? table.toReversed() : table;
  const isUnlike = wte && tensor.dtype !== wte.dtype;
  return [
    ...(sameShape(tensor.shape, shape) ? [] : [wrongShape(tensor, shape)]),
    ...(isUnlike ? [fault("dtype", tensor.name, `${wte.dtype}, as wte`, tensor.dtype)] : []),
  ];
}

/** What the stored elements and bytes are: parameters, padding, a head's copy, masks, strangers, the rest. */
function held(all, elements) {
  const { own, copy, extras, strangers, listing } = all;
  // Bytes that have two names are counted once.
  const bytesIn = (tensors, counted) =>
    sum(tensors.map(({ storage: of, nbytes }) => (of && (counted.has(of) || !counted.add(of)) ? 0n : nbytes)));
  const tensorsIn = (parts) => parts.map(({ tensor }) => tensor);
  const taken = new Set();
  const part = ([what, tensors]) => {
    const numel = sum(tensors.map((each) => each.numel));
    return { what, tensors: tensors.length, elements: numel, bytes: bytesIn(tensors, taken) };
  };
  const parameters = part(["parameters", tensorsIn(own)]);
  const bytesOf = ({ numel, nbytes, shape }, row) => (paddingOf(all, row, shape) * nbytes) / (numel || 1n);
  const padding = sum(own.map(({ tensor, row }) => bytesOf(tensor, row)));
  const padded = parameters.elements - elements;
  const rows = { what: "padded rows of the vocabulary", tensors: 0, elements: padded, bytes: padding };
  const others = [
    ["the tied head, a second time", copy ? [copy.tensor] : []],
    ...[...Map.groupBy(extras, ({ row }) => row.what)].map(([what, masks]) => [what, tensorsIn(masks)]),
    ["unexpected tensors", strangers],
    ["other tensors, left aside", listing.aside],
  ].filter(([, tensors]) => tensors.length);
  const size = sum(listing.files.map((file) => BigInt(file.size)));
  const bytes = size - bytesIn([...listing.tensors, ...listing.aside], new Set());
  return [
    { ...parameters, elements, bytes: parameters.bytes - padding },
    ...(padded ? [rows] : []),
    ...others.map(part),
    { what: "headers, and all that is no tensor", tensors: 0, elements: 0n, bytes },
  ];
}

const AT_ONCE = 4 * 2 ** 20;

/** Whether a stored head has wte's values, bit by bit; null where that cannot be told, and why. */
async function tying(wte, head) {
  const open = (reason) => ({ tied: null, reason });
  if (head.storage && head.storage === wte.storage) return { tied: true, reason: "both names are one storage" };
  for (const { name, dtype, shape } of [wte, head])
    if (!FORMAT.plain.includes(dtype) || shape.length !== 2)
      return open(`${name} is no matrix of numbers of their own, but ${dtype} of ${shape.length} axes`);
  if (wte.dtype !== head.dtype) return open(`${wte.name} is ${wte.dtype} and ${head.name} is ${head.dtype}`);
  const [shapes, most] = [[wte, head].map(({ shape }) => shapeText(shape)), NAMES.most_unasked];
  if (head.shape[1] !== wte.shape[1]) return open(`their shapes are ${shapes.join(" and ")}`);
  if (wte.nbytes > most || head.nbytes > most)
    return open(`they are larger than ${most / 2 ** 20} MiB, so that only gpt2calc verify --tying compares them`);
  const [rows] = [wte.shape[0], head.shape[0]].sort(inOrder);
  const [size, width] = [FORMAT.bits[wte.dtype] / 8, Number(wte.shape[1])];
  const count = Number(rows) * width * size;
  let areZeros = count > 0;
  for (let from = 0; from < count; from += AT_ONCE) {
    const until = Math.min(from + AT_ONCE, count);
    const read = ({ file, offset }) => bytesOf(file, Number(offset) + from, Number(offset) + until);
    const [ours, theirs] = await Promise.all([read(wte), read(head)]);
    const place = ours.findIndex((byte, i) => byte !== theirs[i]);
    areZeros &&= ours.every((byte) => !byte);
    const element = Math.floor((from + place) / size);
    const where = `row ${grouped(Math.floor(element / width))}, column ${grouped(element % width)}`;
    if (place >= 0) return { tied: false, reason: `they first differ in ${where}` };
  }
  if (areZeros) return open("both are all zeros, whose equal bits prove nothing");
  return { tied: true, reason: "every bit is the same" };
}

const isIndex = (name) => /\.index(\.[^./]+)?\.json$/.test(name);

/** Verify files: a safetensors file, or an index with its shards; `given` are the fields of a config, or null, and
 * `maker` whose config it is. */
async function verify(files, given = null, maker = "") {
  const index = files.find(({ name }) => isIndex(name));
  const other = files.find(({ name }) => !name.endsWith(".json"));
  const read = respelled(index ? await readIndex(index, files) : await readSafetensors(other));
  refuseBeside(read);
  const names = await namesIn(read);
  // What is not under the prefix of a model is left aside; by a config, what bears no name that is one of the model's.
  const isNamed = (name) => given !== null && rowIn(names[0].dialect, keyed(name)) !== undefined;
  const isInside = ({ name }) => name.startsWith(names[0].wrapper) || isNamed(name);
  const { true: tensors = [], false: aside = [] } = Object.groupBy(read.tensors, isInside);
  const listing = { ...read, tensors, aside };
  const shown = await inferred(listing, names);
  const fields = { ...(given ?? shown.fields) };
  const reading = asBuilt(shown.reading, maker);
  let match = await matched(listing, reading, dimsOf(fields));
  const beside = [...match.all.strangers, ...aside].find((each) => new RegExp(NAMES.beside, "s").test(each.name));
  if (beside) refuse(`${printable(read.name)}: '${shortened(beside.name)}' stands beside a model: see gpt2calc verify`);
  const said = differing(dimsOf(shown.fields), dimsOf(fields));
  const isResized = given && match.faults.length && said.length && reading === shown.reading;
  const own = isResized ? await totalByShapes(listing, shown, fields) : null;
  const notes = [...listing.notes, ...otherDtypes(match.all)];
  if (reading !== shown.reading && match.faults.some(({ kind }) => kind === "shape"))
    notes.push(`its matrices lie ${NAMES.laid_out[shown.reading.dialect.name]}; what it is for keeps them turned`);
  const [wte, head] = [storedOf(match.all, "wte"), match.all.copy?.tensor ?? storedOf(match.all, "lm_head")];
  const isAsked = dimsOf(fields).lm_head && wte && head && (!given || fields.tie_word_embeddings);
  const found = isAsked ? await tying(wte, head) : { tied: fields.tie_word_embeddings };
  const tied = found.tied ?? (given ? fields.tie_word_embeddings : Boolean(reading.dialect.head_is_copied));
  const taken = `${found.reason}: it is taken as ${tied ? "tied" : "untied"}`;
  if (found.tied === null) notes.push(`${head.name} is stored beside ${wte.name}, and ${taken}`);
  if (given && isAsked && !tied)
    match.faults.push(fault("tying", head.name, `the values of ${wte.name}`, `others: ${found.reason}`));
  if (!given && tied !== fields.tie_word_embeddings) {
    fields.tie_word_embeddings = tied;
    match = await matched(listing, reading, dimsOf(fields));
  }
  return verdictOf({ listing, reading, fields, given, match, notes, said, own });
}

/** Refuse packed matrices and adapters, which only the command line reads. */
function refuseBeside({ name, tensors }) {
  const found = tensors.find((each) => NAMES.packed.some((end) => `${each.name}.`.includes(`${end}.`)));
  const what = found && `it is packed or adapted, as ${shown(found.name)} shows`;
  if (found) refuse(`${printable(name)}: ${what}: gpt2calc verify reads it`);
}

/** How names that transformers and nanoGPT share are read by whoever would have to load the file. */
function asBuilt(reading, maker) {
  const isShared = [reading.dialect.name, maker].every((name) => Object.hasOwn(NAMES.laid_out, name));
  if (!isShared || reading.dialect.name === maker) return reading;
  return new Reading(NAMES.dialects.find(({ name }) => name === maker), reading.wrapper, reading.prefix);
}

/** What the shapes say where the config says something else, field by field. */
function differing(shown, own) {
  const follows = ({ n_inner, n_embd }) => n_inner === 4n * n_embd; // it follows n_embd in both
  const isSaid = (name) => shown[name] !== own[name] && !(name === "n_inner" && follows(shown) && follows(own));
  const text = (name, value) => (Object.hasOwn(FACTS.letters, name) ? grouped(value) : String(value === 1n));
  const told = (name) => `${name} ${text(name, shown[name])} and not ${text(name, own[name])}`;
  return NAMES.shown_by_shapes.filter(isSaid).map(told);
}

/** What the model that the shapes show comes to, tied as the config ties it; null where more is wrong. */
async function totalByShapes(listing, { reading, fields }, given) {
  const { tie_word_embeddings: tie } = dimsOf(fields).lm_head && dimsOf(given).lm_head ? given : fields;
  const { faults, components } = await matched(listing, reading, dimsOf({ ...fields, tie_word_embeddings: tie }));
  return faults.length ? null : sum([...components.values()]);
}

/** A note on each dtype beside the usual one, with the components that have it. */
function otherDtypes({ ranked, own }) {
  const usual = own.length && mostFrequent(tally(own.map(({ tensor }) => tensor.dtype)));
  const others = Map.groupBy(ranked.filter(({ tensor }) => tensor.dtype !== usual), ({ tensor }) => tensor.dtype);
  const namesOf = (group) => [...new Set(group.map(({ row }) => row.component))].join(", ");
  return [...others].map(([dtype, group]) => `${dtype} in ${namesOf(group)}, where most tensors are ${usual}`);
}

/** Which blocks and what else a file holds as a whole, where it lacks all of the rest; "" otherwise. */
function wholeParts(reading, given, faults, { own }, x) {
  if (!faults.length || faults.some(({ kind }) => kind !== "missing")) return "";
  const placesIn = (names) => {
    const known = names.map((name) => reading.find(name)).filter(({ row }) => row);
    return new Set(known.map(({ row, block }) => block ?? row.component).filter((place) => place !== undefined));
  };
  const present = placesIn(own.map(({ tensor }) => tensor.name));
  const absent = placesIn(faults.map(({ tensor }) => tensor));
  const isBlock = (place) => typeof place === "number";
  const [blocks, others] = [[...present].filter(isBlock), [...present].filter((place) => !isBlock(place)).sort()];
  const isApart = present.isDisjointFrom(absent) && (!others.length || [...absent].some(isBlock));
  if (!blocks.length || !absent.size || !isApart) return "";
  const of = given ? ` of ${grouped(x.n_layer)}` : "";
  return [`block${blocks.length > 1 ? "s" : ""} ${runsOf(blocks, " to ").join(", ")}${of}`, ...others].join(", ");
}

/** Numbers as runs of those that follow each other, each as text: its first and its last, and what stands between. */
function runsOf(numbers, between) {
  const all = [...new Set(numbers)].sort((a, b) => a - b);
  const ends = all.filter((n, i) => n !== all[i + 1] - 1);
  return all.filter((n, i) => n !== all[i - 1] + 1).map((first, run) => [...new Set([first, ends[run]])].join(between));
}

/** The verdict in one line, and all that it is made of. */
function verdictOf({ listing, reading, fields, given, match, notes, said, own }) {
  const [x, { components, more }, { aside }, { dialect, wrapper }] = [dimsOf(fields), match, listing, reading];
  const expected = new Map(rowsOf(gpt2Of(x)).filter((row) => row.times).map((row) => [row.name, row.total]));
  const [total, parameters] = [expected, components].map((of) => sum([...of.values()]));
  const faults = [...new Map(match.faults.map((each) => [JSON.stringify(each), each])).values()];
  const agrees = [...expected].every(([name, count]) => (components.get(name) ?? 0n) === count);
  const matches = !faults.length && parameters === total && agrees;
  const several = (n, what) => `${grouped(n)} ${what}${Number(n) === 1 ? "" : "s"}`;
  const others = aside.length && `GPT-2 found under ${wrapper}, ${several(aside.length, "other tensor")} left aside`;
  const right = [
    `${grouped(total)} parameters in ${grouped(sum(tensorsOf(x).map((row) => row.times)))} tensors`,
    given ? "as the config says" : "as its own shapes imply; no config was given",
    dialect.whose,
    others || (wrapper && `behind the prefix ${wrapper}`),
  ];
  const [names, wrong] = [[...new Set(faults.map(({ tensor }) => tensor))], faults.length + more];
  const rest = names.length > 3 ? ` and ${grouped(names.length - 3 + more)} more` : "";
  const first = names.slice(0, 3).map(shortened).join(", ") + rest;
  const all = wrong ? `${several(wrong, "thing")} ${wrong === 1 ? "is" : "are"} wrong: ${first}` : "the counts differ";
  const what = own === null ? all : `it has ${said.join(", ")}, by ${first}`;
  const counts = `${grouped(own ?? parameters)} parameters, expected ${grouped(total)}`;
  const count = own === null && parameters === total ? "as many parameters as expected" : counts;
  const part = own === null && wholeParts(reading, given, faults, match.all, x);
  const size = given ? `expected ${grouped(total)}` : "no config says what the whole is";
  const held = `it holds ${part} and nothing else (${grouped(parameters)} parameters, ${size})`;
  const isWrong = part ? `does not match the whole model: ${held}` : `does not match: ${what} (${count})`;
  const told = matches ? `matches: ${right.filter(Boolean).join(", ")}` : isWrong;
  const verdict = `${printable(listing.name)} ${told}`;
  return { fields, notes, faults, more, total, parameters, expected, matches, match, verdict };
}
