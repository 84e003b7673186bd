"""A study that takes the place of another one of its name says so, asks, or is refused; nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.study.file.locate import shipped_studies

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

NAME = "tau_sweep@smoke"
LEVELS = "[0.6, 0.8, 1.0, 1.2, 1.4]"


@pytest.fixture
def file(ran: Command, tmp_path: Path) -> Path:
    """Return a copy of the study file that ran, in another folder, without what is said about its levels."""
    text = shipped_studies()["tau_sweep"].read_text(encoding="utf-8").partition("[reported]")[0]
    start, _, rest = text.partition("[hypothesis]")
    path = tmp_path / "tau_sweep.toml"
    path.write_text(f"{start}[profiles.original]{rest.partition('[profiles.original]')[2]}", encoding="utf-8")
    return path


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def test_a_file_that_has_moved_or_grown_replaces_nothing(ran: Command, file: Path) -> None:
    edit(file, (LEVELS, "[0.6, 0.8, 0.9, 1.0, 1.2, 1.4]"), ('question = "How', 'question = "I wonder how'))
    planned = ran("study", "plan", "./tau_sweep.toml", "--profile", "smoke", "--replicates", "3")
    assert planned.code == 0, planned.err
    assert "replaces" not in planned.out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((LEVELS, "[0.6, 1.0, 1.4]"), "sampler.temperature.tau without 0.8, 1.2. 4 finished runs of"),
        (("seed = 888", "seed = 1"), "seed 1 (was 888). 10 finished runs of"),
        (('[metric."distance.pitch"]', ""), "without the metrics distance.pitch. 10 finished runs of"),
        (("hidden = 48", "hidden = 32"), "other settings: model.lstm. 10 finished runs of"),
    ],
)
def test_what_differs_is_said(ran: Command, file: Path, change: tuple[str, str], words: str) -> None:
    edit(file, change)
    planned = ran("study", "plan", "./tau_sweep.toml", "--profile", "smoke")
    assert planned.code == 0, planned.err
    (line,) = [each for each in planned.out.splitlines() if "replaces" in each]
    assert line.startswith(f"note: this replaces study '{NAME}' of this home: file {file} (was ")
    assert f"; {words} the earlier one are kept, but no longer shown; another --name keeps both" in line


def test_another_file_is_refused_where_nobody_can_be_asked(ran: Command, file: Path, tmp_path: Path) -> None:
    edit(
        file,
        (f"sampler.temperature.tau = {LEVELS}", "sampler.top_k.k = [4, 8]"),
        ("\ntau = 1.0", "\n[sampler.top_k]\nk = 8"),
        ("sampler.temperature.tau = 1.0", "sampler.top_k.k = 8"),
    )
    command = ["study", "run", "./tau_sweep.toml", "--profile", "smoke", "--workers", "1", "--no-report"]
    before = ran("study", "show", NAME).out
    refused = ran(*command)
    assert refused.code == 2
    assert refused.err.startswith(f"error: this replaces study '{NAME}' of this home: file {file} (was ")
    assert "; axes sampler.top_k.k (were sampler.temperature.tau); " in refused.err
    assert ". 10 finished runs of the earlier one are kept" in refused.err
    assert refused.err.endswith("another --name keeps both, and --yes shows this one instead\n")
    assert ran("study", "show", NAME).out == before

    replacing = ran(*command, "--yes")
    assert replacing.code == 0, replacing.err
    assert "note: this replaces" in replacing.err
    assert "k=4" in ran("study", "show", NAME).out
    edited = ran("study", "run", "tau_sweep", *command[3:], "--yes")
    assert "nothing to run" in edited.out, "its results were kept"


def test_fewer_replicates_are_counted_and_come_back(ran: Command) -> None:
    command = ["study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1", "--no-report"]
    fewer = ran(*command, "--replicates", "1")
    assert "note: 1 more replicate of this study will be kept, but not shown: give --replicates 2" in fewer.err
    assert "replicate 1" not in ran("study", "show", NAME).out
    again = ran(*command, "--replicates", "1")
    assert "1 more replicate" in again.err
    all_of_them = ran(*command)
    assert "nothing to run" in all_of_them.out
    assert "replicate 1" in ran("study", "show", NAME).out
