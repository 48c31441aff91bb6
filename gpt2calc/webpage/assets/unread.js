// What a GPT-2's config holds that no count reads: refused where it may change a shape, and else named in one note.

const UNREAD = FIELDS.unread;

/** The notes on what a document of transformers holds and nobody reads. */
function unreadNotes(document, fields) {
  const unread = [];
  const notes = [];
  for (const [name, value] of document) {
    refusePruned(name, value);
    const problem = gating(name, value);
    if (problem) notes.push(`${problem}; the count is of those`);
    if (CANONICAL.has(name) || NO_COUNT.has(name) || problem) continue;
    if (Object.hasOwn(FIELDS.not_read, name)) {
      const meant = FIELDS.not_read[name];
      if (!same(value, fields.get(meant) ?? null))
        notes.push(`${pair(name, value)} is not read by GPT-2; ${meant} is what counts`);
      continue;
    }
    const meant = isForeign(name) ? null : meantBy(name, value);
    if (meant && !(fields.has(meant) && same(fields.get(meant), value)))
      throw new Sentence(`there is no field ${shortened(name)}: did you mean ${meant}?`);
    if (!isForeign(name)) refuseNested(name, value, fields);
    unread.push(shortened(name));
  }
  if (unread.length > UNREAD.most_keys)
    throw new Sentence(`expected a config, got an object with more than ${UNREAD.most_keys} keys that no GPT-2 has`);
  const more = unread.length > UNREAD.most_notes ? ` and ${unread.length - UNREAD.most_notes} more` : "";
  const list = unread.slice(0, UNREAD.most_notes).join(", ") + more;
  return [...notes, ...(list ? [`not read, as transformers' GPT-2 reads none of them: ${list}`] : [])];
}

/** Whether a key is of an architecture that GPT-2 is not. */
function isForeign(name) {
  const words = ` ${name.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;
  return UNREAD.foreign.some((phrase) => words.includes(` ${phrase} `));
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

const isWhole = (value) => typeof value === "bigint" || (value instanceof Real && Number.isInteger(value.value));
