"""The instrument that the stages of a study read from the folders of their inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import StageError
from ablate.kinds import INSTRUMENT, LOAD, PREPARE
from ablate.study.instruments.stored import instrument_files, instrument_of
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stages(tmp_path: Path) -> tuple[Stage, Path]:
    """Return a stage that reads a corpus, and the folder of this corpus."""
    load = Stage(LOAD, {"corpus": {}})
    folder = tmp_path / load.artifact
    folder.mkdir(parents=True)
    return Stage(PREPARE, {}, {"corpus": load}), folder


@pytest.mark.parametrize("number", [0, 40, 128])
def test_what_is_written_is_read(tmp_path: Path, stages: tuple[Stage, Path], number: int) -> None:
    stage, folder = stages
    for name, data in instrument_files(number).items():
        (folder / name).write_bytes(data)
    assert instrument_of(stage, tmp_path) == number
    assert instrument_of(stage.inputs["corpus"], tmp_path) == 0, "a loading reads no other stage"


def test_a_damaged_file_stops_the_stage(tmp_path: Path, stages: tuple[Stage, Path]) -> None:
    stage, folder = stages
    (folder / INSTRUMENT).write_bytes(b"4O")
    with pytest.raises(StageError) as refused:
        instrument_of(stage, tmp_path)
    message = str(refused.value)
    assert message.startswith(f"{folder / INSTRUMENT} is damaged: ")
    assert message.endswith(f"; remove the folder {folder} and run the study again")
