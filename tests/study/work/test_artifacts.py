"""The MIDI files of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import UnsafePath
from ablate.music.midi import parse_midi
from ablate.music.performance import DRUMS, Performance, make_pedals
from ablate.study.stage import Stage
from ablate.study.work.artifacts import midi_files, write_artifact

if TYPE_CHECKING:
    from pathlib import Path


def test_drums_that_are_struck_again_are_counted_and_are_no_problem() -> None:
    rolls = [(38, 64, i / 4, i / 4 + 0.3, DRUMS) for i in range(5)]
    plain = Performance.from_notes([(60, 64, 0.0, 1.0)], name="plain")
    written = midi_files([Performance.from_notes(rolls, name="roll"), plain])
    assert list(written.files) == ["roll.mid", "plain.mid"]
    assert written.problems == []
    (change,) = written.changes
    assert change.startswith("4 of 6 notes in 1 of 2 samples are drums that end in the MIDI file where they are struck")


def sample(name: str, instruments: int, pedals: int) -> Performance:
    """Return a sample with a note of each instrument, and pedal events of the last one."""
    notes = [(60, 64, float(i), i + 1.0, i) for i in range(instruments)]
    times = [i / 4 for i in range(pedals)]
    return Performance.from_notes(
        notes, name=name, pedals=make_pedals(time=times, controller=64, value=127, instrument=instruments - 1)
    )


def test_changes_are_counted_over_all_samples() -> None:
    written = midi_files([sample("a", 17, 2), sample("b", 15, 4), sample("c", 17, 1), sample("d", 16, 0)])
    text = "have another instrument in the MIDI file: it has channels for 15 of"
    assert written.changes == [
        f"4 of 65 notes in 2 of 4 samples {text} 17, and drums; their pedal events (3) are left out",
        f"1 of 65 notes in 1 of 4 samples {text} 16, and drums",
    ]
    assert written.problems == written.changes
    pedals = {name: len(parse_midi(data, name).performance.pedals) for name, data in written.files.items()}
    assert pedals == {"a.mid": 0, "b.mid": 4, "c.mid": 0, "d.mid": 0}


def test_files_are_not_written_behind_a_link(tmp_path: Path) -> None:
    home, outside, stage = tmp_path / "home", tmp_path / "outside", Stage("load", {})
    (home / "artifacts").mkdir(parents=True)
    outside.mkdir()
    (home / "artifacts/load").symlink_to(outside)
    with pytest.raises(UnsafePath, match="is behind the link"):
        write_artifact(home, stage, {"file": b""})
    assert list(outside.iterdir()) == []
    (home / "artifacts/load").unlink()
    folder = home / stage.artifact
    folder.parent.mkdir(parents=True)
    folder.symlink_to(outside)
    write_artifact(home, stage, {"file": b""})
    assert not folder.is_symlink()
    assert list(outside.iterdir()) == []
