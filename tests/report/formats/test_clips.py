"""The music of a page."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.report_study import STUDY, Builder, Home

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


class _Tokenizers(Builder):
    """A study with a tokenizer for each variant: the first three have two, the fourth has none that exists."""

    def config(self, tau: float) -> dict[str, Any]:
        name = "midilike" if tau < 1.1 else "gone"
        options = {"instruments": "all"} if tau > 0.7 else {}
        return {**super().config(tau), "tokenizer": [{"name": name, "version": "1", "options": options}]}


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        (("a",), ["reference, encoded and decoded by midilike"]),
        (
            ("a", "b", "c", "d"),
            [f"reference, encoded and decoded by midilike (variant {name})" for name in "ab"],
        ),
    ],
)
def test_each_tokenizer_has_a_round_trip(names: tuple[str, ...], titles: list[str], tmp_path: Path) -> None:
    builder = _Tokenizers(tmp_path / "home", names, 1, 1)
    builder.plan()
    with builder.store:
        builder.finish()
        study = Study.read(builder.store, STUDY)
    clips = _clips(study, Artifacts(builder.home), tmp_path)
    assert [clip.title for clip in clips.values()][1:] == titles
    assert {path.name for path in (tmp_path / "midi").iterdir()} == {f"{name}.mid" for name in clips}


def _clips(study: Study, artifacts: Artifacts, folder: Path) -> dict[str, Clip]:
    (folder / "midi").mkdir()
    writer = ClipWriter(study, artifacts, folder, [], get_registry(), sound=False)
    return {clip.id: clip for clip in writer.clips([])}
