/* The table: switching, filtering, sorting. */

const NARROW = window.matchMedia("(max-width: 40rem)"); // as in page.css
const [NUMBER, LOW, HIGH, TEXT, PUBLISHED, RANK, DOUBTFUL, FIGURE_MARKS] = [0, 1, 2, 3, 4, 5, 6, 7];
const [PRINTED, DIFFERENCE, SOURCE] = [0, 1, 2]; // of each published figure

/** The columns that are shown; in a narrow window those of accuracy first, for no others are in sight there. */
function shownColumns() {
  const columns = report.columns.map((column, place) => ({ ...column, place })).filter(({ name }) => state.columns.has(name));
  return NARROW.matches ? columns.toSorted((a, b) => a.ofMethod - b.ofMethod) : columns;
}

const currentView = () => report.views[state.policy][state.protocol][state.section];

/** Lines that pass the filters, each with what the view says of it, in the order that was asked for. */
function shownLines() {
  const text = byId("filter").value.trim().toLowerCase();
  const group = byId("group").value;
  const lines = report.sections[state.section].lines
    .map((line, place) => ({ ...line, ...currentView().lines[place] }))
    .filter((line) => `${line.title} ${line.method}`.toLowerCase().includes(text))
    .filter((line) => !group || line.group === group)
    .filter((line) => !byId("measured").checked || line.figures.some((figure) => figure?.[TEXT]));
  return state.sortedBy ? sorted(lines) : lines;
}

function sorted(lines) {
  const place = report.columns.findIndex((column) => column.name === state.sortedBy);
  if (place < 0) {
    const byTitle = lines.toSorted((a, b) => a.title.localeCompare(b.title));
    return state.reversed ? byTitle.reverse() : byTitle;
  }
  const sign = ascending(report.columns[place]) ? 1 : -1;
  const key = (line) => line.figures[place]?.[NUMBER] ?? null;
  return lines.toSorted((a, b) => {
    const [one, other] = [key(a), key(b)];
    if (one === null || other === null) return (one === null) - (other === null); // without a figure: last, always
    return sign * (one - other);
  });
}

/** Whether the least figure comes first: where less is better, unless the order is reversed. */
const ascending = (column) => (column.better === "lower") !== state.reversed;

/** One click sorts the best first, the next the worst first, the third restores the table's own order. */
function sortBy(name) {
  if (state.sortedBy !== name) [state.sortedBy, state.reversed] = [name, false];
  else if (!state.reversed) state.reversed = true;
  else [state.sortedBy, state.reversed] = [null, false];
  markOrder();
  drawLines();
}

function drawHead() {
  const head = (name, text, numeric) =>
    element("th", { scope: "col", "data-column": name, class: numeric ? "figure" : "method" },
      element("button", { type: "button", onclick: () => sortBy(name) }, text));
  const cells = shownColumns().map((column) => head(column.name, column.arrow, true));
  byId("units").textContent = unitsText();
  byId("results").tHead.replaceChildren(element("tr", {}, head("method", "Method", false), cells));
  markOrder();
}

/** Units of the columns that are shown: "IoU, Pd in 1e-2; Fa in 1e-6." */
function unitsText() {
  const columns = shownColumns();
  const units = [...new Set(columns.map(({ unit }) => unit).filter(Boolean))];
  const titles = (wanted) => columns.filter(({ unit }) => unit === wanted).map(({ title }) => title).join(", ");
  const texts = units.map((unit) => `${titles(unit)} in ${unit}`);
  return texts.length ? `${texts.join("; ")}.` : "";
}

function markOrder() {
  for (const cell of byId("results").tHead.querySelectorAll("th")) {
    const { column: name } = cell.dataset;
    if (name !== state.sortedBy) {
      cell.removeAttribute("aria-sort");
      continue;
    }
    const column = report.columns.find((one) => one.name === name);
    const rising = column ? ascending(column) : !state.reversed;
    cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
  }
}

function drawLines() {
  hideTip();
  const lines = shownLines();
  const body = byId("results").tBodies[0];
  body.replaceChildren(...lines.flatMap((line) => [lineRow(line), ...(state.open.has(line.method) ? [detailsRow(line)] : [])]));
  body.querySelector("[data-stop]")?.setAttribute("tabindex", "0");
  const all = report.sections[state.section].lines.length;
  byId("shown").textContent = `${lines.length} of ${all} methods shown`;
  const behindFigures = (line) => shownColumns().flatMap(({ place }) => [...(line.figures[place]?.[FIGURE_MARKS] ?? "")]);
  const used = [...new Set(lines.flatMap((line) => [...line.marks, ...behindFigures(line)]))].sort();
  const { untested } = currentView();
  const doubtful = lines.some(({ figures }) => shownColumns().some(({ place }) => figures[place]?.[DOUBTFUL]));
  byId("marks").replaceChildren(
    ...used.map((mark) => element("li", {}, element("sup", {}, mark), ` ${report.marks[mark]}`)),
    ...(doubtful ? [element("li", {}, `≈ ${report.notReal}`)] : []),
    ...(untested.length ? [element("li", {}, `leads in ${untested.join(", ")} were not tested`)] : []),
  );
}

function lineRow(line) {
  const button = element("button", {
    type: "button", "data-stop": true, tabindex: -1, "aria-expanded": String(state.open.has(line.method)), onclick: () => toggleDetails(line),
  }, line.title);
  const marks = line.marks && element("sup", {}, line.marks);
  const remarks = [line.problem ?? line.cut, line.remark].filter(Boolean).join("; ");
  const name = element("th", { scope: "row", class: "method" }, button, marks,
    remarks && element("small", { class: line.problem ? "problem" : "quiet" }, remarks));
  return element("tr", { class: "line", "data-method": line.method }, name,
    shownColumns().map((column) => figureCell(column, line.figures[column.place])));
}

function figureCell(column, figure) {
  const cell = (attributes, ...content) => element("td", { "data-stop": true, tabindex: -1, class: "figure", ...attributes }, content);
  if (!figure) return cell({}, "–");
  const text = figure[TEXT] && element({ 1: "strong", 2: "u" }[figure[RANK]] ?? "span", {}, figure[TEXT]);
  const others = figure[PUBLISHED].map((other) => [other[PRINTED] + other[SOURCE], other[DIFFERENCE]].filter(Boolean).join(", ")).join("; ");
  const published = others && element("small", { class: "quiet" }, `(${others})`);
  return cell({ "data-tip": figureTip(figure) }, text, figure[DOUBTFUL] ? " ≈" : null,
    figure[FIGURE_MARKS] && element("sup", {}, figure[FIGURE_MARKS]), published);
}

/** The interval, the published figure, the difference and what is to be thought of a lead, in words. */
function figureTip(figure) {
  return [
    figure[LOW] && `95 % interval ${figure[LOW]} to ${figure[HIGH]}`,
    ...figure[PUBLISHED].flatMap((other) => [
      `published${other[SOURCE]} ${other[PRINTED]}`,
      other[DIFFERENCE] && `difference${other[SOURCE]} ${other[DIFFERENCE]}`,
    ]),
    figure[DOUBTFUL] && "its lead over the next may be chance",
    ...[...figure[FIGURE_MARKS]].map((mark) => report.marks[mark]),
  ].filter(Boolean).join("\n") || null;
}

function toggleDetails(line) {
  if (!state.open.delete(line.method)) state.open.add(line.method);
  drawLines();
  byId("results").querySelector(`tr[data-method="${CSS.escape(line.method)}"] button`).focus();
}

/** Everything anew for another data set, policy or protocol. */
function drawTable() {
  const protocols = report.views[state.policy];
  if (!protocols[state.protocol]) state.protocol = "exact";
  for (const option of byId("protocol").options) option.disabled = !protocols[option.value];
  byId("protocol").value = state.protocol;
  const { images, source } = report.sections[state.section];
  byId("about-view").textContent = [
    images === null ? "Not run." : `${images} test images.`,
    source,
    Object.keys(protocols).length === 1 && "A cut that is chosen after scoring has the exact protocol alone.",
  ].filter(Boolean).join(" ");
  drawHead();
  drawLines();
}
