/* The report's data, and the one way in which the page makes elements of it. */

const byId = (id) => document.getElementById(id);
const report = JSON.parse(byId("report-data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "image", "rect"]);

/**
 * An element with attributes, listeners (named on...) and children.
 * Texts become text nodes, so that nothing in the data is ever read as markup.
 */
function element(tag, attributes = {}, ...children) {
  const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== ""));
  return node;
}

/** Fill a select with [value, text] pairs and choose one. */
function fillSelect(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
  select.value = chosen;
}

/** What the reader has chosen. A section is one data set and split; its place in report.sections names it. */
const state = {
  section: 0,
  policy: report.opensWith.policy,
  protocol: report.opensWith.protocol,
  sortedBy: null, // a column's name, "method", or null for the order of the table
  reversed: false, // worst first, or Z to A
  columns: new Set(report.columns.filter((column) => column.shown).map((column) => column.name)),
  open: new Set(), // methods whose details are shown
};
