"""The page of a report with 100 variants in a browser, against an empty page."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Case, Table, compare
from support.outputs_material import PITCH, drawn, put

from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

#: The longest that a page with 100 variants should take until it is loaded, in seconds.
LONGEST = 1.0
#: The same as a multiple of the time of an empty page.
MOST_TIMES = 8
QUANTITIES = [PITCH, *((f"distance.{name}", "average") for name in ("duration", "velocity", "rhythm"))]
QUANTITIES += [(f"memorization.{name}", "share") for name in ("covered", "longest", "copied")]


def tables() -> Iterator[Table]:
    """The group's table; none without a browser."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        pages = {count: _page(Path(folder) / str(count), count) for count in (5, 100)}
        (empty := Path(folder) / "empty.html").write_text("<!doctype html><title>Empty</title>", encoding="utf-8")
        with driver.chromium.launch(executable_path=program, args=["--no-sandbox"]) as browser:
            cases = [Case("an empty page", lambda: _load(browser, empty))]
            cases += [
                Case(f"{count} variants", lambda p=page: _load(browser, p), target=1 / MOST_TIMES, most=LONGEST)
                for count, page in pages.items()
            ]
            yield compare("Opening a report with seven quantities", "pages", cases, rounds=7)


def _page(home: Path, count: int) -> Path:
    """Write the report of a study of this many variants, five replicates and one sample each."""
    home.mkdir()
    names = {f"v{place:03}": 0.5 - place / 500 for place in range(count)}
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(store, "large", drawn(1, names, QUANTITIES, (5, 1)))
        return write_report(store, home, "large", sound=False)


def _load(browser: Browser, page: Path) -> float:
    """Open a page in a window of its own until it is loaded and painted."""
    tab = browser.new_page()
    tab.goto(page.as_uri(), wait_until="load")
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    tab.close()
    return 1.0
