"""Names that somebody else chose are text wherever they stand."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pytest
from markdown_it import MarkdownIt
from support.outputs_material import PITCH, Parsed, component, drawn, put

from ablate.printable import from_inert
from ablate.report.write import FORMATS, write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><svg onload=alert(3)>",
    "{{ 7 * 7 }}{% raw %}",
    "| a | b |\n\n# no heading",
    "`code` ![x](http://localhost/x.png) [y](javascript:alert(4))",
    r"\input{/etc/passwd} $x$ %",
    "../../up",
    "=cmd()|' /C calc'!A0",
    "--></title></style>]]><img src=x onerror=alert(5)>",
    "~~~ &lt;img src=x&gt; &amp;",
    "a\r# no heading | b",
    "月光 第1楽章 — Dvořák",
    "שלום \u200f مرحبا",
    "e\u0301 👩\u200d👩\u200d👧",
    "-rf #1 100%?&%2F",
    "CON",
    "x" * 200,
)
#: Writing a report takes long, so each has several of the names.
TOGETHER = 9


def written(home: Path, names: Sequence[str]) -> Path:
    """A report in which each name is that of a variant, and all that has one name only has all of these in one."""
    text = " ".join(names)
    first, second = names[:2]
    values: dict[str, Any] = drawn(
        1, {"plain": 0.3, **dict.fromkeys(names, 0.2)}, [PITCH, (f"notes {text}", text)], (6, 1)
    )
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(
            store,
            text,
            values,
            question=text,
            hypothesis=text,
            labels={"tau": text},
            contrasts={text: {first: 1.0, second: -1.0}},
            configs={first: {"model": [component(text, **{text: text})]}},
            reported={"source": text, "values": {first: {"distance.pitch": {"average": 0.5}}}},
        )
        return write_report(store, home, text, list(FORMATS)).parent


@pytest.fixture(scope="module", params=[NAMES[start::2] for start in range(2)], ids=["one", "two"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequence[str], Path]:
    home = tmp_path_factory.mktemp("hostile")
    return request.param, written(home, request.param)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("harmless"), [f"name{number}" for number in range(TOGETHER)])


def page_of(folder: Path) -> Parsed:
    return Parsed((folder / "index.html").read_text(encoding="utf-8"))


def markdown_of(folder: Path) -> Parsed:
    """The Markdown as GitHub and others show it."""
    text = (folder / "report.md").read_bytes().decode()
    return Parsed(MarkdownIt("commonmark").enable("table").render(text))


def shape(page: Parsed) -> Counter[str]:
    """How many elements of each kind there are, but for the parts of drawings and lines of runs."""
    drawings = {"g", "path", "use", "text", "tspan", "defs", "clippath", "rect", "span", "br", "wbr"}
    return Counter(tag for tag, _ in page.elements if tag not in drawings)


def test_a_page_has_the_elements_of_any_other(report: tuple[Sequence[str], Path], harmless: Path) -> None:
    names, folder = report
    read = page_of(folder)
    assert shape(read) == shape(page_of(harmless))
    assert not [key for _, given in read.elements for key in given if key.startswith("on")]
    assert all(" ".join(name.split()) in read.text for name in names)
    addresses = [given[key] for _, given in read.elements for key in ("href", "src") if key in given]
    assert not [each for each in addresses if re.match(r"\s*(?:javascript|https?|//)", each)]


def test_what_scripts_read_is_json_with_the_names_in_it(report: tuple[Sequence[str], Path]) -> None:
    names, folder = report
    read = page_of(folder)
    blobs = [json.loads(script) for script in read.scripts if script.lstrip().startswith(("{", "["))]
    tables = [each for each in blobs if isinstance(each, dict) and "names" in each]
    assert [each["names"] for each in tables] == [["plain", *names]]


def test_the_index_leads_to_the_folder_and_nowhere_else(report: tuple[Sequence[str], Path]) -> None:
    names, folder = report
    read = Parsed((folder.parent / "index.html").read_text(encoding="utf-8"))
    assert not {"script", "img", "svg"} & read.tags
    assert folder.parent.name == "reports"
    assert {each.name for each in folder.parent.glob("[!.]*")} == {folder.name, "index.html"}
    assert " ".join(" ".join(names).split()) in read.text
    assert all(re.fullmatch(r"[\w@=,+.-]+", path.name) for path in folder.rglob("*"))


def test_tables_in_markdown_keep_their_columns(report: tuple[Sequence[str], Path]) -> None:
    _, folder = report
    lines = (folder / "report.md").read_text(encoding="utf-8").splitlines()
    widths: list[int] = []
    for line in [*lines, ""]:
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
        elif widths:
            assert len(widths) >= 3
            assert len(set(widths)) == 1
            widths = []
    text = "\n".join(line for line in lines if not line.startswith("    "))  # not what is code
    assert "<script" not in text.replace(r"\<script", "")
    assert not re.search(r"(?<!\\)\]\((?!figures/)", text), "no link or picture but the report's own"
    assert "# no heading" not in [line.strip() for line in lines]


def test_markdown_shows_the_names_as_they_are(report: tuple[Sequence[str], Path], harmless: Path) -> None:
    names, folder = report
    read = markdown_of(folder)
    assert shape(read) == shape(markdown_of(harmless))
    pictures = [given["src"] for tag, given in read.elements if tag == "img"]
    assert pictures
    assert all((folder / unquote(picture)).is_file() for picture in pictures)
    assert all(read.text.count(" ".join(name.split())) > 10 for name in names)


def test_latex_has_no_command_of_theirs(report: tuple[Sequence[str], Path]) -> None:
    _, folder = report
    table = (folder / "paper/table.tex").read_text(encoding="utf-8")
    commands = set(re.findall(r"(?<!\\)\\([a-zA-Z]+)", table))
    assert commands <= {
        *("usepackage", "begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "small"),
        *("setlength", "tabcolsep", "par", "bigskip", "smallskip", "downarrow", "ref", "textbar", "textendash"),
        "textemdash",
        *("emph", "scriptsize", "pm", "textbackslash", "textless", "textgreater", "textasciitilde", "textasciicircum"),
    }
    rows = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1
    cells = sum(len(re.findall(r"(?<!\\)&", row)) for row in rows if not row.startswith(" &"))
    assert cells == 2 * (1 + TOGETHER), "two values of each variant"


def test_a_name_is_kept_to_the_letter_in_the_numbers(report: tuple[Sequence[str], Path]) -> None:
    import pandas as pd

    names, folder = report
    table = pd.read_csv(folder / "data/measurements.csv")
    cells = list(dict.fromkeys(table["variant"]))
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))], "a spreadsheet would run it"
    assert [from_inert(cell) for cell in cells] == ["plain", *names]
    by_the_page = r"^'(?='*[=+\-@\t\r＝＋－＠])"  # noqa: RUF001 - docs/guides/results-in-python.md
    assert [re.sub(by_the_page, "", cell) for cell in cells] == ["plain", *names]
    assert np.isfinite(table["value"]).all()
