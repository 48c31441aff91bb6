// What running a model holds and computes is what gpt2calc.costs.serving says; here is what it is asked.

/** What is asked about, as people type it, over what is usual. */
const COSTS = { seq: "", batch: "1", dtype: "bf16", kv: "", memory: "24 GB" };

function askedOf({ seq, batch, dtype, kv }, source) {
  const typed = (text) => (text.trim() ? (gpt2calc.typed(text)?.whole ?? text) : null);
  const asked = { seq: typed(seq) ?? gpt2calc.usualTokens(source), batch: typed(batch), dtype, kv_dtype: kv || null };
  return new py.dict(Object.entries(asked));
}

const heldBy = (source, asked) => new gpt2calc.Serving(source.counted, source.of_files, asked, source.name);
