// A printed figure, 137M or 1.5B or 548 MB, and the counts that it can stand for, ranked as gpt2calc.explanation does:
// every composition of the steps that Python printed, within a budget, for each model.

const EXPLAIN = FACTS.explain;
const [EVERY, PARAMETERS] = [new RegExp(EXPLAIN.pattern, "g"), new RegExp(EXPLAIN.parameters, "i")];
const [BEFORE, AFTER] = [new RegExp(EXPLAIN.before, "i"), new RegExp(`^(?:${EXPLAIN.after})`, "i")];
const [LISTED, TOLD] = [new RegExp(`^(?:${EXPLAIN.listed})$`), new RegExp(EXPLAIN.told)];
const BUDGET = EXPLAIN.most_penalty;

// What a figure can stand for

/** Read the first figure in a text; null where there is none, a Sentence where it is no size. */
function findPrinted(text) {
  const spelled = (words, [pattern, by]) => words.replace(new RegExp(pattern, "g"), by);
  const words = EXPLAIN.spelled.reduce(spelled, text.slice(0, EXPLAIN.longest + 1));
  const found = firstMeant(words);
  if (!found) return null;
  const { about, sign, whole, decimals = "", power = "0", unit } = found.groups;
  const [said, what] = [found[0].trim(), "a number of parameters or bytes"];
  if (sign || !(unit in EXPLAIN.scales)) refuse(`expected ${what}, got ${shown(said)}`);
  const bare = whole.replace(/[,_]/g, "").replace(/^0+(?=\d)/, "");
  const isWrittenOut = ["", "bytes"].includes(unit) && power === "0" && bare.endsWith("0".repeat(EXPLAIN.vague_zeros));
  // Of an approximate whole number, the zeros at the end are no digits, but for those among the first two.
  const zeros = Math.max(0, Math.min(/0*$/.exec(bare)[0].length, bare.length - 2));
  const vague = (about || isWrittenOut) && !decimals ? zeros : 0;
  const digits = BigInt(bare + decimals) / 10n ** BigInt(vague);
  if (!digits) refuse(`expected ${what} above 0, got ${shown(text)}`);
  const says = PARAMETERS.test(words) ? "count" : "";
  return { text: said, digits, decimals: decimals.length || -vague, unit, power: Number(power), says };
}

/** The first figure of a text, of those that the word parameters is said of where there are such. */
function firstMeant(words) {
  const found = [...words.matchAll(EVERY)];
  const [starts, ends] = [found.map(({ index }) => index), found.map((each) => each.index + each[0].length)];
  const beside = found.map((_, place) => {
    const isBefore = BEFORE.test(words.slice(ends[place - 1] ?? 0, starts[place]));
    return isBefore || AFTER.test(words.slice(ends[place], starts[place + 1] ?? words.length));
  });
  const reach = (one, other) => {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    const isListed = LISTED.test(words.slice(ends[low], starts[high]));
    if (beside[one] && isListed && !TOLD.test(words.slice(0, starts[other]))) beside[other] = true;
  };
  for (let place = 0; place + 1 < found.length; place += 1) reach(place, place + 1);
  for (let place = found.length - 1; place > 0; place -= 1) reach(place, place - 1);
  return found.find((_, place) => beside[place]) ?? found[0] ?? null;
}

function readPrinted(text) {
  const found = text.length <= EXPLAIN.longest && findPrinted(text);
  return found || refuse(`expected a figure such as ${EXPLAIN.examples}, got ${shown(text)}`);
}

/** Whether a figure is in bytes, so that it may be the size of a file, header and all. */
const isInBytes = ({ unit }) => EXPLAIN.scales[unit].every(([kind]) => kind === "bytes");

/** What a unit of a figure may stand for, and how unusual that is. A small number without a unit can be in any. */
function scalesOf(figure) {
  const { digits, decimals, unit, power, says } = figure;
  const isLarge = decimals <= 0 && digits * 10n ** BigInt(-decimals) >= BigInt(EXPLAIN.worth_a_unit);
  const units = unit || power || isLarge ? [unit] : ["M", "B", "K", ...(decimals > 0 ? [] : [""])];
  const scales = units.flatMap((each) => EXPLAIN.scales[each]);
  const meant = scales.filter(([kind]) => isInBytes(figure) || !says || says === kind);
  return meant.map(([kind, by, penalty, name]) => ({ kind, unit: BigInt(by) * 10n ** BigInt(power), penalty, name }));
}

/** What a number, and what a figure's digits, are multiplied by to be compared as whole numbers. */
const multipliers = ({ decimals: places }, { unit }) =>
  places > 0 ? [10n ** BigInt(places), unit] : [1n, unit * 10n ** BigInt(-places)];

/** The least and the largest whole number that can be printed so, at a scale. */
function boundsOf(figure, of, last = figure.digits) {
  const [shift, unit] = multipliers(figure, of);
  const least = floored((figure.digits - 1n) * unit, shift) + 1n;
  return [least < 1n ? 1n : least, floored((last + 1n) * unit - 1n, shift)];
}

/** The digits that a number can have where it is printed like a figure, from and to by each fit. */
function printedAs(figure, { value, tensors }, of) {
  const [shift, unit] = multipliers(figure, of);
  const digits = floored(value * shift, unit);
  const rest = value * shift - digits * unit;
  const isAbove = 2n * rest > unit || (2n * rest === unit && digits % 2n === 1n);
  const found = [[!rest ? "exact" : isAbove ? "cut off" : "rounded", digits, digits]];
  if (isAbove || 2n * rest === unit) found.push(["rounded", digits + 1n, digits + 1n]);
  const nearest = found.at(-1)[2];
  const held = isInBytes(figure) ? tensors : 0n;
  const withHeader = (each) => floored(2n * (value + BigInt(each) * held) * shift + unit, 2n * unit);
  const [least, most] = EXPLAIN.header.map(withHeader);
  if (most > nearest) found.push(["with a header", least > nearest ? least : nearest + 1n, most]);
  else if (rest && nearest === digits && digits) found.push(["rounded up", digits + 1n, digits + 1n]);
  return found;
}

/** How a number comes to be printed as a figure; undefined where it does not. */
const fitOf = (figure, way, of) =>
  printedAs(figure, way, of).find(([, first, last]) => first <= figure.digits && figure.digits <= last)?.[0];

// What can be counted of a model

/** What the plain count of a model is called, after the convention that it is. */
function plainStep(x) {
  const [name, , sentence] = FACTS.conventions.find(([name]) => name === (x.tie_word_embeddings ? "tied" : "untied"));
  return x.lm_head ? { ...EXPLAIN.parts[0], name, sentence } : EXPLAIN.parts[0];
}

/** The model, and every other that is counted in its place, at most one step of each axis away. */
function variantsOf(x, place = 0, budget = BUDGET) {
  if (place === EXPLAIN.axes.length) return [{ x, steps: [], penalty: 0 }];
  const found = variantsOf(x, place + 1, budget);
  variationsOf(x)[place].forEach((difference, i) => {
    const step = EXPLAIN.axes[place][i];
    const isOther = Object.entries(difference).some(([field, value]) => x[field] !== value);
    if (step.penalty > budget || !isOther) return; // a step that changes nothing is none
    for (const each of variantsOf({ ...x, ...difference }, place + 1, budget - step.penalty))
      found.push({ x: each.x, steps: [step, ...each.steps], penalty: each.penalty + step.penalty });
  });
  return found;
}

/** Everything that a model can be said to have, as parameters and as bytes: one way for each number. */
function waysOf(x) {
  const counted = variantsOf(x).flatMap(({ x: other, steps, penalty }) =>
    partsOf(other).flatMap(([value, small, tensors], i) => {
      const part = EXPLAIN.parts[i];
      if (penalty + part.penalty > BUDGET) return [];
      const way = { value: value(), small: small(), tensors: tensors(), penalty: penalty + part.penalty };
      return [{ ...way, steps: i ? [...steps, part] : steps }];
    }),
  );
  const all = counted.map((way, place) => ({ ...way, place })).filter(({ value }) => value);
  const stored = EXPLAIN.dtypes.flatMap((dtype) =>
    all.map((way) => {
      const value = -floored(-BigInt(dtype.bits) * way.value, 8n) + way.small; // rounded up
      return { ...way, value, penalty: way.penalty + dtype.penalty, steps: [...way.steps, dtype] };
    }),
  );
  const plain = all.filter(({ small }) => !small).map((way) => ({ ...way, tensors: 0n }));
  return { count: distinctWays(plain), bytes: distinctWays(stored.filter(({ penalty }) => penalty <= BUDGET)) };
}

function distinctWays(ways) {
  const found = new Map();
  for (const way of ways) {
    const { penalty = Infinity, steps = [] } = found.get(way.value) ?? {};
    if ((way.penalty - penalty || way.steps.length - steps.length) < 0) found.set(way.value, way);
  }
  return [...found.values()];
}

// Which of them a figure is

/** The models that ship, those of the same sizes and structure as one. */
const shippedModels = () => [...Map.groupBy(gpt2s(), ({ all }) => String(Object.values(dimsOf(all)))).values()];

/** What one of them can be said to have, with the figures that were published for it. */
function shippedCandidate(alike) {
  const published = alike.map((preset) => findPrinted(preset.published ?? "")).filter(Boolean);
  const names = alike.flatMap((preset) => preset.aliases ?? []).map((name) => [name, findPrinted(name)]);
  const called = names.filter(([name, figure]) => figure?.text === name).map(([, figure]) => figure);
  return { ...candidateOf(alike[0].name, dimsOf(alike[0].all)), published, called };
}

const candidateOf = (name, x) => ({ name, x, published: [], called: [], ways: waysOf(x) });
const sameModel = (one, other) => Object.entries(one).every(([field, value]) => other[field] === value);

/** Whether a figure is printed like one of others, by the first that each may stand for. */
function isAmong(figure, others) {
  const bounds = (each) => scalesOf(each).slice(0, 1).map((first) => boundsOf(each, first)).join();
  return others.length > 0 && scalesOf(figure).length > 0 && others.some((other) => bounds(figure) === bounds(other));
}

/** How a number meets a figure, as people are told it. */
const fitInWords = (fit) => fit.replace("cut off", "truncated");

/** How unusual a reading is: less where just this figure was published for the model, and least where it is its name. */
function penaltyOf(figure, { called, published }, way, of, fit) {
  const isPlain = !way.steps.length && !of.name;
  if (isPlain && isAmong(figure, called)) return EXPLAIN.named;
  const less = isPlain && isAmong(figure, published) ? EXPLAIN.published : 0;
  return less + way.penalty + of.penalty + EXPLAIN.fits[fit];
}

/** Every way that lies within what can be printed like a figure, or like one up to `last`, at each of its scales. */
function* waysNear(figure, candidates, last) {
  for (const of of scalesOf(figure)) {
    const [least, most] = boundsOf(figure, of, last);
    for (const [place, candidate] of candidates.entries())
      for (const way of candidate.ways[of.kind]) {
        // A file may hold so much besides a number, where a figure is the size of one.
        const header = isInBytes(figure) ? BigInt(EXPLAIN.header[1]) * way.tensors : 0n;
        const usual = way.penalty + of.penalty;
        const isNear = way.value >= least - header && way.value <= most;
        if (usual <= BUDGET && isNear) yield { candidate, place, of, way, usual };
      }
  }
}

/** Every reading of a figure, one for each number, best first, with how many others have no larger penalty. */
function readingsOf(figure, candidates) {
  const found = [];
  for (const near of waysNear(figure, candidates)) {
    const fit = fitOf(figure, near.way, near.of);
    if (fit === undefined) continue;
    const penalty = penaltyOf(figure, near.candidate, near.way, near.of, fit);
    const rank = [penalty, EXPLAIN.fits[fit], near.place, near.way.steps.length, near.way.place];
    found.push({ ...near, fit, penalty, rank, value: near.way.value });
  }
  found.sort((a, b) => a.rank.map((n, i) => n - b.rank[i]).find(Boolean) ?? 0);
  const kept = [...Map.groupBy(found, ({ value }) => value).values()].map(([first]) => first);
  const rivals = ({ penalty: most }) => kept.filter(({ penalty }) => penalty <= most).length - 1;
  return kept.map((reading) => ({ ...reading, rivals: rivals(reading) }));
}

/** Whether more figures than few, of all that are printed like one, have readings with no larger penalty than one. */
function isLikely(figure, { penalty }, candidates) {
  const first = 10n ** BigInt(String(figure.digits).length - 1);
  const last = 10n * first - 1n;
  const met = [];
  for (const { candidate, of, way, usual } of waysNear({ ...figure, digits: first }, candidates, last)) {
    if (usual && usual + EXPLAIN.published > penalty) continue;
    for (const [fit, from, to] of printedAs(figure, way, of)) {
      const isMet = from <= last && to >= first;
      if (isMet && penaltyOf({ ...figure, digits: from }, candidate, way, of, fit) <= penalty) met.push([from, to]);
    }
  }
  // Sorted by where they begin, so that of each only what lies behind `end` is counted anew.
  let [figures, end] = [0n, first - 1n];
  for (const [from, to] of met.sort(([a], [b]) => inOrder(a, b))) {
    const [start, stop] = [from > end ? from : end + 1n, to < last ? to : last];
    if (stop >= start) [figures, end] = [figures + stop - start + 1n, stop];
  }
  const [few, all] = EXPLAIN.most_chance.map(BigInt);
  return figures * all > few * (last - first + 1n);
}

/** The usual counts that come nearest to a figure that none meets. */
function nearestReadings(figure, candidates) {
  const [of] = scalesOf(figure);
  const [shift, unit] = multipliers(figure, of);
  const off = ({ value }) => absolute(value - (figure.digits * unit) / shift);
  const all = candidates.flatMap((candidate) => candidate.ways[of.kind].map((way) => ({ candidate, of, way, ...way })));
  const usual = all.filter(({ penalty }) => penalty <= EXPLAIN.known);
  return usual.sort((a, b) => inOrder(off(a), off(b)) || a.penalty - b.penalty).slice(0, EXPLAIN.nearest);
}

// In words

const conventionOf = ({ candidate, way, of }) =>
  (way.steps.map(({ name }) => name).join(" + ") || plainStep(candidate.x).name) + (of.name ? ` / ${of.name}` : "");

function sentenceOf({ candidate, way, of }) {
  const steps = way.steps.every((step) => step.bits) ? [plainStep(candidate.x), ...way.steps] : way.steps;
  return [...steps.map(({ sentence }) => sentence), ...(of.name ? [`in units of ${of.name}`] : [])].join("; ");
}

/** Whose a figure is, by name or as it was published, that is no more than a coincidence else; "" where it is none's. */
function ownerOf(figure, candidates) {
  const is = (of) => (candidate) => isAmong(figure, candidate[of]);
  const owner = isInBytes(figure) ? null : (candidates.find(is("called")) ?? candidates.find(is("published")));
  return owner ? `is what ${owner.name} is called, which has ${grouped(totalOf(gpt2Of(owner.x)))}` : "";
}

/** The answer in one sentence, without a full stop. */
function answerOf(figure, readings, candidates) {
  const [[best], owner] = [readings, ownerOf(figure, candidates)];
  if (!best && owner) return `${figure.text} ${owner}`;
  if (!best) {
    const kinds = [...new Set(scalesOf(figure).map(({ kind }) => kind))];
    const size = candidates.flatMap(({ ways }) => kinds.map((kind) => ways[kind].length)).reduce((a, b) => a + b);
    return `${figure.text} fits none of the ${grouped(size)} numbers that were looked at`;
  }
  const standings = best.way.steps.map(({ standing }) => standing);
  const told = `${conventionOf(best)} of ${best.candidate.name}`;
  const number = grouped(best.value) + (best.fit === "exact" ? "" : `, ${fitInWords(best.fit)}`);
  if (isLikely(figure, best, candidates))
    return owner ? `${figure.text} ${owner}` : `${figure.text} may be ${number}: ${told}, or a coincidence`;
  if (standings.includes("wrong")) {
    const exact = grouped(totalOf(gpt2Of(best.candidate.x)));
    return `${figure.text} is what a formula gives that is not exact: ${told}, which has ${exact}`;
  }
  if (standings.includes("hypothesis")) return `${figure.text} would be ${number}: ${told}, a hypothesis`;
  if (best.penalty === EXPLAIN.named)
    return `${figure.text} is what ${best.candidate.name} is called: ${number} (${conventionOf(best)})`;
  return `${figure.text} is ${number}: ${told}`;
}
