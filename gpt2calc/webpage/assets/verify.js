// How a stored head is tied, and the verdict, as gpt2calc.verification gives it.

const AT_ONCE = 4 * 2 ** 20;
const MOST_TURNED = 2n ** 29n;
const WORDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array };

/** Whether a stored head has wte's values, bit by bit; null where that cannot be told, and why. */
async function tying(wte, head) {
  const open = (reason) => ({ tied: null, reason });
  if (!head) return { tied: true, reason: "no second matrix is stored" };
  if (head.storage && head.storage === wte.storage) return { tied: true, reason: "both names are one storage" };
  for (const tensor of [wte, head])
    if (!FORMAT.plain.includes(tensor.dtype) || tensor.shape.length !== 2)
      return open(
        `${tensor.name} is no matrix of numbers of their own, but ${tensor.dtype} of ${tensor.shape.length} axes`,
      );
  if (wte.dtype !== head.dtype) return open(`${wte.name} is ${wte.dtype} and ${head.name} is ${head.dtype}`);
  if (!head.shape.includes(wte.shape[1]))
    return open(`their shapes are ${shapeText(wte.shape)} and ${shapeText(head.shape)}`);
  const larger = wte.nbytes > head.nbytes ? wte.nbytes : head.nbytes;
  if (larger > BigInt(NAMES.most_unasked)) {
    const size = NAMES.most_unasked / 2 ** 20;
    return open(`they are larger than ${size} MiB, so that only gpt2calc verify --tying compares them`);
  }
  const isTurned = head.shape[1] !== wte.shape[1];
  if (isTurned && head.nbytes + wte.nbytes > MOST_TURNED)
    return open("a head that is turned round is too large to compare here");
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
    let place = 0;
    while (place < length && ours[place] === theirs[place]) place += 1;
    if (place < length) {
      const element = Math.floor((from + place) / size);
      return differingAt(Math.floor(element / width), element % width);
    }
  }
  return null;
}

const differingAt = (row, column) => `they first differ in row ${grouped(row)}, column ${grouped(column)}`;

/** The same, of a head that is stored as [d, V]: both are read whole. */
async function turnedDifference(wte, head, rows) {
  const Words = WORDS[FORMAT.bits[wte.dtype] / 8];
  const read = async ({ file, offset, nbytes }) =>
    new Words((await bytesOf(file, Number(offset), Number(offset + nbytes))).buffer);
  const [ours, theirs] = await Promise.all([read(wte), read(head)]);
  const [width, step] = [Number(wte.shape[1]), Number(head.shape[1])];
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < width; column += 1)
      if (ours[row * width + column] !== theirs[column * step + row]) return differingAt(row, column);
  return null;
}

/** Verify files: a safetensors file, or an index with its shards; `given` are the fields of a config, or null, and
 * `maker` whose config it is, as `makerOf` says. */
async function verify(files, given = null, maker = "") {
  const index = files.find((file) => isIndex(file.name));
  const first = index ?? files.find((file) => !file.name.endsWith(".json"));
  const read = index ? await readIndex(index, files) : await readSafetensors(first);
  await breath();
  refuseBeside(read);
  const names = namesIn(read);
  await breath();
  const listing = given ? { ...read, aside: [] } : parted(read, names[0]);
  const shown = inferred(listing, names);
  await breath();
  const fields = { ...(given ?? shown.fields) };
  const reading = asBuilt(shown.reading, maker);
  let match = matched(listing, reading, dimsOf(fields));
  await breath();
  const said = differing(dimsOf(shown.fields), dimsOf(fields));
  const isResized = given && match.faults.length && said.length && reading === shown.reading;
  const own = isResized ? totalByShapes(listing, shown, fields) : null;
  const notes = [...listing.notes];
  if (reading !== shown.reading && match.faults.some(({ kind }) => kind === "shape"))
    notes.push(`its matrices lie ${NAMES.laid_out[shown.reading.dialect.name]}; what it is for keeps them turned`);
  notes.push(...otherDtypes(match));
  const { wte, head } = match;
  if (dimsOf(fields).lm_head && wte && head && (!given || fields.tie_word_embeddings)) {
    const found = await tying(wte, head);
    const tied = found.tied ?? (given ? fields.tie_word_embeddings : reading.dialect.head_is_copied);
    if (found.tied === null)
      notes.push(
        `${head.name} is stored beside ${wte.name}, and ${found.reason}: it is taken as ${tied ? "tied" : "untied"}`,
      );
    if (!given && tied !== fields.tie_word_embeddings) {
      fields.tie_word_embeddings = tied;
      match = matched(listing, reading, dimsOf(fields));
    }
    if (given && fields.tie_word_embeddings && !tied) {
      const message = `the config ties it, and its values are not those of ${wte.name}: ${found.reason}`;
      match.faults.push(fault("tying", head.name, message, "the same values", "other values"));
    }
  }
  return verdictOf({ listing, reading, fields, given: given !== null, match, notes, said, own });
}

/** Refuse packed matrices and adapters, which only the command line reads. */
function refuseBeside({ name, tensors }) {
  const found = tensors.find((each) => NAMES.packed.some((end) => `${each.name}.`.includes(`${end}.`)));
  if (found) throw new Unreadable(name, `it is packed or adapted, as ${shown(found.name)} shows: gpt2calc verify reads it`);
}

/** Let the page answer to something else before what takes long goes on. */
const breath = () => new Promise((next) => setTimeout(next, 0));

const isIndex = (name) => /\.index(\.[^./]+)?\.json$/.test(name);

/** How names that transformers and nanoGPT share are read by whoever would have to load the file. */
function asBuilt(reading, maker) {
  const isShared = Object.hasOwn(NAMES.laid_out, reading.dialect.name) && Object.hasOwn(NAMES.laid_out, maker);
  if (!isShared || reading.dialect.name === maker) return reading;
  const dialect = DIALECTS.find(({ name }) => name === maker);
  return new Reading(dialect, reading.wrapper, reading.prefix);
}

/** What the shapes say where the config says something else, field by field. */
function differing(shown, own) {
  const fields = [...NAMES.shown_by_shapes].filter((name) => shown[name] !== own[name]);
  const follows = ({ n_inner, n_embd }) => n_inner === 4n * n_embd; // it follows n_embd in both
  const kept = fields.filter((name) => name !== "n_inner" || !(follows(shown) && follows(own)));
  const text = (name, value) => (Object.hasOwn(FACTS.letters, name) ? grouped(value) : String(value === 1n));
  return kept.map((name) => `${name} ${text(name, shown[name])} and not ${text(name, own[name])}`);
}

/** What the model that the shapes show comes to, tied as the config ties it; null where more is wrong. */
function totalByShapes(listing, { reading, fields }, given) {
  const isTied = dimsOf(fields).lm_head && dimsOf(given).lm_head ? given.tie_word_embeddings : fields.tie_word_embeddings;
  const match = matched(listing, reading, dimsOf({ ...fields, tie_word_embeddings: isTied }));
  return match.faults.length ? null : sum([...match.components.values()]);
}

/** A note on each dtype beside the usual one, with the components that have it. */
function otherDtypes({ all, dtypes }) {
  if (dtypes.size < 2) return [];
  const usual = mostFrequent(dtypes);
  const found = new Map();
  for (const [name, { component }] of all.expected) {
    const { dtype } = all.own.get(name);
    if (dtype !== usual) found.set(dtype, (found.get(dtype) ?? new Set()).add(component));
  }
  return [...found].map(([dtype, names]) => `${dtype} in ${[...names].join(", ")}, where most tensors are ${usual}`);
}

/** The verdict in one line, and all that it is made of. */
function verdictOf({ listing, reading, fields, given, match, notes, said, own }) {
  const x = dimsOf(fields);
  const rows = rowsOf(gpt2Of(x)).filter((row) => row.times);
  const expected = new Map(rows.map((row) => [row.name, row.total]));
  const total = sum([...expected.values()]);
  const parameters = sum([...match.components.values()]);
  const { more } = match;
  const faults = distinct(match.faults);
  const agrees = [...expected].every(([name, count]) => (match.components.get(name) ?? 0n) === count);
  const matches = !faults.length && parameters === total && agrees;
  const whole = { listing, reading, fields, given, notes, faults, more, total, parameters, expected, matches, match };
  const found = { ...whole, said, own, part: wholeParts(whole, x) };
  return { ...found, verdict: matches ? isRight(found, x) : isWrong(found) };
}

const distinct = (faults) => [...new Map(faults.map((each) => [JSON.stringify(Object.values(each)), each])).values()];

function isRight({ listing, reading, total, given }, x) {
  const tensors = sum(tensorsOf(x).map((row) => row.times));
  const whose = given ? "as the config says" : "as its own shapes imply; no config was given";
  const { dialect, wrapper } = reading;
  const aside = listing.aside.length;
  const others = `GPT-2 found under ${wrapper}, ${grouped(aside)} other tensor${aside === 1 ? "" : "s"} left aside`;
  const named = [dialect.whose, aside ? others : wrapper && `behind the prefix ${wrapper}`].filter(Boolean);
  const what = `${grouped(total)} parameters in ${grouped(tensors)} tensors`;
  return `${printable(listing.name)} matches: ${[what, whose, ...named].join(", ")}`;
}

/** Which whole blocks and what else a file holds, where it lacks all of the rest; "" otherwise. */
function wholeParts({ reading, given, faults, match }, x) {
  const places = (names) =>
    new Set(names.map((name) => reading.find(name)).filter(Boolean).map(({ row, block }) => block ?? row.component));
  const [present, absent] = [[...match.all.own.keys()], faults.map(({ tensor }) => tensor)].map(places);
  const others = [...present].filter((place) => typeof place === "string").sort();
  const blocks = [...present].filter((place) => typeof place !== "string").map(Number).sort((a, b) => a - b);
  const lacks = [...absent].some((place) => typeof place !== "string");
  const isPart = absent.size && faults.every(({ kind }) => kind === "missing") && (lacks || !others.length);
  if (!isPart || !blocks.length || [...present].some((place) => absent.has(place))) return "";
  const starts = blocks.filter((block) => !blocks.includes(block - 1));
  const ends = blocks.filter((block) => !blocks.includes(block + 1));
  const runs = starts.map((first, i) => (first < ends[i] ? `${first} to ${ends[i]}` : first)).join(", ");
  return [`block${blocks.length > 1 ? "s" : ""} ${runs}${given ? ` of ${grouped(x.n_layer)}` : ""}`, ...others].join(", ");
}

function isWrong({ listing, faults, more, total, parameters, said, own, given, part }) {
  if (part && own === null) {
    const whole = given ? `expected ${grouped(total)}` : "no config says what the whole is";
    const parts = `it holds ${part} and nothing else (${grouped(parameters)} parameters, ${whole})`;
    return `${printable(listing.name)} does not match the whole model: ${parts}`;
  }
  const wrong = faults.length + more;
  const names = [...new Set(faults.map(({ tensor }) => tensor))];
  const others = names.length > 3 ? ` and ${grouped(names.length - 3 + more)} more` : "";
  const first = names.slice(0, 3).map(shortened).join(", ") + others;
  if (own !== null) {
    const count = `${grouped(own)} parameters, expected ${grouped(total)}`;
    return `${printable(listing.name)} does not match: it has ${said.join(", ")}, by ${first} (${count})`;
  }
  const what = wrong ? `${grouped(wrong)} thing${wrong === 1 ? " is" : "s are"} wrong: ${first}` : "the counts differ";
  const count =
    parameters === total
      ? "as many parameters as expected"
      : `${grouped(parameters)} parameters, expected ${grouped(total)}`;
  return `${printable(listing.name)} does not match: ${what} (${count})`;
}
