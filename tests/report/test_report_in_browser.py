"""The report in a real, headless Chromium, from a file, with the network off."""

import re
import shutil

import pytest

from invariant_cluster import cluster_report

CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])),
    None,
)
OPTIONS = [
    *["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    *["--disable-component-update", "--disable-sync", "--no-first-run"],
]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_report(browser, report):
    """Open a report; fail on any request, message or error, in whatever test."""
    pages, complaints = [], []

    def open_page(path=report, width=1280, **options):
        viewport = {"width": width, "height": 800}
        context = browser.new_context(viewport=viewport, offline=True, **options)
        page = context.new_page()
        pages.append(context)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: note_request(request.url, path.as_uri()))
        page.goto(path.as_uri())
        return page

    def note_request(url, own):
        if url.partition("#")[0] != own and not url.startswith("data:"):
            complaints.append(url)

    yield open_page
    for context in pages:
        context.close()
    assert complaints == []


def column(page, number):
    cells = page.locator(f"table.sortable tbody tr > :nth-child({number})")
    return cells.all_inner_texts()


def number_of(text):
    return float(re.sub("[^0-9.]", "", text))


def tile_shown(page):
    return page.locator(".tip .tile").evaluate("e => e.style.backgroundPosition")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_does_not_scroll_sideways(open_report, width, scheme):
    page = open_report(width=width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 384) == (scheme == "dark")


def test_every_column_sorts_both_ways(open_report):
    page = open_report()
    headings = page.locator("table.sortable thead th")
    for i in range(headings.count()):
        heading = headings.nth(i)
        heading.get_by_role("button").click()
        first = heading.get_attribute("aria-sort")
        found = {first: column(page, i + 1)}
        heading.get_by_role("button").click()
        second = heading.get_attribute("aria-sort")
        found[second] = column(page, i + 1)
        assert {first, second} == {"ascending", "descending"}
        others = page.locator("table.sortable th[aria-sort=none]").count()
        assert others == headings.count() - 1
        if "number" in (heading.get_attribute("class") or ""):
            values = {order: list(map(number_of, v)) for order, v in found.items()}
            assert values["ascending"] == sorted(values["ascending"])
            assert values["descending"] == sorted(values["ascending"], reverse=True)


def test_sorting_by_keyboard_is_announced(open_report):
    page = open_report()
    page.get_by_role("button", name="Size").focus()
    page.keyboard.press("Enter")
    sizes = list(map(number_of, column(page, 2)))
    assert sizes == sorted(sizes, reverse=True)
    assert page.locator("#sorted").inner_text() == "Sorted by Size, descending"


def test_the_gallery_switches_by_mouse_and_keyboard(open_report):
    page = open_report()

    def shown():
        lists = page.locator(".tiles[data-order]:visible")
        return {lists.nth(i).get_attribute("data-order") for i in range(lists.count())}

    assert shown() == {"most_confident"}
    page.get_by_text("Least confident", exact=True).click()
    assert shown() == {"least_confident"}
    page.keyboard.press("ArrowRight")
    assert shown() == {"random"}


def test_tiles_show_their_images(open_report, images):
    """Pixels of a tile on the screen are those of the image it is said to be."""
    page = open_report()
    tile = page.locator(".sheet-misfits").first
    image = int(re.match(r"Image (\d+)", tile.get_attribute("aria-label"))[1])
    drawn = tile.evaluate(
        """async (tile) => {
          const style = getComputedStyle(tile);
          const sheet = new Image();
          sheet.src = style.backgroundImage.slice(5, -2);
          await sheet.decode();
          const [x, y] = style.backgroundPosition.split(" ").map(parseFloat);
          const scale = parseFloat(style.backgroundSize) / sheet.naturalWidth;
          const canvas = new OffscreenCanvas(16, 16);
          const context = canvas.getContext("2d");
          context.drawImage(sheet, x / scale, y / scale);
          const { data } = context.getImageData(0, 0, 16, 16);
          return [...data].filter((_, i) => i % 4 === 0);
        }"""
    )
    assert drawn == pytest.approx(images[image].ravel() / images.max() * 255, abs=1)


def test_pointing_at_a_mark_shows_its_image(open_report):
    page = open_report()
    area = page.locator(".map > svg")
    area.scroll_into_view_if_needed()
    tip = page.locator(".tip")
    assert tip.is_hidden()
    box = area.bounding_box()
    data = page.evaluate("JSON.parse(document.getElementById('map-data').textContent)")
    for i in [3, 30]:
        scale = box["width"] / 720
        x, y, _ = data["points"][i]
        page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
        assert tip.is_visible()
        assert tip.inner_text().strip() == data["told"][i]
        row, place = divmod(i, data["columns"])
        width, height = data["tile"]
        assert tile_shown(page) == f"{-place * width}px {-row * height}px"
    page.mouse.move(1, 1)
    assert tip.is_hidden()


def test_the_keyboard_walks_over_the_map(open_report):
    page = open_report()
    page.locator(".legend button").last.focus()
    page.keyboard.press("Tab")
    tip = page.locator(".tip")
    assert tip.is_visible()
    told = {tip.inner_text()}
    for key in ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowDown"]:
        page.keyboard.press(key)
        told.add(tip.inner_text())
    assert len(told) > 2
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_a_tap_shows_an_image_inside_the_map(open_report):
    page = open_report(width=360, has_touch=True, is_mobile=True)
    area = page.locator(".map > svg")
    area.scroll_into_view_if_needed()
    data = page.evaluate("JSON.parse(document.getElementById('map-data').textContent)")
    scale = area.bounding_box()["width"] / 720
    x, y, _ = data["points"][7]
    area.tap(position={"x": x * scale, "y": y * scale})
    tip, frame = page.locator(".tip").bounding_box(), area.bounding_box()
    assert tip["x"] >= frame["x"]
    assert tip["x"] + tip["width"] <= frame["x"] + frame["width"]


def test_a_picked_cluster_alone_answers(open_report):
    page = open_report()
    button = page.locator(".legend button").first
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.locator(".legend button").last.focus()
    page.keyboard.press("Tab")
    name = button.inner_text().strip().lower()
    for key in ["ArrowRight", "ArrowUp", "ArrowLeft"]:
        page.keyboard.press(key)
        assert name in page.locator(".tip").inner_text()
    button.click()
    assert page.locator(".map.picking").count() == 0


def test_paper_gets_the_parameters(open_report):
    page = open_report()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".orders").is_hidden()


def test_long_names_without_spaces_fit(open_report, pipe, images, tmp_path):
    names = ["x" * 80 + str(i) for i in range(len(images))]
    path = cluster_report(pipe, images, names, tmp_path / "long.html")
    page = open_report(path, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
