from __future__ import annotations

from ablate.music.performance import DRUMS, Performance
from ablate.study.work.artifacts import midi_files


def test_drums_that_are_struck_again_are_counted_and_are_no_problem() -> None:
    rolls = [(38, 64, i / 4, i / 4 + 0.3, DRUMS) for i in range(5)]
    plain = Performance.from_notes([(60, 64, 0.0, 1.0)], name="plain")
    written = midi_files([Performance.from_notes(rolls, name="roll"), plain])
    assert list(written.files) == ["roll.mid", "plain.mid"]
    assert written.problems == []
    (change,) = written.changes
    assert change.startswith("4 of 6 notes in 1 of 2 samples are drums that end in the MIDI file where they are struck")
