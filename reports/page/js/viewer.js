/* One image in a dialog: the image, the score map, the predicted and the true mask, with boxes. */

const viewer = { place: null, zoom: false };
const MARGIN = 1 / 64; // of the image's width around a box, so that it does not hide a target of one pixel
const ZOOM_MARGIN = 20;
const PANELS = [["image", "Image"], ["score", "Score map"], ["mask", "Predicted mask"], ["truth", "True mask"]];
const WEBP = new Set(["image", "score"]);

/** One picture of an image with the boxes of what became of its targets. */
function framed(picture, kind, method, box = null) {
  const [width, height] = picture.size;
  const made = picture.methods[method] ?? {};
  const data = picture[kind] ?? made[kind];
  const source = data && `data:image/${WEBP.has(kind) ? "webp" : "png"};base64,${data}`;
  const rects = [];
  if (picture.targets && made.found) {
    const found = new Set(made.found);
    const rect = (place, outcome) => boxRect(place, width * MARGIN, outcome);
    if (kind !== "truth") rects.push(...made.alarms.map((alarm) => rect(alarm, "alarm")));
    rects.push(...picture.targets.map((target, number) => rect(target, found.has(number) ? "found" : "missed")));
  }
  return element("svg", { viewBox: (box ?? [0, 0, width, height]).join(" "), class: "framed", "aria-hidden": "true" },
    source && element("image", { href: source, width, height, preserveAspectRatio: "none" }), rects);
}

const boxRect = ([left, top, width, height], margin, outcome) => element("rect", {
  x: left - margin, y: top - margin, width: width + 2 * margin, height: height + 2 * margin, class: outcome,
});

/** The part of an image around its targets, in the image's own shape. */
function zoomBox(picture) {
  const [width, height] = picture.size;
  const boxes = picture.targets?.length ? picture.targets : null;
  if (!boxes) return null;
  const left = Math.min(...boxes.map((box) => box[0]));
  const right = Math.max(...boxes.map((box) => box[0] + box[2]));
  const top = Math.min(...boxes.map((box) => box[1]));
  const bottom = Math.max(...boxes.map((box) => box[1] + box[3]));
  const share = Math.min(1, Math.max((right - left + 2 * ZOOM_MARGIN) / width, (bottom - top + 2 * ZOOM_MARGIN) / height));
  const clamped = (middle, size, whole) => Math.max(0, Math.min(middle - size / 2, whole - size));
  return [
    clamped((left + right) / 2, width * share, width), clamped((top + bottom) / 2, height * share, height),
    width * share, height * share,
  ];
}

function openViewer(place) {
  viewer.place = place;
  drawViewer();
  byId("viewer").showModal();
}

function drawViewer() {
  const [places, picture] = [listedImages(), browser().pictures[viewer.place]];
  const number = places.indexOf(viewer.place);
  const count = browser().counts[gallery.method][viewer.place];
  const methods = Object.keys(browser().counts).map((method) => element("option", {
    value: method, selected: method === gallery.method,
  }, titleOf(method)));
  const zoom = element("label", { class: "check" }, element("input", {
    type: "checkbox", id: "zoom", checked: viewer.zoom, onchange: (event) => redraw({ zoom: event.target.checked }, "zoom"),
  }), " zoom to the targets");
  const step = (by, text) => element("button", {
    type: "button", id: by < 0 ? "previous" : "next", "aria-label": by < 0 ? "Previous image" : "Next image", onclick: () => stepViewer(by),
  }, text);
  byId("viewer").replaceChildren(
    element("div", { class: "viewer-head" },
      element("h3", { id: "viewer-title" }, browser().ids[viewer.place]),
      element("button", { type: "button", id: "close", onclick: () => byId("viewer").close() }, "Close")),
    element("div", { class: "controls" },
      element("label", {}, "Method ", element("select", { id: "viewer-method", onchange: (event) => chooseMethod(event.target.value) }, methods)),
      zoom, step(-1, "←"), step(1, "→")),
    element("p", { class: "quiet", role: "status" },
      `${number < 0 ? "" : `${number + 1} of ${places.length}; `}${countsText(count)}${othersText(picture)}`),
    element("div", { class: "panels" }, panels(picture)),
  );
}

function othersText(picture) {
  const others = picture?.methods[gallery.method]?.others;
  return others ? `; ${others} smaller false alarms have no box` : "";
}

function panels(picture) {
  if (!picture) return [element("p", {}, "No picture of this image is on the page.")];
  const made = picture.methods[gallery.method] ?? {};
  const box = viewer.zoom ? zoomBox(picture) : null;
  return PANELS.filter(([kind]) => picture[kind] ?? made[kind])
    .map(([kind, title]) => element("figure", { "data-kind": kind }, framed(picture, kind, gallery.method, box), element("figcaption", {}, title)));
}

/** Draw again, and give the focus back to the control that was used. */
function redraw(changes, focused) {
  Object.assign(viewer, changes);
  drawViewer();
  byId(focused)?.focus();
}

function chooseMethod(method) {
  gallery.method = method;
  byId("image-method").value = method;
  drawGallery();
  redraw({}, "viewer-method");
}

/** To the next image of the list that has a picture; round at its ends. */
function stepViewer(by) {
  const places = listedImages().filter((place) => browser().pictures[place]);
  if (!places.length) return;
  const number = places.indexOf(viewer.place);
  const next = number < 0 ? 0 : (number + by + places.length) % places.length;
  redraw({ place: places[next] }, by < 0 ? "previous" : "next");
}

function watchViewer() {
  byId("viewer").addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.target.matches("select, input")) return;
    event.preventDefault();
    stepViewer(by);
  });
  byId("viewer").addEventListener("close", () => byId("gallery").querySelector(`[data-place="${viewer.place}"]`)?.focus());
}
