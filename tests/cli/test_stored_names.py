"""Commands take a study by its name or file, with the profile and the corpus that it was run with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ablate.cli.locations import stored_name
from ablate.errors import UsageError
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
