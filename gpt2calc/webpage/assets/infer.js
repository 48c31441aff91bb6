// From a listing to the config that it shows, as gpt2calc.verification.inference does: each tensor votes for the sizes
// in its shape, and the majority wins.

function inferred(listing, names) {
  const alike = names.map((reading) => inferredAs(listing, reading));
  return alike.reduce((one, other) => (fitting(listing, other) > fitting(listing, one) ? other : one));
}

function inferredAs(listing, reading) {
  const found = listing.tensors
    .map((tensor) => ({ tensor, ...reading.find(tensor.name) }))
    .filter(({ row }) => row && "component" in row);
  const votes = new Map();
  for (const { tensor, row } of found)
    for (const [field, size] of sizesIn(row, tensor.shape)) {
      if (!votes.has(field)) votes.set(field, []);
      votes.get(field).push(size);
    }
  const sizes = [...votes].map(([field, cast]) => [field, mostFrequent(tally(cast))]);
  const fields = { ...DEFAULTS, n_positions: 1n, vocab_size: 1n, ...Object.fromEntries(sizes) };
  Object.assign(fields, { n_layer: BigInt(blocksIn(found)) }, structureOf(found, reading));
  if (fields.n_inner === dimsOf({ ...fields, n_inner: null }).n_inner) fields.n_inner = null;
  return { reading, fields };
}

/** The sizes that a shape shows, read against the letters of the tensor table: 2304 over 3d is d = 768. */
function sizesIn(row, shape) {
  const axes = NAMES.axes[`${row.component}.${row.role}`];
  const seen = row.turned ? shape.toReversed() : shape;
  if (seen.length !== axes.length) return [];
  return axes
    .map((axis, place) => axis && [axis[0], BigInt(axis[1]), seen[place]])
    .filter((each) => each && (each[2] || NAMES.may_be_0.includes(each[0])) && each[2] % each[1] === 0n)
    .map(([field, factor, size]) => [field, size / factor]);
}

/** How many blocks there are: up to the last that has half as many tensors as the fullest, or more; one that is far above
 * the others is a stranger. */
function blocksIn(found) {
  const held = tally(found.filter(({ block }) => block !== null).map(({ block }) => block));
  const fullest = Math.max(0, ...held.values());
  const full = [...held].filter(([, tensors]) => 2 * tensors >= fullest).map(([block]) => block);
  full.sort((one, other) => one - other);
  return 1 + Math.max(-1, ...full.filter((block, place) => block < 2 * (place + 1) + NAMES.beyond));
}

/** The switches that the names show, each by the majority of the tensors that it decides on. */
function structureOf(found, { dialect }) {
  const held = tally(found.map(({ row }) => `${row.component}.${row.role}`));
  const number = (component, role = NAMES.weight) => held.get(`${component}.${role}`) ?? 0;
  const biased = [
    ...new Set(dialect.pieces.filter(({ role }) => role === NAMES.bias).map(({ component }) => component)),
  ];
  const has = (isOfQkv) => {
    const names = biased.filter((name) => /\.[cq]_attn$/.test(name) === isOfQkv);
    const count = (role) => names.reduce((all, name) => all + number(name, role), 0);
    return 2 * count(NAMES.bias) >= count(NAMES.weight);
  };
  const ofComponents = (isMeant) => found.filter(({ row }) => isMeant(row.component)).length;
  const crossed = ofComponents((name) => name.includes("cross"));
  const own = ofComponents((name) => ["attn.c_attn", "attn.c_proj"].includes(name));
  return {
    head: "lm",
    tie_word_embeddings: !number("lm_head"),
    bias: has(false),
    qkv_bias: has(true) === has(false) ? null : has(true),
    add_cross_attention: 2 * crossed >= own && own > 0 && crossed > 0,
    ...headIn(found, number),
  };
}

function headIn(found, number) {
  const heads = {
    classifier: "token_classification",
    score: "sequence_classification",
    qa_outputs: "question_answering",
  };
  for (const [component, head] of Object.entries(heads))
    if (number(component)) return { head, tie_word_embeddings: true };
  const summary = found.find(({ tensor, row }) => row.component.endsWith("summary") && tensor.shape.length === 2);
  if (!summary) return {};
  return { head: "double_heads", summary_proj_to_labels: summary.tensor.shape[0] === 1n };
}

function fitting(listing, { reading, fields }) {
  const x = dimsOf(fields);
  const expected = reading.expected(x);
  return listing.tensors.filter(({ name, shape }) => {
    const found = reading.find(name);
    const row = found && isInModel(found.block, x) && expected.get(found.row.template);
    return row && sameShape(row.shape, shape);
  }).length;
}

const sameShape = (one, other) => one.length === other.length && one.every((size, place) => size === other[place]);
