// A printed number, 137M or 1.5B or 548 MB, and every count that it can stand for, as gpt2calc.figures judges.

const FIGURE = new RegExp(`^(?:${FACTS.figures.pattern})$`);
const [TRUE, ROUNDED, CUT_OFF] = FACTS.figures.verdicts;

/** Read a figure: its value and the step between it and the next that has as many digits, over one denominator. */
function readFigure(text) {
  const words = text.trim().split(/\s+/).join(" ");
  const found = words.length <= LONGEST ? FIGURE.exec(words) : null;
  const [unit, , ...kinds] = FACTS.figures.units[found?.groups.unit ?? ""];
  if (!found || !["count", "bytes"].some((kind) => kinds.includes(kind)))
    throw new Sentence(`expected a figure such as 137M, 1.5B or 548 MB, got ${shown(text)}`);
  const { about, sign, whole, decimals = "" } = found.groups;
  const digits = whole.replaceAll(",", "");
  const value = BigInt(digits + decimals) * BigInt(unit) * (sign ? -1n : 1n);
  const vague = about && !decimals ? vagueZeros(digits.replace(/^0+/, "")) : 0;
  return { value, step: BigInt(unit) * 10n ** BigInt(vague), per: 10n ** BigInt(decimals.length), kinds };
}

/** How many zeros at the end of an approximate whole number are no digits: those after the second digit. */
const vagueZeros = (digits) => Math.max(0, Math.min(/0*$/.exec(digits)[0].length, digits.length - 2));

/** Every verdict by which a figure can stand for an exact count, none where it cannot. */
function readingsOf({ value, step, per }, exact) {
  if (exact * per === value) return [TRUE];
  if (value < 0n) return [];
  const [whole, rest] = [(exact * per) / step, (exact * per) % step];
  const even = 2n * rest > step || (2n * rest === step && whole % 2n) ? whole + 1n : whole;
  const up = 2n * rest >= step ? whole + 1n : whole;
  const is = (steps) => steps * step === value;
  return [...(is(even) || is(up) ? [ROUNDED] : []), ...(is(whole) ? [CUT_OFF] : [])];
}

/** Every config and convention that a figure can stand for, and where there is none, the nearest. */
function explained(figure, models) {
  const kindOfUnit = (unit) => (unit === "bytes" ? "bytes" : "count");
  const all = models.flatMap(({ name, conventions }) =>
    FACTS.conventions
      .filter(([, unit]) => figure.kinds.includes(kindOfUnit(unit)))
      .map(([convention, unit, sentence]) => ({ name, convention, unit, sentence, exact: conventions[convention] })),
  );
  const off = ({ exact }) => absolute(exact * figure.per - figure.value);
  const order = (a, b) => (off(a) < off(b) ? -1 : Number(off(a) > off(b)));
  const rank = ({ readings }) => FACTS.figures.verdicts.indexOf(readings[0]);
  const found = all
    .map((each) => ({ ...each, readings: readingsOf(figure, each.exact) }))
    .filter(({ readings }) => readings.length)
    .sort((a, b) => rank(a) - rank(b) || order(a, b));
  return { found, nearest: found.length ? [] : all.sort(order).slice(0, 3) };
}
