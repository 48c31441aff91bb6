// A printed figure, 137M or 1.5B or 548 MB, and what it can count: Python's own search, over the GPT-2s that ship.

const { models, axes, budget } = gpt2calc.explaining;
let shippedSearch = null;

/** The search over all that ship, made once. */
const everywhere = () => (shippedSearch ??= new gpt2calc.Search(models, axes, budget));

/** What a figure counts, of what ships and of other GPT-2s, each with its name. */
ANSWERS.explain = (text, others) => {
  const [figure] = gpt2calc.readPrinted(text);
  const named = others.map(([name, fields]) => [name, gpt2calc.fromFields(new py.dict(fields))]);
  const own = named.filter(([, dims]) => !models.some((each) => py.eq(each.counted, dims)));
  const candidates = own.map(([name, dims]) => new gpt2calc.Candidate([name], dims));
  const search = new gpt2calc.Search([...candidates, ...models], axes, budget);
  const ways = candidates.map(({ counted }) => new gpt2calc.Ways(counted, axes, budget));
  Object.defineProperty(search, "ways", { value: [...ways, ...everywhere().ways] });
  const found = gpt2calc.owned(gpt2calc.explained(search, figure, search.readings(figure)), []);
  const isRead = found.readings.length > 0;
  const rows = (isRead ? found.readings : found.nearest).map((reading) => {
    const { value, convention, sentence, rivals, fit, model } = reading;
    const met = isRead ? gpt2calc.fitInWords(fit) : "not";
    return { value, convention, sentence, fit: met, rivals: isRead ? String(rivals) : "", model: model.names[0] };
  });
  return { answer: gpt2calc.inShort(found), rows };
};
