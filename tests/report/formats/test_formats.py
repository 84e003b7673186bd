"""What each format leaves in a report's folder, and the index over all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from support.outputs_material import L1, PITCH, Parsed, drawn, put
from support.parts_material import study_of_parts
from support.report_study import STUDY, Builder

from ablate.report.write import FORMATS, write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

OWN = {
    "html": {"index.html", "summary.json", "data", "figures", "midi", "paper"},
    "md": {"report.md", "figures"},
    "tex": {"paper"},
    "csv": {"data"},
}


def small(home: Path) -> Builder:
    builder = Builder(home, ("tau=0.6", "tau=0.8"), 2, 1)
    builder.plan()
    builder.finish()
    return builder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def markdown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report that was written twice as Markdown, with the same bytes."""
    return written_twice(tmp_path_factory.mktemp("markdown"), "md")


def written_twice(home: Path, form: str) -> Path:
    with small(home).store as store:
        path = write_report(store, home, STUDY, [form], sound=False)
        folder = home / "reports" / STUDY
        assert path == folder / FORMATS[form]
        assert {each.name for each in folder.iterdir()} == OWN[form]
        before = contents(folder)
        assert all(before.values()), "no file is empty"
        write_report(store, home, STUDY, [form], sound=False)
        assert contents(folder) == before
    return folder


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("md", "html")])
def test_each_format_has_its_files_and_the_same_bytes_again(tmp_path: Path, form: str) -> None:
    written_twice(tmp_path, form)


def test_another_format_joins_the_page_that_is_there(tmp_path: Path) -> None:
    folder = written_twice(tmp_path, "html")
    page = Parsed((folder / "index.html").read_text(encoding="utf-8"))
    assert "written without sound (--no-audio)" in page.text
    assert "audio" not in page.tags
    before = contents(folder)
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        write_report(store, tmp_path, STUDY, ["md"], sound=False)
    after = contents(folder)
    added = set(after) - set(before)
    assert "report.md" in added
    assert all(name.startswith("figures/") for name in added - {"report.md"})
    assert {name: after[name] for name in before} == before


def test_the_markdown_shows_only_what_lies_beside_it(markdown: Path) -> None:
    text = (markdown / "report.md").read_text(encoding="utf-8")
    pictures = re.findall(r"^!\[.+\]\((.+)\)$", text, re.MULTILINE)
    assert len(pictures) >= 4
    for picture in pictures:
        assert (markdown / unquote(picture)).read_bytes().startswith(b"\x89PNG")
    assert re.search(r"^\| tau=0\.8 \|", text, re.MULTILINE)


def test_the_csv_hold_what_was_measured(tmp_path: Path) -> None:
    values: dict[str, Any] = drawn(4, {"a": 0.3, "b": 0.2}, [PITCH, L1], (4, 2))
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "numbers", values)
        write_report(store, tmp_path, "numbers", ["csv"])
    data = tmp_path / "reports/numbers/data"
    # as text, because pandas before 3.1 does not read the last bit of a number
    frame = pd.read_csv(data / "measurements.csv", dtype={"value": str})
    table = frame.set_index(["variant", "feature", "replicate", "sample"])["value"].map(float)
    assert len(table) == 2 * 2 * 4 * 2
    for variant, measured in values.items():
        for (_, feature), expected in measured.items():
            for (replicate, sample), value in {(r, s): expected[r, s] for r in range(4) for s in range(2)}.items():
                assert table[variant, feature, replicate, sample] == value, "to the last bit"
    effects = pd.read_csv(data / "effects.csv").set_index("feature")
    difference = (values["b"][PITCH] - values["a"][PITCH]).mean()
    assert effects.loc["average", "difference"] == pytest.approx(difference)
    assert len(pd.read_csv(data / "runs.csv")) == 8


def test_no_csv_of_an_older_version_stays(tmp_path: Path) -> None:
    data = tmp_path / "reports/numbers/data"
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "numbers", drawn(1, {"a": 0.3, "b": 0.2}))
        write_report(store, tmp_path, "numbers", ["csv"])
        before = sorted(path.name for path in data.iterdir())
        (data / "cells.csv").write_text("variant,replicate\n")
        write_report(store, tmp_path, "numbers", ["csv"])
    assert sorted(path.name for path in data.iterdir()) == before


def test_the_index_has_every_page_of_a_home_and_its_answer(tmp_path: Path) -> None:
    names = ["first", "second study & more", "only-numbers"]
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        for place, name in enumerate(names):
            put(store, name, drawn(place, {"a": 0.5, "b": 0.2}), question=f"Question <{place}>?")
        write_report(store, tmp_path, names[0])
        write_report(store, tmp_path, names[1])
        write_report(store, tmp_path, names[2], ["csv"])
    reports = tmp_path / "reports"
    (reports / "somebody's folder").mkdir()
    (reports / "older").mkdir()
    (reports / "older/index.html").write_text("a report of an older version")
    (reports / "older/summary.json").write_text('{"name": "an older <study>", "cells": "3 of 4", "answer": null}')
    (reports / "broken").mkdir()
    (reports / "broken/index.html").write_text("no report")
    (reports / "broken/summary.json").write_text("{")
    for place, other in enumerate(("{}", "[]", "null")):
        (reports / f"other-{place}").mkdir()
        (reports / f"other-{place}/index.html").write_text("no report")
        (reports / f"other-{place}/summary.json").write_text(other)
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        write_report(store, tmp_path, names[0])
    read = Parsed((reports / "index.html").read_text(encoding="utf-8"))
    links = [given["href"] for tag, given in read.elements if tag == "a"]
    assert len(links) == 3
    assert all((reports / unquote(link)).is_file() for link in links)
    for phrase in (*names[:2], "Question <0>?", "Question <1>?", "b is better than a", "16 of 16"):
        assert phrase in read.text
    assert names[2] not in read.text
    assert "an older <study> corpus unknown, profile unknown, number of runs unknown, date unknown" in read.text
    unlisted = 6  # somebody's folder, only-numbers, broken, and the three with other summaries
    assert (
        f"{unlisted} folders in this folder cannot be listed: without a page, or without a readable summary.json."
        in read.text
    )


def test_shares_are_in_page_and_markdown(tmp_path: Path) -> None:
    """With their figure, and with the two tables."""
    values = np.random.default_rng(3).normal(size=(4, 6))
    study_of_parts(tmp_path, "factorial", 2, lambda on: values[on[0] + 2 * on[1]])
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        write_report(store, tmp_path, "example", ["html", "md", "csv"], sound=False)
    folder = tmp_path / "reports" / "example"
    page, text = ((folder / name).read_text(encoding="utf-8") for name in ("index.html", "report.md"))
    assert page.count("<h3>Shares of the total difference</h3>") == 1
    assert text.count("### Shares of the total difference\n") == 1
    for words in ("Of the total difference of", "Waterfall chart of the shares of 2 parts", "add one in"):
        assert words in page
        assert words in text
    assert (folder / "figures" / "shares.svg").is_file()
