// A listing held against the tensors that a config has, as gpt2calc.verification does: what is missing, unexpected, of
// another shape or dtype, and what the stored bytes are.

/** The tensors of a listing by what they are: the model's own, masks, a tied head's copy, and strangers. */
function sorted(listing, reading, x) {
  const rows = listing.tensors.map((tensor) => ({ tensor, found: reading.find(tensor.name) }));
  const last = Math.max(-1, ...rows.map(({ found }) => found?.block ?? -1));
  const blocks = x.n_layer > BigInt(last + 1 + NAMES.beyond) ? last + 1 + NAMES.beyond : Number(x.n_layer);
  const expected = reading.expected(x, blocks);
  const isTied = Boolean(x.lm_head && x.tie_word_embeddings);
  const all = { listing, reading, x, blocks, expected, own: new Map(), extras: [], strangers: [], copy: null };
  for (const { tensor, found } of rows) {
    if (expected.has(tensor.name)) all.own.set(tensor.name, tensor);
    else if (found && "what" in found.row) all.extras.push({ tensor, extra: found.row });
    else if (found && isTied && found.row.component === "lm_head")
      Object.assign(all, { copy: tensor, copyRow: found.row });
    else all.strangers.push(tensor);
  }
  return all;
}

const storedOf = (all, component) =>
  [...all.own.values()].find((tensor) => all.expected.get(tensor.name).component === component) ?? null;

/** How many rows of a matrix of the vocabulary only pad it. */
function paddedRows({ x, reading }, component, shape) {
  if (!reading.dialect.pads_vocabulary || !["wte", "lm_head"].includes(component) || shape.length !== 2) return 0n;
  const [rows, width] = shape;
  const most = x.vocab_size + BigInt(NAMES.most_padded);
  const pads = width === x.n_embd && rows % BigInt(NAMES.multiple) === 0n && rows > x.vocab_size && rows < most;
  return pads ? rows - x.vocab_size : 0n;
}

function matched(listing, reading, x) {
  const all = sorted(listing, reading, x);
  const faults = [
    ...missingIn(all),
    ...strangersIn(all),
    ...wrongShapes(all),
    ...wrongDtypes(all),
    ...wrongMasks(all),
    ...wrongCopy(all),
    ...listing.faults,
  ];
  const components = new Map();
  for (const [name, tensor] of all.own) {
    const { component } = all.expected.get(name);
    const padding = paddedRows(all, component, tensor.shape) * x.n_embd;
    components.set(component, (components.get(component) ?? 0n) + tensor.numel - padding);
  }
  const dtypes = tally([...all.own.values()].map((tensor) => tensor.dtype));
  const [wte, head] = [storedOf(all, "wte"), all.copy ?? storedOf(all, "lm_head")];
  return { all, faults, components, dtypes, wte, head, held: held(all, components) };
}

const shapeText = (shape) => `[${shape.join(", ")}]`;

function missingIn({ expected, own, reading, x, blocks }) {
  const faults = [...expected]
    .filter(([name]) => !own.has(name))
    .map(([name, { shape }]) => fault("missing", name, "it is missing", shapeText(shape), "nothing"));
  const named = new Set(reading.dialect.pieces.map((piece) => `${piece.component}.${piece.role}`));
  for (const row of tensorsOf(x))
    if (row.times && !named.has(`${row.component}.${row.role}`)) {
      const message = `it is missing, and the dialect ${reading.dialect.name} has no name for it`;
      faults.push(fault("missing", row.template.replace("{}", "N"), message, shapeText(row.shape), "nothing"));
    }
  if (BigInt(blocks) < x.n_layer) {
    const name = `blocks ${grouped(blocks)} to ${grouped(x.n_layer - 1n)}`;
    faults.push(fault("missing", name, "they are missing as well", `${grouped(x.n_layer)} blocks`, grouped(blocks)));
  }
  return faults;
}

const blocksOf = (x) => `the model has ${grouped(x.n_layer)} block${x.n_layer === 1n ? "" : "s"}, numbered from 0`;

/** What does not belong there, with the missing tensor that it may have been meant to be. */
function strangersIn({ strangers, expected, own, reading, x }) {
  const missing = [...expected.keys()].filter((name) => !own.has(name));
  return strangers.map((tensor, place) => {
    const found = reading.find(tensor.name);
    let message = "it is no tensor of this model";
    if (found && found.block !== null && BigInt(found.block) >= x.n_layer) message = blocksOf(x);
    else if (missing.length && place < NAMES.most_compared) {
      const alike = missing.filter((name) => sameShape(expected.get(name).shape, tensor.shape));
      const names = (alike.length ? alike : missing).slice(0, NAMES.most_compared);
      const near = nearest(tensor.name.slice(0, 200), names, 0.5);
      if (near) message += `: is it ${near}, which is missing?`;
    }
    return fault("unexpected", tensor.name, message, "nothing", shapeText(tensor.shape));
  });
}

const wrongShapes = (all) =>
  [...all.expected]
    .filter(([name]) => all.own.has(name))
    .map(([name, each]) => [all.own.get(name), each])
    .filter(([tensor, each]) => !sameShape(tensor.shape, each.shape))
    .filter(([tensor, each]) => !paddedRows(all, each.component, tensor.shape))
    .map(([tensor, each]) => wrongShape(tensor, each.shape));

function wrongShape(tensor, expected, why = "") {
  const [wanted, got] = [shapeText(expected), shapeText(tensor.shape)];
  const turned = sameShape(tensor.shape, expected.toReversed()) ? ": it is transposed" : "";
  return fault("shape", tensor.name, `expected ${wanted}${why}, got ${got}${turned}`, wanted, got);
}

/** Each tensor whose dtype is not that of the others with as many dimensions. */
function wrongDtypes({ own, expected }) {
  const overall = tally([...own.values()].map((tensor) => tensor.dtype));
  return [1, 2].flatMap((rank) => {
    const group = [...own].filter(([name]) => expected.get(name).tableShape.length === rank);
    const counts = tally(group.map(([, tensor]) => tensor.dtype));
    const usual = [...counts.keys()].reduce((best, dtype) => {
      const [here, there] = [counts.get(dtype), counts.get(best)];
      return there === undefined || here > there || (here === there && overall.get(dtype) > overall.get(best))
        ? dtype
        : best;
    }, "F32");
    return group.flatMap(([name, { dtype }]) => {
      if (FORMAT.plain.includes(dtype) && !FORMAT.floats.includes(dtype))
        return [fault("dtype", name, `expected a float, got ${dtype}`, "F32", dtype)];
      const others = rank === 1 ? "vectors" : "matrices";
      const message = `expected ${usual}, as the other ${others}, got ${dtype}`;
      return dtype === usual ? [] : [fault("dtype", name, message, usual, dtype)];
    });
  });
}

/** What is wrong beside the parameters: all blocks have a mask or none, in one shape and dtype. */
function wrongMasks(all) {
  const groups = Map.groupBy(all.extras, ({ extra }) => extra.template);
  return [...groups].flatMap(([template, masks]) => {
    const present = new Set(masks.map(({ tensor }) => tensor.name));
    const names = Array.from({ length: all.blocks }, (_, block) => all.reading.named(masks[0].extra, block));
    const inBlocks = template.includes("{}") ? names : [...present];
    return [
      ...unlikeMasks(all, masks),
      ...inBlocks
        .filter((name) => !present.has(name))
        .map((name) =>
          fault("missing", name, "it is missing, and other blocks have it", "one in every block", "nothing"),
        ),
      ...[...present]
        .filter((name) => !inBlocks.includes(name))
        .sort()
        .map((name) => fault("unexpected", name, blocksOf(all.x), "nothing", name)),
    ];
  });
}

/** Each mask that is not of the form, or not as in the other blocks; where half differ, all of them. */
function unlikeMasks({ x }, masks) {
  const form = ({ shape, dtype }) => `${shapeText(shape)} ${dtype}`;
  const counts = [...tally(masks.map(({ tensor }) => form(tensor)))].sort((one, other) => other[1] - one[1]);
  const usual = masks.find(({ tensor }) => form(tensor) === counts[0][0]).tensor;
  const undecided = counts.length > 1 && counts[1][1] === counts[0][1];
  return masks.flatMap(({ tensor, extra }) => {
    if (!hasForm(tensor.shape, extra.shape, x)) return [wrongShape(tensor, extra.shape)];
    const got = form(tensor);
    if (!undecided && got === form(usual)) return [];
    const expected = undecided ? "the same in every block" : `${form(usual)}, as in other blocks`;
    const kind = sameShape(tensor.shape, usual.shape) ? "dtype" : "shape";
    return [fault(kind, tensor.name, `expected ${expected}, got ${got}`, expected, got)];
  });
}

/** Whether a shape is of the form that an extra has, such as [1, 1, n, n]. */
function hasForm(shape, form, x) {
  if (shape.length !== form.length) return false;
  const squares = [...new Set(shape.filter((_, place) => form[place] === "n"))];
  const sizes = { V: x.vocab_size, n: squares[0] ?? 0n };
  return squares.length < 2 && shape.every((size, place) => size === (sizes[form[place]] ?? BigInt(form[place])));
}

/** What is wrong with the shape of a tied head that is stored all the same: it has to be that of wte. */
function wrongCopy(all) {
  const { copy, copyRow, x } = all;
  if (!copy) return [];
  const wte = storedOf(all, "wte");
  const table = [x.vocab_size + (wte ? paddedRows(all, "wte", wte.shape) : 0n), x.n_embd];
  const expected = copyRow.turned ? table.toReversed() : table;
  const faults = sameShape(copy.shape, expected) ? [] : [wrongShape(copy, expected, ", as wte")];
  if (wte && copy.dtype !== wte.dtype)
    faults.push(fault("dtype", copy.name, `expected ${wte.dtype}, as wte, got ${copy.dtype}`, wte.dtype, copy.dtype));
  return faults;
}

/** What the stored elements and bytes are: parameters, padding, a head's copy, masks, strangers, the rest. */
function held(all, components) {
  const part = (what, tensors) => ({
    what,
    tensors: tensors.length,
    elements: sum(tensors.map((tensor) => tensor.numel)),
    bytes: sum(tensors.map((tensor) => tensor.nbytes)),
  });
  const parameters = part("parameters", [...all.own.values()]);
  const elements = sum([...components.values()]);
  const padding = parameters.elements - elements;
  const padded = sum(
    [...all.own].map(([name, tensor]) => {
      const rows = paddedRows(all, all.expected.get(name).component, tensor.shape) * all.x.n_embd;
      return rows ? (rows * tensor.nbytes) / tensor.numel : 0n;
    }),
  );
  const parts = [{ ...parameters, elements, bytes: parameters.bytes - padded }];
  if (padding) parts.push({ what: "padded rows of the vocabulary", tensors: 0, elements: padding, bytes: padded });
  if (all.copy) parts.push(part("the tied head, a second time", [all.copy]));
  for (const [what, masks] of Map.groupBy(all.extras, ({ extra }) => extra.what))
    parts.push(
      part(
        what,
        masks.map(({ tensor }) => tensor),
      ),
    );
  if (all.strangers.length) parts.push(part("unexpected tensors", all.strangers));
  const size = sum(all.listing.files.map((file) => BigInt(file.size)));
  const rest = size - sum(all.listing.tensors.map((tensor) => tensor.nbytes));
  return [...parts, { what: "headers, and all that is no tensor", tensors: 0, elements: 0n, bytes: rest }];
}
