"""The colours of instruments."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ablate import Performance
from ablate.music import colours
from ablate.music.colours import DRUM, OTHERS, PITCHED, shown
from ablate.music.performance import DRUMS

#: What the eye with a deficiency sees of linear red, green and blue (Machado, Oliveira and Fernandes, 2009).
EYES = {
    "usual": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, eye: str) -> np.ndarray:
    """Return a colour as an eye sees it, in CIELAB."""
    part = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.array(EYES[eye]) @ np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(TO_XYZ @ linear.clip(0.001, 1) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def notes(**played: int) -> Performance:
    return Performance.from_notes((60, 64, 0.1 * i, 1, int(k[1:])) for k, n in played.items() for i in range(n))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("ground", ["paper", "night"])
def test_any_two_colours_differ_for_colour_blind_people_too(eye: str, ground: str) -> None:
    seen = [lab(getattr(colour, ground), eye) for colour in (*PITCHED, OTHERS, DRUM)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 14.5


def test_music_of_one_instrument_has_no_legend() -> None:
    assert shown(notes().notes) == shown(notes(i0=3).notes) == shown(notes(i73=3).notes) == ()
    assert [each.name for each in shown(notes(i128=2).notes)] == ["Drums"]


def test_rare_instruments_share_a_colour_and_drums_are_last() -> None:
    played = notes(i128=1, **{f"i{10 + number}": 20 - number for number in range(20)}).notes
    *named, others, drums = shown(played)
    assert [each.instruments for each in named] == [(10 + number,) for number in range(6)]
    assert [each.colour for each in named] == list(PITCHED)
    assert (others.name, others.notes, len(others.instruments)) == ("14 others", sum(range(1, 15)), 14)
    assert drums == ("Drums", (DRUMS,), 1, DRUM)
    assert np.bincount(colours.indices(played, (*named, others, drums))).tolist() == [20, 19, 18, 17, 16, 15, 105, 1]


def test_louder_notes_are_further_from_the_ground() -> None:
    soft, loud = colours.mixed("#000000", ["#ff8000"] * 2, np.array([0.0, 1.0]))
    assert loud == pytest.approx([1, 128 / 255, 0])
    assert soft == pytest.approx(0.4 * loud)
