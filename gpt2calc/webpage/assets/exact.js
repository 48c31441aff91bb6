// Exact integers as people read them: grouped digits, and shares rounded from integers.

const grouped = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const absolute = (n) => (n < 0n ? -n : n);
const signed = (n) => (n > 0n ? "+" : n < 0n ? "−" : "") + grouped(absolute(n));
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0n);
const inOrder = (a, b) => (a < b ? -1 : Number(a > b));

/** A quotient in decimals, rounded half to even from the exact integers, as gpt2calc.table.rounded. */
function rounded(numerator, denominator, digits) {
  if (denominator === 0n) return "-";
  const [scaled, whole] = [absolute(numerator) * 10n ** BigInt(digits), absolute(denominator)];
  const [below, twice] = [scaled / whole, 2n * (scaled % whole)];
  const quotient = below + BigInt(twice > whole || (twice === whole && below % 2n));
  const text = String(quotient).padStart(digits + 1, "0");
  const cut = text.length - digits;
  const sign = quotient && numerator < 0n !== denominator < 0n ? "-" : "";
  return sign + grouped(text.slice(0, cut)) + (digits ? `.${text.slice(cut)}` : "");
}

const percent = (part, whole, digits = 2) => `${rounded(100n * part, whole, digits)} %`;

/** The quotient of two integers as the nearest float: more bits than a float has, and a last one for what is cut. */
function share(part, whole) {
  const bits = 80n + BigInt(Math.max(0, 4 * (whole.toString(16).length - part.toString(16).length)));
  if (bits > 1000n) return 0; // it shows as 0, and 2 ** 1024 would be Infinity
  const scaled = part << bits;
  return Number((scaled / whole) | (scaled % whole ? 1n : 0n)) / 2 ** Number(bits);
}

/** A large number in three digits, for a glance: 124M, 1.56B, 1.20e36. */
function atAGlance(n) {
  const digits = String(n).length;
  if (digits > 15) return `${rounded(n, 10n ** BigInt(digits - 1), 2)}e${digits - 1}`;
  const power = Math.floor((digits - 1) / 3);
  const unit = 1000n ** BigInt(power);
  const text = rounded(n, unit, power ? Math.max(0, 3 - String(n / unit).length) : 0);
  return text === "1,000" && power < 4 ? atAGlance(1000n * unit) : text + ["", "K", "M", "B", "T"][power];
}
