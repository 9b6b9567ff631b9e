/* Brings the page to life: controls, then the first drawing. */

function chooseSection(place) {
  state.section = Number(place);
  byId("section").value = byId("image-section").value = state.section;
  gallery.limit = PAGE;
  drawTable();
  drawImages();
}

function drawColumnBoxes() {
  const box = (column) => element("label", { class: "check" }, element("input", {
    type: "checkbox", value: column.name, checked: state.columns.has(column.name), onchange: (event) => {
      if (event.target.checked) state.columns.add(column.name);
      else state.columns.delete(column.name);
      drawHead();
      drawLines();
    },
  }), ` ${column.head}`);
  byId("columns").replaceChildren(...report.columns.map(box));
}

function watchFigures() {
  const enlarged = byId("enlarged");
  for (const button of document.querySelectorAll(".enlarge")) {
    button.addEventListener("click", () => {
      enlarged.replaceChildren(
        element("button", { type: "button", onclick: () => enlarged.close() }, "Close"), button.querySelector("img").cloneNode(),
      );
      enlarged.showModal();
    });
  }
}

function start() {
  const sections = report.sections.map((section, place) => [place, `${section.title}, ${section.split}`]);
  fillSelect(byId("section"), sections, state.section);
  fillSelect(byId("image-section"), sections, state.section);
  fillSelect(byId("policy"), Object.keys(report.views).map((name) => [name, name]), state.policy);
  fillSelect(byId("protocol"), report.protocols.map((name) => [name, name]), state.protocol);
  const groups = Object.entries(report.groups).filter(([name]) => report.sections.some(({ lines }) => lines.some(({ group }) => group === name)));
  fillSelect(byId("group"), [["", "all"], ...groups], "");
  const listen = (id, kind, act) => byId(id).addEventListener(kind, (event) => act(event.target.value));
  listen("section", "change", chooseSection);
  listen("image-section", "change", chooseSection);
  listen("policy", "change", (value) => { state.policy = value; drawTable(); });
  listen("protocol", "change", (value) => { state.protocol = value; drawTable(); });
  listen("filter", "input", drawLines);
  listen("group", "change", drawLines);
  listen("measured", "change", drawLines);
  const again = () => { gallery.limit = PAGE; drawGallery(); };
  listen("image-method", "change", (value) => { gallery.method = value; again(); });
  listen("image-filter", "change", again);
  listen("image-order", "change", again);
  byId("more").addEventListener("click", () => { gallery.limit += PAGE; drawGallery(); });
  for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
  NARROW.addEventListener("change", drawTable);
  watchTable(byId("results"));
  watchViewer();
  watchFigures();
  drawColumnBoxes();
  drawTable();
  drawImages();
}

start();
