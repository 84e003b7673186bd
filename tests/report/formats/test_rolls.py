"""The piano rolls of the page as data."""

from __future__ import annotations

from ablate.music.performance import Performance
from ablate.report.formats.clips import Clip
from ablate.report.formats.rolls import rolls

PIANO = [(60, 64, 0.0, 1.0), (62, 70, 1.0, 1.5)]


def clip(name: str, *notes: tuple[float, ...]) -> Clip:
    return Clip(name, name, "", "", Performance.from_notes(notes).notes, 0, "", "")


def test_music_of_one_instrument_has_no_colours() -> None:
    drawn = rolls([clip("a", *PIANO), clip("b")])
    assert drawn.clips[0] == {"id": "a", "notes": [[0, 1000, 60, 64], [1000, 500, 62, 70]], "primer": 0}
    assert drawn.clips[1]["notes"] == []
    assert (drawn.legend, drawn.strip) == ((), None)
    assert rolls([]).clips == []


def test_all_clips_share_their_colours_and_drums_are_below_the_lowest_note() -> None:
    beat = [(36, 90, 0.0, 0.1, 128), (42, 90, 0.5, 0.6, 128), (38, 90, 1.0, 1.1, 128)]
    drawn = rolls([clip("a", *PIANO), clip("b", (50, 64, 0.0, 1.0, 73), *beat), clip("c", *beat)])
    assert [each.name for each in drawn.legend] == ["Acoustic Grand Piano", "Flute", "Drums"]
    assert [row[2:] for row in drawn.clips[0]["notes"]] == [[60, 64, 0], [62, 70, 0]]
    assert [row[2:] for row in drawn.clips[1]["notes"]] == [[50, 64, 1], [45, 90, 2], [47, 90, 2], [46, 90, 2]]
    assert drawn.clips[2]["notes"] == drawn.clips[1]["notes"][1:]
    assert drawn.strip == 48
