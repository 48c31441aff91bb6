// Shapes of a GPT-2 for a size that is asked for, ranked as gpt2calc.designs does, by the bounds that it printed.

const dimsOf = (fields) => gpt2calc.fromFields(new py.dict(Object.entries(fields)));

/** What a text asks for: a number of parameters to be near, or of bytes, in which the weights have to fit. */
function aimOf(text) {
  const count = gpt2calc.typed(text)?.whole ?? null;
  if (count !== null) return count > 0n ? near(count) : refuse(`expected 1 or more, got ${shown(text)}`);
  const [all, dtype = "bf16"] = /\s*(?:(?:in|of)\s+)?(fp32|fp16|bf16|int8|int4)\s*$/.exec(text) ?? [""];
  const [figure] = gpt2calc.readPrinted(text.slice(0, text.length - all.length));
  const { unit, kind } = [...figure.scales].find(({ name }) => !name) ?? {};
  const [top, below] = [figure.digits * (unit ?? 1n), figure.decimals];
  const [scaled, divisor] = [top * 10n ** (below < 0n ? -below : 0n), 10n ** (below > 0n ? below : 0n)];
  if (kind !== "bytes" || scaled % divisor) refuse(`expected a size such as 350M, 1.3B or 24 GB, got ${shown(text)}`);
  const bits = { fp32: 32n, int8: 8n, int4: 4n }[dtype] ?? 16n;
  const measure = (x) => above(bits * gpt2calc.totalOf(x), 8n);
  return { value: scaled / divisor, measure, isMost: true, dtype };
}

const near = (value) => ({ value, measure: gpt2calc.totalOf, isMost: false });

/** n_embd and n_layer of the family near a size: the median proportion of the three members that are nearest. */
function familyNear({ value, measure }) {
  const members = FACTS.design.members.map((name) => dimsOf(findPreset(name).all));
  const apart = (x) => (measure(x) > value ? [measure(x), value] : [value, measure(x)]);
  const nearest = members.sort((x, y) => compared(apart(x), apart(y))).slice(0, 3);
  const aspects = nearest.map(({ n_embd: d, n_layer: L }) => [d, L]);
  return aspects.sort(compared)[1];
}

/** The order of two fractions, each a numerator and a denominator. */
const compared = ([a, b], [c, d]) => inOrder(a * d, c * b);

const above = (a, b) => (a + b - 1n) / b;

/** The shapes that are ranked first: those that meet the target, those near to it in the order of the family's
 * proportions, then all others by distance. */
function shapesNear(x, target, { layers = FACTS.design.layers, aspect = FACTS.design.aspect, isNearest, top } = {}) {
  const { step, percent, most } = FACTS.design;
  const [{ value: goal, measure, isMost }, [wide, deep], count] = [target, familyNear(target), top ?? most];
  const [band, [least, deepest]] = [isNearest ? 0n : (goal * BigInt(percent)) / 100n, layers.map(BigInt)];
  const [found, nearest] = [[], []];
  const isFar = (distance) => distance > band && nearest.length >= count && distance > nearest.at(-1);
  for (let d = BigInt(step); !aspect || d <= BigInt(aspect[1]) * deepest; d += BigInt(step)) {
    // 1. The depths that go with a width; the first of them whose count reaches the target.
    const bounds = aspect ? [above(d, BigInt(aspect[1])), d / BigInt(aspect[0])] : [least, deepest];
    const [first, last] = [bounds[0] > least ? bounds[0] : least, bounds[1] < deepest ? bounds[1] : deepest];
    const m = above(d * x.n_inner, x.n_embd);
    const countAt = (L) => measure({ ...x, n_layer: L, n_embd: d, n_inner: m });
    if (first > last) continue;
    if (countAt(first) > goal && (isMost || isFar(countAt(first) - goal))) break; // wider is no nearer
    let [low, high] = [first, last + 1n];
    while (low < high) {
      const middle = (low + high) / 2n;
      if (countAt(middle) < goal) low = middle + 1n;
      else high = middle;
    }
    // 2. From there on either side, as long as shapes can be among those that are asked for.
    for (const [start, by] of [[low - 1n, -1n], [low, 1n]])
      for (let [L, taken] = [start, 0]; L >= first && L <= last; L += by, taken += 1) {
        const value = countAt(L);
        const distance = absolute(value - goal);
        if ((isMost && value > goal) || (taken >= count && distance > band) || isFar(distance)) break;
        nearest.push(distance);
        nearest.sort(inOrder).splice(count);
        const [ours, theirs] = [d * deep, L * wide];
        const factor = ours > theirs ? [ours, theirs] : [theirs, ours];
        const rank = isNearest || distance > band ? 2 : Number(distance > 0n);
        found.push({ n_layer: L, n_embd: d, n_inner: m, n_head: d / BigInt(step), value, distance, factor, rank });
      }
  }
  const byFactor = (a, b) => compared(a.factor, b.factor);
  const byDistance = (a, b) => inOrder(a.distance, b.distance);
  const either = (a, b) => (a.rank < 2 ? byFactor(a, b) || byDistance(a, b) : byDistance(a, b) || byFactor(a, b));
  found.sort((a, b) => a.rank - b.rank || either(a, b) || inOrder(a.n_layer, b.n_layer) || inOrder(a.n_embd, b.n_embd));
  return found.slice(0, count);
}

/** The fields of a config, with those of a shape. */
const shaped = (fields, { n_layer, n_embd, n_inner, n_head }) =>
  ({ ...fields, n_layer, n_embd, n_inner: n_inner === 4n * n_embd ? null : n_inner, n_head });

/** Fields of another depth with the width whose total is nearest to one that is held. */
function heldAt(fields, total) {
  const [L, x] = [fields.n_layer, dimsOf(fields)];
  const [shape] = L ? shapesNear(x, near(total), { layers: [L, L], aspect: null, isNearest: true, top: 1 }) : [];
  return shape ? shaped(fields, shape) : fields;
}
