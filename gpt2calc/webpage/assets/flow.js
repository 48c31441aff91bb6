// A model as a flow from tokens to logits: which boxes there are, by the names and groups that gpt2calc.plots.flows
// printed, and where each lies. A box, its row in a table and its terms in the formula light up together.

/** What stands before all blocks, each kind of blocks, and what stands after them: stages, each with how it stands to
 * the residual stream and its parts. */
function sectionsOf(model) {
  const { token, position, layer, embedding_norms: norms, after_blocks } = FACTS.flow;
  const [letters, before, after] = [lettersOf(model), [], []];
  const all = rowsOf(model).filter(({ inLayer, times, row }) => (row.layers ? inLayer || times : times));
  const partOf = (own, tags, n) => {
    const form = closedForm(model, { ...own.row, layers: tags }, letters);
    return { name: own.name, group: own.group, formula: form.text(), parameters: n * own.inLayer };
  };
  for (const own of all.filter(({ row }) => !row.layers)) {
    const [part, isAside] = [partOf(own, "", 1n), ["embedding", "other"].includes(own.group)];
    const put = (how, list, at = list.length) => list.splice(at, 0, { how, parts: [part] });
    if (own.part === token) put("start", before);
    else if (own.name === "project_in") put("through", before, 1); // positions are as wide as the blocks
    else if (after_blocks.includes(own.name)) put("through", after);
    else if (own.part === position) put("add", before);
    else if (norms.includes(own.name)) put("through", before);
    else if (own.part === layer || isAside || own.name.includes("per_layer")) put("aside", before);
    else put("through", after);
  }
  const placeOf = ({ parts: [{ name, group }] }) =>
    after_blocks.includes(name) ? 2 * after_blocks.indexOf(name) : group === "layer_norm" ? 1 : 3;
  after.sort((a, b) => placeOf(a) - placeOf(b));
  const isCommon = (tag) => model.kinds.every(([tags]) => tags.includes(tag));
  const blocks = model.kinds.map(([tags, n]) => {
    const held = all.filter(({ row }) => row.layers && hasTags(tags, row.layers) && valueOf(row.times, model.sizes));
    const own = tags.filter((tag) => !isCommon(tag)).sort().join(" ").replaceAll("_", " ");
    const each = sum(held.map(({ inLayer }) => inLayer));
    const parts = held.map((one) => partOf(one, tags.join(" "), n));
    return { title: `${own} block × ${grouped(n)}`.trim(), times: n, each, stages: stagesOf(model, parts) };
  });
  return [{ title: "", stages: before }, ...blocks, { title: "", stages: after }];
}

/** The stages of a block: norms by their names, then what mixes tokens, then the MLP. */
function stagesOf({ sizes, architecture: { type } }, parts) {
  const { before_mixer, after_mixer, before_mlp, after_mlp, second, rooms } = FACTS.flow;
  const norms = parts.filter(({ name, group }) => group === "layer_norm" && !name.includes("."));
  const rest = parts.filter((part) => !norms.includes(part));
  const isMixing = ({ name, group }) =>
    ["attention", "ssm"].includes(group) || (group === "layer_norm" && rooms.includes(name.split(".")[0]));
  const cross = rest.filter(({ group }) => group === "cross_attention");
  const [mixers, others] = [rest.filter(isMixing), rest.filter((part) => !isMixing(part) && !cross.includes(part))];
  const [mixersPlaced, mlps] = [alongItsWay(mixers), alongItsWay(others)];
  const isAfter = norms.some(({ name }) => second.includes(name));
  const lists = [after_mixer, before_mlp, after_mlp, before_mixer];
  const placeOf = ({ name }) =>
    isAfter && name === "post_attention_layernorm" ? 0 : lists.findIndex((names) => names.includes(name));
  const [mixed, fed, done, first, unknown] = [0, 1, 2, 3, -1].map((at) => norms.filter((part) => placeOf(part) === at));
  const [last, mixing, feeding] = [[...unknown, ...fed], [...mixersPlaced, ...mixed], [...mlps, ...done]];
  const isPost = type === "openai-gpt" || ("do_layer_norm_before" in sizes && !isTrue(sizes.do_layer_norm_before));
  const add = (...of) => ({ how: "add", parts: of.flat() });
  const through = (...of) => ({ how: "through", parts: of.flat() });
  let found = [add(first, mixing), add(last, feeding)];
  if (isPost) found = [add(mixing), through(first), add(feeding), through(last)].filter((stage) => stage.parts.length);
  else if (!(mixers.length && mlps.length)) found = [add(first, mixing, last, feeding)];
  else if (norms.length === 1 && first.length) found = [add(first, mixing, feeding)];
  if (cross.length) found.splice(1, 0, add(cross));
  return found;
}

/** What stands in attention, a state space or an MLP, in the order of a token's way through it. */
function alongItsWay(parts) {
  const { late, rooms_of, order } = FACTS.flow;
  const roomOf = ({ name }) => rooms_of[name.split(".")[0]] ?? name.split(".")[0];
  const all = parts.map(roomOf);
  const placeOf = (part) => [order[part.group] ?? 0, all.indexOf(roomOf(part)), late.indexOf(part.name.split(".").at(-1))];
  const placed = parts.map((part) => [placeOf(part), part]);
  return placed.sort(([a], [b]) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).map(([, part]) => part);
}

/** The embedding that is the output head too; undefined where none is. */
function tiedIn(model) {
  const { token, head } = FACTS.flow;
  const [rows, heads] = [rowsOf(model), rowsOf(model).filter(({ part }) => part === head)];
  const isTied = isTrue(model.sizes.lm_head ?? 0n) && heads.length && !heads.some(({ times }) => times);
  return isTied ? rows.find(({ part }) => part === token)?.name : undefined;
}

/** An element of a drawing. */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The drawing, as wide as there is room: a box is as high as its parameters, and one line at the least. */
function flowOf(model, total, width) {
  const [isNarrow, stream, left] = [width < 520, 18, 46];
  const [least, box] = [isNarrow ? 36 : 24, Math.round((width - left) * (isNarrow ? 0.5 : 0.4))];
  const [shapes, lines] = [[], []];
  let [y, joined, start] = [22, 22, 0];
  const say = (x, at, words, className, anchor = "start") =>
    svg("text", { x, y: at, class: className, "text-anchor": anchor }, words);
  const line = (path, className = "flow-line") => lines.push(svg("path", { d: path, class: className }));
  const down = (to) => {
    line(`M${stream} ${joined}V${to}`);
    joined = to;
  };
  const boxOf = ({ name, group, formula, parameters }) => {
    const high = Math.max(least, Math.round(330 * share(parameters, total || 1n)));
    const [middle, count] = [y + high / 2 + 4, grouped(parameters)];
    const rows = isNarrow ? [-8, 8] : [0, 0];
    const room = Math.floor((width - left - box - 28) / 6.6) - (isNarrow ? 0 : count.length + 1);
    const said = [...formula].length > room ? `${[...formula].slice(0, Math.max(room - 1, 1)).join("")}…` : formula;
    const label = `${name}: ${formula} = ${count} parameters`;
    const about = { class: "part", "data-parts": name, tabindex: 0, role: "img", "aria-label": label };
    const rect = svg("rect", { x: left, y, width: box, height: high, rx: 4, class: group });
    const texts = [
      say(left + 8, middle, name, `in ${group}`),
      say(left + box + 10, middle + rows[0], said, "faint"),
      say(isNarrow ? left + box + 10 : width - 10, middle + rows[1], count, "", isNarrow ? "start" : "end"),
    ];
    shapes.push(svg("g", about, svg("title", {}, label), rect, ...texts));
    y += high + 2;
    return [y - high - 2, y - 2];
  };
  const stageOf = ({ how, parts }) => {
    const places = parts.map(boxOf);
    const [into, out] = [places[0][0] + least / 3, places.at(-1)[1] - least / 3];
    if (how === "start") [joined, start] = [into, into];
    if (how === "start") line(`M${left} ${into}H${stream}`);
    else if (how === "through") {
      down(into);
      line(`M${stream} ${into}H${left}`);
      line(`M${left} ${out}H${stream}`);
      joined = out;
    } else if (how === "add") {
      if (parts[0].group !== "embedding") line(`M${stream} ${into}H${left}`);
      down(out - 6);
      line(`M${left} ${out}H${stream + 6}m-12 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0h12m-6 -6v12`);
      joined = out + 6;
    }
    y += 10;
  };
  const [tied, [before, ...rest]] = [tiedIn(model), sectionsOf(model)];
  shapes.push(say(left, 14, "tokens", "bold"));
  before.stages.forEach(stageOf);
  for (const { title, times, each, stages } of rest) {
    const top = y;
    if (title) {
      shapes.push(say(left, y + 16, title, "bold"));
      const said = `${grouped(each)} × ${grouped(times)}`;
      shapes.push(say(isNarrow ? left : width - 8, y + (isNarrow ? 32 : 16), said, "", isNarrow ? "start" : "end"));
      y += isNarrow ? 42 : 26;
    }
    stages.forEach(stageOf);
    if (title) lines.push(svg("rect", { x: 6, y: top, width: width - 8, height: y - top - 3, rx: 8, class: "frame" }));
    y += 8;
  }
  if (tied) {
    down(y + 12);
    line(`M${stream} ${y + 12}H${left}`);
    line(`M${left} ${start + 6}H3V${y + 18}H${left}`, "tie");
    const about = { x: left, y, width: box, height: 24, rx: 4, class: "tie" };
    shapes.push(svg("g", { "data-parts": tied }, svg("rect", about), say(left + 8, y + 16, `lm_head is ${tied}`)));
    y += 34;
  }
  const isScored = rowsOf(model).some(({ group, times }) => group === "head" && times);
  const end = isTrue(model.sizes.lm_head ?? 0n) ? "logits" : isScored ? "scores" : "hidden states";
  shapes.push(say(left, y + 10, end, "bold"));
  return svg("svg", { class: "flow", viewBox: `0 0 ${width} ${y + 20}`, width, height: y + 20 }, ...lines, ...shapes);
}

/** Light up all that stands for the same components as what is pointed at, or has the focus. */
function light({ target }) {
  const namesIn = (element) => element?.dataset.parts.split(" ") ?? [];
  const own = target.closest?.("[data-parts]") ?? target.closest?.("tr")?.querySelector("[data-parts]");
  const names = namesIn(own);
  for (const each of document.querySelectorAll("[data-parts]"))
    each.classList.toggle("lit", namesIn(each).some((name) => names.includes(name)));
}

/** The terms of a formula, each with the components that it is of. */
function termsOf({ form, components }) {
  const ranked = [...form.ranked()];
  return (ranked.length ? ranked : [[[], 0n]]).map(([letters, n], place) => {
    const key = py.sorted(letters);
    const own = components.filter(({ formula }) => formula.simplified.terms.has(key)).map(({ name }) => name);
    const sign = place ? (n < 0n ? " - " : " + ") : n < 0n ? "-" : "";
    const term = new gpt2calc.Expression(new py.dict([[key, absolute(n)]]));
    return make("span", { "data-parts": own.join(" ") }, sign + (n ? term.text() : "0"));
  });
}
