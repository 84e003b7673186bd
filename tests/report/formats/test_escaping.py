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

from ablate.report.write import FORMATS, write_report
from ablate.store.store import Store

if TYPE_CHECKING:
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
)


def written(home: Path, text: str) -> Path:
    """A report in which all that has a name has this one."""
    other = f"{text} too"
    values: dict[str, Any] = drawn(1, {"plain": 0.3, text: 0.2, other: 0.3}, [PITCH, (f"notes {text}", text)], (6, 1))
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(
            store,
            text,
            values,
            question=text,
            hypothesis=text,
            labels={"tau": text},
            contrasts={text: {text: 1.0, other: -1.0}},
            configs={text: {"model": [component(text, **{text: text})]}},
            reported={"source": text, "values": {text: {"distance.pitch": {"average": 0.5}}}},
        )
        return write_report(store, home, text, list(FORMATS)).parent


@pytest.fixture(scope="module", params=NAMES, ids=lambda name: name[:12])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    home = tmp_path_factory.mktemp("hostile")
    return request.param, written(home, request.param)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("harmless"), "name")


def page_of(folder: Path) -> Parsed:
    return Parsed((folder / "index.html").read_text(encoding="utf-8"))


def markdown_of(folder: Path) -> Parsed:
    """The Markdown as GitHub and others show it."""
    text = (folder / "report.md").read_bytes().decode()
    return Parsed(MarkdownIt("commonmark").enable("table").render(text))


def shape(page: Parsed) -> Counter[str]:
    """How many elements of each kind there are, but for the parts of drawings and lines of runs."""
    drawings = {"g", "path", "use", "text", "tspan", "defs", "clippath", "rect", "span", "br"}
    return Counter(tag for tag, _ in page.elements if tag not in drawings)


def test_a_page_has_the_elements_of_any_other(report: tuple[str, Path], harmless: Path) -> None:
    text, folder = report
    read = page_of(folder)
    assert shape(read) == shape(page_of(harmless))
    assert not [key for _, given in read.elements for key in given if key.startswith("on")]
    assert " ".join(text.split()) in read.text
    addresses = [given[key] for _, given in read.elements for key in ("href", "src") if key in given]
    assert not [each for each in addresses if re.match(r"\s*(?:javascript|https?|//)", each)]


def test_what_scripts_read_is_json_with_the_names_in_it(report: tuple[str, Path]) -> None:
    text, folder = report
    read = page_of(folder)
    blobs = [json.loads(script) for script in read.scripts if script.lstrip().startswith(("{", "["))]
    tables = [each for each in blobs if isinstance(each, dict) and "names" in each]
    assert [each["names"] for each in tables] == [["plain", text, f"{text} too"]]


def test_the_index_leads_to_the_folder_and_nowhere_else(report: tuple[str, Path]) -> None:
    text, folder = report
    read = Parsed((folder.parent / "index.html").read_text(encoding="utf-8"))
    assert not {"script", "img", "svg"} & read.tags
    assert folder.parent.name == "reports"
    assert {each.name for each in folder.parent.iterdir()} == {folder.name, "index.html"}
    assert " ".join(text.split()) in read.text
    assert all(re.fullmatch(r"[\w@=,+.-]+", path.name) for path in folder.rglob("*"))


def test_tables_in_markdown_keep_their_columns(report: tuple[str, Path]) -> None:
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


def test_markdown_shows_the_names_as_they_are(report: tuple[str, Path], harmless: Path) -> None:
    text, folder = report
    read = markdown_of(folder)
    assert shape(read) == shape(markdown_of(harmless))
    pictures = [given["src"] for tag, given in read.elements if tag == "img"]
    assert pictures
    assert all((folder / unquote(picture)).is_file() for picture in pictures)
    assert read.text.count(" ".join(text.split())) > 10


def test_latex_has_no_command_of_theirs(report: tuple[str, Path]) -> None:
    _, folder = report
    table = (folder / "paper/table.tex").read_text(encoding="utf-8")
    commands = set(re.findall(r"(?<!\\)\\([a-zA-Z]+)", table))
    assert commands <= {
        *("usepackage", "begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "small"),
        *("setlength", "tabcolsep", "par", "bigskip", "smallskip", "downarrow", "ref", "textbar", "textendash"),
        *("emph", "scriptsize", "pm", "textbackslash", "textless", "textgreater", "textasciitilde", "textasciicircum"),
    }
    rows = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1
    assert len(rows) == 4 * table.count(r"\toprule"), "the head and three variants, each in a line"


def test_a_name_is_kept_to_the_letter_in_the_numbers(report: tuple[str, Path]) -> None:
    import pandas as pd

    text, folder = report
    table = pd.read_csv(folder / "data/measurements.csv")
    assert list(dict.fromkeys(table["variant"])) == ["plain", text, f"{text} too"]
    assert np.isfinite(table["value"]).all()
