"""Takes the screenshots of the documentation: ``make screenshots``.

Most are of reports in the gallery; that of ``ablate watch`` is of a study that is started for it, which takes a minute.
It needs Chromium or Chrome. Each picture of a report is a row in ``SHOTS``; add one for a new picture.
"""  # noqa: INP001 - a script

from __future__ import annotations

import dataclasses
import gzip
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

DOCS = Path(__file__).parent.with_name("docs")


@dataclasses.dataclass(frozen=True)
class Shot:
    """A picture.

    Attributes:
        name: of the file in ``docs/images``, without its ending.
        study: the report in the gallery.
        height: of the picture, in pixels of the page.
        start: a CSS selector; the picture begins at this element instead of at the top.
        width: of the window, in pixels of the page.
        dark: whether the page is dark.
    """

    name: str
    study: str
    height: int
    start: str = "body"
    width: int = 1240
    dark: bool = False


SHOTS = (
    Shot("report", "tau_sweep", 2000),
    # as wide as the text of the site, so that it stays readable there
    Shot("verdicts", "tau_sweep", 900, width=760),
    Shot("verdicts-dark", "tau_sweep", 900, width=760, dark=True),
)


def take(browser: Browser, shot: Shot) -> None:
    """Take one picture."""
    page = browser.new_page(
        viewport={"width": shot.width, "height": shot.height},
        reduced_motion="reduce",
        color_scheme="dark" if shot.dark else "light",
    )
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "index.html"
        report.write_bytes(gzip.decompress((DOCS / f"gallery/reports/{shot.study}.html.gz").read_bytes()))
        page.goto(report.as_uri())
        page.locator(shot.start).first.evaluate("element => window.scrollTo(0, element.offsetTop)")
        page.screenshot(path=DOCS / f"images/{shot.name}.png")
    page.close()


#: The study that is watched: long enough to be seen at work after its first results.
WATCHED = ("tempo_ablation", "--profile", "smoke", "--set", "training.steps=400", "--workers", "2", "--no-report")


@contextmanager
def running(folder: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of ablate in a folder, and end it afterwards."""
    command = [sys.executable, "-P", "-m", "ablate", *words]
    with subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.terminate()


def take_watch(browser: Browser) -> None:
    """Take the picture of ``ablate watch``, as soon as a training of a study has ended and others still work."""
    with tempfile.TemporaryDirectory() as folder, running(folder, "study", "run", *WATCHED):
        while not (Path(folder) / ".ablate/run.progress.json").exists():
            time.sleep(0.2)
        with running(folder, "watch", "--port", "0") as server:
            address = str(server.stdout and server.stdout.readline()).split()[-1]
            page = browser.new_page(viewport={"width": 900, "height": 1250}, locale="en-GB", reduced_motion="reduce")
            page.set_default_timeout(300_000)
            page.goto(address)
            page.locator("#losses polyline.ended").first.wait_for(state="attached")
            page.screenshot(path=DOCS / "images/watch.png")
            page.close()


def main() -> int:
    """Take all pictures, or those that the arguments name."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        sys.stderr.write("no chromium or chrome on this machine; install one\n")
        return 1
    with sync_playwright() as driver, driver.chromium.launch(executable_path=program, args=["--no-sandbox"]) as browser:
        for shot in SHOTS:
            if shot.name in sys.argv[1:] or not sys.argv[1:]:
                take(browser, shot)
                sys.stdout.write(f"wrote docs/images/{shot.name}.png\n")
        if "watch" in sys.argv[1:] or not sys.argv[1:]:
            take_watch(browser)
            sys.stdout.write("wrote docs/images/watch.png\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
