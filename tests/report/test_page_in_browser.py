"""The report in a real browser: offline, on a phone, with the keyboard, dark, on paper.

Debian's `chromium` does it; where there is none these tests are skipped.
"""

import json
import re
import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium to look at the report: apt-get install chromium"
)
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
#: Height of what @page of style.css leaves of A4, in CSS pixels.
PAPER = (297 - 16 - 18) / 25.4 * 96


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, html):
    """Opens the report offline in a window; afterwards nothing was asked for and nothing said."""
    contexts, asked, said = [], [], []

    def open_it(viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(html.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert {url for url in asked if not url.startswith("data:")} <= {html.as_uri()}
    assert said == []


def visible(page, selector):
    return page.locator(f"{selector} >> visible=true").count()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_the_page_never_scrolls_sideways_and_wide_tables_do_alone(opened, viewport):
    page = opened(viewport)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0
    if viewport is PHONE:
        box = page.locator("#table2 .scroll").first
        assert box.evaluate("box => box.scrollWidth > box.clientWidth")
        box.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("box => box.scrollLeft > 0", arg=box.element_handle())


def test_every_picture_is_shown(opened):
    page = opened()
    pictures = page.locator("figure img")
    assert pictures.count() == 11
    assert pictures.evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0)")


def test_the_keyboard_reaches_the_content_first(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id == 'content'")
    for _ in range(3):
        page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_the_papers_value_stands_below_ours(opened):
    cell = opened().locator("#table2 td.number:has(em)").first
    ours, paper = cell.inner_text().splitlines()
    assert re.fullmatch(r"\d\.\d{3} ± \d\.\d{3}", ours.strip())
    assert re.fullmatch(r"\(\d\.\d{3},\s[+−]\d\.\d{3}\)", paper.strip())


def test_contents_lead_to_their_sections(opened):
    page = opened(reduced_motion="reduce")
    page.get_by_role("link", name="Table 2", exact=True).click()
    top = page.locator("#table2").evaluate("one => one.getBoundingClientRect().top")
    assert 0 <= top < 200
    assert page.locator("#table2 h3").is_visible()


def test_dark_is_dark_and_figures_stay_on_white(opened):
    grounds = {}
    for scheme in ("light", "dark"):
        page = opened(color_scheme=scheme)
        grounds[scheme], card = (
            page.locator(selector).first.evaluate("one => getComputedStyle(one).backgroundColor")
            for selector in ("body", ".picture")
        )
        assert card == "rgb(255, 255, 255)"
    light, dark = (sum(map(int, re.findall(r"\d+", ground))) for ground in grounds.values())
    assert light == 3 * 255 and dark < 3 * 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(opened, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(PHONE, color_scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.Axe().run(page).response["violations"]
    nodes = [(one["id"], one["nodes"][0]["html"], len(one["nodes"])) for one in found]
    assert nodes == [], json.dumps(nodes, indent=1)


def test_paper_has_everything_and_cuts_no_figure(opened, tmp_path):
    page = opened(color_scheme="dark")
    page.emulate_media(media="print")
    assert not visible(page, "nav") and visible(page, "#table2 em")
    closed = page.locator("details:not([open]) li")
    assert closed.count() > 10 and closed.last.is_visible()
    assert page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    page.set_viewport_size({"width": 680, "height": 994})  # what the margins leave of A4
    heights = page.locator("figure").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert len(heights) == 11 and max(heights) <= PAPER
    breaks = "all => all.map(one => getComputedStyle(one).breakInside)"
    assert set(page.locator("figure").evaluate_all(breaks)) == {"avoid"}
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True, print_background=True)
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", content)) > 8
