// safetensors, and the index of a checkpoint in several files: from headers to a listing, as strictly as
// gpt2calc.checkpoints does. A file is a File or a Blob, of which the header is read and nothing else.

const FORMAT = FACTS.safetensors;
const UINT64_MAX = 2n ** 64n - 1n;

/** What cannot be read, with the name of the file. */
class Unreadable extends Sentence {
  constructor(name, problem) {
    super(`${printable(name)}: ${problem}`);
    this.problem = problem;
  }
}

const bytesOf = async (file, from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());

/** The JSON object that bytes are, of which every reader sees the same. */
function strictJson(name, bytes, what, deepest) {
  const refuse = (problem) => {
    throw new Unreadable(name, problem);
  };
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(`expected ${what} in UTF-8, got other bytes`);
  }
  try {
    const document = readJson(text, { deepest, constants: false });
    return document instanceof Map ? document : refuse(`expected ${what} that is a JSON object, got ${brief(document)}`);
  } catch (error) {
    if (error instanceof Unreadable || !(error instanceof Sentence)) throw error;
    return refuse(`expected ${what} in JSON that all read alike, got another: ${error.message}`);
  }
}

/** What a message shows of a value, however deep and long it is. */
function brief(value) {
  if (value instanceof Map) return "an object";
  const isOfMany =
    Array.isArray(value) && (value.length > 8 || value.some((x) => x instanceof Map || Array.isArray(x)));
  return isOfMany ? "an array of others" : shown(value);
}

/** What the header of a safetensors file says, once all of it is checked. */
async function readSafetensors(file) {
  const refuse = (problem) => {
    throw new Unreadable(file.name, problem);
  };
  const header = await headerOf(file, refuse);
  const document = strictJson(file.name, header, "a header", FORMAT.deepest);
  const metadata = metadataOf(document.get("__metadata__"), refuse);
  document.delete("__metadata__");
  checkLengths(document.keys(), refuse);
  const start = BigInt(8 + header.length);
  const places = [...document].map(([name, entry]) => placeOf(name, entry, refuse)).sort(byPlace);
  checkCover(places, BigInt(file.size) - start, refuse);
  const tensors = places.map(({ begin, end, ...tensor }) => ({
    ...tensor,
    nbytes: end - begin,
    file,
    offset: start + begin,
  }));
  const named = withOtherNames(tensors, metadata);
  return { name: file.name, format: "safetensors", tensors: named, files: [file], faults: [], notes: notesOf(metadata) };
}

async function headerOf(file, refuse) {
  const first = await bytesOf(file, 0, 8);
  if (first.length < 8)
    refuse(`expected the 8 bytes with which a safetensors file begins, got a file of ${grouped(file.size)}`);
  // A BigInt: as a number, a length over 2^53 would be rounded.
  const length = new DataView(first.buffer).getBigUint64(0, true);
  const rest = BigInt(file.size - 8);
  if (length > rest)
    refuse(`expected a header of ${grouped(length)} bytes, as its first 8 bytes say, got ${grouped(rest)} bytes`);
  if (length > BigInt(FORMAT.largest))
    refuse(`expected a header of at most ${grouped(FORMAT.largest)} bytes, got ${grouped(length)}`);
  const header = await bytesOf(file, 8, 8 + Number(length));
  const letter = header.length ? String.fromCharCode(header[0]) : "";
  if (letter !== "{") refuse(`expected a header that begins with '{', got ${shown(letter)}`);
  return header;
}

/** The free text that a header may carry. */
function metadataOf(metadata, refuse) {
  if (metadata === undefined || metadata === null) return new Map();
  if (!(metadata instanceof Map) || ![...metadata.values()].every((value) => typeof value === "string"))
    refuse("expected __metadata__ to be an object whose values are text, got another");
  return metadata;
}

/** Add the names under which the metadata says that a tensor is to be found as well, on one storage with it. */
function withOtherNames(tensors, metadata) {
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const others = [...metadata].filter(([name, kept]) => {
    const isName = name.includes(".") && characters(name).length <= FORMAT.longest_name;
    return isName && stored.has(kept) && !stored.has(name);
  });
  // Set on the tensor itself before it is copied, so that both have the one storage.
  for (const [, kept] of others) stored.get(kept).storage = kept;
  return [...tensors, ...others.map(([name, kept]) => ({ ...stored.get(kept), name }))];
}

/** Say where the metadata names another framework than PyTorch. */
function notesOf(metadata) {
  const framework = metadata.get("format") ?? "pt";
  return framework === "pt" ? [] : [`its metadata says that it was saved as ${shown(framework)}, not as 'pt'`];
}

function checkLengths(names, refuse) {
  const longest = [...names].reduce((most, name) => Math.max(most, characters(name).length), 0);
  if (longest > FORMAT.longest_name)
    refuse(`expected names of at most ${FORMAT.longest_name} characters, got one of ${grouped(longest)}`);
}

/** Where one tensor lies, once its own entry is checked. */
function placeOf(name, entry, refuse) {
  const what = `tensor ${shown(name)}`;
  const isObject = entry instanceof Map;
  if (!isObject || !FORMAT.keys.every((key) => entry.has(key))) {
    const got = isObject ? FORMAT.keys.filter((key) => entry.has(key)).join(", ") : brief(entry);
    refuse(`expected dtype, shape and data_offsets for ${what}, got ${got || "none of them"}`);
  }
  const [dtype, shape, offsets] = FORMAT.keys.map((key) => entry.get(key));
  if (typeof dtype !== "string" || !Object.hasOwn(FORMAT.bits, dtype))
    refuse(`expected a dtype that the format knows for ${what}, got ${brief(dtype)}`);
  if (!areWhole(shape)) refuse(`expected a shape of whole numbers for ${what}, got ${brief(shape)}`);
  if (!areWhole(offsets) || offsets.length !== 2)
    refuse(`expected two whole numbers as data_offsets of ${what}, got ${brief(offsets)}`);
  if (entry.size > 3 && ![...entry.values()].every(isReadable))
    refuse(`expected ${what} to have what the format's library can read, got more`);
  if (shape.length > FORMAT.most_dims)
    refuse(`expected at most ${FORMAT.most_dims} sizes in the shape of ${what}, got ${grouped(shape.length)}`);
  let numel = 1n;
  // Checked after each factor, so that many sizes cannot make a number of many digits.
  for (const n of shape) {
    numel *= n;
    if (numel > UINT64_MAX)
      refuse(`expected at most ${grouped(UINT64_MAX)} elements in ${what}, got a larger shape`);
  }
  const [begin, end] = offsets;
  const bits = BigInt(FORMAT.bits[dtype]);
  if (numel * bits !== 8n * (end - begin)) {
    const needed = `the bytes of ${grouped(numel)} elements of ${bits} bits`;
    refuse(`expected ${what} to have ${needed}, got ${grouped(end - begin)} bytes`);
  }
  return { name, shape, dtype, numel, begin, end };
}

const areWhole = (value) =>
  Array.isArray(value) && value.every((n) => typeof n === "bigint" && n >= 0n && n <= UINT64_MAX);

/** Whether the format's library reads a value that it does not use: no whole number over a float's. */
function isReadable(value) {
  if (value instanceof Map) return [...value.values()].every(isReadable);
  if (Array.isArray(value)) return value.every(isReadable);
  return typeof value !== "bigint" || absolute(value) < 2n ** 1024n;
}

function byPlace(one, other) {
  const order = (a, b) => (a < b ? -1 : Number(a > b));
  return order(one.begin, other.begin) || order(one.end, other.end) || order(one.name, other.name);
}

/** Refuse tensors that, in the order of their bytes, do not fill all of the bytes after the header. */
function checkCover(places, count, refuse) {
  let expected = 0n;
  for (const { begin, end, name } of places) {
    if (begin !== expected) {
      const gap = begin > expected ? "a gap" : "an overlap";
      const where = `offset ${grouped(expected)} after the header`;
      refuse(`expected the bytes of tensor ${shown(name)} to begin at ${where}, got ${gap}: ${grouped(begin)}`);
    }
    expected = end;
  }
  if (expected !== count)
    refuse(`expected ${grouped(expected)} bytes of tensors, as its header says, got ${grouped(count)}`);
}

// Several files

/** What the shards of an index hold together; `files` are those that came with it. */
async function readIndex(file, files) {
  const refuse = (problem) => {
    throw new Unreadable(file.name, problem);
  };
  if (file.size > FORMAT.largest)
    refuse(`expected an index of at most ${grouped(FORMAT.largest)} bytes, got ${grouped(file.size)}`);
  const index = indexOf(strictJson(file.name, await bytesOf(file, 0, file.size), "an index", 900), refuse);
  const missing = index.shards.filter((shard) => !files.some((other) => other.name === shard));
  if (missing.length) {
    const more = missing.length > 1 ? ` and ${grouped(missing.length - 1)} more` : "";
    refuse(`expected the shard ${shown(missing[0])} beside it${more}: give the index and its shards together`);
  }
  const found = new Map();
  const listings = [];
  let count = 0;
  for (const shard of index.shards) {
    const listing = await readSafetensors(files.find((other) => other.name === shard));
    listings.push(listing);
    count += listing.tensors.length;
    if (count > FORMAT.most_tensors)
      refuse(`expected at most ${grouped(FORMAT.most_tensors)} tensors in all shards, got ${grouped(count)}`);
    for (const tensor of listing.tensors) {
      if (!found.has(tensor.name)) found.set(tensor.name, new Map());
      found.get(tensor.name).set(shard, tensor);
    }
  }
  return merged(file, index, found, listings);
}

function indexOf(document, refuse) {
  const map = document.get("weight_map") ?? null;
  const metadata = document.get("metadata") ?? (document.has("metadata") ? null : new Map());
  if (!(map instanceof Map) || !map.size)
    refuse(`expected an index with a weight_map of tensors and shards, got ${brief(map)} as weight_map`);
  if (map.size > FORMAT.most_tensors)
    refuse(`expected at most ${grouped(FORMAT.most_tensors)} tensors, got ${grouped(map.size)}`);
  if (!(metadata instanceof Map)) refuse(`expected metadata to be an object, got ${brief(metadata)}`);
  checkLengths(map.keys(), refuse);
  for (const [tensor, shard] of map)
    if (typeof shard !== "string")
      refuse(`expected the name of a shard for tensor ${shown(tensor)}, got ${brief(shard)}`);
  const shards = [...new Set(map.values())].sort();
  if (shards.length > FORMAT.most_shards)
    refuse(`expected at most ${grouped(FORMAT.most_shards)} shards, got ${grouped(shards.length)}`);
  for (const shard of shards) {
    if (["", ".", ".."].includes(shard) || /[/\\:\0]/.test(shard))
      refuse(`expected shards in the index's own folder, got ${shown(shard)}`);
    if (shard.toLowerCase().endsWith(".json")) refuse(`expected shards that hold tensors, got ${shown(shard)}`);
  }
  return { map, shards, size: metadata.get("total_size"), parameters: metadata.get("total_parameters") };
}

/** Each tensor is in one shard, the one that the index names, and the index names each. */
function merged(file, index, found, listings) {
  const tensors = [...found].map(([name, places]) => places.get(index.map.get(name)) ?? [...places.values()][0]);
  const faults = misplaced(index, found);
  if (!faults.length) faults.push(...wrongSum(index, tensors));
  const count = sum(tensors.map((tensor) => tensor.numel));
  const wrong = typeof index.parameters === "bigint" && index.parameters !== count;
  const said = `its index says ${index.parameters} parameters, and its shards hold ${grouped(count)} elements`;
  return {
    name: file.name,
    format: "safetensors",
    tensors,
    files: [file, ...listings.flatMap((listing) => listing.files)],
    faults,
    notes: [...new Set(listings.flatMap((listing) => listing.notes)), ...(wrong ? [said] : [])],
  };
}

function misplaced(index, found) {
  const faults = [];
  for (const [name, places] of found) {
    const shards = [...places.keys()].map(shortened).join(", ");
    if (places.size > 1)
      faults.push(
        fault("duplicate", name, `expected it in one shard, got ${places.size}: ${shards}`, "one shard", shards),
      );
    if (!index.map.has(name))
      faults.push(
        fault("not_in_index", name, `it is in ${shards}, and the index does not name it`, "no tensor", shards),
      );
  }
  for (const [name, shard] of index.map) {
    const places = found.get(name) ?? new Map();
    if (places.has(shard)) continue;
    const got = [...places.keys()].map(shortened).join(", ") || "no shard";
    const said = shortened(shard);
    faults.push(fault("not_in_shard", name, `the index says that it is in ${said}, got ${got}`, said, got));
  }
  return faults;
}

/** The fault of an index that gives a sum of bytes that no version of transformers would have written. */
function wrongSum({ size }, tensors) {
  if (size === undefined || size === null) return [];
  const bits = (ofBool) => sum(tensors.map((each) => (each.dtype === "BOOL" ? ofBool * each.numel : 8n * each.nbytes)));
  const said = size instanceof Real ? 8 * size.value : typeof size === "bigint" ? 8n * size : null;
  // == and not ===: older versions wrote fractions of bytes, and those are floats
  if (said !== null && [8n, 1n].some((ofBool) => said == bits(ofBool))) return [];
  const got = grouped(sum(tensors.map((each) => each.nbytes)));
  const expected = typeof size === "bigint" && absolute(size) < 2n ** 64n ? grouped(size) : brief(size);
  const message = `expected ${expected} bytes, as the index says, got ${got} bytes in the shards`;
  return [fault("total_size", "all tensors", message, expected, got)];
}

const fault = (kind, tensor, message, expected = "", got = "") => ({ kind, tensor, message, expected, got });
