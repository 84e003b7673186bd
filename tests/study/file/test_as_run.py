"""The command that runs a stored study again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from ablate.registry import get_registry
from ablate.store.records import StudyRecord
from ablate.study.file.as_run import command_as_run
from ablate.study.file.locate import shipped_folder
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stored() -> StudyRecord:
    """An included study, as it is stored."""
    spec = read_study("tau_sweep", Overrides(profile="smoke"), get_registry())
    return StudyRecord(spec.name, spec.plain(), spec.profile, "", spec.seed)


def test_an_included_study_has_its_name(stored: StudyRecord) -> None:
    assert command_as_run(stored, here=True) == "ablate study run tau_sweep --profile smoke --replicates 2"


def test_a_study_of_the_same_name_elsewhere_has_its_path(stored: StudyRecord, tmp_path: Path) -> None:
    (tmp_path / "my music").mkdir()
    moved = {**stored.spec, "file": {**stored.spec["file"], "folder": str(tmp_path / "my music")}}
    elsewhere = dataclasses.replace(stored, spec=moved)
    path = f"'{tmp_path}/my music/tau_sweep.toml'"
    assert command_as_run(elsewhere, here=True) == f"ablate study run {path} --profile smoke --replicates 2"


def test_in_a_bundle_the_file_lies_beside(stored: StudyRecord) -> None:
    assert str(shipped_folder()) in stored.spec["file"]["folder"]
    assert command_as_run(stored, here=False) == "ablate study run tau_sweep.toml --profile smoke --replicates 2"


def test_without_a_file_there_is_no_command(stored: StudyRecord) -> None:
    without = {key: value for key, value in stored.spec.items() if key != "file"}
    assert command_as_run(dataclasses.replace(stored, spec=without), here=True) == ""
