// A printed figure, 137M or 1.5B or 548 MB, and the counts that it can stand for, ranked as gpt2calc.explanation does:
// every composition of the steps that Python printed, up to a weight, for each model.

const EXPLAIN = FACTS.explain;
const PRINTED = new RegExp(EXPLAIN.pattern);
const BETWEEN = new RegExp(EXPLAIN.between, "g");
const MOST_WEIGHT = EXPLAIN.most_weight;

// What a figure can stand for

/** Read the first figure in a text; null where there is none, a Sentence where it is no size. */
function findPrinted(text) {
  const words = text
    .slice(0, EXPLAIN.longest + 1)
    .replace(BETWEEN, " ")
    .trim()
    .split(/\s+/)
    .join(" ");
  const found = PRINTED.exec(words);
  if (!found) return null;
  const { about, sign, whole, decimals = "", power = "0", unit } = found.groups;
  const isSize = ["count", "bytes"].some((kind) => EXPLAIN.units[unit]?.includes(kind));
  if (sign || !isSize) throw new Sentence(`expected a number of parameters or bytes, got ${shown(found[0].trim())}`);
  const bare = whole.replace(/[,_]/g, "");
  const vague = about && !decimals ? vagueZeros(bare.replace(/^0+/, "")) : 0;
  const digits = BigInt(bare + decimals) / 10n ** BigInt(vague);
  if (!digits) throw new Sentence(`expected a number of parameters or bytes above 0, got ${shown(text)}`);
  return { text: found[0].trim(), digits, decimals: decimals.length || -vague, unit, power: Number(power) };
}

/** How many zeros at the end of an approximate whole number are no digits: those after the second digit. */
const vagueZeros = (digits) => Math.max(0, Math.min(/0*$/.exec(digits)[0].length, digits.length - 2));

function readPrinted(text) {
  const found = text.length <= EXPLAIN.longest ? findPrinted(text) : null;
  if (!found) throw new Sentence(`expected a figure such as ${EXPLAIN.examples}, got ${shown(text)}`);
  return found;
}

const scale = (kind, unit, weight, name = "") => ({ kind, unit, weight, name });

/** What a unit of a figure may stand for, and how unusual that is. */
function scalesOf(figure) {
  const ten = 10n ** BigInt(figure.power);
  const bare = [scale("count", ten, 0), scale("bytes", ten, EXPLAIN.known)];
  if (!figure.unit && !figure.power && (figure.decimals > 0 || figure.digits < BigInt(EXPLAIN.worth_a_unit))) {
    const named = ["M", "B", "K"].flatMap((unit) => scalesOf({ ...figure, unit }));
    return figure.decimals <= 0 ? [...named, ...bare] : named;
  }
  const [size, ...kinds] = EXPLAIN.units[figure.unit];
  const by = BigInt(size) * ten;
  const thousands = [3, 6, 9, 12].includes(Math.log10(size)) ? Math.log10(size) / 3 : 0;
  const [binary, name] = [1024n ** BigInt(thousands) * ten, `2^${10 * thousands}`];
  if (!kinds.includes("count"))
    return [scale("bytes", by, 0), ...(thousands ? [scale("bytes", binary, EXPLAIN.known, name)] : [])];
  if (!thousands) return bare;
  const twos = ["count", "bytes"].map((kind) => scale(kind, binary, EXPLAIN.known, name));
  return [scale("count", by, 0), ...twos, scale("bytes", by, EXPLAIN.rare)];
}

/** What a number, and what a figure's digits, are multiplied by to be compared as whole numbers. */
const multipliers = ({ decimals }, { unit }) => [
  10n ** BigInt(Math.max(decimals, 0)),
  unit * 10n ** BigInt(Math.max(-decimals, 0)),
];

/** The least and the largest whole number that can be printed so, at a scale. */
function boundsOf(figure, of) {
  const [shift, unit] = multipliers(figure, of);
  const least =
    floored((figure.digits - 1n) * unit, shift) + 1n - (of.kind === "bytes" ? BigInt(EXPLAIN.longest_header) : 0n);
  const most = floored((figure.digits + 1n) * unit - 1n, shift);
  return [of.kind === "bytes" && least < 1n ? 1n : least, most];
}

/** How a whole number comes to be printed as a figure; null where it does not. */
function fitOf(figure, value, of) {
  const [shift, unit] = multipliers(figure, of);
  const above = value * shift - figure.digits * unit;
  const isEven = figure.digits % 2n === 0n;
  if (above === 0n) return "exact";
  if (2n * absolute(above) < unit || 2n * above === -unit || (2n * above === unit && isEven)) return "rounded";
  if (above > 0n && above < unit) return "cut off";
  const header = 2n * BigInt(EXPLAIN.longest_header) * shift;
  if (of.kind === "bytes" && above < 0n && -2n * above - unit <= header) return "with a header";
  return above < 0n && -unit < above && figure.digits > 1n ? "rounded up" : null;
}

function distanceOf(figure, value, of) {
  const [shift, unit] = multipliers(figure, of);
  return value - (figure.digits * unit) / shift;
}

// What can be counted of a model

const SENTENCES = new Map(FACTS.conventions.map(([name, , sentence]) => [name, sentence]));
const stepOf = ([name, weight, standing, sentence, bits]) => ({
  name,
  weight,
  standing,
  bits,
  sentence: sentence || SENTENCES.get(name),
});
const AXES = EXPLAIN.axes.map((axis) => axis.map(stepOf));
const PARTS = EXPLAIN.parts.map(stepOf);
const DTYPES = EXPLAIN.dtypes.map(stepOf);

/** What the plain count of a model is called, after the convention that it is. */
function plainStep(x) {
  const [name] = x.lm_head ? [x.tie_word_embeddings ? "tied" : "untied"] : EXPLAIN.plain;
  return stepOf([name, 0, "", x.lm_head ? "" : EXPLAIN.plain[3]]);
}

/** The model, and every other that is counted in its place, at most one step of each axis away. */
function variantsOf(x, place, budget) {
  if (place === AXES.length) return [{ x, steps: [], weight: 0 }];
  const found = variantsOf(x, place + 1, budget);
  variationsOf(x)[place].forEach((difference, i) => {
    const step = AXES[place][i];
    const isOther = Object.entries(difference).some(([field, value]) => x[field] !== value);
    if (step.weight > budget || !isOther) return;
    for (const each of variantsOf({ ...x, ...difference }, place + 1, budget - step.weight))
      found.push({ x: each.x, steps: [step, ...each.steps], weight: each.weight + step.weight });
  });
  return found;
}

/** Every composition of steps up to a weight, with its elements, and how many of them have one byte. */
function countedWays(x) {
  return variantsOf(x, 0, MOST_WEIGHT).flatMap((each) => {
    const parts = partsOf(each.x);
    const allowed = PARTS.map((part, place) => [part, parts[place]]).filter(
      ([part]) => each.weight + part.weight <= MOST_WEIGHT,
    );
    return [
      { steps: each.steps, weight: each.weight, elements: totalOf(each.x), small: 0n },
      ...allowed.map(([part, [value, small]]) => ({
        steps: [...each.steps, part],
        weight: each.weight + part.weight,
        elements: value(),
        small: small(),
      })),
    ];
  });
}

function storedWays(counted) {
  return DTYPES.flatMap((dtype) =>
    counted.flatMap(({ steps, weight, elements, small }, place) => {
      if (!elements || weight + dtype.weight > MOST_WEIGHT) return [];
      const value = -floored(-BigInt(dtype.bits) * elements, 8n) + small;
      return [{ value, weight: weight + dtype.weight, steps: [...steps, dtype], place }];
    }),
  );
}

/** One way for each number, the one of the fewest steps. */
function distinctWays(ways) {
  const found = new Map();
  for (const way of ways) {
    const known = found.get(way.value);
    const isLess =
      !known || way.weight < known.weight || (way.weight === known.weight && way.steps.length < known.steps.length);
    if (isLess) found.set(way.value, way);
  }
  return [...found.values()];
}

/** Everything that a model can be said to have, as parameters and as bytes. */
function waysOf(x) {
  const counted = countedWays(x);
  const elements = counted.flatMap(({ elements: value, small, ...each }, place) =>
    value && !small ? [{ ...each, value, place }] : [],
  );
  return { count: distinctWays(elements), bytes: distinctWays(storedWays(counted)) };
}

// Which of them a figure is

/** The models that ship, those of the same sizes and structure as one, with the figures that were published for them. */
function shippedCandidates() {
  const groups = Map.groupBy(PRESETS, ({ all }) => String(Object.values(dimsOf(all))));
  return [...groups.values()].map((alike) => {
    const published = alike.map((preset) => findPrinted(preset.published ?? "")).filter((figure) => figure);
    return candidateOf(alike[0].name, dimsOf(alike[0].all), published);
  });
}

const sameModel = (one, other) => Object.entries(one).every(([field, value]) => other[field] === value);

const candidateOf = (name, x, published = []) => ({ name, x, published, ways: waysOf(x) });

function readingOf(figure, candidate, place, of, way) {
  const fit = fitOf(figure, way.value, of);
  if (fit === null) return null;
  const said = !way.steps.length && !of.name && candidate.published.some((other) => sameBounds(figure, other));
  const weight = (said ? EXPLAIN.published : 0) + way.weight + of.weight + EXPLAIN.fits[fit];
  return { candidate, place, of, way, fit, weight, value: way.value };
}

const sameBounds = (one, other) =>
  String(boundsOf(one, scalesOf(one)[0])) === String(boundsOf(other, scalesOf(other)[0]));

/** Every reading of a figure, one for each number, best first, with how many others weigh no more. */
function readingsOf(figure, candidates) {
  const found = [];
  for (const of of scalesOf(figure)) {
    const [least, most] = boundsOf(figure, of);
    candidates.forEach((candidate, place) => {
      for (const way of candidate.ways[of.kind]) {
        const isNear = way.value >= least && way.value <= most && way.weight + of.weight <= MOST_WEIGHT;
        const reading = isNear ? readingOf(figure, candidate, place, of, way) : null;
        if (reading) found.push(reading);
      }
    });
  }
  const rank = ({ weight, fit, place, way }) => [weight, EXPLAIN.fits[fit], place, way.steps.length, way.place];
  found.sort(
    (a, b) =>
      rank(a)
        .map((n, i) => n - rank(b)[i])
        .find((n) => n) ?? 0,
  );
  const first = new Map();
  for (const reading of found) if (!first.has(reading.value)) first.set(reading.value, reading);
  const kept = [...first.values()];
  return kept.map((reading) => ({
    ...reading,
    rivals: kept.filter(({ weight }) => weight <= reading.weight).length - 1,
  }));
}

/** How many numbers as usual as a reading's would fit a figure by accident, in thousandths. */
function coincidences(figure, reading, candidates) {
  const weight = Math.max(reading.weight, 0);
  let expected = 0n;
  for (const of of scalesOf(figure)) {
    const [shift, unit] = multipliers(figure, of);
    const [half, twice] = [(figure.digits * unit) / (2n * shift), (2n * figure.digits * unit) / shift];
    const near = new Set();
    for (const { ways } of candidates)
      for (const way of ways[of.kind])
        if (way.value >= half && way.value <= twice && way.weight + of.weight <= weight) near.add(way.value);
    near.delete(reading.value);
    const [least, most] = boundsOf(figure, of);
    expected += (1000n * BigInt(near.size) * (most - least)) / (twice - half || 1n);
  }
  return expected;
}

/** The usual counts that come nearest to a figure that none meets. */
function nearestReadings(figure, candidates) {
  const [of] = scalesOf(figure);
  const off = ({ value }) => absolute(distanceOf(figure, value, of));
  const usual = candidates.flatMap((candidate) =>
    candidate.ways[of.kind]
      .filter(({ weight }) => weight <= EXPLAIN.known)
      .map((way) => ({ candidate, of, way, value: way.value })),
  );
  const order = (a, b) => (off(a) < off(b) ? -1 : off(a) > off(b) ? 1 : a.way.weight - b.way.weight);
  return usual.sort(order).slice(0, EXPLAIN.nearest);
}

// In words

const conventionOf = ({ candidate, way, of }) =>
  (way.steps.map(({ name }) => name).join(" + ") || plainStep(candidate.x).name) + (of.name ? ` / ${of.name}` : "");

function sentenceOf({ candidate, way, of }) {
  const isPlain = way.steps.every((step) => step.bits);
  const steps = isPlain ? [plainStep(candidate.x), ...way.steps] : way.steps;
  return [...steps.map(({ sentence }) => sentence), ...(of.name ? [`in units of ${of.name}`] : [])].join("; ");
}

/** The answer in one sentence, without a full stop. */
function answerOf(figure, readings, candidates) {
  if (!readings.length) {
    const kinds = [...new Set(scalesOf(figure).map(({ kind }) => kind))];
    const size = sum(candidates.flatMap(({ ways }) => kinds.map((kind) => BigInt(ways[kind].length))));
    return `${figure.text} fits none of the ${grouped(size)} numbers that were looked at`;
  }
  const [best] = readings;
  const [few, of] = EXPLAIN.most_coincidences.map(BigInt);
  const isBeaten = readings.some(({ weight }) => weight < best.weight);
  const standings = best.way.steps.map(({ standing }) => standing);
  const exact = grouped(totalOf(best.candidate.x));
  const told = `${conventionOf(best)} of ${best.candidate.name}`;
  const number = grouped(best.value) + (best.fit === "exact" ? "" : `, ${best.fit}`);
  if (isBeaten || coincidences(figure, best, candidates) * of > few * 1000n)
    return `${figure.text} may be ${number}: ${told}, or a coincidence`;
  if (standings.includes("wrong"))
    return `${figure.text} is what a formula gives that is not exact: ${told}, which has ${exact}`;
  if (standings.includes("hypothesis")) return `${figure.text} would be ${number}: ${told}, a hypothesis`;
  return `${figure.text} is ${number}: ${told}`;
}
