// How a stored head is tied, and the verdict, as gpt2calc.verification gives it.

const AT_ONCE = 4 * 2 ** 20;
const MOST_TURNED = 2n ** 29n;
const WORDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array };

/** Whether a stored head has wte's values, bit by bit; null where that cannot be told, and why. */
async function tying(wte, head) {
  const open = (reason) => ({ tied: null, reason });
  if (!head) return { tied: true, reason: "no second matrix is stored" };
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
      return differing(Math.floor(element / width), element % width);
    }
  }
  return null;
}

const differing = (row, column) => `they first differ in row ${grouped(row)}, column ${grouped(column)}`;

/** The same, of a head that is stored as [d, V]: both are read whole. */
async function turnedDifference(wte, head, rows) {
  const Words = WORDS[FORMAT.bits[wte.dtype] / 8];
  const read = async ({ file, offset, nbytes }) =>
    new Words((await bytesOf(file, Number(offset), Number(offset + nbytes))).buffer);
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
      notes.push(
        `${head.name} is stored beside ${wte.name}, and ${found.reason}: it is taken as ${tied ? "tied" : "untied"}`,
      );
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
  const { more } = match;
  const faults = distinct(match.faults);
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
