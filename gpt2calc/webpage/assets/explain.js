// A printed figure, 137M or 1.5B or 548 MB, and the counts that it can stand for, ranked as gpt2calc.explanation does:
// every composition of the steps that Python printed, within a budget, for each model.

const EXPLAIN = FACTS.explain;
const PARAMETERS = new RegExp(EXPLAIN.parameters, "i");
const EVERY = new RegExp(EXPLAIN.pattern, "g");
const BETWEEN = new RegExp(EXPLAIN.between, "g");
const RANK = new RegExp(EXPLAIN.rank, "g");
const BEFORE = new RegExp(EXPLAIN.before, "i");
const AFTER = new RegExp(`^(?:${EXPLAIN.after})`, "i");
const LISTED = new RegExp(`^(?:${EXPLAIN.listed})$`);
const TOLD = new RegExp(EXPLAIN.told);
const POWER = new RegExp(EXPLAIN.power, "g");
const TIMES = new RegExp(EXPLAIN.times, "g");
const BUDGET = EXPLAIN.most_penalty;

// What a figure can stand for

/** Read the first figure in a text; null where there is none, a Sentence where it is no size. */
function findPrinted(text) {
  const words = text
    .slice(0, EXPLAIN.longest + 1)
    .replace(RANK, "")
    .replace(BETWEEN, " ")
    .trim()
    .split(/\s+/)
    .join(" ")
    .replace(TIMES, "e")
    .replace(POWER, "1e");
  const found = firstMeant(words);
  if (!found) return null;
  const { about, sign, whole, decimals = "", power = "0", unit } = found.groups;
  const isSize = ["count", "bytes"].some((kind) => EXPLAIN.units[unit]?.includes(kind));
  if (sign || !isSize) throw new Sentence(`expected a number of parameters or bytes, got ${shown(found[0].trim())}`);
  const bare = whole.replace(/[,_]/g, "");
  const isWrittenOut = ["", "bytes"].includes(unit) && power === "0" && bare.endsWith("0".repeat(EXPLAIN.vague_zeros));
  const vague = (about || isWrittenOut) && !decimals ? vagueZeros(bare.replace(/^0+/, "")) : 0;
  const digits = BigInt(bare + decimals) / 10n ** BigInt(vague);
  if (!digits) throw new Sentence(`expected a number of parameters or bytes above 0, got ${shown(text)}`);
  const says = PARAMETERS.test(words) ? "count" : "";
  return { text: found[0].trim(), digits, decimals: decimals.length || -vague, unit, power: Number(power), says };
}

/** The first figure of a text, of those that the word parameters is said of where there are such; null for none. */
function firstMeant(words) {
  const found = [...words.matchAll(EVERY)];
  const [starts, ends] = [found.map(({ index }) => index), found.map((each) => each.index + each[0].length)];
  const beside = found.map(
    (_, place) =>
      BEFORE.test(words.slice(ends[place - 1] ?? 0, starts[place])) ||
      AFTER.test(words.slice(ends[place], starts[place + 1] ?? words.length)),
  );
  const reach = (one, other) => {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    const isListed = LISTED.test(words.slice(ends[low], starts[high]));
    if (beside[one] && isListed && !TOLD.test(words.slice(0, starts[other]))) beside[other] = true;
  };
  for (let place = 0; place + 1 < found.length; place += 1) reach(place, place + 1);
  for (let place = found.length - 1; place > 0; place -= 1) reach(place, place - 1);
  return found.find((_, place) => beside[place]) ?? found[0] ?? null;
}

/** How many zeros at the end of an approximate whole number are no digits: those after the second digit. */
const vagueZeros = (digits) => Math.max(0, Math.min(/0*$/.exec(digits)[0].length, digits.length - 2));

function readPrinted(text) {
  const found = text.length <= EXPLAIN.longest ? findPrinted(text) : null;
  if (!found) throw new Sentence(`expected a figure such as ${EXPLAIN.examples}, got ${shown(text)}`);
  return found;
}

const scale = (kind, unit, penalty, name = "") => ({ kind, unit, penalty, name });

/** Whether a figure is in bytes, so that it may be the size of a file, header and all. */
const isInBytes = ({ unit }) => !EXPLAIN.units[unit].includes("count");

/** What a unit of a figure may stand for, and how unusual that is. */
const scalesOf = (figure) =>
  allScalesOf(figure).filter(({ kind }) => isInBytes(figure) || !figure.says || figure.says === kind);

function allScalesOf(figure) {
  const ten = 10n ** BigInt(figure.power);
  const bare = [scale("count", ten, 0), scale("bytes", ten, EXPLAIN.known)];
  const whole = figure.digits * 10n ** BigInt(Math.max(-figure.decimals, 0));
  if (!figure.unit && !figure.power && (figure.decimals > 0 || whole < BigInt(EXPLAIN.worth_a_unit))) {
    const named = ["M", "B", "K"].flatMap((unit) => allScalesOf({ ...figure, unit }));
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
  const least = floored((figure.digits - 1n) * unit, shift) + 1n;
  return [least < 1n ? 1n : least, floored((figure.digits + 1n) * unit - 1n, shift)];
}

/** The digits that a number can have where it is printed like a figure, from and to by each fit. */
function printedAs(figure, { value, tensors }, of) {
  const [shift, unit] = multipliers(figure, of);
  const digits = floored(value * shift, unit);
  const rest = value * shift - digits * unit;
  let found = [[rest ? "rounded" : "exact", digits, digits]];
  if (2n * rest > unit || (2n * rest === unit && digits % 2n)) {
    found = [
      ["cut off", digits, digits],
      ["rounded", digits + 1n, digits + 1n],
    ];
  } else if (2n * rest === unit) found.push(["rounded", digits + 1n, digits + 1n]);
  const nearest = found.at(-1)[2];
  const held = isInBytes(figure) ? tensors : 0n;
  const [least, most] = EXPLAIN.header.map((each) =>
    floored(2n * (value + BigInt(each) * held) * shift + unit, 2n * unit),
  );
  if (most > nearest) found.push(["with a header", least > nearest ? least : nearest + 1n, most]);
  else if (rest && nearest === digits && digits) found.push(["rounded up", digits + 1n, digits + 1n]);
  return found;
}

/** How a number comes to be printed as a figure; null where it does not. */
const fitOf = (figure, way, of) =>
  printedAs(figure, way, of).find(([, first, last]) => first <= figure.digits && figure.digits <= last)?.[0] ?? null;

function distanceOf(figure, value, of) {
  const [shift, unit] = multipliers(figure, of);
  return value - (figure.digits * unit) / shift;
}

// What can be counted of a model

const SENTENCES = new Map(FACTS.conventions.map(([name, , sentence]) => [name, sentence]));
const stepOf = ([name, penalty, standing, sentence, bits]) => ({
  name,
  penalty,
  standing,
  bits,
  sentence: sentence || SENTENCES.get(name),
});
const AXES = EXPLAIN.axes.map((axis) => axis.map(stepOf));
const ALL = [EXPLAIN.plain, ...EXPLAIN.parts].map(stepOf); // the plain count first, which is no step
const DTYPES = EXPLAIN.dtypes.map(stepOf);

/** What the plain count of a model is called, after the convention that it is. */
function plainStep(x) {
  const [name] = x.lm_head ? [x.tie_word_embeddings ? "tied" : "untied"] : EXPLAIN.plain;
  return stepOf([name, 0, "", x.lm_head ? "" : EXPLAIN.plain[3]]);
}

/** The model, and every other that is counted in its place, at most one step of each axis away. */
function variantsOf(x, place, budget) {
  if (place === AXES.length) return [{ x, steps: [], penalty: 0 }];
  const found = variantsOf(x, place + 1, budget);
  variationsOf(x)[place].forEach((difference, i) => {
    const step = AXES[place][i];
    const isOther = Object.entries(difference).some(([field, value]) => x[field] !== value);
    // A step that changes nothing is none.
    if (step.penalty > budget || !isOther) return;
    for (const each of variantsOf({ ...x, ...difference }, place + 1, budget - step.penalty))
      found.push({ x: each.x, steps: [step, ...each.steps], penalty: each.penalty + step.penalty });
  });
  return found;
}

/** Every composition of steps within a budget: its elements, those of one byte, and the tensors of a file of it. */
function countedWays(x) {
  return variantsOf(x, 0, BUDGET).flatMap((each) => {
    const parts = partsOf(each.x);
    return ALL.map((part, place) => [part, parts[place]])
      .filter(([part]) => each.penalty + part.penalty <= BUDGET)
      .map(([part, [value, small, tensors]], place) => ({
        steps: place ? [...each.steps, part] : each.steps,
        penalty: each.penalty + part.penalty,
        elements: value(),
        small: small(),
        tensors: tensors(),
      }));
  });
}

function storedWays(counted) {
  return DTYPES.flatMap((dtype) =>
    counted.flatMap(({ steps, penalty, elements, small, tensors }, place) => {
      if (!elements || penalty + dtype.penalty > BUDGET) return [];
      // The negative is rounded down, so that bytes are rounded up.
      const value = -floored(-BigInt(dtype.bits) * elements, 8n) + small;
      return [{ value, penalty: penalty + dtype.penalty, steps: [...steps, dtype], place, tensors }];
    }),
  );
}

/** One way for each number, the one of the fewest steps. */
function distinctWays(ways) {
  const found = new Map();
  for (const way of ways) {
    const known = found.get(way.value);
    const isLess =
      !known || way.penalty < known.penalty || (way.penalty === known.penalty && way.steps.length < known.steps.length);
    if (isLess) found.set(way.value, way);
  }
  return [...found.values()];
}

/** Everything that a model can be said to have, as parameters and as bytes. */
function waysOf(x) {
  const counted = countedWays(x);
  const elements = counted.flatMap(({ elements: value, small, ...each }, place) =>
    value && !small ? [{ ...each, value, place, tensors: 0n }] : [],
  );
  return { count: distinctWays(elements), bytes: distinctWays(storedWays(counted)) };
}

// Which of them a figure is

/** The models that ship, those of the same sizes and structure as one. */
const shippedModels = () => [...Map.groupBy(GPT2S, ({ all }) => String(Object.values(dimsOf(all)))).values()];

/** What one of them can be said to have, with the figures that were published for it. */
function shippedCandidate(alike) {
  const published = alike.map((preset) => findPrinted(preset.published ?? "")).filter((figure) => figure);
  const names = alike.flatMap((preset) => preset.aliases ?? []);
  const called = names.map((name) => [name, findPrinted(name)]).filter(([name, figure]) => figure?.text === name);
  return { ...candidateOf(alike[0].name, dimsOf(alike[0].all), published), called: called.map(([, figure]) => figure) };
}

const sameModel = (one, other) => Object.entries(one).every(([field, value]) => other[field] === value);

const candidateOf = (name, x, published = []) => ({ name, x, published, called: [], ways: waysOf(x) });

/** How unusual a reading is: less where just this figure was published for the model, and least where it is its name. */
function penaltyOf(figure, candidate, way, of, fit) {
  const isPlain = !way.steps.length && !of.name;
  if (isPlain && candidate.called.some((other) => sameBounds(figure, other))) return EXPLAIN.named;
  const isPublished = isPlain && candidate.published.some((other) => sameBounds(figure, other));
  return (isPublished ? EXPLAIN.published : 0) + way.penalty + of.penalty + EXPLAIN.fits[fit];
}

function readingOf(figure, candidate, place, of, way) {
  const fit = fitOf(figure, way, of);
  if (fit === null) return null;
  const penalty = penaltyOf(figure, candidate, way, of, fit);
  return { candidate, place, of, way, fit, penalty, value: way.value };
}

function sameBounds(one, other) {
  const [of] = scalesOf(one);
  return of !== undefined && String(boundsOf(one, of)) === String(boundsOf(other, scalesOf(other)[0]));
}

/** Every reading of a figure, one for each number, best first, with how many others have no larger penalty. */
function readingsOf(figure, candidates) {
  const found = [];
  for (const of of scalesOf(figure)) {
    const [least, most] = boundsOf(figure, of);
    candidates.forEach((candidate, place) => {
      for (const way of candidate.ways[of.kind]) {
        const isNear = way.value >= least - mostHeaderOf(figure, way) && way.value <= most;
        const isUsual = way.penalty + of.penalty <= BUDGET;
        const reading = isNear && isUsual ? readingOf(figure, candidate, place, of, way) : null;
        if (reading) found.push(reading);
      }
    });
  }
  const rank = ({ penalty, fit, place, way }) => [penalty, EXPLAIN.fits[fit], place, way.steps.length, way.place];
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
    rivals: kept.filter(({ penalty }) => penalty <= reading.penalty).length - 1,
  }));
}

/** How many bytes a file may hold besides a number, where a figure is the size of one. */
const mostHeaderOf = (figure, { tensors }) => (isInBytes(figure) ? BigInt(EXPLAIN.header[1]) * tensors : 0n);

/** Whether more figures than few, of all that are printed like one, have readings with no larger penalty than one. */
function isLikely(figure, { penalty }, candidates) {
  const first = 10n ** BigInt(String(figure.digits).length - 1);
  const last = 10n * first - 1n;
  const met = [];
  for (const of of scalesOf(figure)) {
    const [least] = boundsOf({ ...figure, digits: first }, of);
    const [, most] = boundsOf({ ...figure, digits: last }, of);
    for (const candidate of candidates)
      for (const way of candidate.ways[of.kind]) {
        const usual = way.penalty + of.penalty;
        if (usual > BUDGET || (usual && usual + EXPLAIN.published > penalty)) continue;
        if (way.value < least - mostHeaderOf(figure, way) || way.value > most) continue;
        for (const [fit, from, to] of printedAs(figure, way, of)) {
          const isMet = from <= last && to >= first;
          if (isMet && penaltyOf({ ...figure, digits: from }, candidate, way, of, fit) <= penalty) met.push([from, to]);
        }
      }
  }
  met.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  // Sorted by where they begin, so that of each only what lies behind `end` is counted anew.
  let [figures, end] = [0n, first - 1n];
  for (const [from, to] of met) {
    const [start, stop] = [from > end ? from : end + 1n, to < last ? to : last];
    if (stop >= start) [figures, end] = [figures + stop - start + 1n, stop];
  }
  const [few, all] = EXPLAIN.most_chance.map(BigInt);
  return figures * all > few * (last - first + 1n);
}

/** The usual counts that come nearest to a figure that none meets. */
function nearestReadings(figure, candidates) {
  const [of] = scalesOf(figure);
  const off = ({ value }) => absolute(distanceOf(figure, value, of));
  const usual = candidates.flatMap((candidate) =>
    candidate.ways[of.kind]
      .filter(({ penalty }) => penalty <= EXPLAIN.known)
      .map((way) => ({ candidate, of, way, value: way.value })),
  );
  const order = (a, b) => (off(a) < off(b) ? -1 : off(a) > off(b) ? 1 : a.way.penalty - b.way.penalty);
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

/** Whose a figure is, by name or as it was published, that is no more than a coincidence else; "" where it is none's. */
function ownerOf(figure, candidates) {
  if (isInBytes(figure)) return "";
  const owner =
    candidates.find(({ called }) => called.some((other) => sameBounds(figure, other))) ??
    candidates.find(({ published }) => published.some((other) => sameBounds(figure, other)));
  return owner ? `is what ${owner.name} is called, which has ${grouped(totalOf(gpt2Of(owner.x)))}` : "";
}

/** The answer in one sentence, without a full stop. */
function answerOf(figure, readings, candidates) {
  const owner = ownerOf(figure, candidates);
  if (!readings.length && owner) return `${figure.text} ${owner}`;
  if (!readings.length) {
    const kinds = [...new Set(scalesOf(figure).map(({ kind }) => kind))];
    const size = sum(candidates.flatMap(({ ways }) => kinds.map((kind) => BigInt(ways[kind].length))));
    return `${figure.text} fits none of the ${grouped(size)} numbers that were looked at`;
  }
  const [best] = readings;
  const isBeaten = readings.some(({ penalty }) => penalty < best.penalty);
  const standings = best.way.steps.map(({ standing }) => standing);
  const exact = grouped(totalOf(gpt2Of(best.candidate.x)));
  const told = `${conventionOf(best)} of ${best.candidate.name}`;
  const number = grouped(best.value) + (best.fit === "exact" ? "" : `, ${best.fit}`);
  if (isBeaten || isLikely(figure, best, candidates))
    return owner ? `${figure.text} ${owner}` : `${figure.text} may be ${number}: ${told}, or a coincidence`;
  if (standings.includes("wrong"))
    return `${figure.text} is what a formula gives that is not exact: ${told}, which has ${exact}`;
  if (standings.includes("hypothesis")) return `${figure.text} would be ${number}: ${told}, a hypothesis`;
  return `${figure.text} is ${number}: ${told}`;
}
