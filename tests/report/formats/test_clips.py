"""The music of a page."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.report_study import STUDY, Home

from ablate.kinds import INSTRUMENT, LOAD
from ablate.registry import get_registry
from ablate.report.data.artifacts import Artifacts
from ablate.report.data.study import Study
from ablate.report.formats.clips import Clip, ClipWriter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", [b"40", b"", b"violin"])
def test_a_round_trip_has_the_instrument_of_its_corpus(finished: Home, tmp_path: Path, number: bytes) -> None:
    study = Study.read(finished.store, STUDY)
    load = dict(study.first(LOAD))[study.baseline]
    artifacts = Artifacts(tmp_path)
    shutil.copytree(finished.path / load.artifact, tmp_path / load.artifact)
    (tmp_path / load.artifact / INSTRUMENT).write_bytes(number)
    clips = _clips(study, artifacts, tmp_path)
    if number == b"40":
        assert set(clips["round-trip"].notes["instrument"].tolist()) == {40}
        assert not artifacts.missing
    else:
        assert "round-trip" not in clips
        assert artifacts.missing == [f"{load.artifact}/{INSTRUMENT}: damaged, or not readable"]


def _clips(study: Study, artifacts: Artifacts, folder: Path) -> dict[str, Clip]:
    (folder / "midi").mkdir()
    writer = ClipWriter(study, artifacts, folder, [], get_registry(), sound=False)
    return {clip.id: clip for clip in writer.clips([])}
