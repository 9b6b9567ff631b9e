/* Intervals at the pointer or the focus, and arrow keys from figure to figure. */

const tip = byId("tip");
let described = null;

function hideTip() {
  described?.removeAttribute("aria-describedby");
  described = null;
  tip.hidden = true;
}

function showTip(cell) {
  hideTip();
  if (!cell?.dataset.tip) return;
  described = cell;
  cell.setAttribute("aria-describedby", "tip");
  tip.textContent = cell.dataset.tip;
  tip.hidden = false;
  const place = cell.getBoundingClientRect();
  const left = place.left + place.width / 2 - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(4, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 4))}px`;
  const above = place.top - tip.offsetHeight - 6;
  tip.style.top = `${above > 0 ? above : place.bottom + 6}px`;
}

/** The part of a row that takes the focus at each place: the method's button, then the figures. */
const stops = (row) => [...row.querySelectorAll("[data-stop]")];

/** Only one place of the table is a stop of the Tab key; arrow keys move it. */
function moveStop(body, target) {
  for (const stop of body.querySelectorAll("[data-stop][tabindex='0']")) stop.tabIndex = -1;
  target.tabIndex = 0;
}

function onTableKey(event) {
  const stop = event.target.closest("[data-stop]");
  if (event.key === "Escape") hideTip();
  if (!stop || event.altKey || event.ctrlKey || event.metaKey) return;
  const row = stop.closest("tr");
  const rows = [...row.parentElement.querySelectorAll("tr.line")];
  const across = stops(row).indexOf(stop);
  const down = rows.indexOf(row);
  const places = {
    ArrowLeft: [down, across - 1],
    ArrowRight: [down, across + 1],
    ArrowUp: [down - 1, across],
    ArrowDown: [down + 1, across],
    Home: [down, 0],
    End: [down, stops(row).length - 1],
  };
  const place = places[event.key];
  const target = place && rows[place[0]] && stops(rows[place[0]])[place[1]];
  if (!place) return;
  event.preventDefault();
  if (!target) return;
  moveStop(row.parentElement, target);
  target.focus();
}

function watchTable(table) {
  const body = table.tBodies[0];
  const cellOf = (event) => event.target.closest("td[data-tip]");
  body.addEventListener("keydown", onTableKey);
  body.addEventListener("focusin", (event) => {
    const stop = event.target.closest("[data-stop]");
    if (stop) moveStop(body, stop);
    showTip(cellOf(event));
  });
  body.addEventListener("focusout", hideTip);
  body.addEventListener("pointerover", (event) => showTip(cellOf(event)));
  body.addEventListener("pointerout", (event) => event.pointerType === "mouse" && hideTip());
  window.addEventListener("scroll", hideTip, { capture: true, passive: true });
}
