// A listing held against the tensors that a config has, as gpt2calc.verification does: what is missing, unexpected, of
// another shape or dtype, and what the stored bytes are.

/** The tensors of a listing by what they are: the model's own, masks, a tied head's copy, and strangers. */
function sorted(listing, reading, x) {
  const rows = reading.expected(x);
  const isTied = Boolean(x.lm_head && x.tie_word_embeddings);
  const all = { listing, reading, x, rows: [...rows.values()], own: new Map(), extras: [], strangers: [], copy: null };
  const [seen, order] = [new Set(), []];
  for (const tensor of listing.tensors) {
    const { row = null, block = null } = reading.find(tensor.name) ?? {};
    if (block !== null && isInModel(block, x)) seen.add(block);
    if (row && isInModel(block, x) && rows.has(row.template)) {
      all.own.set(tensor.name, tensor);
      order.push({ name: tensor.name, row: rows.get(row.template), block: block ?? 0 });
    } else if (row && "what" in row) all.extras.push({ tensor, extra: row });
    else if (row && isTied && row.component === "lm_head") Object.assign(all, { copy: tensor, copyRow: row });
    else all.strangers.push(tensor);
  }
  const inOrder = order.sort((one, other) => one.row.place - other.row.place || one.block - other.block);
  const expected = new Map(inOrder.map(({ name, row }) => [name, row]));
  return { ...all, seen, expected, listed: listedBlocks(seen, x) };
}

/** The blocks that a file has something of, and the first that it has nothing of: as many, and a few more. */
function listedBlocks(seen, x) {
  const listed = [...seen];
  for (let block = 0; BigInt(block) < x.n_layer && listed.length < 2 * seen.size + NAMES.beyond; block += 1)
    if (!seen.has(block)) listed.push(block);
  return listed.sort((one, other) => one - other);
}

/** What the model has and the file has not, at most so many; of the blocks, those that are listed. */
function missingOf({ rows, listed, own }, most) {
  const missing = [];
  for (const row of rows)
    for (const block of isInBlocks(row) ? listed : [0]) {
      if (missing.length === most) return missing;
      const name = nameAt(row, block);
      if (!own.has(name)) missing.push({ name, row });
    }
  return missing;
}

/** How many tensors are missing, of those blocks. */
const lackingIn = ({ rows, listed, own }) =>
  rows.reduce((count, row) => count + (isInBlocks(row) ? listed.length : 1), -own.size);

/** The runs of blocks that are not listed, as text. */
function unlistedRuns({ rows, listed, x }) {
  if (!rows.some(isInBlocks)) return [];
  const ends = [-1n, ...listed.map(BigInt), x.n_layer];
  const runs = ends.slice(1).map((after, place) => [ends[place] + 1n, after - 1n]);
  return runs
    .filter(([first, last]) => first <= last)
    .map(([first, last]) => (first < last ? `${grouped(first)} to ${grouped(last)}` : grouped(first)));
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
  const found = [
    ...missingIn(all),
    ...strangersIn(all),
    ...wrongShapes(all),
    ...wrongDtypes(all),
    ...wrongMemories(all),
    ...wrongMasks(all),
    ...wrongCopy(all),
    ...listing.faults,
  ];
  const faults = found.slice(0, NAMES.most_faults);
  const more = found.length - faults.length + Math.max(0, lackingIn(all) - NAMES.most_faults);
  const components = new Map();
  for (const [name, tensor] of all.own) {
    const { component } = all.expected.get(name);
    const padding = paddedRows(all, component, tensor.shape) * x.n_embd;
    components.set(component, (components.get(component) ?? 0n) + tensor.numel - padding);
  }
  const dtypes = tally([...all.own.values()].map((tensor) => tensor.dtype));
  const [wte, head] = [storedOf(all, "wte"), all.copy ?? storedOf(all, "lm_head")];
  return { all, faults, more, components, dtypes, wte, head, held: held(all, components) };
}

const shapeText = (shape) => `[${shape.join(", ")}]`;

function missingIn(all) {
  const { reading, x, seen } = all;
  const faults = missingOf(all, NAMES.most_faults).map(({ name, row: { shape } }) =>
    fault("missing", name, "it is missing", shapeText(shape), "nothing"),
  );
  const named = new Set(reading.dialect.pieces.map((piece) => `${piece.component}.${piece.role}`));
  for (const row of tensorsOf(x))
    if (row.times && !named.has(`${row.component}.${row.role}`)) {
      const message = `it is missing, and the dialect ${reading.dialect.name} has no name for it`;
      faults.push(fault("missing", row.template.replace("{}", "N"), message, shapeText(row.shape), "nothing"));
    }
  const runs = unlistedRuns(all);
  if (runs.length) {
    const more = runs.length > NAMES.most_runs ? ` and ${grouped(runs.length - NAMES.most_runs)} runs more` : "";
    const name = `blocks ${runs.slice(0, NAMES.most_runs).join(", ")}${more}`;
    faults.push(fault("missing", name, "they are missing as well", `${grouped(x.n_layer)} blocks`, grouped(seen.size)));
  }
  return faults;
}

const blocksOf = (x) => `the model has ${grouped(x.n_layer)} block${x.n_layer === 1n ? "" : "s"}, numbered from 0`;

/** What does not belong there. */
const strangersIn = ({ strangers, reading, x }) =>
  strangers.map((tensor) => {
    const found = reading.find(tensor.name);
    const message = found && !isInModel(found.block, x) ? blocksOf(x) : "it is no tensor of this model";
    return fault("unexpected", tensor.name, message, "nothing", shapeText(tensor.shape));
  });

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

/** Each tensor whose dtype no parameter has, or is not that of the same tensor in the other blocks. */
function wrongDtypes({ own, expected }) {
  const floats = FORMAT.floats.join(", ");
  const isFloat = ([, { dtype }]) => FORMAT.floats.includes(dtype);
  const ordered = [...expected.keys()].map((name) => [name, own.get(name)]);
  const strange = ordered
    .filter((each) => !isFloat(each))
    .map(([name, { dtype }]) => fault("dtype", name, `expected one of ${floats}, got ${dtype}`, floats, dtype));
  const rankOf = ([name]) => expected.get(name).tableShape.length;
  const byRank = Map.groupBy(ordered.filter(isFloat), rankOf);
  const alike = Map.groupBy(ordered.filter(isFloat), ([name]) => templated(name)[0]);
  const unlike = [...alike.values()].flatMap((group) => {
    // of two that are equally frequent, the one that most matrices have, or most vectors
    const others = tally(byRank.get(rankOf(group[0])).map(([, { dtype }]) => dtype));
    const counts = tally(group.map(([, { dtype }]) => dtype));
    const usual = [...counts.keys()].reduce((best, dtype) => {
      const [here, there] = [counts.get(dtype), counts.get(best)];
      return here > there || (here === there && others.get(dtype) > others.get(best)) ? dtype : best;
    });
    return group
      .filter(([, { dtype }]) => dtype !== usual)
      .map(([name, { dtype }]) => {
        const message = `expected ${usual}, as in the other blocks, got ${dtype}`;
        return fault("dtype", name, message, usual, dtype);
      });
  });
  return [...strange, ...unlike];
}

/** Each parameter that is stored under another's name, as the metadata says, and should be a tensor of its own. */
function wrongMemories({ own, expected, copy }) {
  const wte = [...expected].find(([, row]) => row.component === "wte")?.[0];
  const whole = [...own.values()].filter((tensor) => tensor.storage && tensor.numel);
  if (copy?.storage && copy.numel && copy.storage !== own.get(wte)?.storage) whole.push(copy);
  whole.sort((one, other) => Number(one.offset - other.offset));
  const groups = Map.groupBy(whole, (tensor) => tensor.storage);
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    return others.map(({ name }) => {
      const message = `expected a memory of its own, got that of ${first.name}`;
      return fault("shared", name, message, "a memory of its own", first.name);
    });
  });
}

/** What is wrong beside the parameters: all blocks have a mask or none, in one shape and dtype. */
function wrongMasks(all) {
  const groups = Map.groupBy(all.extras, ({ extra }) => extra.template);
  return [...groups].flatMap(([template, masks]) => {
    const present = new Set(masks.map(({ tensor }) => tensor.name));
    const names = all.listed.map((block) => all.reading.named(masks[0].extra, block));
    const inBlocks = new Set(template.includes("{}") ? names : present);
    return [
      ...unlikeMasks(all, masks),
      ...[...inBlocks]
        .filter((name) => !present.has(name))
        .map((name) =>
          fault("missing", name, "it is missing, and other blocks have it", "one in every block", "nothing"),
        ),
      ...[...present]
        .filter((name) => !inBlocks.has(name))
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
  const taken = new Set();
  const part = (what, tensors) => ({
    what,
    tensors: tensors.length,
    elements: sum(tensors.map((tensor) => tensor.numel)),
    bytes: bytesIn(tensors, taken),
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
  const { aside } = all.listing;
  if (aside.length) parts.push(part("other tensors, left aside", aside));
  const size = sum(all.listing.files.map((file) => BigInt(file.size)));
  const rest = size - bytesIn([...all.listing.tensors, ...aside], new Set());
  return [...parts, { what: "headers, and all that is no tensor", tensors: 0, elements: 0n, bytes: rest }];
}

/** Sum bytes, those that have two names once; `taken` keeps what was counted. */
function bytesIn(tensors, taken) {
  const counted = tensors.filter(({ storage }) => !storage || (!taken.has(storage) && taken.add(storage)));
  return sum(counted.map((tensor) => tensor.nbytes));
}
