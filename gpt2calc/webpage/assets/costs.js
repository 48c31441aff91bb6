// What running a model holds and computes is what gpt2calc.costs.serving says; here is what it is asked.

/** What is asked about, as people type it, over what is usual. */
const COSTS = { seq: "", batch: "1", dtype: "bf16", kv: "", memory: "24 GB" };

/** How many tokens a sequence has where nobody says it: as many as the model takes, where its config says that. */
const usualTokens = ({ counted, of_files: document }) =>
  counted instanceof gpt2calc.Dims ? counted.n_positions : (gpt2calc.longest(document)[1] ?? 4096n);

function askedOf({ seq, batch, dtype, kv }, source) {
  const typed = (text) => (text.trim() ? (gpt2calc.typed(text)?.whole ?? text) : null);
  const asked = { seq: typed(seq) ?? usualTokens(source), batch: typed(batch), dtype, kv_dtype: kv || null };
  return new gpt2calc.py.dict(Object.entries(asked));
}

const heldBy = (source, asked) => new gpt2calc.Serving(source.counted, source.of_files, asked, source.name);

/** The source of a config. */
function sourceOf(config) {
  const { py } = gpt2calc;
  const { type, fields, beside, model } = config;
  if (type === "gpt2") {
    const counted = new gpt2calc.Dims(...Object.values(model.sizes));
    return { name: titleOf(config), counted, given: new py.dict(), of_files: new py.dict() };
  }
  const own = (value) => (Array.isArray(value) ? value.map(own) : value instanceof Map ? new py.dict([...value].map((pair) => pair.map(own))) : value);
  const document = Object.entries({ model_type: type, ...beside, ...fields }).map(([name, value]) => [name, own(value)]);
  return gpt2calc.fromDocument(new py.dict(document), titleOf(config));
}
