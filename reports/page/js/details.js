/* What opens under a method's name: its card, weights and command, and all of its figures. */

function detailsRow(line) {
  const section = report.sections[state.section];
  const parts = [
    part("Status", line.problem),
    part("Card", cardOf(line)),
    line.command && part("Command", element("code", { class: "command" }, line.command)),
    line.weights && part("Weights", pairs(line.weights)),
    line.speed && part("Speed", speedOf(line.speed)),
    line.options && part("Options", pairs(line.options)),
    line.code && part("Code", ["commit ", element("code", {}, line.code)]),
    part("Notes", list([line.training, ...(line.notes ?? []), ...(line.dataNotes ?? [])])),
    part("Figures", figuresOf(line)),
    report.images[state.section].counts[line.method] && part("Images", element("a", {
      href: "#images", onclick: () => showImagesOf(line.method),
    }, `of ${line.title} on ${section.title}`)),
  ];
  const cell = element("td", { colspan: shownColumns().length + 1 }, element("dl", { class: "details" }, parts.filter(Boolean)));
  return element("tr", { class: "details" }, cell);
}

const part = (name, content) => content && [element("dt", {}, name), element("dd", {}, content)];

function list(texts) {
  const told = texts.filter(Boolean);
  return told.length ? element("ul", {}, told.map((text) => element("li", {}, text))) : null;
}

function cardOf({ card, title }) {
  if (!card) return null;
  const source = [card.authors, card.venue, card.year].filter(Boolean).join(", ");
  const link = /^https?:\/\//.test(card.url) ? element("a", { href: card.url, rel: "noreferrer" }, card.url) : card.url;
  return [
    element("p", {}, [`${card.title || title}: `, source && `${source}. `, link]),
    element("p", {}, `Fidelity: ${card.fidelity}.`),
    list(card.notes),
  ];
}

function pairs(object) {
  const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return Object.entries(object).map(([name, value]) =>
    element("span", { class: "pair" }, `${name.replaceAll("_", " ")} `, element("code", {}, text(value))));
}

function speedOf(speed) {
  const seconds = `${Number(speed.seconds_an_image.toPrecision(3))} s an image`;
  return [seconds, speed.how, speed.processor].filter(Boolean).join("; ");
}

function figuresOf(line) {
  const measured = report.columns.map((column, place) => [column, line.figures[place]]).filter(([, figure]) => figure);
  if (!measured.length) return null;
  const heads = ["", "measured", "95 % interval", "published", "difference"].map((text) => element("th", { scope: "col" }, text));
  const rows = measured.map(([column, figure]) => element("tr", {},
    element("th", { scope: "row" }, column.head),
    [figure[TEXT], figure[LOW] && `${figure[LOW]} – ${figure[HIGH]}`,
      figure[PUBLISHED].map((other) => other[PRINTED] + other[SOURCE]).join("; "),
      figure[PUBLISHED].map((other) => other[DIFFERENCE]).filter(Boolean).join("; ")]
      .map((text) => element("td", { class: "figure" }, text))));
  return element("div", { class: "scroll" }, element("table", { class: "small" },
    element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows)));
}
