/* The browser of images: which images of a method are listed, and in which order. */

const PAGE = 24;
const [IOU, TARGETS, MATCHED, FALSE_PIXELS] = [0, 1, 2, 3];
const gallery = { method: null, limit: PAGE };

const browser = () => report.images[state.section];
const titleOf = (method) => report.sections[state.section].lines.find((line) => line.method === method).title;

/** Places of the images that are listed now. */
function listedImages() {
  const counts = browser().counts[gallery.method] ?? [];
  const keep = {
    all: () => true,
    missed: (count) => count[MATCHED] < count[TARGETS],
    alarms: (count) => count[FALSE_PIXELS] > 0,
  }[byId("image-filter").value];
  const worst = browser().worst[gallery.method] ?? [];
  const order = byId("image-order").value === "worst" ? worst : worst.toSorted((a, b) => a - b);
  return order.filter((place) => keep(counts[place]));
}

/** Fill in the methods of the data set, and keep the one that was chosen if it is among them. */
function drawImages() {
  const methods = Object.keys(browser().counts);
  if (!methods.includes(gallery.method)) gallery.method = methods[0] ?? null;
  fillSelect(byId("image-method"), methods.map((method) => [method, titleOf(method)]), gallery.method);
  byId("image-section").value = state.section;
  byId("image-remarks").replaceChildren(...browser().remarks.map((text) => element("li", {}, text)));
  drawGallery();
}

function drawGallery() {
  const places = listedImages();
  const pictured = places.filter((place) => browser().pictures[place]).length;
  byId("image-status").textContent = gallery.method === null
    ? "No images: the records of the runs are not stored here."
    : `${places.length} of ${browser().worst[gallery.method].length} images, ${pictured} with pictures; the cut is that of the run`;
  byId("legend").hidden = pictured === 0;
  byId("gallery").replaceChildren(...places.slice(0, gallery.limit).map(thumbnail));
  byId("more").hidden = places.length <= gallery.limit;
}

function thumbnail(place) {
  const picture = browser().pictures[place];
  const content = [
    picture && framed(picture, picture.image ? "image" : "mask", gallery.method),
    element("span", { class: "id" }, browser().ids[place]),
    element("span", { class: "quiet" }, countsText(browser().counts[gallery.method][place])),
  ];
  const open = picture && { onclick: () => openViewer(place) };
  return element("li", {}, element(picture ? "button" : "div", { class: "image", "data-place": place, ...open }, content));
}

function countsText(count) {
  if (!count) return "not scored";
  const iou = count[IOU] === null ? "nothing there" : `IoU ${(count[IOU] / 100).toFixed(1)}`;
  const targets = count[TARGETS] ? `, ${count[MATCHED]} of ${count[TARGETS]} found` : ", no target";
  return `${iou}${targets}, ${count[FALSE_PIXELS]} px false`;
}

/** The link of a row: its images, all of them. */
function showImagesOf(method) {
  [gallery.method, gallery.limit] = [method, PAGE];
  byId("image-filter").value = "all";
  drawImages();
}
