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

    def open_page(path=report, width=1280, height=800, **options):
        viewport = {"width": width, "height": height}
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
    name = f"cluster {button.get_attribute('data-cluster')},"
    for key in ["ArrowRight", "ArrowUp", "ArrowLeft"]:
        page.keyboard.press(key)
        assert name in page.locator(".tip").inner_text()
    button.click()
    assert page.locator(".map.picking").count() == 0


def points_on(page, data):
    """Places of the marks on the screen, as the picture is zoomed and moved now."""
    box = page.locator(".map > svg").bounding_box()
    left, top, width, _ = map(
        float, page.locator(".map > svg").get_attribute("viewBox").split()
    )
    scale = box["width"] / width
    return [
        (box["x"] + (x - left) * scale, box["y"] + (y - top) * scale)
        for x, y, _ in data["points"]
    ]


def read_data(page):
    return page.evaluate("JSON.parse(document.getElementById('map-data').textContent)")


def zoom_of(page):
    view = page.locator(".map > svg").get_attribute("viewBox").split()
    return 720 / float(view[2])


def draw_lasso(page, corners):
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=3)
    page.mouse.up()


def test_a_lasso_selects_the_images_inside(open_report):
    page = open_report(height=1400)
    page.locator(".map").scroll_into_view_if_needed()
    data = read_data(page)
    page.get_by_role("button", name="Lasso").click()
    places = points_on(page, data)
    box = page.locator(".map > svg").bounding_box()
    middle = sorted(x for x, _ in places)[len(places) // 2] + 0.5
    low, right, high = box["y"] + 2, box["x"] + 2, box["y"] + box["height"] - 2
    draw_lasso(page, [(middle, low), (right, low), (right, high), (middle, high)])
    inside = [
        row for row, (x, _) in zip(data["rows"], places, strict=True) if x < middle
    ]
    assert page.locator(".count").inner_text() == f"{len(inside)} images selected"
    listed = page.locator(".selection textarea").input_value().split("\n")
    assert sorted(map(int, listed)) == inside
    assert page.locator(".selection li").count() == len(inside)
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".selection").is_hidden()


def test_copied_names_are_those_selected(browser, pipe, images, tmp_path):
    names = [f"lot/{row}.png" for row in range(len(images))]
    path = cluster_report(pipe, images, path=tmp_path / "r.html", names=names)
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(path.as_uri())
    data = read_data(page)
    page.locator(".map").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy names").click()
    page.get_by_text("1 copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    told = page.locator(".selection .tile").get_attribute("title")
    assert told == data["told"][names.index(copied)]
    context.close()


def test_a_tapped_mark_joins_and_leaves_the_selection(open_report):
    page = open_report(height=1400)
    page.locator(".map").scroll_into_view_if_needed()
    page.get_by_role("button", name="Lasso").click()
    place = points_on(page, read_data(page))[5]
    page.mouse.click(*place)
    assert page.locator(".count").inner_text() == "1 image selected"
    page.mouse.click(*place)
    assert page.locator(".selection").is_hidden()


def test_buttons_and_keys_zoom(open_report):
    page = open_report()
    assert zoom_of(page) == pytest.approx(1)
    assert page.get_by_role("button", name="Zoom out").is_disabled()
    page.get_by_role("button", name="Zoom in").click()
    page.locator(".map").focus()
    page.keyboard.press("+")
    assert zoom_of(page) == pytest.approx(1.5**2, abs=0.01)
    page.get_by_role("button", name="Whole map").click()
    assert zoom_of(page) == pytest.approx(1)


def test_the_wheel_zooms_about_the_pointer_once_the_map_is_clicked(open_report):
    page = open_report(height=1400)
    page.locator(".map").scroll_into_view_if_needed()
    data = read_data(page)
    place = points_on(page, data)[4]
    page.mouse.move(*place)
    page.mouse.wheel(0, -1)
    page.wait_for_timeout(50)
    assert zoom_of(page) == pytest.approx(1)
    page.mouse.click(*place)
    before = points_on(page, data)[4]
    page.mouse.move(*before)
    page.mouse.wheel(0, -400)
    page.wait_for_function("document.querySelector('.map.zoomed')")
    assert zoom_of(page) > 1.5
    assert points_on(page, data)[4] == pytest.approx(before, abs=1)


def test_a_drag_moves_the_zoomed_map(open_report):
    page = open_report(height=1400)
    page.locator(".map").scroll_into_view_if_needed()
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    data, box = read_data(page), page.locator(".map > svg").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = points_on(page, data)[0]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 40, steps=4)
    page.mouse.up()
    moved = points_on(page, data)[0]
    assert moved == pytest.approx((before[0] + 60, before[1] - 40), abs=1)


def test_two_fingers_pinch(open_report):
    page = open_report(width=390, has_touch=True, is_mobile=True)
    page.locator(".map").scroll_into_view_if_needed()
    box = page.locator(".map > svg").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)

    def fingers(kind, gap):
        points = [{"x": x - gap, "y": y, "id": 0}, {"x": x + gap, "y": y, "id": 1}]
        told = {"type": kind, "touchPoints": points if kind != "touchEnd" else []}
        touch.send("Input.dispatchTouchEvent", told)

    fingers("touchStart", 20)
    for gap in [30, 45, 60]:
        fingers("touchMove", gap)
    fingers("touchEnd", 60)
    assert zoom_of(page) == pytest.approx(3, rel=0.2)


def test_a_wide_table_says_that_there_is_more(open_report):
    page = open_report(width=390)
    hint = page.locator("#clusters .hint")
    assert hint.is_visible()
    scroll = page.locator("#clusters .scroll")
    scroll.evaluate("e => e.scrollTo(e.scrollWidth, 0)")
    page.wait_for_function("document.querySelector('#clusters .hint.done')")
    assert open_report(width=1280).locator("#clusters .hint").is_hidden()


def test_full_names_are_shown_if_wanted_without_script(
    open_report, pipe, images, tmp_path
):
    names = [f"lot_{row:04d}/wafer_{row:06d}_map.png" for row in range(len(images))]
    path = cluster_report(pipe, images, path=tmp_path / "r.html", names=names)
    page = open_report(path, width=390, java_script_enabled=False)
    assert page.locator("#misfits .short").first.is_visible()
    assert page.locator("#misfits .full").first.is_hidden()
    assert page.locator(".tools").first.is_hidden()
    page.get_by_text("Full names", exact=True).click()
    assert page.locator("#misfits .full").first.is_visible()
    assert page.locator("#misfits .short").first.is_hidden()


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
