"""A real browser over the page: log in, walk the screens across a clock change, zoom, export, give a verdict, log out.

Nothing is compared by pixels: bars are rows, axes end where the day ends, colours differ by theme. Pictures go to .ci/artifacts/ for people.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets_tests.web.loopback import CHROMIUM
from smartgrid_assets_tests.web.made import CASE, CHANGE, METER, NEWEST, PASSWORD, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = Path(__file__).resolve().parents[2] / ".ci" / "artifacts"
pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; CI installs it (apt-get install chromium)"),
]


@dataclass
class Served:
    """A site at an address, and what its pages complained of or asked other hosts for."""

    site: Site
    address: str
    complaints: list[str] = field(default_factory=list)

    def page(self, browser: Browser, **options: Any) -> Page:
        """A fresh browser window that is watched."""
        page = browser.new_context(**({"viewport": {"width": 1400, "height": 1000}} | options)).new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith((self.address, "data:", "blob:")) else self.complaints.append(asked.url)
        )
        return page

    def logged_in(self, browser: Browser, role: Role, **options: Any) -> Page:
        """A window of somebody with a role."""
        page = self.page(browser, **options)
        page.goto(f"{self.address}/login")
        page.fill("input[name=name]", role.word)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"{self.address}/tomorrow")
        return page

    def open(self, page: Page, path: str, picture: str = "") -> None:
        """A page, its charts drawn; and its picture for people."""
        page.goto(f"{self.address}{path}")
        drawn(page)
        if picture:
            PICTURES.mkdir(exist_ok=True, parents=True)
            photographed(page, PICTURES / f"{picture}.png")


def photographed(page: Page, file: Path) -> None:
    """For people alone. A browser on a busy machine now and then cannot take a long picture; the second time it can."""
    from playwright.sync_api import Error

    try:
        page.screenshot(path=file, full_page=True)
    except Error:
        page.wait_for_timeout(2000)
        page.screenshot(path=file, full_page=True)


def drawn(page: Page) -> None:
    """Wait until each chart is."""
    page.wait_for_function(
        "document.querySelectorAll('.plot').length === Number(document.documentElement.dataset.drawn || 0)", timeout=30_000
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def served(own_site: Site) -> Iterator[Served]:
    yield from _serve(own_site)


def _serve(site: Site) -> Iterator[Served]:
    from waitress.server import create_server

    site.app.config["TRUSTED_HOSTS"] = ["127.0.0.1"]
    server = create_server(site.app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Served(site, f"http://127.0.0.1:{server.effective_port}")
    server.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.1 A and AA."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}})
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found.response["violations"]]


def test_an_analyst_s_evening(served: Served, browser: Browser, tmp_path: Path) -> None:
    page = served.logged_in(browser, Role.ANALYST)
    served.open(page, "/tomorrow?zone=Z1", "tomorrow")
    assert page.locator("h1").inner_text() == f"Z1, {NEWEST:%A %d %B %Y}"

    page.keyboard.press("ArrowLeft")  # the day of the clock change
    page.wait_for_url(f"**/tomorrow?day={CHANGE}&zone=Z1")
    drawn(page)
    assert page.evaluate("document.querySelector('#load .plot').layout.xaxis.range") == [0, 25]
    page.locator("#load summary").click()
    assert page.locator("#load tbody tr").count() == 50

    box = page.locator("#load .plot .nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()
    low, high = page.evaluate("document.querySelector('#load .plot').layout.xaxis.range")
    assert 5 < low < 8 and 11 < high < 14

    with page.expect_download() as download:
        page.click("#load .files a:has-text('CSV')")
    download.value.save_as(tmp_path / "load.csv")
    assert len((tmp_path / "load.csv").read_text().splitlines()) == 51

    page.click("nav[aria-label=Screens] a:has-text('What to do')")
    drawn(page)
    assert page.locator("#stack .barlayer .point").count() == 2 * 24
    page.screenshot(path=PICTURES / "plan.png", full_page=True)

    page.click("nav[aria-label=Screens] a:has-text('Who is lying')")
    page.click(f"#to-visit a:has-text('{CASE}')")
    drawn(page)
    page.screenshot(path=PICTURES / "case.png", full_page=True)
    page.click(".verdict button:has-text('Theft')")
    page.wait_for_url(f"**/case?case={CASE}#verdicts")
    assert page.locator("#verdicts tbody tr").first.inner_text().split("\t")[1:3] == ["analyst", "theft"]
    page.click(".verdict button:has-text('Undo')")
    page.wait_for_function("document.querySelectorAll('#verdicts tbody tr').length === 2")

    served.open(page, "/trust", "trust")
    page.fill("#q", "F1")
    page.keyboard.press("Enter")
    page.click("#places a:has-text('F1')")
    drawn(page)
    assert page.locator("h1").inner_text().startswith("Feeder F1, Z1")

    page.click("text=Log out")
    page.wait_for_url("**/login")
    page.go_back()
    assert page.locator("input[name=password]").is_visible() or "/login" in page.url
    assert served.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_meet_wcag_aa(served: Served, browser: Browser, theme: str) -> None:
    page = served.logged_in(browser, Role.ADMIN, color_scheme=theme)
    found = {}
    for path in (
        "/tomorrow",
        "/cases",
        "/plan",
        "/trust",
        f"/case?case={CASE}",
        f"/meter?meter={METER}",
        "/search?q=F1",
        "/users",
        "/audit",
        "/account",
        "/nothing",
    ):
        served.open(page, path, f"{path.strip('/').split('?')[0]}-{theme}")
        found[path] = violations(page)
    assert {path: problems for path, problems in found.items() if problems} == {}
    visitor = served.page(browser, color_scheme=theme)
    visitor.goto(f"{served.address}/login")
    assert violations(visitor) == []


def test_light_and_dark_can_be_chosen_and_are_kept(served: Served, browser: Browser) -> None:
    page = served.logged_in(browser, Role.VIEWER, color_scheme="light")
    ground, text = (
        "getComputedStyle(document.body.parentElement).backgroundColor",
        "document.querySelector('#load .plot').layout.font.color",
    )
    served.open(page, "/tomorrow")
    before = page.evaluate(ground), page.evaluate(text)
    page.click("[data-theme-switch]")
    page.wait_for_function(f"{text} !== '{before[1]}'")
    after = page.evaluate(ground), page.evaluate(text)
    assert before[0] != after[0]
    page.reload()
    drawn(page)
    assert (page.evaluate(ground), page.evaluate(text)) == after


@pytest.mark.parametrize(("name", "width"), [("phone", 390), ("wall", 2880)])
def test_nothing_hangs_over_the_edge_on_a_phone_or_a_wall(served: Served, browser: Browser, name: str, width: int) -> None:
    page = served.logged_in(browser, Role.ADMIN, viewport={"width": width, "height": 900})
    for path in ("/tomorrow", "/cases", "/plan", "/trust", f"/case?case={CASE}", "/users"):
        served.open(page, path, f"{path.strip('/').split('?')[0]}-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_without_scripts_every_table_is_there(served: Served, browser: Browser) -> None:
    page = served.page(browser, java_script_enabled=False)
    page.goto(f"{served.address}/login")
    page.fill("input[name=name]", "operator")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.goto(f"{served.address}/plan")
    assert page.locator("#stack .plot").is_hidden()
    page.locator("#stack summary").click()
    assert page.locator("#stack tbody tr").count() == 48 and page.locator("#stack tbody").is_visible()


def test_on_paper_there_are_no_buttons(served: Served, browser: Browser) -> None:
    page = served.logged_in(browser, Role.ANALYST)
    served.open(page, f"/case?case={CASE}")
    page.emulate_media(media="print")
    assert page.locator(".verdict").is_hidden() and page.locator("nav[aria-label=Screens]").is_hidden() and page.locator("h1").is_visible()


def test_empty_failed_and_stale_look_like_what_they_are(empty_site: Site, own_site: Site, browser: Browser) -> None:
    for empty in _serve(empty_site):
        page = empty.logged_in(browser, Role.VIEWER)
        page.screenshot(path=PICTURES / "empty.png")
        assert "The lake is empty" in page.locator(".sentence").inner_text()
    own_site.context.lake.file("operator/weather", NEWEST).write_bytes(b"broken")
    own_site.now[0] = own_site.now[0].replace(month=11)
    for broken in _serve(own_site):
        page = broken.logged_in(browser, Role.VIEWER)
        broken.open(page, "/tomorrow?zone=Z1", "failed")
        weather = page.locator("#weather")
        assert "bad" in (weather.get_attribute("class") or "") and weather.locator("[role=alert]").is_visible()
        assert page.locator("#load .plot svg").first.is_visible()
        broken.open(page, "/trust", "stale")
        assert "readings are old" in page.locator("#incidents").inner_text()


def test_a_picture_that_is_being_drawn_and_one_that_cannot_be_say_so(own_site: Site, browser: Browser) -> None:
    said = """name => getComputedStyle(document.querySelector(name), "::before").content"""
    held: list[Any] = []
    for served in _serve(own_site):
        page = served.logged_in(browser, Role.VIEWER)
        page.route("**/plotly.min.js", lambda route: held.append(route))
        page.goto(f"{served.address}/tomorrow?zone=Z1", wait_until="commit")
        page.wait_for_selector("html.js")
        page.wait_for_function("document.querySelector('#load .plot')")
        page.screenshot(path=PICTURES / "loading.png")
        assert "being drawn" in page.evaluate(said, "#load .plot")
        for route in held:
            route.abort()
        page.wait_for_selector("#load .plot.failed")
        page.screenshot(path=PICTURES / "not-drawn.png")
        assert "cannot be drawn" in page.evaluate(said, "#load .plot")
        assert page.locator("#load details").get_attribute("open") is not None
