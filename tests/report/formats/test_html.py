"""The page: what it says, what it needs, and how it is written."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from scipy import stats as sps

from ablate.errors import AblateError, HomeError
from ablate.files import file_name
from ablate.report.write import write_report
from ablate.store.records import RunRecord, StudyRecord, VariantRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from support.report_study import Home

Attributes = list[tuple[str, str | None]]
#: The names of the data files.
FILES = ("measurements", "effects", "estimates", "floors", "variance", "runs")
VOID = {"meta", "br", "wbr", "hr", "img", "input", "link"}


class _Reader(HTMLParser):
    """Checks the nesting, and collects ids, links, tags and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.texts = [], [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[key] for key in ("href", "src", "xlink:href") if given.get(key)]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.texts))


@pytest.fixture(scope="module")
def html(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(html: str) -> _Reader:
    return _Reader(html)


def test_the_page_lies_with_its_figures_music_and_data(page: Path, finished: Home) -> None:
    assert page == finished.path / "reports" / "tau_sweep@smoke" / "index.html"

    def names(folder: str) -> set[str]:
        return {path.name for path in (page.parent / folder).glob("[!.]*")}

    stems = {"forest", "comparison", "metric-distance.pitch", "distributions", "losses"}
    assert names("figures") == {f"{stem}.svg" for stem in stems}
    assert names("data") == {f"{name}.csv" for name in FILES}
    assert names("paper") == {"table.tex", "references.bib"}
    midi = (page.parent / "midi" / "tau=0.8.sample-01.mid").read_bytes()
    assert midi == b"MThdtau=0.8 0 1"
    of_variants = {f"tau={tau}.sample-{number:02}.mid" for tau in (0.6, 0.8) for number in range(2)}
    assert names("midi") == of_variants | {"reference-0.mid", "round-trip.mid"}
    assert names("..") == {"tau_sweep@smoke", "index.html"}


def test_it_is_well_formed_and_needs_no_network(html: str, read: _Reader, page: Path) -> None:
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert not re.search(r"(?:https?:)?//\w", re.sub(r"data:[^\"]*", "", html))
    for link in read.links:
        if link.startswith("#"):
            assert link[1:] in read.ids
        elif not link.startswith("data:"):
            assert (page.parent / unquote(link)).is_file()
    assert len(html) < 5_000_000


def test_it_can_be_read_without_seeing_it(read: _Reader) -> None:
    images = [(tag, given) for tag, given in read.tags if given.get("role") == "img"]
    assert sum(tag == "div" for tag, _ in images) == 5, "the figures"
    assert sum(tag == "canvas" for tag, _ in images) == 2 + 2 * 2, "reference, round trip, two samples of each variant"
    assert all(given["aria-label"] for _, given in images)
    tables = sum(tag == "table" for tag, _ in read.tags)
    assert sum(tag == "caption" for tag, _ in read.tags) == tables > 0
    assert all(given.get("scope") for tag, given in read.tags if tag == "th")


def test_it_says_what_was_asked_measured_and_with_what(read: _Reader, finished: Home) -> None:
    for phrase in (
        "Does tau matter?",
        "Yes & no.",
        "sampler.temperature.tau",
        "tau=0.8",
        "95 % interval",
        "resampling band",
        "6 of 6 done",
        "0123456789ab with uncommitted changes",
        "torch 2.6.0",
        "all variants",
        "89,600",
        "1,234",
        "0.60± 0.10, n=3",
        "ablate study run",
    ):
        assert phrase in read.text
    assert "incomplete" not in read.text


def test_its_numbers_are_those_that_were_measured(page: Path, finished: Home) -> None:
    """Means, intervals, differences and p, worked out here from the numbers that went into the database."""

    def means(variant: str) -> np.ndarray[Any, Any]:
        keys = [(variant, r, s, "distance.pitch", "average") for r in range(3) for s in range(2)]
        return np.array([finished.numbers[key] for key in keys]).reshape(3, 2).mean(1)

    one, other = means("tau=0.6"), means("tau=0.8")
    estimates, effects = (pd.read_csv(page.parent / f"data/{name}.csv") for name in ("estimates", "effects"))
    chosen = "metric == 'distance.pitch' and feature == 'average'"
    row = estimates.query(f"{chosen} and variant == 'tau=0.8'").iloc[0]
    half = sps.t.ppf(0.975, 2) * other.std(ddof=1) / np.sqrt(3)
    assert (row["estimate"], row["sd"], row["n"]) == pytest.approx((other.mean(), other.std(ddof=1), 3))
    assert (row["low"], row["high"]) == pytest.approx((other.mean() - half, other.mean() + half))
    row = effects.query(f"{chosen} and kind == 'variant'").iloc[0]
    signs = np.array(list(itertools.product((1, -1), repeat=3)))
    as_extreme = (signs * (other - one)).mean(1) >= abs((other - one).mean()) - 1e-12
    assert row["difference"] == pytest.approx((other - one).mean())
    assert row["p"] == pytest.approx(min(1.0, 2 * as_extreme.mean()))
    assert (row["comparison"], row["versus"], row["verdict"]) == ("tau=0.8", "tau=0.6", "inconclusive")


def test_values_stand_beside_their_floors(read: _Reader) -> None:
    assert re.search(r"resampling notes resampled from the reference ?0\.12\d*0\.10\d* to 0\.14", read.text)
    assert re.search(r"round trip a piece of the reference, encoded and decoded ?0\.15", read.text)


def test_it_shows_what_was_reported_with_its_source(read: _Reader) -> None:
    assert "A course report <1999>: one training, one sample." in read.text
    assert "reported 0.0295" in read.text
    assert "reported 0.0766" in read.text
    assert "tau=9" not in read.text


def test_it_says_where_the_other_replicates_are(read: _Reader, finished: Home) -> None:
    stage = finished.store.stages(["generate tau=0.6 2"])["generate tau=0.6 2"]
    assert f"replicate 2: {stage.artifact}" in read.text


def test_figures_are_valid_files(page: Path) -> None:
    for path in (page.parent / "figures").glob("*.svg"):
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_an_incomplete_study_reports_what_there_is(troubled: Path) -> None:
    read = _Reader(troubled.read_text(encoding="utf-8"))
    assert "This study is incomplete: 2 of 4 runs" in read.text
    assert "TrainingDiverged: loss is <NaN> at step 3" in read.text
    assert "has not run yet" in read.text
    assert "n=1" in read.text
    assert "± –" in read.text  # noqa: RUF001


def test_missing_files_are_named(troubled: Path) -> None:
    text = _Reader(troubled.read_text(encoding="utf-8")).text
    assert re.search(r"artifacts/train-\w+/losses.npy: not found", text)
    assert re.search(r"artifacts/load-\w+/performances.npz: not found", text)
    assert re.search(r"artifacts/generate-\w+/performances.npz: damaged", text)
    assert not (troubled.parent / "figures" / "losses.svg").exists()


def test_names_are_text_and_never_markup_or_paths(troubled: Path) -> None:
    html = troubled.read_text(encoding="utf-8")
    read = _Reader(html)
    assert read.open == []
    assert not any(tag == "b" for tag, _ in read.tags)
    assert "<b>$x$</b>" in read.text
    assert troubled.parent.parent.name == "reports"
    assert troubled.parent.name == file_name("../odd name")


def test_nothing_measured_is_an_error_and_leaves_no_folder(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        runs = [RunRecord("a", 0, {"train": "t"}, {})]
        store.put_study(StudyRecord("new", {}, "default", "bach", 1), [VariantRecord("a", "a", {}, True)], runs)
        with pytest.raises(AblateError, match="'new' has no measurements yet"):
            write_report(store, tmp_path, "new")
    assert not (tmp_path / "reports").exists()


def test_a_report_that_cannot_be_finished_leaves_the_old_one(
    page: Path, finished: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = page.read_bytes()

    def no_space(*_args: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ablate.report.formats.html.html_page", no_space)
    with pytest.raises(HomeError, match="No space left on device"):
        write_report(finished.store, finished.path, "tau_sweep@smoke")
    assert page.read_bytes() == before
    assert {path.name for path in page.parent.parent.glob("[!.]*")} == {"tau_sweep@smoke", "index.html"}


def test_file_names_are_safe_and_distinct() -> None:
    assert file_name("tau=0.6") == "tau=0.6"
    names = ["a/b", "a_b", "a b", "../a", ".a", "", "x" * 200, "-rf", "index.html", "x.", "月光", "é"]
    names += ["CON", "aux", "Nul.mid", "con.", "COM1", "\udce9", "CON" * 30]
    made = [file_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert "index.html" not in made
    assert not [name for name in made if re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", name) or name[-1] == "."]
    assert file_name("console") == "console"
    assert all(re.fullmatch(r"[A-Za-z0-9@=,+_][A-Za-z0-9@=,+_.-]*|-[0-9a-f]{8}", name) for name in made)
