"""The page in Chromium: what a reader does with it, by pointer and by keyboard."""

import shutil

import pytest

from irsam_zoo.results.recut import recut
from irsam_zoo.zoo import build_threshold

pytestmark = pytest.mark.browser

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: install requirements-browser.txt")
PATIENCE = 120_000  # ms; a machine may be busy
DECODED_WIDTH = """async (image) => {
  const probe = new Image();
  probe.src = image.getAttribute("href");
  await probe.decode();
  return probe.width;
}"""


@pytest.fixture(scope="module")
def chromium():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium: install it, on Debian by apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, page):
    """Opens the page, at the own data set; at the end of the test it must not have complained or asked for anything."""
    complaints, tabs = [], []

    def go(width=1280, **options):
        tab = chromium.new_page(viewport=dict(width=width, height=900), **options)
        tabs.append(tab)
        tab.set_default_timeout(PATIENCE)
        sync_api.expect.set_options(timeout=PATIENCE)
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or complaints.append(request.url))
        tab.goto(page.as_uri())
        choose(tab, "#section", "mine")
        return tab

    yield go
    hacked = [tab.evaluate("window.hacked") for tab in tabs]
    for tab in tabs:
        tab.close()
    assert complaints == []
    assert hacked == [None] * len(tabs)


def choose(tab, selector, beginning):
    """Choose the option whose text begins so."""
    texts = tab.locator(f"{selector} option").all_text_contents()
    tab.locator(selector).select_option(label=next(text for text in texts if text.startswith(beginning)))


def column(tab, name):
    """The measured figures of a column, without the rows that have none."""
    cells = tab.locator(f"#results tr.line > {nth(tab, name)}")
    texts = cells.evaluate_all("cells => cells.map((cell) => cell.querySelector('strong, u, span')?.textContent)")
    return [float(text) for text in texts if text]


def cell(tab, method, name):
    return tab.locator(f"#results tr[data-method='{method}'] > {nth(tab, name)}")


def nth(tab, name):
    heads = tab.locator("#results thead th").evaluate_all("heads => heads.map((head) => head.dataset.column)")
    return f":nth-child({heads.index(name) + 1})"


def methods(tab):
    return tab.locator("#results tr.line").evaluate_all("rows => rows.map((row) => row.dataset.method)")


def test_sorting(opened):
    tab = opened()
    order = methods(tab)
    head = tab.locator("th[data-column='Fa']")
    for direction, reverse in (("ascending", False), ("descending", True)):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == direction
        assert column(tab, "Fa") == sorted(column(tab, "Fa"), reverse=reverse)
        assert methods(tab)[0] in ("top_hat", "max_median")  # those without a figure are last either way
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") is None
    assert methods(tab) == order
    tab.locator("th[data-column='IoU']").get_by_role("button").press("Enter")
    assert tab.locator("th[data-column='IoU']").get_attribute("aria-sort") == "descending"
    assert column(tab, "IoU") == sorted(column(tab, "IoU"), reverse=True)


def test_switching(opened, stored):
    tab = opened()
    row = next(row for row in stored.rows if (row.dataset, row.method) == ("mine", "top_hat"))

    def shown(name):
        return cell(tab, "top_hat", name).locator("strong, u, span").text_content()

    assert shown("Fa") == f"{1e6 * row.metrics['exact']['Fa']:.2f}"
    choose(tab, "#protocol", "irsam")
    assert shown("Fa") == f"{1e6 * row.metrics['irsam']['Fa']:.2f}"
    choose(tab, "#policy", "fixed(0)")
    cut = recut(row, stored.store.records(row), build_threshold("fixed(0)"))
    assert cut.metrics["exact"]["Fa"] != row.metrics["exact"]["Fa"]
    assert shown("Fa") == f"{1e6 * cut.metrics['exact']['Fa']:.2f}"
    assert tab.locator("#protocol").input_value() == "exact"
    assert tab.locator("#protocol option[value='irsam']").is_disabled()
    choose(tab, "#policy", "as run")
    assert not tab.locator("#protocol option[value='irsam']").is_disabled()
    choose(tab, "#section", "Synthetic")
    assert tab.locator("#image-section").input_value() == tab.locator("#section").input_value()
    assert "im3" not in tab.locator("#gallery").text_content()


def test_filtering(opened):
    tab = opened()
    tab.locator("#filter").fill("TOP")
    assert methods(tab) == ["top_hat"]
    assert tab.locator("#shown").text_content().startswith("1 of ")
    tab.locator("#filter").fill("")
    tab.locator("#group").select_option("deep")
    assert "top_hat" not in methods(tab)
    assert "acmnet" in methods(tab)
    tab.locator("#group").select_option("")
    tab.locator("#measured").check()
    assert set(methods(tab)) == {"top_hat", "max_median", "acmnet"}
    tab.locator(".columns summary").click()
    tab.get_by_role("checkbox", name="AUC").check()
    assert len(column(tab, "AUC")) == 2
    tab.get_by_role("checkbox", name="AUC").uncheck()
    assert tab.locator("th[data-column='AUC']").count() == 0


def test_intervals_are_told_at_the_pointer_and_at_the_focus(opened, stored):
    tab = opened()
    row = next(row for row in stored.rows if (row.dataset, row.method) == ("mine", "top_hat"))
    low, high = (f"{100 * end:.2f}" for end in row.ci95["exact"]["IoU"])
    tip = tab.locator("#tip")
    cell(tab, "top_hat", "IoU").hover()
    assert f"95 % interval {low} to {high}" in tip.text_content()
    tab.mouse.move(0, 0)
    sync_api.expect(tip).to_be_hidden()

    tab.locator("tr[data-method='top_hat'] button").focus()
    for _ in range(3):  # params, FPS, IoU
        tab.keyboard.press("ArrowRight")
    assert tip.is_visible()
    assert tab.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
    assert f"95 % interval {low} to {high}" in tip.text_content()
    tab.keyboard.press("Escape")
    assert tip.is_hidden()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.closest('tr').dataset.method") == "max_median"
    tab.keyboard.press("Home")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert tab.locator("#results [tabindex='0']").count() == 1


def test_a_row_opens_its_card_and_command(opened):
    tab = opened()
    tab.locator("tr[data-method='top_hat'] button").click()
    details = tab.locator("tr.details")
    assert "Rivest and Fortin" in details.text_content()
    assert "--methods top_hat --datasets" in details.locator(".command").text_content()
    assert details.get_by_role("row", name="IoU", exact=False).first.is_visible()
    tab.locator("tr[data-method='max_median'] button").click()
    assert "window.hacked" in tab.locator("tr.details").nth(1).text_content()
    details.first.get_by_role("link", name="of Top-Hat").click()
    assert tab.locator("#image-method").input_value() == "top_hat"
    tab.locator("tr[data-method='top_hat'] button").click()
    assert tab.locator("tr.details").count() == 1
    assert "no weights" in tab.locator("tr[data-method='acmnet']").text_content()


def test_images_are_filtered_and_opened(opened):
    tab = opened()
    tab.locator("#image-method").select_option("top_hat")
    ids = tab.locator("#gallery .id")
    assert ids.all_text_contents()[0] == "im3"
    tab.locator("#image-filter").select_option("missed")
    assert ids.all_text_contents() == ["im3"]
    assert tab.locator("#gallery rect.missed").count() == 1
    tab.locator("#image-filter").select_option("alarms")
    assert set(ids.all_text_contents()) == {"im2", "im3"}
    tab.locator("#image-filter").select_option("all")
    tab.locator("#image-order").select_option("list")
    assert ids.all_text_contents() == ["im0", "im<b>1", "im2", "im3"]

    first = tab.locator("#gallery button").first
    first.press("Enter")
    viewer, title = tab.locator("#viewer"), tab.locator("#viewer-title")
    assert viewer.is_visible()
    assert title.text_content() == "im0"
    kinds = viewer.locator("figure").evaluate_all("figures => figures.map((figure) => figure.dataset.kind)")
    assert kinds == ["image", "score", "mask", "truth"]
    assert [image.evaluate(DECODED_WIDTH) for image in viewer.locator("image").all()] == [64] * 4
    tab.keyboard.press("ArrowRight")
    assert title.text_content() == "im<b>1"
    tab.locator("#previous").click()
    tab.locator("#previous").click()
    assert title.text_content() == "im3"
    tab.locator("#viewer-method").select_option("max_median")
    assert tab.locator("#image-method").input_value() == "max_median"
    tab.locator("#zoom").check()
    assert viewer.locator("svg").first.get_attribute("viewBox") != "0 0 64 48"
    tab.keyboard.press("Escape")
    sync_api.expect(viewer).to_be_hidden()
    sync_api.expect(tab.locator("#gallery [data-place='3']")).to_be_focused()


def test_a_figure_is_enlarged(opened):
    tab = opened()
    tab.get_by_role("button", name="roc mine").click()
    assert tab.locator("#enlarged img").is_visible()
    tab.keyboard.press("Escape")
    sync_api.expect(tab.locator("#enlarged")).to_be_hidden()


@pytest.mark.parametrize(("width", "first"), [(1280, "params"), (390, "IoU")])
def test_a_narrow_window_shows_accuracy_first(opened, width, first):
    tab = opened(width)
    heads = tab.locator("#results thead th")
    assert heads.nth(1).get_attribute("data-column") == first
    box = tab.locator("#results th[data-column='IoU']").bounding_box()
    assert box["x"] + box["width"] <= width
    tab.set_viewport_size(dict(width=1670 - width, height=900))
    sync_api.expect(heads.nth(1)).to_have_attribute("data-column", {"params": "IoU", "IoU": "params"}[first])


@pytest.mark.parametrize(("scheme", "drawn"), [("light", "none"), ("dark", "invert(0.9) hue-rotate(180deg)")])
def test_drawings_have_the_readers_colours(opened, scheme, drawn):
    tab = opened(color_scheme=scheme)
    tab.locator("#figures").scroll_into_view_if_needed()
    assert tab.locator(".enlarge img").evaluate("(image) => getComputedStyle(image).filter") == drawn


def test_thumbnails_end_where_their_pictures_do(opened):
    tab = opened()
    for picture in tab.locator("#gallery .framed").all():
        frame, image = picture.bounding_box(), picture.locator("image").bounding_box()
        assert image == pytest.approx(frame, abs=0.5)
        assert picture.evaluate("(svg) => getComputedStyle(svg).backgroundColor") == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_fits_its_window_and_the_readers_colours(opened, width, scheme):
    tab = opened(width, color_scheme=scheme)
    tab.locator("tr[data-method='top_hat'] button").click()
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
