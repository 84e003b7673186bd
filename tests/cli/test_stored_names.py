"""Commands take a study by its name or file, with the profile and the corpus that it was run with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from support.report_study import Builder

from ablate import cli
from ablate.cli.locations import check_stored, stored_name
from ablate.errors import UnknownName, UsageError
from ablate.report.formats.latex.names import chosen_variants
from ablate.study.file.locate import find_study
from ablate.study.file.overrides import Overrides, study_name

if TYPE_CHECKING:
    from support.commands import Command


@pytest.mark.parametrize("study", ["mine", "folder/mine.toml", "./mine.toml"])
@pytest.mark.parametrize("profile", ["", "default", "smoke"])
@pytest.mark.parametrize("corpus", ["", "bach-prelude", "music/piece.v2.mid", "music/"])
def test_it_is_the_name_that_study_run_gives(study: str, profile: str, corpus: str) -> None:
    run = study_name(Path("mine.toml"), Overrides(profile=profile, corpus=corpus))
    assert stored_name(study, profile, corpus) == run


@pytest.mark.parametrize("corpus", [".", "./", "../Op. 10", "../Op. 10/", "../link"])
def test_a_folder_has_its_real_name(corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "Op. 10"
    (folder / "in").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    assert stored_name("mine.toml", "", corpus) == "mine@Op. 10"
    monkeypatch.chdir(folder / "in")
    assert stored_name("mine.toml", "smoke", "..") == "mine@smoke+Op. 10"


def test_names_that_are_complete() -> None:
    assert stored_name("mine@smoke+piece", "") == "mine@smoke+piece"
    assert stored_name("a/b", "") == "a/b", "as --name may give it"
    with pytest.raises(UsageError, match=r"--corpus x: the name mine@smoke already states how .* leave out --corpus"):
        stored_name("mine@smoke", "", "x")


def test_commands_with_a_file(ran: Command, tmp_path: Path) -> None:
    shown = ran("study", "show", "anywhere/tau_sweep.toml", "--profile", "smoke")
    assert shown.out.startswith("tau_sweep@smoke: "), shown.err
    missing = ran("study", "report", "tau_sweep.toml", "--profile", "smoke", "--corpus", "other.mid")
    assert "unknown study 'tau_sweep@smoke+other' in this home; did you mean 'tau_sweep@smoke'?" in missing.err
    sizes = ["--count", "1", "--tokens", "20"]
    assert ran("generate", "tau_sweep.toml", "--profile", "smoke", *sizes, "--out", "music").code == 0
    assert len(list((tmp_path / "music").iterdir())) == 1


def test_a_misspelt_study_of_long_names_gets_the_name_of_its_file(tmp_path: Path) -> None:
    builder = Builder(tmp_path, ("tau=0.6", "tau=0.8"), 1, 1)
    builder.plan(name="tau_sweep@my_bach-1fd9ddcf")
    with builder.store, pytest.raises(UnknownName, match="No study file has this name; did you mean 'tau_sweep'"):
        check_stored(builder.store, "tau_sweeep", tmp_path)


def test_a_misspelt_study_file_is_answered_with_names_and_not_with_paths() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'tau_sweep'\? Offered: backbone, conditioners, "):
        find_study("tau_sweeep")


@pytest.mark.parametrize(("command", "more"), [("run", True), ("delete", False)])
def test_an_early_interrupt_of_a_run_gives_the_way_to_continue(
    command: str, *, more: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.cli, "invoke", interrupt)
    assert cli.run(["study", command, "tau_sweep"]) == 130
    assert ("To continue, run the same command again" in capsys.readouterr().err) is more


def test_a_misspelt_variant_is_answered_with_names_and_not_with_tuples() -> None:
    analysis: Any = SimpleNamespace(study=SimpleNamespace(names=["tau=0.6"]))
    with pytest.raises(UnknownName) as refused:
        chosen_variants(analysis, ["tau=0.7"])
    assert str(refused.value).endswith("Offered: tau=0.6")
