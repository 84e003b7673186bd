"""Every sentence of the reports of four studies, as text in ``tests/report/golden/``.

Each study has two files: ``NAME.md`` is its Markdown report, ``NAME.txt`` the text of its page. After a change of a
sentence, ``make golden`` writes them again; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.effects_material import Stored
from support.report_study import REPORTED, STUDY, Builder, troubled_study
from support.validated_study import Validated

from ablate.files import file_name
from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
#: The elements of a page that end a line.
BLOCKS = {"p", "li", "h1", "h2", "h3", "td", "th", "tr", "caption", "dt", "dd", "summary", "pre", "figcaption", "div"}
#: The elements whose text nobody reads.
SILENT = {"script", "style", "svg"}


def measured(home: Path) -> str:
    """Three levels of an axis without a clear difference, with values published elsewhere."""
    builder = Builder(home, ("tau=0.6", "tau=0.8", "tau=1.0"), 3, 2)
    builder.plan(REPORTED)
    with builder.store:
        builder.finish()
    return STUDY


def decided(home: Path) -> str:
    """Two crossed axes with every verdict, contrasts, a margin, copying, and possible confounds."""
    rng = np.random.default_rng(3)
    start = rng.normal(5.0, 1.0, 8)
    sizes = {"a": 0.0, "b": -1.0, "c": 0.8, "d": 0.01}
    distances = {name: start + size + rng.normal(0, 0.02, 8) for name, size in sizes.items()}
    distances["e"] = start + rng.normal(0, 1.0, 8)
    distances["f"] = start + rng.normal(0, 0.02, 8)
    shares = {name: 0.2 + 0.4 * (name == "b") + rng.normal(0, 0.001, 8) for name in distances}
    rates = {name: 7.0 + (name in "bc") - 2 * (name == "d") + rng.normal(0, 0.01, 8) for name in distances}
    levels = {name: {"sampler.tau": (0.8, 1.0, 1.2)[i % 3], "augmenter": i // 3} for i, name in enumerate(distances)}
    values = {("distance", "average"): distances, ("covered", "share"): shares, ("rate", "value"): rates}
    study = Stored(home, levels, values, {"rate": "none"}, {"b": 448_000}, {"distance": [0.1, 0.2, 0.3]})
    study.put(
        question="Which setting matters?",
        objective={"metric": "distance", "feature": "", "direction": ""},
        margins={"distance": 0.3},
        contrasts={"b against c": {"b": 1, "c": -1}, "of a missing variant": {"b": 1, "gone": -1}},
        copying=["covered"],
    )
    return "example"


def troubled(home: Path) -> str:
    """A study that is half done, with missing files and a corpus with problems."""
    problems = [f"<i>{number}</i>.mid: left out: this is no MIDI file" for number in range(12)]
    with troubled_study(home, "../odd name", problems).store:
        return "../odd name"


def validated(home: Path) -> str:
    """A three-way split that all replicates share, early stopping, and two test pieces."""
    builder = Validated(home)
    builder.plan()
    with builder.store:
        builder.finish()
    return STUDY


STUDIES: dict[str, Callable[[Path], str]] = {one.__name__: one for one in (measured, decided, troubled, validated)}


class _Text(HTMLParser):
    """The text of a page, one line for each block."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.silent = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        self.parts.append("\n" if tag in BLOCKS else " ")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT
        self.parts.append("\n" if tag in BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)

    @property
    def lines(self) -> list[str]:
        lines = (" ".join(line.split()) for line in "".join(self.parts).splitlines())
        return [line for line in lines if line]


@pytest.fixture(scope="module", params=STUDIES)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    home = tmp_path_factory.mktemp(request.param)
    name = STUDIES[request.param](home)
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        write_report(store, home, name, ["html", "md"], sound=False)
    return request.param, home / "reports" / file_name(name)


def compare(name: str, text: str) -> None:
    """Compare a text with its file; dates are left out."""
    path = GOLDEN / name
    text = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DATE", text)
    if os.environ.get("ABLATE_RENEW_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()


def test_the_markdown_report(report: tuple[str, Path]) -> None:
    name, folder = report
    compare(f"{name}.md", (folder / "report.md").read_text(encoding="utf-8"))


def test_the_text_of_the_page(report: tuple[str, Path]) -> None:
    name, folder = report
    lines = _Text((folder / "index.html").read_text(encoding="utf-8")).lines
    compare(f"{name}.txt", "\n".join(lines) + "\n")
