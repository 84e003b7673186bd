"""The gallery: pages are written from results, show the verdicts of the report, and are stale when a study changes."""

from __future__ import annotations

import datetime as dt
import gzip
import re
import shutil
from pathlib import Path

import pytest
import yaml
from gallery import __main__ as command
from gallery import pages
from gallery.entry import NotReadyError, first_sentence, seconds_with_work
from gallery.fingerprint import fingerprint
from gallery.gallery import FACTS, Gallery
from gallery.packed import packed
from support.checkout import ROOT
from support.gallery_material import Shown

import ablate
from ablate.registry import get_registry
from ablate.report.text.lines import Line
from ablate.store.records import StageRecord
from ablate.study.file.locate import shipped_studies


@pytest.fixture
def shown(made: Shown, tmp_path: Path) -> Shown:
    """Return a copy of the study files and pages, to be changed."""
    shutil.copytree(made.folder, tmp_path / "pages")
    files = {name: Path(shutil.copy(path, tmp_path)) for name, path in made.files.items()}
    return Shown(files, tmp_path / "pages", made.home)


def test_a_page_shows_the_question_and_the_first_verdict_of_the_report(made: Shown) -> None:
    page = (made.folder / "small.md").read_text(encoding="utf-8")
    line = ablate.load_results("small", made.home).verdicts().blocks[0].lines[0]
    assert "**Question.** Does tau matter?" in page
    sentence = line.text.split(". ")[0]
    assert sentence.startswith("Cannot tell tau=1.0 from tau=0.8: ")
    assert f"**Answer.** {sentence}.\n" in page.replace("\\", "")
    assert "2 variants in 2 replicates" in page
    assert "| Machine | 2 cores of a laptop |" in page
    index = (made.folder / "index.md").read_text(encoding="utf-8")
    assert sentence in index.replace("\\", "")
    assert "| waiting | Does tau matter? | not run yet | |" in index
    assert "1 of 2 studies has no page yet: waiting." in index
    assert "1 of the 2 studies that come with ablate" in index


def test_the_list_of_studies_begins_with_those_that_have_been_run(made: Shown) -> None:
    entry = made.gallery().entries["small"]
    index = pages.index({"small": entry}, {"another": "?", "small": "?", "waiting": "?"})
    assert re.findall(r"^\| \[?(\w+)", index, re.MULTILINE) == ["Study", "small", "another", "waiting"]
    assert "All 1 studies that come with ablate" in pages.index({"small": entry}, {"small": "?"})


def test_the_page_of_a_path_has_the_verdict_of_each_step() -> None:
    """What changed most is the question of a path; its first verdict is about the last variant only."""
    folder = ROOT / "docs/gallery"
    report = gzip.decompress((folder / "reports/course_path.html.gz").read_bytes()).decode()
    steps = Gallery(shipped_studies()).entries["course_path"].steps
    assert [step.partition(",")[0] for step in steps[1:]] == [f"Step {place}" for place in range(1, 6)]
    assert steps[0].startswith("In this order: ")
    shown = (folder / "course_path.md").read_text(encoding="utf-8").replace("\\", "")
    assert "16 variants in up to 8 replicates; racing has spared 39 of 128 runs" in shown
    assert "39 spared by racing" in re.sub(r"\s+", " ", report)
    for step in steps:
        assert step in shown
        assert step.partition(" (")[0] in re.sub(r"<[^>]+>", "", report)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("The best is a=1, b=2 (99 %); a=2, b=1; a=3, b=3; a=4, b=1 and 7 more may also be the best one.", "10 others"),
        ("The best is A; B, C, D, E may also be the best one.", "4 others"),
        ("The best is A; B, C may also be the best one.", "B, C"),
    ],
)
def test_many_variants_that_may_be_the_best_are_counted(answer: str, shown: str) -> None:
    assert pages.counted(answer) == f"{answer.partition(';')[0]}; {shown} may also be the best one."
    assert pages.counted("Cannot tell A from B.") == "Cannot tell A from B."


def test_an_answer_is_about_the_best_variant_if_there_is_one() -> None:
    lines = [
        Line("better", "A is better, p = 0.01. 7 replicates are few."),
        Line("", "The best is B.", best=True),
    ]
    assert first_sentence(lines, decided=True) == "The best is B."
    assert first_sentence(lines, decided=False) == "A is better, p = 0.01."


def test_what_was_just_written_is_not_stale(made: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.report_stale(made.gallery()) == 0
    assert capsys.readouterr().out == "gallery: studies without a page (1): waiting\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("steps = 2", "steps = 3"),
        ("[0.8, 1.0]", "[0.8, 1.0, 1.2]"),
        ("Does tau matter?", "Does the temperature matter?"),
        ("replicates = 2", "replicates = 3"),
    ],
)
def test_a_changed_study_makes_its_page_stale(
    shown: Shown, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    shown.change(old, new)
    assert command.report_stale(shown.gallery()) == 1
    message = capsys.readouterr().err
    assert "gallery: small is stale: the page shows the fingerprint " in message
    assert "make gallery STUDIES='small'" in message
    with pytest.raises(NotReadyError, match="small was run with other settings"):
        shown.gallery().renew("small", shown.home, run=False)


def test_pages_are_written_again_with_the_machine_that_they_named(shown: Shown) -> None:
    before = (shown.folder / "small.md").read_bytes()
    gallery = shown.gallery()
    gallery.renew("small", shown.home, run=False)
    gallery.write()
    assert (shown.folder / "small.md").read_bytes() == before


def test_a_comment_changes_nothing(shown: Shown) -> None:
    shown.change("[training]", "# a remark\n[training]")
    assert shown.gallery().stale() == {}


@pytest.mark.parametrize("gone", ["reports/small.html.gz", "figures/small.svg"])
def test_a_study_whose_report_is_gone_is_stale(shown: Shown, gone: str) -> None:
    (shown.folder / gone).unlink()
    assert shown.gallery().stale() == {"small": f"{Path(gone).name} is missing"}


def test_a_page_that_somebody_edited_is_found_and_written_again(
    shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    with (shown.folder / "small.md").open("a", encoding="utf-8") as page:
        page.write("It is better.\n")
    assert command.report_stale(shown.gallery()) == 1
    assert "these pages are not as they are written: small.md" in capsys.readouterr().err
    shown.gallery().write()
    assert command.report_stale(shown.gallery()) == 0


def test_a_study_that_was_removed_leaves_no_page(shown: Shown) -> None:
    files = {"waiting": shown.files["waiting"]}
    assert Gallery(files, shown.folder).unwritten() == ["index.md", "small.svg", "small.html.gz", "small.md"]
    Gallery(files, shown.folder).write()
    assert [path.name for path in shown.folder.rglob("small*")] == []
    assert Gallery(files, shown.folder).unwritten() == []


def test_a_study_without_results_gets_no_page(made: Shown) -> None:
    with pytest.raises(NotReadyError, match="waiting has not been run in"):
        made.gallery().renew("waiting", made.home, run=False)


def test_the_fingerprint_is_the_same_on_every_machine(made: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(made.files["small"])
    here = fingerprint(file, get_registry())
    monkeypatch.setattr(
        "ablate.study.plan.layout.resolve_precision", lambda setting, device: setting.replace("auto", "bf16")
    )
    monkeypatch.setattr("importlib.metadata.version", lambda name: "9.9.0")
    assert fingerprint(file, get_registry()) == here
    assert here in (made.folder / FACTS).read_text(encoding="utf-8")


def test_seconds_leave_out_pauses_and_count_what_runs_side_by_side_once() -> None:
    def stage(end: float, seconds: float) -> StageRecord:
        finished = dt.datetime.fromtimestamp(1e9 + end, dt.UTC)
        return StageRecord("", "train", {}, {}, "", "cpu", seconds, {}, finished)

    assert seconds_with_work([stage(10, 10), stage(12, 8), stage(100, 5)]) == pytest.approx(17)
    assert seconds_with_work([]) == 0


def test_a_packed_page_has_no_links_to_files_and_nothing_of_the_machine() -> None:
    page = '<a href="midi/a.mid" download>MIDI</a> <a href="#top">top</a> <dd>/home/me/ablate/studies/primed.toml</dd>'
    page += "<dd>Linux-6.1.2-some-x86_64-with-glibc2.36</dd>"
    text = gzip.decompress(packed(page)).decode()
    assert text == 'MIDI <a href="#top">top</a> <dd>studies/primed.toml</dd><dd>Linux x86_64</dd>'
    assert packed(page) == packed(page), "no time in it"


def test_the_hosted_gallery_runs_every_shipped_study() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/gallery.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["study"]["strategy"]["matrix"]["study"] == sorted(shipped_studies())
