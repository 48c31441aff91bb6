// safetensors, and the index of a checkpoint in several files: from headers to a listing, as strictly as
// gpt2calc.checkpoints does. A file is a File or a Blob, of which the header is read and nothing else.

const FORMAT = FACTS.safetensors;
const UINT64_MAX = 2n ** 64n - 1n;

let heldSince = 0;

/** Let the page answer to something else, where what is done has held it for a while. */
async function breath() {
  if (performance.now() - heldSince < 25) return;
  await new Promise((next) => setTimeout(next, 0));
  heldSince = performance.now();
}

const bytesOf = async (file, from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());

/** A fault: what kind, of which tensor, what was expected, and what was got. */
const fault = (kind, tensor, expected, got) => ({ kind, tensor, expected, got });

/** How a file is refused: by a sentence with its name, on what was expected and what was got. */
const refusalOf = ({ name }) => (expected, got) => refuse(`${printable(name)}: expected ${expected}, got ${got}`);

/** What must be there, in turn: whether it is, what it is, and what was got. */
function must(no, ...rows) {
  for (const [isRight, expected, got = "another"] of rows) if (!isRight()) no(expected, got);
}

/** The JSON object that bytes are, of which every reader sees the same. */
async function strictJson(file, bytes, what, deepest) {
  const no = (problem) => refusalOf(file)(`${what} in JSON that all read alike`, `another: ${problem}`);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = attempt(() => decoder.decode(bytes), () => no("it is not UTF-8"), TypeError);
  const steps = readingJson(text, deepest, true);
  let step = attempt(() => steps.next(), no);
  while (!step.done) {
    await breath();
    step = attempt(() => steps.next(), no);
  }
  return step.value instanceof Map ? step.value : no("it is no object");
}

/** What the header of a safetensors file says, once all of it is checked. */
async function readSafetensors(file) {
  const [no, first, most] = [refusalOf(file), await bytesOf(file, 0, 8), FORMAT.largest];
  if (first.length < 8) no("the 8 bytes with which a safetensors file begins", `a file of ${grouped(file.size)}`);
  const length = new DataView(first.buffer).getBigUint64(0, true); // a BigInt, since it may be over 2^53
  const rest = file.size - 8;
  const header = length > most ? [] : await bytesOf(file, 8, 8 + Number(length));
  must(no,
    [() => length <= rest, `a header of ${grouped(length)} bytes, as its first 8 bytes say`, grouped(rest)],
    [() => length <= most, `a header of at most ${grouped(most)} bytes`, grouped(length)],
    [() => header[0] === 123, "a header that begins with '{'"],
  );
  await breath();
  const document = await strictJson(file, header, "a header", FORMAT.deepest);
  const metadata = document.get("__metadata__") ?? new Map();
  const isText = () => metadata instanceof Map && [...metadata.values()].every((value) => typeof value === "string");
  must(no, [isText, "__metadata__ to be an object whose values are text"]);
  document.delete("__metadata__");
  const [start, places] = [BigInt(8 + header.length), []];
  for (const [name, entry] of document) {
    await breath();
    places.push({ ...placeOf(name, entry, no), file });
  }
  places.sort((a, b) => inOrder(a.begin, b.begin) || inOrder(a.end, b.end) || inOrder(a.name, b.name));
  const reached = places.reduce((next, { begin, end, name }) => {
    const where = `the bytes of tensor ${shown(name)} to begin at offset ${grouped(next)} after the header`;
    return begin === next ? end : no(where, `${begin > next ? "a gap" : "an overlap"}: ${grouped(begin)}`);
  }, 0n);
  const count = BigInt(file.size) - start;
  if (reached !== count) no(`${grouped(reached)} bytes of tensors, as its header says`, grouped(count));
  const placed = ({ begin, end, ...tensor }) => ({ ...tensor, nbytes: end - begin, offset: start + begin });
  const tensors = places.map(placed);
  // A name under which the metadata says that a tensor is to be found as well is on one storage with it.
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const isName = (name) => name.includes(".") && characters(name).length <= FORMAT.longest_name && !stored.has(name);
  const others = [...metadata].filter(([name, kept]) => isName(name) && stored.has(kept));
  for (const [, kept] of others) stored.get(kept).storage = kept;
  tensors.push(...others.map(([name, kept]) => ({ ...stored.get(kept), name })));
  const framework = metadata.get("format") ?? "pt";
  const notes = [`its metadata says that it was saved as ${shown(framework)}, not as 'pt'`];
  return { name: file.name, tensors, files: [file], faults: [], notes: framework === "pt" ? [] : notes };
}

/** Where one tensor lies, once its own entry is checked. */
function placeOf(name, entry, no) {
  const [what, longest] = [`tensor ${shown(name)}`, FORMAT.longest_name];
  const [dtype, shape, offsets] = FORMAT.keys.map((key) => (entry instanceof Map ? entry.get(key) : undefined));
  const isSize = (n) => typeof n === "bigint" && n >= 0n && n <= UINT64_MAX;
  const areWhole = (value) => Array.isArray(value) && value.every(isSize);
  must(no,
    [() => characters(name).length <= longest, `names of at most ${longest} characters`, "a longer one"],
    [() => ![dtype, shape, offsets].includes(undefined), `dtype, shape and data_offsets for ${what}`, "not all"],
    [() => typeof dtype === "string" && Object.hasOwn(FORMAT.bits, dtype), `a dtype that the format knows for ${what}`],
    [() => areWhole(shape), `a shape of whole numbers for ${what}`],
    [() => areWhole(offsets) && offsets.length === 2, `two whole numbers as data_offsets of ${what}`, "others"],
    [() => shape.length <= FORMAT.most_dims, `at most ${FORMAT.most_dims} sizes in the shape of ${what}`, "more"],
  );
  const [numel, bits, [begin, end]] = [shape.reduce((all, n) => all * n, 1n), BigInt(FORMAT.bits[dtype]), offsets];
  const needed = `${what} to have the bytes of ${grouped(numel)} elements of ${bits} bits`;
  must(no,
    [() => numel <= UINT64_MAX, `at most ${grouped(UINT64_MAX)} elements in ${what}`, "a larger shape"],
    [() => numel * bits === 8n * (end - begin), needed, `${grouped(end - begin)} bytes`],
  );
  return { name, shape, dtype, numel, begin, end };
}

/** What the shards of an index hold together; `files` are those that came with it. */
async function readIndex(file, files) {
  const [no, most] = [refusalOf(file), FORMAT.largest];
  if (file.size > most) no(`an index of at most ${grouped(most)} bytes`, grouped(file.size));
  const document = await strictJson(file, await bytesOf(file, 0, file.size), "an index", 900);
  const metadata = document.has("metadata") ? document.get("metadata") : new Map();
  const map = document.get("weight_map");
  const isObject = map instanceof Map && map.size > 0;
  const shards = isObject ? [...new Set(map.values())].sort() : [];
  const isName = (shard) => typeof shard === "string" && !/^\.{0,2}$|[/\\:\0]|\.json$/i.test(shard);
  const missing = shards.filter((shard) => !files.some(({ name }) => name === shard));
  const more = missing.length > 1 ? ` and ${grouped(missing.length - 1)} more` : "";
  must(no,
    [() => isObject, "an index with a weight_map of tensors and shards", "none"],
    [() => metadata instanceof Map, "metadata to be an object"],
    [() => shards.every(isName), "shards that hold tensors, in the index's own folder", "others"],
    [() => map.size <= FORMAT.most_tensors, `at most ${grouped(FORMAT.most_tensors)} tensors`, grouped(map.size)],
    [() => shards.length <= FORMAT.most_shards, `at most ${FORMAT.most_shards} shards`, grouped(shards.length)],
    [() => !missing.length, `the shard ${shown(missing[0])} beside it${more}`, "the index without it"],
  );
  const [found, listings] = [new Map(), []];
  for (const shard of shards) {
    listings.push(await readSafetensors(files.find(({ name }) => name === shard)));
    for (const tensor of listings.at(-1).tensors)
      found.set(tensor.name, (found.get(tensor.name) ?? new Map()).set(shard, tensor));
    if (found.size > FORMAT.most_tensors) no(`at most ${grouped(FORMAT.most_tensors)} tensors in all shards`, "more");
  }
  // Each tensor is in one shard, the one that the index names, and the index names each.
  const faults = [...new Set([...found.keys(), ...map.keys()])].flatMap((name) => {
    const [places, shard] = [found.get(name) ?? new Map(), map.get(name)];
    const got = [...places.keys()].map(shortened).join(", ") || "no shard";
    const twice = places.size > 1 ? [fault("duplicate", name, "it in one shard", got)] : [];
    if (shard === undefined) return [...twice, fault("not_in_index", name, "the index to name it", got)];
    return places.has(shard) ? twice : [...twice, fault("not_in_shard", name, `it in ${shortened(shard)}`, got)];
  });
  const tensors = [...found].map(([name, places]) => places.get(map.get(name)) ?? [...places.values()][0]);
  const [size, bytes] = [metadata.get("total_size") ?? null, sum(tensors.map(({ nbytes }) => nbytes))];
  const [bools, said] = [tensors.filter(({ dtype }) => dtype === "BOOL"), size instanceof Real ? size.value : size];
  // Versions of transformers differ: a truth value was one of 8 bits, or an eighth of a byte, and so a float.
  const isSum = [0n, 7n].some((less) => Number(said) * 8 == 8n * bytes - less * sum(bools.map(({ numel }) => numel)));
  if (!faults.length && size !== null && !(isSum && typeof said !== "string"))
    faults.push(fault("total_size", "all tensors", `${shown(size)} bytes, as the index says`, grouped(bytes)));
  const [count, parameters] = [sum(tensors.map(({ numel }) => numel)), metadata.get("total_parameters")];
  const notes = [...new Set(listings.flatMap((listing) => listing.notes))];
  if (typeof parameters === "bigint" && parameters !== count)
    notes.push(`its index says ${parameters} parameters, and its shards hold ${grouped(count)} elements`);
  return { name: file.name, tensors, files: [file, ...listings.flatMap((listing) => listing.files)], faults, notes };
}
