"""The page in a real browser: a headless Chromium, driven by Playwright. Skipped where either is absent."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from asdbench.datasets.toy import toy
from asdbench.reports.content import evidence
from asdbench.reports.page import html
from tests.reports.results import NASTY, write_results

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
    " --no-first-run --autoplay-policy=no-user-gesture-required --mute-audio"
)
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: the page cannot be looked at")
    with sync_api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    results = write_results(folder / "results", systems=("clvae", "mvg", NASTY), published=False)
    file = folder / "report.html"
    file.write_text(html.render(evidence.views(results), toy()), encoding="utf-8")
    return file


class Opened:
    """A page, and what it said and asked for."""

    def __init__(self, browser: Browser, path: Path, width: int = 1280, scheme: Scheme = "light", **more: Any) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def look(self, script: str) -> Any:
        return self.page.evaluate(script)


def test_it_opens_from_disk_without_complaint_or_request(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path)
    opened.look("document.querySelectorAll('details').forEach(each => each.open = true)")
    opened.page.wait_for_timeout(200)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [path.as_uri()]


def test_names_appear_as_text(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path)
    shown = opened.look("[...document.querySelectorAll('td.name strong')].map(each => each.textContent)")
    assert evidence.one_line(NASTY) in shown
    assert opened.look("document.querySelectorAll('script').length") == 1
    assert not opened.complaints


def test_stamps_stand_on_top_and_in_every_caption(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path)
    first = opened.look("document.body.firstElementChild.innerText")
    assert "SYNTHETIC DATA, UNTRAINED NETWORK" in first
    assert opened.look("document.body.firstElementChild.getBoundingClientRect().bottom < innerHeight")
    captions = opened.look("[...document.querySelectorAll('main > section > figure figcaption')].map(e => e.innerText)")
    assert [text for text in captions if "n = " in text]
    assert all("SYNTHETIC DATA" in text for text in captions if "n = " in text)


def _column(opened: Opened, number: int) -> list[str]:
    script = "[...document.querySelector('#v0-systems ~ .scroll table').tBodies[0].rows]"
    return list(opened.look(f"{script}.filter(row => !row.hidden).map(row => row.cells[{number}].dataset.v)"))


def test_a_click_on_a_head_sorts(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path)
    button = opened.page.locator("#v0-systems ~ .scroll table").first.get_by_role("button", name="Official score")
    button.click()
    falling = [float(value) for value in _column(opened, 1)]
    assert falling == sorted(falling, reverse=True)
    button.click()
    assert [float(value) for value in _column(opened, 1)] == sorted(falling)
    assert opened.look("document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "ascending"


def test_the_box_filters_rows(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path)
    table = opened.page.locator("#v0-tables ~ details:has(table)").first
    rows = table.locator("tbody tr:visible")
    before = rows.count()
    table.get_by_role("searchbox").fill("fan 01")
    assert 0 < rows.count() < before
    assert all("fan" in text and "01" in text for text in rows.all_inner_texts())
    table.get_by_role("searchbox").fill("")
    assert rows.count() == before


def test_a_sound_can_be_played(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path)
    assert opened.look("document.querySelectorAll('audio').length") > 0
    script = """async () => {
      const sound = document.querySelector('audio');
      await sound.play();
      await new Promise(done => sound.addEventListener('timeupdate', () => sound.currentTime > 0 && done()));
      return [sound.duration, sound.error];
    }"""
    seconds, error = opened.look(script)
    assert error is None
    assert seconds == pytest.approx(1.0, abs=0.2)  # MP3 pads to whole frames


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_figures_are_readable_in_both_schemes(browser: Browser, path: Path, scheme: Scheme) -> None:
    opened = Opened(browser, path, scheme=scheme)
    paint = """(() => {
      const level = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(v => v / 255)
        .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
      const paper = level(getComputedStyle(document.body).backgroundColor);
      const ratio = colour => { const own = level(colour);
        return (Math.max(own, paper) + .05) / (Math.min(own, paper) + .05); };
      const texts = [...document.querySelectorAll('.panels svg text')].map(e => getComputedStyle(e).fill);
      return {paper, page: ratio(getComputedStyle(document.body).color), least: Math.min(...texts.map(ratio))};
    })()"""
    found = opened.look(paint)
    assert (found["paper"] > 0.5) == (scheme == "light")
    assert found["page"] > 7  # WCAG AAA
    assert found["least"] > 4.5  # WCAG AA


@pytest.mark.parametrize("width", [400, 1600])
def test_no_text_is_cut(browser: Browser, path: Path, width: int) -> None:
    opened = Opened(browser, path, width=width)
    opened.look("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.look("document.documentElement.scrollWidth <= innerWidth")
    cut = """[...document.querySelectorAll('p, li, h1, h2, h3, td, th, summary, figcaption, dd, dt')]
      .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
      .map(e => e.textContent.trim().slice(0, 60))"""
    assert opened.look(cut) == []
    outside = """[...document.querySelectorAll('.panels svg, .clips svg')].flatMap(svg => {
      const frame = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')].filter(t => { const own = t.getBoundingClientRect();
        return own.left < frame.left - 1 || own.right > frame.right + 1 || own.bottom > frame.bottom + 1; })
        .map(t => t.textContent); })"""
    assert opened.look(outside) == []
    reach = """[...document.querySelectorAll('.scroll')].filter(box =>
      box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== 'auto').length"""
    assert opened.look(reach) == 0


def test_names_of_files_are_broken_behind_underscores_alone(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path, 400)
    opened.look("document.querySelectorAll('details').forEach(each => each.open = true)")
    lines = opened.look(
        """[...document.querySelectorAll('td.clip')].flatMap(cell => {
      const lines = new Map();
      for (const node of cell.childNodes) for (let at = 0; at < (node.length ?? 0); at += 1) {
        const range = document.createRange(); range.setStart(node, at); range.setEnd(node, at + 1);
        const top = Math.round(range.getBoundingClientRect().top);
        lines.set(top, (lines.get(top) ?? '') + node.data[at]); }
      return [...lines.values()].slice(0, -1); })"""
    )
    assert lines
    assert [line for line in lines if not line.endswith("_")] == []


def printed(opened: Opened, folder: Path, height: int) -> list[list[str]]:
    """The lines of each page on paper as wide as A4 and ``height`` mm high."""
    if shutil.which("pdftotext") is None:
        pytest.skip("there is no pdftotext: printed pages cannot be read")
    opened.page.pdf(path=folder / "report.pdf", width="210mm", height=f"{height}mm")
    read = subprocess.run(["pdftotext", "-layout", "report.pdf", "-"], cwd=folder, capture_output=True, check=True)
    return [page.strip().splitlines() for page in read.stdout.decode().split("\f") if page.strip()]


def test_printed_tables_repeat_their_heads(browser: Browser, tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", sections=[f"{number:02d}" for number in range(30)])
    file = tmp_path / "report.html"
    file.write_text(html.render(evidence.views(results)), encoding="utf-8")
    pages = printed(Opened(browser, file), tmp_path, 297)
    with_rows = [page for page in pages if any(re.match(r"\s*(ToyCar|fan|valve) +\d\d  ", line) for line in page)]
    assert len(with_rows) > 3  # 90 rows a table: more than a page
    assert all(any(re.match(r"\s*Machine +Section ", line) for line in page) for page in with_rows)


def test_no_heading_is_left_at_the_foot_of_a_printed_page(browser: Browser, tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", systems=[f"s{number}" for number in range(7)], machines=("fan",))
    file = tmp_path / "report.html"
    file.write_text(html.render(evidence.views(results)), encoding="utf-8")
    opened = Opened(browser, file)
    heads = set(opened.look("[...document.querySelectorAll('h2, summary')].map(each => each.textContent.trim())"))
    opened.look("document.querySelectorAll('dl').forEach(each => each.innerHTML = each.innerHTML.repeat(4))")
    for height in range(230, 300, 10):  # other heights, other breaks
        assert not {page[-1].strip() for page in printed(opened, tmp_path, height)} & heads


def test_it_is_complete_without_javascript(browser: Browser, path: Path) -> None:
    opened = Opened(browser, path, java_script_enabled=False)
    assert opened.page.locator("table").first.is_visible()
    assert opened.page.locator(".panels svg").first.is_visible()
    assert opened.page.get_by_role("searchbox").count() == 0
    assert opened.complaints == []
