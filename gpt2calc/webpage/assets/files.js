// The files that a person drops on the page, as Python's readers see files: read in a worker, where reading can wait.

const dropped = new Map();

/** A file among those that were dropped. */
class Dropped extends py.Thing {
  __init__(path) {
    const file = dropped.get(path);
    Object.assign(this, { name: path, file, size: BigInt(file.size), identity: [path] });
  }
  read(offset, count) {
    const part = this.file.slice(Number(offset), Number(offset + count));
    return attempt(() => new Uint8Array(new FileReaderSync().readAsArrayBuffer(part)), (told) => {
      throw new Unreadable(this.name, `cannot be read: ${told}`);
    }, DOMException);
  }
}

/** Where the shards of an index are: among what came with it. */
function located(index) {
  const missing = [...index.shards].filter((shard) => !dropped.has(shard));
  const more = missing.length > 1 ? ` and ${grouped(missing.length - 1)} more` : "";
  if (missing.length)
    throw new Unreadable(index.name, `expected the shard ${shown(missing[0])} beside it${more}, got the index without it`);
  return new py.dict([...index.shards].map((shard) => [shard, [shard, [shard]]]));
}

const DEEPEST = 900;

/** The JSON object that bytes are, of which every reader sees the same. */
function strictJson(name, bytes, what) {
  const no = (problem) => {
    throw new Unreadable(name, `expected ${what} in JSON that all read alike, got another: ${problem}`);
  };
  const text = attempt(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), () => no("it is not UTF-8"), TypeError);
  const found = attempt(() => readJson(text, DEEPEST, true), no);
  return found instanceof py.dict ? found : no("it is no object");
}

/** What Python says of files, as plain data; `config` is the text of the config.json that they are held against. */
ANSWERS.check = (files, config, origin) => {
  dropped.clear();
  for (const file of files) dropped.set(file.name, file);
  const document = config === null ? null : readJson(config, DEEPEST);
  return py.plain(gpt2calc.check([...dropped.keys()], document, origin));
};
