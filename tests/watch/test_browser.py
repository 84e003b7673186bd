"""The page in a real browser: what a viewer sees while a study runs, and that nobody's name becomes code."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from support.axe import violations
from support.report_study import Builder
from support.small_study import SMALL
from support.watching import HACK, HOSTILE, IMAGE, Viewer, get, served

from ablate.report.place import report_page
from ablate.study.run.live import LIVE, LiveNote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, ViewportSize
    from support.report_study import Home

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")

PHONE: ViewportSize = {"width": 390, "height": 844}

#: Returns the words and numbers inside these elements that stand on two lines.
BROKEN = r"""(selector) => {
  const found = [];
  for (const element of document.querySelectorAll(selector)) {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      for (const word of text.data.matchAll(/[\p{L}\d]+/gu)) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        if (range.getClientRects().length > 1) found.push(word[0]);
      }
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with (
        playwright.sync_playwright() as driver,
        driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--mute-audio"]) as opened,
    ):
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may complain of nothing, ask nobody else, and run no name."""
    opened = browser.new_page()
    opened.set_default_timeout(60_000)
    complaints = watch_complaints(opened)
    yield opened
    assert complaints == []
    assert opened.evaluate("window.hacked") is None
    opened.close()


def watch_complaints(page: Page) -> list[str]:
    """Return a list that gets every error of a page, and every address elsewhere that it asks for."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # a server that is stopped on purpose is no fault of the page
    page.on("console", lambda m: m.type == "error" and "ERR_" not in m.text and complaints.append(m.text))
    page.on(
        "request",
        lambda r: r.url.startswith(("http://127.0.0.1:", "data:", "blob:")) or complaints.append(r.url),
    )
    return complaints


def address(port: int, study: str) -> str:
    return f"http://127.0.0.1:{port}/?study={quote(study, safe='')}"


def working(home: Path, fraction: float) -> None:
    job = {"kind": "train", "stages": ["train 1"], "at": "train 1", "since": time.time(), "fraction": fraction}
    training = {"step": round(400 * fraction), "steps": 400, "loss": 1.5, "points": [[25, 4.0], [400 * fraction, 1.5]]}
    head: dict[str, Any] = {"study": HOSTILE, "pid": os.getpid(), "host": socket.gethostname()}
    times = {"since": time.time() - 60, "now": time.time()}
    text = json.dumps({**head, **times, "jobs": [job], "trainings": {"train 1": training}})
    (home / "new").write_text(text)
    (home / "new").replace(home / LIVE)


def test_the_page_follows_a_study_and_asks_before_it_shows_verdicts(half: tuple[Home, Builder], page: Page) -> None:
    home, builder = half
    working(home.path, 0.25)
    with served(home.path) as port:
        page.goto(address(port, HOSTILE))
        page.get_by_text("step 100 of 400, loss 1.500").first.wait_for()
        assert page.locator("h1").inner_text() == HOSTILE
        assert page.locator("tbody th").all_inner_texts() == ["plain (baseline)", HACK, IMAGE]
        assert "TrainingDiverged" in page.locator("#failures").inner_text()
        working(home.path, 0.5)
        page.get_by_text("step 200 of 400").first.wait_for()
        builder.store.set_run(HOSTILE, "plain", 1, "failed", "StageError", "it broke")
        page.get_by_text("it broke").wait_for()
        # the roll of each sample is loaded as soon as it is near
        page.locator("#samples").scroll_into_view_if_needed()
        page.get_by_text("90 notes in").first.wait_for()
        # verdicts: closed, and inside only their price, until somebody asks
        assert not page.get_by_role("button", name="Show the verdicts so far").is_visible()
        page.locator("summary").click()
        assert "about 12 %" in page.locator("#cost").inner_text()
        assert page.locator("#answer").inner_text() == ""
        page.get_by_role("button", name="Show the verdicts so far").click()
        page.get_by_text("against plain").first.wait_for()
        assert "these are no results" in page.locator("#answer").inner_text()
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(PHONE)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_times_have_24_hours_in_every_language(half: tuple[Home, Builder], browser: Browser) -> None:
    home, _ = half
    working(home.path, 0.25)
    with served(home.path) as port:
        for locale in ("en-US", "de-DE"):
            page = browser.new_page(locale=locale)
            page.goto(address(port, HOSTILE))
            page.get_by_text("Running since").wait_for()
            shown = page.locator("#phase").inner_text()
            assert re.match(r"Running since \d\d:\d\d, ", shown), shown
            page.close()


def test_the_page_is_used_with_the_keyboard_alone(finished: Path, page: Page) -> None:
    with served(finished) as port:
        page.goto(address(port, "tau_sweep@smoke"))
        page.get_by_text("All runs have ended.").wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.locator("summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert "costs nothing" in page.locator("#cost").inner_text()
        page.keyboard.press("Enter")
        page.get_by_text("against tau=1.0").first.wait_for()
        page.goto(f"http://127.0.0.1:{port}/?list")
        page.get_by_role("link", name="tau_sweep@smoke").wait_for()
        assert violations(page) == []


def test_the_page_shows_that_a_report_is_written_and_where(finished: Path, tmp_path: Path, page: Page) -> None:
    home, name = tmp_path / ".ablate", "tau_sweep@smoke"
    shutil.copytree(finished, home)
    with served(home) as port:
        with LiveNote(home, name, reporting=True):
            page.goto(address(port, name))
            page.get_by_text("All runs have ended. The report is being written.", exact=True).wait_for()
        page.get_by_text("All runs have ended.", exact=True).wait_for()
        report = report_page(home, name)
        report.parent.mkdir(parents=True)
        report.write_text("a page")
        place = "reports/tau_sweep@smoke/index.html in the home of this study."
        page.get_by_text(f"All runs have ended. The report is written: {place}", exact=True).wait_for()


def test_a_narrow_screen_breaks_names_at_their_signs(tmp_path: Path, page: Page) -> None:
    names = ("conditioner=none", "conditioner=articulation(scope=local)", "sampler=repetition_penalty(window=16)")
    builder, study = Builder(tmp_path / "home", names, 2, 1), f"tau_sweep@{'Praeludium_' * 9}"
    with builder.store:
        builder.plan(name=study)
        page.set_viewport_size(PHONE)
        with served(builder.built.path) as port:
            page.goto(address(port, study))
            page.get_by_role("rowheader", name=names[1], exact=True).wait_for()
            assert page.locator("h1").inner_text() == study
            assert page.evaluate(BROKEN, "h1, #runs tbody th") == []
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_server_that_stops_is_found_again(half: tuple[Home, Builder], page: Page) -> None:
    home, builder = half
    with served(home.path) as port:
        page.goto(address(port, HOSTILE))
        page.get_by_text("3 of 6 runs done").first.wait_for()
    page.get_by_text("The server").first.wait_for()
    assert page.locator("#connection.lost").count() == 1
    builder.store.set_run(HOSTILE, "plain", 1, "done")
    with served(home.path, port=port):
        page.get_by_text("4 of 6 runs done").first.wait_for()
        assert page.locator("#connection.lost").count() == 0
        builder.store.delete_study(HOSTILE)
        page.get_by_text("The study cannot be read now: unknown study").wait_for()


@pytest.mark.slow
def test_twenty_viewers_of_a_running_study(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "small.toml").write_text(SMALL.replace("steps = 2", "steps = 300"))
    words = [sys.executable, "-P", "-m", "ablate", "study", "run", "small.toml", "--no-report", "--workers", "1"]
    home = tmp_path / ".ablate"
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while not (home / LIVE).exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        with served(home) as port:
            while get(port, "/?study=small")[0] != 200:  # the study is not stored yet
                time.sleep(0.02)
            viewers = [Viewer(port, "/events?study=small") for _ in range(18)]
            # the other two have a browser each: one browser has six connections to a server
            pages = [browser.new_context().new_page() for _ in range(2)]
            complaints = [watch_complaints(page) for page in pages]
            for page in pages:
                page.set_default_timeout(120_000)
                page.goto(f"http://127.0.0.1:{port}/?study=small", wait_until="commit")
            for page in pages:
                page.get_by_text("4 of 4 runs done").first.wait_for()
                page.locator("#samples article").first.wait_for()
                page.context.close()
            for viewer in viewers:
                while viewer.parts.get("head", {}).get("done") != 4:
                    assert viewer.take(), "the stream has ended"
                viewer.close()
        assert process.wait(60) == 0
    assert complaints == [[], []]
