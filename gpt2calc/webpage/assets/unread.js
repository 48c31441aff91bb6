// What a config holds that no count reads: what gpt2calc.unread does, by the same tables.

const UNREAD = FIELDS.unread;

/** The notes on what a document of transformers holds and nobody reads: those before all others, and those behind. */
function unreadNotes(document, fields) {
  const unknown = [...document.keys()].filter((name) => !CANONICAL.has(name) && !NO_COUNT.has(name));
  if (unknown.length > UNREAD.most_keys)
    throw new Sentence(
      `expected a config, got an object with more than ${UNREAD.most_keys} keys that no GPT-2 has`,
    );
  const foreign = [];
  const others = [];
  for (const [name, value] of document) {
    refusePruned(name, value);
    const note = foreignNote(name, value, fields);
    if (note) {
      foreign.push(note);
      continue;
    }
    const isKnown = CANONICAL.has(name) || NO_COUNT.has(name) || Object.hasOwn(FIELDS.not_read, name);
    if (isKnown || isNothing(name, value)) continue;
    const meant = meantBy(name, value);
    if (meant && !(fields.has(meant) && same(fields.get(meant), value)))
      throw new Sentence(`there is no field ${shortened(name)}: did you mean ${meant}?`);
    refuseNested(name, value, fields);
    others.push(shortened(name));
  }
  const [notes, named] = [UNREAD.most_notes, UNREAD.most_named];
  if (foreign.length > notes) {
    const rest = foreign.splice(notes).length;
    foreign.push(`${rest} more fields of other architectures are not read by GPT-2`);
  }
  const more = others.length > named ? ` and ${others.length - named} more` : "";
  const list = others.slice(0, named).join(", ") + more;
  return [foreign, others.length ? [`not read, as transformers' GPT-2 reads none of them: ${list}`] : []];
}

function foreignNote(name, value, fields) {
  const problem = gating(name, value);
  if (problem) return `${problem}; the count is of those`;
  if (CANONICAL.has(name) || NO_COUNT.has(name)) return null;
  if (Object.hasOwn(FIELDS.not_read, name)) {
    const meant = FIELDS.not_read[name];
    const isSame = same(value, fields.get(meant) ?? null);
    return isSame ? null : `${pair(name, value)} is not read by GPT-2; ${meant} is what counts`;
  }
  if (isNothing(name, value) || !(isForeign(name, value) || (isWhole(value) && holdsASize(name)))) return null;
  return `${pair(name, value)} is not read by GPT-2: the count is of a GPT-2 without it`;
}

const wordsOf = (name) => ` ${name.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;

/** Whether a key, with such a value, is a size or a structure of an architecture that GPT-2 is not. */
function isForeign(name, value = null) {
  const words = wordsOf(name);
  const has = (phrase) => words.includes(` ${phrase} `);
  if (has("cache") || (value instanceof Real && !UNREAD.foreign_floats.some(has))) return false;
  return UNREAD.foreign.some(has);
}

/** Whether a key is foreign, and its value says that there is no such thing, or that all is as in GPT-2. */
function isNothing(name, value) {
  if (!isForeign(name)) return false;
  if (UNREAD.body_biases.includes(name.toLowerCase())) return value !== false;
  if (typeof value === "string") return UNREAD.plain_words.includes(value.toLowerCase());
  const isOne = value === 1n || (value instanceof Real && value.value === 1);
  return !isTrue(value) || (isOne && name.toLowerCase().includes("expert"));
}

function gating(name, value) {
  if (!UNREAD.activations.includes(name) || typeof value !== "string") return null;
  if (!/glu|gated/.test(value.toLowerCase()) && !UNREAD.learned.includes(value)) return null;
  return `${pair(name, value)} gives an MLP other parameters than those of c_fc and c_proj, which GPT-2's has`;
}

function refusePruned(name, value) {
  if (name !== "pruned_heads" || !isTrue(value)) return;
  throw new Sentence(`${pair(name, value)}: heads are taken out of blocks, and only blocks that are alike are counted`);
}

/** Throw where sizes that the document does not give, or gives otherwise, lie within a key of it. */
function refuseNested(name, value, fields) {
  const waiting = [[shortened(name), value]];
  while (waiting.length) {
    const [path, held] = waiting.pop();
    const pairs = held instanceof Map ? held : Array.isArray(held) ? held.map((each) => ["", each]) : [];
    for (const [key, inner] of pairs) {
      const field = CANONICAL.get(key);
      const isGiven = fields.has(field) && same(fields.get(field), inner);
      if (UNREAD.sizes.includes(field) && isWhole(inner) && !isGiven) {
        const problem = `${path} holds sizes, ${pair(key, inner)} among them: give the object ${path} alone`;
        throw new Sentence(`${problem}, or its sizes outside of it`);
      }
      waiting.push([key === "" ? path : shortened(`${path}.${key}`), inner]);
    }
  }
}

/** The field that a mistyped key means, where the value is of its kind; null where it means none. */
function meantBy(name, value) {
  const known = [...CANONICAL.keys()];
  const near = mistyped(name, known) ?? mistyped(name.replace(new RegExp(UNREAD.suffix), ""), known);
  if (near === null) return null;
  const field = CANONICAL.get(near);
  const { kind } = ROWS[field];
  if (kind === "switch") return typeof value === "boolean" ? field : null;
  return kind === "size" && isWhole(value) ? field : null;
}

function holdsASize(name) {
  const words = wordsOf(name);
  const isPart = UNREAD.long_sizes.some((size) => words.includes(` ${size} `) && words.trim() !== size);
  return isPart && meantBy(name, 1n) === null;
}

const isWhole = (value) => typeof value === "bigint" || (value instanceof Real && Number.isInteger(value.value));
