// What takes longer than a person would wait for is answered by a worker, which runs the scripts that compute.

/** What a worker is asked for by name: each gives plain data. */
const ANSWERS = {};

if (typeof document === "undefined")
  onmessage = async ({ data: [turn, name, given] }) => {
    try {
      postMessage([turn, await ANSWERS[name](...given)]);
    } catch (error) {
      postMessage([turn, null, error.message]);
    }
  };

let worker = null;
const waiting = [];

/** Ask a worker, which is started when it is first asked; what it refuses is a Sentence. */
function ask(name, ...given) {
  if (!worker) {
    worker = new Worker(URL.createObjectURL(new Blob([core.text])));
    worker.onmessage = ({ data: [turn, answer, problem] }) =>
      problem === undefined ? waiting[turn].resolve(answer) : waiting[turn].reject(new Sentence(problem));
  }
  return new Promise((resolve, reject) => {
    worker.postMessage([waiting.length, name, given]);
    waiting.push({ resolve, reject });
  });
}

// A printed figure, 137M or 1.5B or 548 MB, and what it can count: Python's own search, over the GPT-2s that ship

const { models, axes, budget } = gpt2calc.explaining;
let shippedSearch = null;

/** The search over all that ship, made once. */
const everywhere = () => (shippedSearch ??= new gpt2calc.Search(models, axes, budget));

/** What a figure counts, of what ships and of other GPT-2s, each with its name. */
ANSWERS.explain = (text, others) => {
  const [figure] = gpt2calc.readPrinted(text);
  const named = others.map(([name, fields]) => [name, gpt2calc.fromFields(new py.dict(fields))]);
  const own = named.filter(([, dims]) => !models.some((each) => py.eq(each.counted, dims)));
  const candidates = own.map(([name, dims]) => new gpt2calc.Candidate([name], dims));
  const search = new gpt2calc.Search([...candidates, ...models], axes, budget);
  const ways = candidates.map(({ counted }) => new gpt2calc.Ways(counted, axes, budget));
  Object.defineProperty(search, "ways", { value: [...ways, ...everywhere().ways] });
  const found = gpt2calc.owned(gpt2calc.explained(search, figure, search.readings(figure)), []);
  const isRead = found.readings.length > 0;
  const rows = (isRead ? found.readings : found.nearest).map((reading) => {
    const { value, convention, sentence, rivals, fit, model } = reading;
    const met = isRead ? gpt2calc.fitInWords(fit) : "not";
    return { value, convention, sentence, fit: met, rivals: isRead ? String(rivals) : "", model: model.names[0] };
  });
  return { answer: gpt2calc.inShort(found), rows };
};

// Files that a person drops on the page, as Python's readers see files: read in a worker, where reading can wait

/** Where the shards of an index are: among what came with it. */
function located(index) {
  const missing = [...index.shards].filter((shard) => !py.dropped.has(shard));
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
  py.dropped.clear();
  for (const file of files) py.dropped.set(file.name, file);
  const document = config === null ? null : readJson(config, DEEPEST);
  return py.plain(gpt2calc.check([...py.dropped.keys()], document, origin));
};
