"""The report in a real browser: what a reader sees, hears, clicks and prints, and that nobody's text becomes code."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import json
import os
import re
import shutil
import unicodedata
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import filelock
import numpy as np
import pytest
from support import axe
from support.commands import run
from support.effects_material import Stored
from support.report_study import Builder

from ablate.music.performance import Performance
from ablate.music.storage import pack_performances
from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")

HACK = "</script><script>window.hacked=1</script>"
IMAGE = "<img src=x onerror=window.hacked=1>"
NAMES = ("tau=0.8", "tau=0.75", "tau=10", "tau=1.05", HACK, IMAGE, "long" * 40)
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1280, "height": 720}
# what observes the sizes of elements is called in the first frame after a change
TWO_FRAMES = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"


class Watched:
    """A page, what its console complains of, and what it asks for outside of ``folder``."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder, self.complaints = page, folder, list[str]()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("warning", "error", "assert"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # which is how a download begins
            self.complaints.append(f"failed: {request.url[:200]} {request.failure}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        inside = parts.scheme == "file" and unquote(parts.path).startswith(f"{self.folder}/")
        if not inside and parts.scheme != "data":
            self.complaints.append(f"request: {request.url[:200]}")

    def show(self, path: Path) -> None:
        """Open another report, as a new page would."""
        self.folder = path.parent
        self.complaints.clear()
        self.page.mouse.move(0, 0)
        self.page.set_viewport_size(WIDE)
        self.page.goto(path.as_uri())

    def check(self) -> None:
        """Check that nothing complained, left the folder, or ran a name."""
        assert self.complaints == []
        assert self.page.evaluate("window.hacked") is None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        words = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        with driver.chromium.launch(executable_path=BROWSER, args=words) as opened:
            yield opened


def opened(browser: Browser, path: Path, **settings: Any) -> Watched:
    page = browser.new_context(reduced_motion="reduce", **settings).new_page()
    page.set_default_timeout(10_000)
    watched = Watched(page, path.parent)
    page.goto(path.as_uri())
    return watched


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> list[Watched]:
    """The page in which one report is opened after another: a new one takes a process, half a second of a core."""
    return []


@pytest.fixture
def visit(browser: Browser, visitor: list[Watched]) -> Iterator[Callable[..., Page]]:
    """Open a report; whatever a test does with it, nothing may complain, leave the folder, or run a name."""
    own: list[Watched] = []

    def visited(path: Path, **settings: Any) -> Page:
        if settings:
            own.append(opened(browser, path, **settings))
            return own[-1].page
        if not visitor:
            visitor.append(opened(browser, path))
            return visitor[0].page
        visitor[0].check()  # what this test did before
        visitor[0].show(path)
        return visitor[0].page

    yield visited
    for each in own:
        each.check()
        each.page.context.close()
    for each in visitor:
        try:
            each.check()
        finally:
            each.page.goto("about:blank")  # no sound plays on
            each.complaints.clear()


@pytest.fixture(scope="module")
def shared(browser: Browser) -> dict[tuple[Path, bool], Watched]:
    """The reports that several tests look at; they stay open until the browser closes."""
    return {}


@pytest.fixture
def look(browser: Browser, shared: dict[tuple[Path, bool], Watched]) -> Iterator[Callable[..., Page]]:
    """Show a report with open details that other tests look at, too, and at the end check as ``visit`` does."""
    watched: list[Watched] = []

    def looked(path: Path, size: ViewportSize = WIDE, *, blind: bool = False, scheme: str = "light") -> Page:
        if (path, blind) not in shared:
            shared[path, blind] = opened(browser, path)
            for button in shared[path, blind].page.get_by_role("button", name="Listen blind").all() if blind else ():
                button.click()
        watched.append(shared[path, blind])
        page = watched[-1].page
        page.set_viewport_size(size)
        page.emulate_media(media="screen", color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        set_details(page, is_open=True)
        page.evaluate(TWO_FRAMES)
        return page

    yield looked
    for each in watched:
        each.check()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, smoke_home: Path) -> Path:
    """The report of a study that was really run: five variants, two replicates, two samples; made once a test run."""
    root = tmp_path_factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "real report"
    page = folder / ".ablate/reports/tau_sweep@smoke/index.html"
    with filelock.FileLock(f"{folder}.lock"):
        if not page.is_file():
            shutil.copytree(smoke_home, folder / ".ablate")
            _run_smoke(folder / ".ablate")
    return page


def _run_smoke(home: Path) -> None:
    words = ["study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1", "--home", str(home)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        assert run(words) == 0, said.getvalue()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a larger study whose every text would like to be code, and whose names are hard to sort."""
    builder, name = Builder(tmp_path_factory.mktemp("hostile"), NAMES, 3, 1), f"{IMAGE}@smoke"
    builder.plan({"source": HACK, "values": {IMAGE: {"distance.pitch": {"average": 0.1}}}}, name)
    record = builder.store.study(name)
    spec = {**record.spec, "question": f"{HACK}{IMAGE} {'?' * 200}", "hypothesis": IMAGE}
    builder.store.put_study(
        dataclasses.replace(record, spec=spec, corpus=IMAGE), builder.store.variants(name), builder.store.runs(name)
    )
    builder.finish(name)
    builder.store.set_run(name, IMAGE, 2, "failed", HACK, IMAGE)
    notes = [(60 + i, 64, i / 2, i / 2 + 0.4, (0, 73, 128)[i % 3]) for i in range(20)]
    piece = pack_performances([Performance.from_notes(notes, name=f"{HACK}{IMAGE}")])
    next((builder.home / "artifacts").glob("load-*/performances.npz")).write_bytes(piece)
    with builder.store:
        return write_report(builder.store, builder.home, name, sound=False)


@pytest.fixture(params=["real", "troubled", "hostile"])
def report(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def until(page: Page, condition: str) -> None:
    """Wait until it holds; the page's policy forbids what playwright's own waiting does."""
    page.evaluate(f"new Promise((go) => (function look() {{ {condition} ? go() : requestAnimationFrame(look); }})())")


def set_details(page: Page, *, is_open: bool) -> None:
    page.evaluate("(open) => document.querySelectorAll('details').forEach((each) => { each.open = open; })", is_open)


# Sound and piano rolls

PLAYING = "[...document.querySelectorAll('audio')].map((audio) => !audio.paused)"
# of a canvas: the share of its pixels that are drawn on, and where its white playhead stands, as a share of its width
DRAWN = """(canvas) => {
  const { width, height } = canvas;
  const pen = new OffscreenCanvas(width, height).getContext('2d'); // a copy, as reading slows the page's own
  pen.drawImage(canvas, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  const white = (x, y) => [0, 1, 2].every((i) => data[4 * (y * width + x) + i] > 250);
  const playhead = [...Array(width).keys()].findIndex((x) => [0, height >> 1, height - 1].every((y) => white(x, y)));
  const drawn = data.filter((part, i) => i % 4 === 3 && part).length / (width * height);
  return [drawn, playhead < 0 ? null : playhead / width];
}"""


# the number of pixels of a colour, and the rows of the first and the last of them as a part of the height
FOUND = """([canvas, colour]) => {
  const { width, height } = canvas;
  const pen = new OffscreenCanvas(width, height).getContext('2d');
  pen.drawImage(canvas, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  const pixels = [...Array(width * height).keys()].filter((at) => colour.every((part, i) => data[4 * at + i] === part));
  return [pixels.length, pixels[0] / width / height, pixels.at(-1) / width / height];
}"""


def rolls(page: Page) -> list[Locator]:
    return page.locator(".clip canvas").all()


def midi_seconds(path: Path) -> float:
    import pretty_midi

    return float(pretty_midi.PrettyMIDI(str(path)).get_end_time())


@pytest.mark.slow
def test_every_sound_is_as_long_as_its_music_and_plays(real: Path, visit: Callable[..., Page]) -> None:
    pytest.importorskip("midirenderer")
    pytest.importorskip("soundfile")
    page = visit(real)
    clips = page.locator(".clip").all()
    assert len(clips) == 2 + 5 * 2
    for number, clip in enumerate(clips):
        midi = real.parent / unquote(str(clip.get_by_role("link", name="MIDI").get_attribute("href")))
        sound = clip.locator("audio")
        sound.evaluate("(audio) => audio.play()")
        until(page, f"document.querySelectorAll('audio')[{number}].currentTime > 0.05")
        assert sound.evaluate("(audio) => audio.readyState") >= 2
        assert sound.evaluate("(audio) => audio.duration") == pytest.approx(min(midi_seconds(midi), 30), abs=1)
        assert page.evaluate(PLAYING) == [other == number for other in range(len(clips))], "one at a time"


@pytest.mark.slow
def test_a_click_on_a_piano_roll_plays_from_there_and_the_playhead_follows(
    real: Path, visit: Callable[..., Page]
) -> None:
    pytest.importorskip("midirenderer")
    pytest.importorskip("soundfile")
    page = visit(real)
    canvas, sound = rolls(page)[0], page.locator("audio").first
    assert canvas.evaluate(DRAWN)[1] is None
    size = canvas.bounding_box()
    assert size
    canvas.click(position={"x": size["width"] / 2, "y": 20})
    until(page, "document.querySelector('audio').currentTime > 15.3")
    first = canvas.evaluate(DRAWN)[1]
    assert first == pytest.approx(sound.evaluate("(audio) => audio.currentTime") / 30, abs=0.03)
    until(page, "document.querySelector('audio').currentTime > 15.9")
    assert 0.5 < first < canvas.evaluate(DRAWN)[1] < 0.6
    for each in rolls(page):  # each stops the one before, which may not have begun yet
        each.dispatch_event("click")
    page.wait_for_timeout(200)
    assert page.evaluate(PLAYING) == [False] * 11 + [True]


def test_instruments_have_colours_and_drums_a_strip(hostile: Path, visit: Callable[..., Page]) -> None:
    page = visit(hostile)
    legend = page.locator("#instruments")
    assert legend.inner_text().split("\n") == ["Acoustic Grand Piano", "Flute", "Drums"]
    swatches = legend.locator(".swatch").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).backgroundColor)"
    )
    night, velocity = (21, 24, 29), 0.4 + 0.6 * 64 / 127
    canvas = rolls(page)[0].element_handle()
    found = []
    for swatch in swatches:
        full = map(int, re.findall(r"\d+", swatch))
        mixed = [round(dark + (part - dark) * velocity) for dark, part in zip(night, full, strict=True)]
        found.append(page.evaluate(FOUND, [canvas, mixed]))
    piano, flute, drums = found
    assert min(count for count, *_ in found) > 20
    assert drums[1] > max(piano[2], flute[2]), "the strip is below all pitches"


# Tables

SORTABLE = "table.sortable, #measurements table"
# clicks on a heading, and returns what it says of itself, and the cells below: text, key, and whether of a floor
SORTED = """([table, column]) => {
  const heading = document.querySelectorAll('table.sortable, #measurements table')[table].tHead.rows[0].cells[column];
  heading.querySelector('button').click();
  const rows = [...heading.closest('table').tBodies[0].rows];
  const cells = rows.map((row) => [row.cells[column], row.classList.contains('floor')]);
  const text = (cell) => (cell.querySelector('.name') || cell).firstChild?.textContent.trim() || '';
  return [heading.ariaSort, cells.map(([cell, floor]) => [text(cell), cell.dataset.sort, floor])];
}"""


def number(text: str) -> float | None:
    """The number at the beginning of a text, as it is printed."""
    found = re.match(r"[-\u2212+]?[\d,.]+(?:e[-+]?\d+)?(?= |$)", text)
    return float(found[0].replace("\u2212", "-").replace(",", "")) if found else None


@pytest.mark.slow
def test_every_table_sorts_by_every_column(real: Path, visit: Callable[..., Page]) -> None:
    page = visit(real)
    tables = page.locator(SORTABLE).all()
    assert len(tables) > 8
    checked = 0
    for index, table in enumerate(tables):
        for column in range(table.locator("thead th").count()):
            for direction, sign in (("ascending", 1), ("descending", -1)):
                said, cells = page.evaluate(SORTED, [index, column])
                floors = [floor for _, _, floor in cells]
                assert said == direction
                assert floors == sorted(floors), "floors stay below"
                numbers = [number(key or text) for text, key, floor in cells if not floor]
                known = [sign * each for each in numbers if each is not None]
                assert known == sorted(known)
                assert None not in numbers[: len(known)], "what has no number comes last"
                checked += len(known) > 1
    assert checked > 50


def test_what_is_printed_is_sorted_as_numbers(page: Path, visit: Callable[..., Page]) -> None:
    """Minus signs, thousands, ranges, exponents, and nothing at all, which comes last in both directions."""
    shown = visit(page)
    table = shown.locator("table.sortable", has_text="Costs")
    texts = ["900", "–", "1,200", "\u221230", "\u22120.5 ± 0.1", "12 to 24", "", "2e-3"]  # noqa: RUF001
    table.evaluate(
        """(table, texts) => table.tBodies[0].replaceChildren(...texts.map((text) => {
             const row = table.tBodies[0].rows[0].cloneNode(true);
             row.cells[2].textContent = text;
             delete row.cells[2].dataset.sort;
             return row;
           }))""",
        texts,
    )
    column = table.locator("tbody tr td:nth-child(3)")
    table.get_by_role("button", name="seconds", exact=True).click()
    numbers = ["\u221230", "\u22120.5 ± 0.1", "2e-3", "12 to 24", "900", "1,200"]
    assert column.all_inner_texts()[:6] == numbers
    table.get_by_role("button", name="seconds", exact=True).click()
    assert column.all_inner_texts() == [*reversed(numbers), "–", ""]  # noqa: RUF001


def test_the_keyboard_sorts_and_a_filter_hides(hostile: Path, visit: Callable[..., Page]) -> None:
    page = visit(hostile)
    scroll = page.get_by_role("region", name="Means over replicates with 95 % intervals, and floors")
    heading = scroll.locator("thead th").first
    page.get_by_role("searchbox", name="Filter the rows of: Means over replicates").focus()
    page.keyboard.press("Tab")
    assert heading.locator("button:focus-visible").count() == 1
    names = scroll.locator("tbody tr:not(.floor) .name")
    for key, direction in (("Enter", "ascending"), ("Space", "descending")):
        page.keyboard.press(key)
        assert heading.get_attribute("aria-sort") == direction
        found = [text.split()[0] for text in names.all_inner_texts()]
        in_order = ["tau=0.75", "tau=0.8", "tau=1.05", "tau=10"]  # decimals, not digits after a dot
        assert [name for name in found if name.startswith("tau")] == in_order[:: 1 if key == "Enter" else -1]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") is None
    box = page.get_by_role("searchbox", name="Filter the rows of: Means over replicates")
    rows = scroll.locator("tbody tr:visible")
    box.fill("TAU 0.75")
    assert [text.split()[0] for text in rows.all_inner_texts()] == ["tau=0.75"]
    box.fill("nothing like it")
    assert rows.count() == 0
    box.fill("")
    assert rows.count() == len(NAMES) + 3


def test_all_measurements_can_be_paged_sorted_and_filtered(hostile: Path, visit: Callable[..., Page]) -> None:
    page = visit(hostile)
    held = json.loads(page.locator("#measurements-data").inner_text())
    values = sorted(value for row in held["rows"] for each in row[3] for value in each)
    assert len(values) == len(NAMES) * 3 * 4
    card = page.locator("#measurements")
    status, rows = card.get_by_role("status"), card.locator("tbody tr")
    back, forth = card.get_by_role("button", name="Back"), card.get_by_role("button", name="Next")
    assert status.inner_text() == "Page 1 of 4, 84 rows"
    assert back.is_disabled()
    seen = rows.all_inner_texts()
    while forth.is_enabled():
        forth.click()
        seen += rows.all_inner_texts()
    assert (len(seen), len(set(seen)), status.inner_text()) == (84, 84, "Page 4 of 4, 84 rows")
    assert rows.count() == 84 - 3 * 25
    card.get_by_role("button", name="value").click()
    assert status.inner_text() == "Page 1 of 4, 84 rows"
    shown = card.locator("td:nth-child(5)")
    assert [float(text) for text in shown.all_inner_texts()] == values[:25]
    forth.click()
    back.click()
    box = card.get_by_role("searchbox")
    box.fill("tau=0.75 l1")
    assert status.inner_text() == "Page 1 of 1, 3 rows"
    assert all(text.startswith("tau=0.75") and "\tl1\t" in text for text in rows.all_inner_texts())
    box.fill("distance")
    found = [float(text) for text in shown.all_inner_texts()]
    assert found == sorted(found), "what is filtered stays sorted"
    box.fill("no such row")
    assert status.inner_text() == "Page 1 of 1, 0 rows"
    assert back.is_disabled()
    assert forth.is_disabled()


# Blind listening

# Math.random with a seed, so that an order that comes out unshuffled is no matter of luck
SEEDED = "let seed = 7; Math.random = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647; };"
# what a clip says of itself, its file included
SAYS = """(clips) => clips.map((clip) => [clip.id, clip.querySelector('h3').textContent,
  clip.querySelector('canvas').ariaLabel, clip.querySelector('audio').ariaLabel, clip.querySelector('p').hidden])"""
HIDDEN_NAMES = """(clips) => clips.querySelectorAll('[aria-label]').values()
  .filter((each) => each.checkVisibility()).map((each) => each.ariaLabel).toArray().join() + clips.innerText"""


@pytest.mark.slow
def test_listening_blind_hides_every_name_until_the_end(real: Path, visit: Callable[..., Page]) -> None:
    pytest.importorskip("midirenderer")
    pytest.importorskip("soundfile")
    page = visit(real)
    page.evaluate(SEEDED)
    clips, panel, samples = page.locator("#clips"), page.locator("#blind-panel"), page.locator(".clip[id^=sample]")
    before = page.locator(".clip").evaluate_all(SAYS)
    variants = {name: title.split(",")[0] for name, title, *_ in before if name.startswith("sample")}
    orders: list[list[str]] = []

    def round_of(number: int) -> list[str]:
        """Check what is to be seen in a round; the ids of its samples in order."""
        assert f"Round {number} of 2" in panel.inner_text()
        assert "tau=" not in clips.evaluate(HIDDEN_NAMES)
        shown = page.locator(".clip[id^=sample]:visible")
        assert shown.locator("h3").all_inner_texts() == [f"Sample {letter}" for letter in "ABCDE"]
        assert shown.get_by_role("link").count() == 0
        found: list[str] = shown.evaluate_all("(clips) => clips.map((clip) => clip.id)")
        assert sorted(variants[name] for name in found) == sorted(set(variants.values())), "one of each"
        orders.append(found)
        return found

    def choose(letter: str) -> None:
        panel.get_by_role("radio", name=letter).check()
        panel.get_by_role("button").click()

    page.locator("audio").nth(1).evaluate("(audio) => audio.play()")
    page.get_by_role("button", name="Listen blind").click()
    assert not any(page.evaluate(PLAYING))
    first = round_of(1)
    panel.get_by_role("button", name="Next").click()
    assert "Round 1 of 2" in panel.inner_text(), "nothing was chosen yet"
    page.set_viewport_size(PHONE)
    rolls(page)[0].dispatch_event("click")
    choose("B")
    assert not any(page.evaluate(PLAYING))
    second = round_of(2)
    choose("E")
    lines = panel.get_by_role("listitem").all_inner_texts()
    for line, letter, ids in zip(lines, "BE", (first, second), strict=True):
        among = "; ".join(f"{each} was {variants[name]}" for each, name in zip("ABCDE", ids, strict=True))
        assert line == f"{letter}: {variants[ids['ABCDE'.index(letter)]]} ({among})"
    assert page.locator(".clip").evaluate_all(SAYS) == before, "names, labels, links and order are as they were"
    assert all(clip.is_visible() for clip in samples.all())
    assert all(each.evaluate(DRAWN)[0] > 0.005 for each in rolls(page)), "those that were hidden in another size too"
    chosen = page.locator(".clip.chosen").evaluate_all("(clips) => clips.map((clip) => clip.id)")
    assert sorted(chosen) == sorted([first[1], second[4]])

    page.get_by_role("button", name="Again").click()
    assert page.locator(".clip.chosen").count() == 0
    round_of(1)
    choose("A")
    round_of(2)
    choose("C")
    assert panel.get_by_role("listitem").count() == 2
    assert len({tuple(variants[name] for name in order) for order in orders}) > 2, "shuffled anew each time"


# What a page may not do


@pytest.mark.slow
def test_everything_can_be_used_without_complaint(report: Path, visit: Callable[..., Page]) -> None:
    """The fixture asserts that the console stays empty, that no request leaves, and that no name became code."""
    page = visit(report)
    page.locator("nav a, summary").evaluate_all("(all) => all.forEach((each) => each.click())")
    for box in page.get_by_role("searchbox").all():
        box.fill("a")
    page.locator("main button").evaluate_all("(buttons) => buttons.forEach((each) => each.click())")
    for link in page.locator("a[download]:visible").all()[:3]:
        with page.expect_download() as download:
            link.click()
        assert download.value.path().stat().st_size
    page.mouse.wheel(0, 20_000)
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(100)
    assert page.locator("body script:not([type])").count() == 1, "its own"
    assert page.locator("img, iframe, object, [onerror], [onmouseover]").count() == 0


def test_hostile_texts_are_shown_as_they_are(hostile: Path, look: Callable[..., Page]) -> None:
    page = look(hostile)
    text = page.locator("main").inner_text()
    assert page.locator("h1").inner_text() == f"{IMAGE}@smoke"
    assert HACK + IMAGE in page.locator(".question").inner_text()
    assert HACK + IMAGE in page.locator(".clip h3").first.inner_text()
    assert f"{HACK}: {IMAGE}" in text, "the error"
    assert page.locator(".name", has_text=HACK).count() > 3


def test_the_watch_would_notice(browser: Browser, page: Path, tmp_path: Path) -> None:
    """What every test here relies on: a broken page complains, and the policy stops what was smuggled in."""
    (broken := tmp_path / "broken.html").write_text("<script>nothing.at.all</script><img src='../x.png'><img src=x:y>")
    watched = Watched(browser.new_page(), tmp_path)
    watched.page.goto(broken.as_uri())
    kinds = [complaint.split(":")[0] for complaint in watched.complaints]
    assert {"error", "request", "failed"} <= set(kinds)
    watched.page.close()

    watched = Watched(browser.new_page(), page.parent)
    watched.page.goto(page.as_uri())
    assert watched.complaints == []
    watched.page.evaluate(
        """() => {
          const add = (tag, more) => document.body.append(Object.assign(document.createElement(tag), more));
          add("script", { textContent: "window.hacked = 1" });
          add("script", { src: "http://localhost:9/x.js" });
          add("img", { src: "http://localhost:9/x.png" });
          add("img", { src: "data:,", onerror: null });
          document.body.lastChild.setAttribute("onerror", "window.hacked = 1");
        }"""
    )
    watched.page.wait_for_timeout(200)
    assert watched.page.evaluate("window.hacked") is None
    refused = [each for each in watched.complaints if "Content Security Policy" in each]
    assert len(refused) >= 4
    asked = [each.split()[1] for each in watched.complaints if each.startswith("request")]
    assert len(asked) == 2
    assert {f"failed: {url} csp" for url in asked} <= set(watched.complaints)
    watched.page.close()


# How it looks

# every text that is seen, with the contrast of its colour to what is behind it
CONTRASTS = r"""() => {
  const parse = (text) => { const p = text.match(/[\d.]+/g).map(Number); return [p[0], p[1], p[2], p[3] ?? 1]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const part = c[i] / 255;
    return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.matches("script, noscript, :disabled") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const under = behind(element);
    const [a, b] = [light(over(parse(element.closest("svg") ? style.fill : style.color), under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([ratio, `${element.tagName} ${element.getAttribute("class")}`, element.textContent.slice(0, 30)]);
  }
  return found;
}"""


def contrasts(page: Page) -> list[Any]:
    found: list[Any] = page.evaluate(CONTRASTS)
    return found


@pytest.mark.slow
def test_text_can_be_read_in_light_and_dark_and_in_print(report: Path, look: Callable[..., Page]) -> None:
    papers = {}
    for scheme in ("light", "dark"):
        page = look(report, scheme=scheme)
        for media in ("screen", "print"):
            page.emulate_media(media=media, color_scheme=scheme)
            found = contrasts(page)
            assert [each for each in found if each[0] < 4.5] == []
            kinds = {kind for _, element, _ in found for kind in element.lower().split()}
            assert {"p", "a", "td", "small", "foot", "badge", "text"} <= kinds
            papers[scheme, media] = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert papers["light", "screen"] != papers["dark", "screen"]
    assert papers["light", "print"] == papers["dark", "print"] == papers["light", "screen"]


# the captions of the tables that scroll sideways
WIDE_TABLES = """[...document.querySelectorAll('.scroll')].filter((each) => each.querySelector('table') &&
  each.scrollWidth > each.clientWidth + 1).map((each) => each.ariaLabel)"""


def test_a_phone_scrolls_in_one_direction_only(report: Path, visit: Callable[..., Page]) -> None:
    page = visit(report, viewport=PHONE, is_mobile=True, has_touch=True)
    set_details(page, is_open=True)
    for button in page.get_by_role("button", name="Listen blind").all():
        button.tap()
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [PHONE["width"]] * 2
    broken = page.evaluate(
        """() => [...document.querySelectorAll('.tag:not(.floor .tag), .badge')].filter(
             (each) => each.checkVisibility() && each.getClientRects().length > 1).map((each) => each.textContent)"""
    )
    assert broken == [], "a pill on two lines is two half pills"
    assert page.evaluate(WIDE_TABLES) == [], "a row is a block of labelled values"
    # a claim stands alone in its lines, and the numbers behind it below
    claim, evidence, size = page.locator(".answer .evidence").first.evaluate(
        """(each) => { const claim = document.createRange(); claim.selectNode(each.previousSibling);
             return [claim.getBoundingClientRect().bottom, each.getBoundingClientRect().top,
               parseFloat(getComputedStyle(each).fontSize)]; }"""
    )
    assert evidence >= claim - 1
    assert size < 16
    # a figure is large enough to be read, says that it goes on, and can be moved to its end
    shown = page.locator("figure .scroll").first.evaluate(
        """(box) => { box.scrollLeft = box.scrollWidth;
             const edge = (each) => each.getBoundingClientRect().right;
             return [edge(box.firstElementChild), edge(box), box.firstElementChild.clientWidth,
               getComputedStyle(box.nextElementSibling, '::before').content]; }"""
    )
    assert shown[0] <= shown[1]
    assert shown[2:] == [640, '"Swipe the figure sideways to see all of it. "']
    row = page.locator("table.many tbody tr").first
    labels = row.locator("td").evaluate_all("(cells) => cells.map((each) => each.dataset.label)")
    assert labels == row.locator("xpath=../../thead/tr/th[position() > 1]").evaluate_all(
        "(all) => all.map((each) => each.querySelector('button').firstChild.textContent + "
        "[...each.querySelectorAll('wbr')].map((gap) => gap.nextSibling.textContent).join(''))"
    )
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    roles = {node["role"]["value"] for node in tree if not node["ignored"]}
    assert {"table", "row", "rowheader", "columnheader", "cell"} <= roles


@pytest.mark.parametrize("width", [1024, 1280])
def test_seven_quantities_need_no_scrolling(real: Path, width: int, look: Callable[..., Page]) -> None:
    page = look(real, {"width": width, "height": 900})
    assert page.locator("table:has(thead th:nth-child(8))").count() > 3
    assert page.evaluate(WIDE_TABLES) == []


def test_a_metric_with_a_dozen_features_needs_no_scrolling(tmp_path: Path, visit: Callable[..., Page]) -> None:
    values = {name: np.arange(1000.0, 1006.0) for name in ("a", "b")}
    names = [f"validation_per_second_{index}" for index in range(12)]
    study = Stored(tmp_path, {"a": {"x": 1}, "b": {"x": 2}}, {("likelihood", name): values for name in names})
    study.put(objective={"metric": "likelihood", "feature": names[0], "direction": ""})
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        path = write_report(store, tmp_path, "example", sound=False)
    page = visit(path, viewport={"width": 1280, "height": 900})
    set_details(page, is_open=True)
    assert page.locator("table.most").count()
    assert page.evaluate(WIDE_TABLES) == []
    page.set_viewport_size({"width": 1024, "height": 900})
    assert page.evaluate(WIDE_TABLES) == []


@pytest.mark.slow
def test_it_prints_whole(report: Path, look: Callable[..., Page]) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    page = look(report, {"width": 720, "height": 1000}, scheme="dark")
    set_details(page, is_open=False)
    closed = page.locator("details:not([open]) pre, details:not([open]) table")
    assert closed.count() > 3
    assert not any(each.is_visible() for each in closed.all())
    page.emulate_media(media="print")
    assert all(each.evaluate("(e) => e.checkVisibility({ contentVisibilityAuto: true })") for each in closed.all())
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert not page.locator("audio, nav, input, button:not(th button)").filter(visible=True).count()
    whole = page.locator("main").inner_text()
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = unicodedata.normalize("NFKC", " ".join(sheet.extract_text() for sheet in printed.pages))  # no ligatures
    words = set(re.findall(r"[a-z]{4,12}(?= )", whole))
    lost = [word for word in words if word not in text]
    assert len(lost) < len(words) / 50, f"lines and pages break few words: {lost}"
    assert f"1 of {len(printed.pages)}" in printed.pages[0].extract_text()
    for sheet in printed.pages:
        assert [float(side) for side in sheet.mediabox[2:]] == pytest.approx([595, 842], abs=2), "upright A4"


# For everyone

# what needs a name for those who do not see it
NAMED = {"button", "link", "searchbox", "radio", "image", "region", "navigation", "table", "canvas", "audio"}


@pytest.mark.slow
def test_it_can_be_used_without_seeing_it(report: Path, look: Callable[..., Page]) -> None:
    page = look(report, blind=True)
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    nodes = [
        (node["role"]["value"].lower(), (node.get("name") or {}).get("value", ""))
        for node in tree
        if not node["ignored"]
    ]
    roles = {role for role, _ in nodes}
    assert {"button", "searchbox", "image", "region", "table", "heading"} <= roles
    assert [role for role, name in nodes if role in NAMED and not name.strip()] == []
    headings = page.locator("h1, h2, h3, h4, h5, h6").filter(visible=True)
    levels = headings.evaluate_all("(all) => all.map((each) => Number(each.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))
    labelled = page.evaluate(
        "[...document.querySelectorAll('img, canvas, svg')].map((each) => each.closest('[role=img]')?.ariaLabel || '')"
    )
    assert labelled
    assert all(labelled)
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a table of somebody else's results."""
    home = tmp_path_factory.mktemp("judged")
    rows = [f"{method},{seed},{0.5 + seed / 100 + len(method) / 10}" for method in ("a", "bb") for seed in range(6)]
    (home / "results.csv").write_text("\n".join(["method,seed,loss", *rows]), encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        assert run(["judge", str(home / "results.csv"), "--home", str(home)]) == 0, said.getvalue()
    return home / "reports/results/index.html"


@pytest.mark.skipif(not axe.AXE.is_file(), reason="axe-core is not installed; run: npm ci --prefix tests/browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["real", "troubled", "hostile", "page", "judged"])
def test_axe_finds_nothing(kind: str, scheme: str, look: Callable[..., Page], request: pytest.FixtureRequest) -> None:
    page = look(request.getfixturevalue(kind), blind=True, scheme=scheme)
    assert axe.violations(page) == []


def test_axe_would_find_something(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<h3>Title</h3><p style='color: #ddd'>pale<img src='data:,'>")
    found = {violation.split()[0] for violation in axe.violations(page)}
    assert {"color-contrast", "image-alt", "html-has-lang", "page-has-heading-one", "region"} <= found
    assert not any("image-alt" in each for each in axe.violations(page, without=("image-alt",)))


def test_what_scrolls_can_be_scrolled_by_keyboard(report: Path, look: Callable[..., Page]) -> None:
    page = look(report, PHONE)
    wide = (
        page.locator("main *")
        .filter(visible=True)
        .evaluate_all(
            """(all) => all.filter((each) => each.scrollWidth > each.clientWidth + 1
             && ['auto', 'scroll'].includes(getComputedStyle(each).overflowX))
           .map((each) => [each.tabIndex, each.ariaLabel, each.role])"""
        )
    )
    assert len(wide) > 2
    assert all(index == 0 and name and role for index, name, role in wide)
    scroll = page.locator(".scroll[tabindex]").first
    scroll.focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.scroll[tabindex]').scrollLeft > 0")
    narrow = "(all) => all.filter((each) => each.scrollWidth <= each.clientWidth && each.tabIndex === 0).length"
    assert page.locator(".scroll").evaluate_all(narrow) == 0, "the keyboard stops nowhere for nothing"


# the element that has the focus: what it is, its name, whether its outline shows, and whether it is in the window
FOCUSED = """() => {
  const each = document.activeElement;
  const { top, bottom, width } = each.getBoundingClientRect();
  const name = each.ariaLabel || each.textContent.trim().slice(0, 40);
  const seen = width > 0 && bottom > 0 && top < innerHeight;
  return [each.tagName, name, getComputedStyle(each).outlineStyle !== 'none', seen];
}"""
REACHABLE = "a[href], button:not(:disabled), input, summary, audio, .scroll[tabindex], pre[tabindex]"


@pytest.mark.slow
def test_the_keyboard_reaches_everything_in_order(real: Path, visit: Callable[..., Page]) -> None:
    page = visit(real)
    wanted = page.locator(REACHABLE).filter(visible=True).count()
    seen = []
    places = []
    for _ in range(3 * wanted):
        page.keyboard.press("Tab")
        tag, name, outlined, in_window = page.evaluate(FOCUSED)
        if tag == "BODY":
            break
        assert name
        assert outlined or tag == "AUDIO", name  # the browser outlines a button inside of the player
        assert in_window, name
        index = page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        if not places or index != places[-1]:  # a player has several stops inside
            places.append(index)
            seen.append(tag)
    assert places == sorted(places), "in the order of the page"
    assert len(seen) == wanted
    assert {"A", "BUTTON", "INPUT", "SUMMARY", "AUDIO"} <= set(seen)
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None


def test_the_keyboard_plays(real: Path, visit: Callable[..., Page]) -> None:
    pytest.importorskip("midirenderer")
    pytest.importorskip("soundfile")
    page = visit(real)
    page.locator("audio").nth(1).focus()
    page.keyboard.press("Space")
    until(page, "document.querySelectorAll('audio')[1].currentTime > 0.05")
    page.keyboard.press("Space")
    until(page, "document.querySelectorAll('audio')[1].paused")


def test_the_first_tab_skips_to_the_answer(page: Path, visit: Callable[..., Page]) -> None:
    shown = visit(page)
    shown.keyboard.press("Tab")
    skip = shown.locator(":focus")
    assert skip.inner_text() == "Skip to the answer"
    box = skip.bounding_box()
    assert box
    assert box["x"] >= 0
    shown.keyboard.press("Enter")
    assert shown.url.endswith("#answer")
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.closest('main') !== null")


def test_without_scripts_the_answer_the_tables_and_the_music_are_there(page: Path, visit: Callable[..., Page]) -> None:
    shown = visit(page, java_script_enabled=False)
    assert shown.locator(".answer .badge").first.is_visible()
    assert "cannot tell" in shown.locator(".answer").first.inner_text()
    assert shown.get_by_role("region", name="Differences from").locator("tbody tr").first.is_visible()
    assert shown.locator("figure svg").first.is_visible()
    assert shown.get_by_role("link", name="measurements.csv").is_visible()
    assert shown.locator("noscript p").filter(visible=True).count() >= 2
    assert not shown.locator("canvas, #blind-start").filter(visible=True).count(), "nothing that would not work"
    assert shown.get_by_role("link", name="MIDI").first.is_visible()
    if shutil.which("midirenderer") or (page.parent / "audio").glob("*.mp3"):
        assert shown.locator("audio").first.is_visible()


# All reports


def test_the_index_leads_to_every_report_and_back(tmp_path: Path, visit: Callable[..., Page]) -> None:
    builder, names = Builder(tmp_path, ("a", "b"), 2, 1), ["first", f"100 % #2? {IMAGE}"]
    for name in names:
        builder.plan(name=name)
        builder.finish(name)
        write_report(builder.store, tmp_path, name, sound=False)
    builder.store.__exit__(None, None, None)
    page = visit(tmp_path / "reports/index.html")
    assert set(page.locator("main h2").all_inner_texts()) == set(names)
    for name in names:
        assert "Does tau matter?" in page.locator("article", has_text=name).inner_text()
        page.get_by_role("link", name=name, exact=True).click()
        assert page.locator("h1").inner_text() == name
        page.get_by_role("link", name="All reports").click()
    assert page.locator("h1").inner_text() == "Reports"
    assert [each for each in contrasts(page) if each[0] < 4.5] == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
