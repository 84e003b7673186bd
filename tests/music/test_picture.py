"""The piano roll that a notebook displays."""

from __future__ import annotations

import io

import matplotlib.image
import numpy as np
import pytest

import ablate
from ablate.music.picture import HEIGHT, WIDTH


def pixels(performance: ablate.Performance) -> np.ndarray:
    """Return the picture that Jupyter would show, 0 to 255 [height, width, 3], read by another program."""
    picture = matplotlib.image.imread(io.BytesIO(performance._repr_png_()), format="png")
    return np.rint(picture[:, :, :3] * 255).astype(int)


def test_notes_are_where_they_sound() -> None:
    notes = [(60, 127, 0.0, 1.0), (72, 127, 1.0, 2.0)]
    picture = pixels(ablate.Performance.from_notes(notes))
    dark = (picture == (16, 70, 120)).all(axis=2)
    columns = np.flatnonzero(dark.any(axis=0))
    assert picture.shape[1] == WIDTH
    assert abs(picture.shape[0] - HEIGHT) < 20
    assert (columns[0], columns[-1]) == (0, WIDTH - 2)
    low, high = (np.flatnonzero(dark[:, column]).mean() for column in (10, WIDTH - 10))
    assert high < low, "higher notes are further up"


def test_louder_notes_are_darker_and_a_primer_is_grey() -> None:
    notes = [(60, 1, 1.0, 2.0), (60, 127, 2.0, 3.0)]
    primer = ablate.Performance.from_notes([(60, 64, 0.0, 1.0)]).notes
    picture = pixels(ablate.Performance.from_notes(notes, primer=primer, primer_seconds=1.0))
    row = picture[np.flatnonzero((picture == (16, 70, 120)).all(axis=2).any(axis=1))[0]]
    grey, soft, loud = (row[int(WIDTH * part)] for part in (0.1, 0.5, 0.9))
    assert tuple(grey) == (170, 170, 170)
    assert loud.sum() < grey.sum() < soft.sum()


@pytest.mark.parametrize("notes", [[], [(0, 1, 0.0, 0.0)], [(0, 1, 0.0, 1e-9), (127, 127, 1e5, 1e5)]], ids=len)
def test_odd_performances_have_a_picture_too(notes: list[tuple[int, int, float, float]]) -> None:
    assert pixels(ablate.Performance.from_notes(notes)).shape[1] == WIDTH


def test_a_performance_in_a_list_is_one_line() -> None:
    performance = ablate.Performance.from_notes([(60, 1, 0.0, 2.0)], name="a", labels={"tempo": 1.5})
    assert repr([performance]) == "[<Performance 'a', 1 notes, 2.0 s, labels {'tempo': 1.5}>]"


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def test_instruments_have_colours_and_drums_rows_at_the_bottom() -> None:
    flute, bass = ((60, 127, 0.0, 1.0, 73), (40, 127, 1.0, 2.0, 32))
    kick, snare = ((36, 127, 0.5, 0.5, 128), (38, 127, 1.5, 1.5, 128))
    song = ablate.Performance.from_notes([flute, bass, kick, snare])
    picture, alone = pixels(song), pixels(ablate.Performance.from_notes([flute[:4], bass[:4]]))
    assert len(picture) == len(alone) + 2 + 2 * 4
    places = [np.argwhere((picture == rgb(c)).all(axis=2)) for c in ("#e69f00", "#0072b2", "#1c2126")]
    assert all(len(place) for place in places)
    assert places[0][:, 0].max() < places[1][:, 0].min() < len(alone)
    drums = places[2]
    assert drums[:, 0].min() > len(alone)
    low, high = (drums[drums[:, 1] < WIDTH // 2, 0], drums[drums[:, 1] > WIDTH // 2, 0])
    assert low.min() > high.max(), "the kick is below the snare"


def test_several_instruments_have_a_legend() -> None:
    flute, piano = (60, 64, 0.0, 1.0, 73), (64, 64, 0.0, 1.0)
    legend = ablate.Performance.from_notes([flute, piano, piano])._repr_html_()
    assert legend is not None
    assert "Flute (1)" in legend
    assert "Acoustic Grand Piano (2)" in legend
    for one in (flute, piano):
        assert ablate.Performance.from_notes([one])._repr_html_() is None
