"""The stages of runs of MIDI files, and what their fingerprints contain."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from support.set_material import random_pieces

from ablate.kinds import KINDS
from ablate.registry import get_registry
from ablate.study.judge.columns import Wanted
from ablate.study.judge.judge import Request
from ablate.study.judge.midi import MidiRequest, midi_layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def stages(tmp_path: Path) -> Callable[..., dict[str, str]]:
    for place in ("music/a/1", "music/a/2", "music/b/1", "music/b/2", "pieces"):
        (tmp_path / place).mkdir(parents=True)
        for number, piece in enumerate(random_pieces(2, len(place))):
            (tmp_path / place / f"{number}.mid").write_bytes(piece.midi_bytes())

    def found(**changes: Any) -> dict[str, str]:
        metrics = changes.pop("metrics", ("distance.pitch", "setdistance.pitch_count"))
        request = Request(wanted=Wanted(metrics=metrics))
        asked = MidiRequest(tmp_path / "music", str(tmp_path / "pieces"), "", skip_bad=False, request=request)
        layout = midi_layout(dataclasses.replace(asked, **changes), get_registry())
        assert layout.plain()["judged"]["paired"]
        return layout.runs[0].stages.fingerprints()

    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_what_decides_a_collection_is_in_its_fingerprint(
    stages: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = stages()
    of_samples = {name for name in before if name.partition(" ")[0] in ("collect", "measure", "resample")}
    assert len(of_samples) == 5
    assert stages() == before
    (tmp_path / "music").rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "music")
    assert stages() == before
    with monkeypatch.context() as patched:
        patched.setitem(KINDS, "collect", dataclasses.replace(KINDS["collect"], code=2))
        assert changed(before, stages()) == of_samples
    (tmp_path / "music/a/1/0.mid").write_bytes(random_pieces(1, 99)[0].midi_bytes())
    assert changed(before, stages()) == of_samples


def test_a_tokenizer_changes_the_floors_only(stages: Callable[..., dict[str, str]]) -> None:
    before = stages()
    floors = {name for name in before if name.startswith("floor ")}
    assert changed(before, stages(tokenizer="midilike-classic")) == floors
    assert "fit" in stages(tokenizer="midilike-bpe")
    assert changed(before, {**before, **stages(metrics=("distance.pitch",))}) == set(), "other metrics change nothing"


def test_a_run_with_fewer_files_makes_the_sets_of_floors_smaller(
    stages: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    before = stages()
    (tmp_path / "music/b/2/1.mid").unlink()
    assert changed(before, stages()) == {"floor setdistance.pitch_count"}
