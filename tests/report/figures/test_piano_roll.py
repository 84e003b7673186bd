"""Piano rolls."""

from __future__ import annotations

from ablate.music.performance import Performance
from ablate.report.figures.piano_roll import ROLL_SECONDS, roll_figure


def test_rolls_share_their_axes_and_survive_silence() -> None:
    notes = [(60, 64, 0.0, 1.0), (72, 100, 1.0, 50.0)]
    rolls = {"one": Performance.from_notes(notes), "silence": Performance.from_notes([])}
    first, second, *_ = roll_figure(rolls).axes
    assert first.get_xlim() == second.get_xlim() == (0, ROLL_SECONDS)
    assert first.get_ylim() == (58, 75)
    assert second.get_title("right") == "0 notes in 0 s"
    assert roll_figure({"silence": Performance.from_notes([])}).axes[0].get_xlim() == (0, 1)
