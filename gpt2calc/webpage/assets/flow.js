// A model as a flow from tokens to logits, whose stages gpt2calc.plots.flows reads: where each box lies. A box, its row in
// a table and its terms in the formula light up together.

/** An element of a drawing. */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The drawing, as wide as there is room: a box is as high as its parameters, and one line at the least. */
function flowOf(source, total, width) {
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
  const [[before, ...rest], tied, end] = gpt2calc.flow(source);
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
