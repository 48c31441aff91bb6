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

/** A fault: what kind, of which tensor, why, what was expected, and what was got. */
const fault = (kind, tensor, message, expected, got) => ({ kind, tensor, message, expected, got });

/** How a file is refused: by a sentence with its name. */
const refusalOf = (name) => (problem) => refuse(`${printable(name)}: ${problem}`);

/** The JSON object that bytes are, of which every reader sees the same. */
function strictJson(name, bytes, what, deepest) {
  const no = (problem) => refusalOf(name)(`expected ${what} in JSON that all read alike, got another: ${problem}`);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    no("it is not UTF-8");
  }
  const document = attempt(() => readJson(text, deepest, true), no);
  return document instanceof Map ? document : no("it is no object");
}

/** What the header of a safetensors file says, once all of it is checked. */
async function readSafetensors(file) {
  const no = refusalOf(file.name);
  const header = await headerOf(file, no);
  await breath();
  const document = strictJson(file.name, header, "a header", FORMAT.deepest);
  const metadata = document.get("__metadata__") ?? new Map();
  if (!(metadata instanceof Map) || ![...metadata.values()].every((value) => typeof value === "string"))
    no("expected __metadata__ to be an object whose values are text, got another");
  document.delete("__metadata__");
  const [start, places] = [BigInt(8 + header.length), []];
  for (const [name, entry] of document) {
    await breath();
    places.push({ ...placeOf(name, entry, no), file });
  }
  const order = (one, other) => ["begin", "end", "name"].map((of) => inOrder(one[of], other[of])).find(Boolean) ?? 0;
  checkCover(places.sort(order), BigInt(file.size) - start, no);
  const tensors = places.map(({ begin, end, ...tensor }) => ({ ...tensor, nbytes: end - begin, offset: start + begin }));
  // A name under which the metadata says that a tensor is to be found as well is on one storage with it.
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const isName = (name) => name.includes(".") && characters(name).length <= FORMAT.longest_name && !stored.has(name);
  const others = [...metadata].filter(([name, kept]) => isName(name) && stored.has(kept));
  for (const [, kept] of others) stored.get(kept).storage = kept;
  tensors.push(...others.map(([name, kept]) => ({ ...stored.get(kept), name })));
  const framework = metadata.get("format") ?? "pt";
  const notes = [`its metadata says that it was saved as ${shown(framework)}, not as 'pt'`].slice(framework === "pt" ? 1 : 0);
  return { name: file.name, tensors, files: [file], faults: [], notes };
}

async function headerOf(file, no) {
  const first = await bytesOf(file, 0, 8);
  if (first.length < 8) no(`expected the 8 bytes with which a safetensors file begins, got a file of ${grouped(file.size)}`);
  const length = new DataView(first.buffer).getBigUint64(0, true); // a BigInt, since it may be over 2^53
  const [rest, most] = [file.size - 8, FORMAT.largest];
  if (length > rest) no(`expected a header of ${grouped(length)} bytes, as its first 8 bytes say, got ${grouped(rest)} bytes`);
  if (length > most) no(`expected a header of at most ${grouped(most)} bytes, got ${grouped(length)}`);
  const header = await bytesOf(file, 8, 8 + Number(length));
  return header[0] === 123 ? header : no(`expected a header that begins with '{', got another`);
}

/** Where one tensor lies, once its own entry is checked. */
function placeOf(name, entry, no) {
  const what = `tensor ${shown(name)}`;
  const must = (isRight, expected, got) => isRight || no(`expected ${expected}, got ${got}`);
  must(characters(name).length <= FORMAT.longest_name, `names of at most ${FORMAT.longest_name} characters`, "a longer one");
  const areThere = entry instanceof Map && FORMAT.keys.every((key) => entry.has(key));
  must(areThere, `dtype, shape and data_offsets for ${what}`, "not all of them");
  const [dtype, shape, offsets] = FORMAT.keys.map((key) => entry.get(key));
  must(Object.hasOwn(FORMAT.bits, dtype), `a dtype that the format knows for ${what}`, isFlat(dtype) ? shown(dtype) : "another");
  must(areWhole(shape), `a shape of whole numbers for ${what}`, isFlat(shape) ? shown(shape) : "another");
  must(areWhole(offsets) && offsets.length === 2, `two whole numbers as data_offsets of ${what}`, isFlat(offsets) ? shown(offsets) : "others");
  must(entry.size < 4 || [...entry.values()].every(isReadable), `${what} to have what the format's library can read`, "more");
  must(shape.length <= FORMAT.most_dims, `at most ${FORMAT.most_dims} sizes in the shape of ${what}`, grouped(shape.length));
  const [numel, bits, nbytes] = [shape.reduce((all, n) => all * n, 1n), BigInt(FORMAT.bits[dtype]), offsets[1] - offsets[0]];
  must(numel <= UINT64_MAX, `at most ${grouped(UINT64_MAX)} elements in ${what}`, "a larger shape");
  const needed = `${what} to have the bytes of ${grouped(numel)} elements of ${bits} bits`;
  must(numel * bits === 8n * nbytes, needed, `${grouped(nbytes)} bytes`);
  return { name, shape, dtype, numel, begin: offsets[0], end: offsets[1] };
}

const isFlat = (value) => !(value instanceof Map) && !(Array.isArray(value) && (value.length > 8 || !value.every(isFlat)));

const areWhole = (value) =>
  Array.isArray(value) && value.every((n) => typeof n === "bigint" && n >= 0n && n <= UINT64_MAX);

/** Whether the format's library reads a value that it does not use: no whole number over a float's. */
function isReadable(value) {
  if (value instanceof Map || Array.isArray(value)) return [...value.values()].every(isReadable);
  return typeof value !== "bigint" || absolute(value) < 2n ** 1024n;
}

/** Refuse tensors that, in the order of their bytes, do not fill all of the bytes after the header. */
function checkCover(places, count, no) {
  const reached = places.reduce((expected, { begin, end, name }) => {
    const where = `the bytes of tensor ${shown(name)} to begin at offset ${grouped(expected)} after the header`;
    if (begin !== expected) no(`expected ${where}, got ${begin > expected ? "a gap" : "an overlap"}: ${grouped(begin)}`);
    return end;
  }, 0n);
  if (reached !== count) no(`expected ${grouped(reached)} bytes of tensors, as its header says, got ${grouped(count)}`);
}

// Several files

/** What the shards of an index hold together; `files` are those that came with it. */
async function readIndex(file, files) {
  const no = refusalOf(file.name);
  if (file.size > FORMAT.largest) no(`expected an index of at most ${grouped(FORMAT.largest)} bytes, got ${grouped(file.size)}`);
  const document = strictJson(file.name, await bytesOf(file, 0, file.size), "an index", 900);
  const [map, metadata] = [document.get("weight_map"), document.has("metadata") ? document.get("metadata") : new Map()];
  if (!(map instanceof Map) || !map.size) no("expected an index with a weight_map of tensors and shards, got none");
  if (!(metadata instanceof Map)) no("expected metadata to be an object, got another");
  const isName = (shard) => typeof shard === "string" && !/^\.{0,2}$|[/\\:\0]|\.json$/i.test(shard);
  const shards = [...new Set(map.values())].sort();
  if (!shards.every(isName)) no("expected shards that hold tensors, in the index's own folder, got others");
  for (const [what, n, most] of [["tensors", map.size, FORMAT.most_tensors], ["shards", shards.length, FORMAT.most_shards]])
    if (n > most) no(`expected at most ${grouped(most)} ${what}, got ${grouped(n)}`);
  if ([...map.keys()].some((name) => characters(name).length > FORMAT.longest_name))
    no(`expected names of at most ${FORMAT.longest_name} characters, got a longer one`);
  const missing = shards.filter((shard) => !files.some(({ name }) => name === shard));
  const more = missing.length > 1 ? ` and ${grouped(missing.length - 1)} more` : "";
  if (missing.length) no(`expected the shard ${shown(missing[0])} beside it${more}: give the index and its shards together`);
  const [found, listings] = [new Map(), []];
  for (const shard of shards) {
    listings.push(await readSafetensors(files.find(({ name }) => name === shard)));
    for (const tensor of listings.at(-1).tensors)
      found.set(tensor.name, (found.get(tensor.name) ?? new Map()).set(shard, tensor));
    if (found.size > FORMAT.most_tensors) no(`expected at most ${grouped(FORMAT.most_tensors)} tensors in all shards, got more`);
  }
  const tensors = [...found].map(([name, places]) => places.get(map.get(name)) ?? [...places.values()][0]);
  const faults = misplaced(map, found);
  if (!faults.length) faults.push(...wrongSum(metadata.get("total_size") ?? null, tensors));
  const [count, parameters] = [sum(tensors.map(({ numel }) => numel)), metadata.get("total_parameters")];
  const said = `its index says ${parameters} parameters, and its shards hold ${grouped(count)} elements`;
  const notes = [...new Set(listings.flatMap((listing) => listing.notes))];
  if (typeof parameters === "bigint" && parameters !== count) notes.push(said);
  return { name: file.name, tensors, files: [file, ...listings.flatMap((listing) => listing.files)], faults, notes };
}

/** Each tensor is in one shard, the one that the index names, and the index names each. */
function misplaced(map, found) {
  const faults = [];
  for (const [name, places] of found) {
    const shards = [...places.keys()].map(shortened).join(", ");
    const twice = `expected it in one shard, got ${places.size}: ${shards}`;
    if (places.size > 1) faults.push(fault("duplicate", name, twice, "one shard", shards));
    const unnamed = `it is in ${shards}, and the index does not name it`;
    if (!map.has(name)) faults.push(fault("not_in_index", name, unnamed, "no tensor", shards));
  }
  for (const [name, shard] of map) {
    const [places, said] = [found.get(name) ?? new Map(), shortened(shard)];
    const got = [...places.keys()].map(shortened).join(", ") || "no shard";
    if (!places.has(shard)) faults.push(fault("not_in_shard", name, `the index says that it is in ${said}, got ${got}`, said, got));
  }
  return faults;
}

/** The fault of an index that gives a sum of bytes that no version of transformers would have written. */
function wrongSum(size, tensors) {
  const bits = (ofBool) => sum(tensors.map(({ dtype, numel, nbytes }) => (dtype === "BOOL" ? ofBool * numel : 8n * nbytes)));
  const said = size instanceof Real ? 8 * size.value : typeof size === "bigint" ? 8n * size : null;
  // == and not ===: older versions wrote fractions of bytes, and those are floats
  if (size === null || (said !== null && [8n, 1n].some((ofBool) => said == bits(ofBool)))) return [];
  const got = grouped(sum(tensors.map(({ nbytes }) => nbytes)));
  const expected = typeof size === "bigint" && absolute(size) < 2n ** 64n ? grouped(size) : isFlat(size) ? shown(size) : "others";
  const message = `expected ${expected} bytes, as the index says, got ${got} bytes in the shards`;
  return [fault("total_size", "all tensors", message, expected, got)];
}
