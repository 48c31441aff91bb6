// Elements, built node by node: text is text, whoever wrote it, and no markup is ever parsed.

const byId = (id) => document.getElementById(id);

/** An element with properties of its own, attributes where they have a hyphen or are given as such, and children. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Set a text where it differs, so that nothing is drawn anew that stays. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Cells of a row: the first is its header. A cell is a text, a node, or [text, class]. */
function rowOf(cells, { head = false } = {}) {
  const made = cells.map((cell, place) => {
    const [content, name] = Array.isArray(cell) ? cell : [cell, ""];
    const scope = head ? "col" : place === 0 ? "row" : null;
    return make(scope ? "th" : "td", { className: name, ...(scope && { scope }) }, content);
  });
  return make("tr", {}, ...made);
}

const number = (n) => [grouped(n), "n"];

/** Fill a table; rows that read as before keep their nodes. */
function fill(table, headers, rows, foot = []) {
  const parts = [[headers], rows, foot];
  [table.tHead, table.tBodies[0], table.tFoot].forEach((section, place) => {
    if (!section) return;
    const wanted = parts[place].map((cells) => rowOf(cells, { head: place === 0 }));
    const present = [...section.rows];
    wanted.forEach((row, line) => keepOr(section, present[line], row));
    present.slice(wanted.length).forEach((row) => row.remove());
  });
}

function keepOr(section, present, row) {
  if (!present) section.append(row);
  else if (!present.isEqualNode(row)) present.replaceWith(row);
}

const swatch = (group) => make("i", { className: group, "aria-hidden": "true" });
