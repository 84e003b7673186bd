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


def test_instruments_have_colours_and_a_legend_and_drums_a_strip() -> None:
    notes = [(60, 64, 0.0, 1.0, 73), (72, 100, 1.0, 5.0, 0), (36, 90, 1.0, 1.0, 128), (38, 90, 2.0, 2.1, 128)]
    rolls = {"band": Performance.from_notes(notes), "piano": Performance.from_notes([(50, 64, 0.0, 1.0)])}
    figure = roll_figure(rolls)
    band, *others = figure.axes
    assert len(others) == 1, "colours of velocity would be another scale"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Acoustic Grand Piano", "Flute", "Drums"]
    bottom, _ = band.get_ylim()
    kick, snare = (path.get_extents() for path in band.collections[0].get_paths()[2:])
    assert bottom <= kick.y0 < kick.y1 <= snare.y0 < snare.y1 <= 48, "below the lowest pitch, the kick under the snare"
    assert kick.width > 0, "a drum without length is drawn"
    assert "drums" in [label.get_text() for label in band.get_yticklabels()]
    assert len({tuple(colour) for colour in band.collections[0].get_facecolor()[:3]}) == 3
