"""The colours of instruments in piano rolls: a few instruments by name, the rare ones together, and drums.

Music of a single instrument has no colours of this kind, and its piano rolls show loudness alone.

The colours differ for colour-blind people too: under simulated protanopia, deuteranopia and tritanopia (G. Machado,
M. Oliveira and L. Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15,
2009) any two are at least 15 apart in CIELAB. Those for paper are of M. Okabe and K. Ito, "Color universal design",
2008.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.music.instruments import counts, instrument_name
from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from ablate.arrays import Array, FloatArray, IntArray


class Colour(NamedTuple):
    """A colour as ``#rrggbb``: on white paper, and on the dark ground of a report's piano rolls."""

    paper: str
    night: str


#: The colours of pitched instruments: as many have one of their own.
PITCHED = (
    Colour("#0072b2", "#5ab4f2"),
    Colour("#e69f00", "#f0a30a"),
    Colour("#009e73", "#12a37a"),
    Colour("#d55e00", "#d9541e"),
    Colour("#cc79a7", "#f2b8dd"),
    Colour("#56b4e9", "#8f6bf0"),
)
OTHERS = Colour("#5c6166", "#8d96a0")
DRUM = Colour("#1c2126", "#fdfdfd")


class Shown(NamedTuple):
    """Instruments that a picture shows in one colour.

    Attributes:
        name: for people: of an instrument, or ``"14 others"``.
        instruments: their numbers.
        notes: the number of their notes.
        colour: of their notes.
    """

    name: str
    instruments: tuple[int, ...]
    notes: int
    colour: Colour


def shown(notes: Array) -> tuple[Shown, ...]:
    """Return the instruments of some music by colour, in the order of their numbers; none for a single one.

    The instruments with the most notes have colours of their own, all others have one together, and drums come last. A
    pitched instrument alone needs no colour; drums alone have theirs.

    Args:
        notes: array of :data:`ablate.music.performance.NOTE_DTYPE`: of all music in a picture.
    """
    notes_of = counts(notes)
    if len(notes_of) < 2 and DRUMS not in notes_of:
        return ()
    drums = notes_of.pop(DRUMS, 0)
    most = sorted(notes_of, key=lambda number: -notes_of[number])[: len(PITCHED)]
    named = [
        Shown(instrument_name(number), (number,), notes_of[number], colour)
        for number, colour in zip(sorted(most), PITCHED, strict=False)
    ]
    rare = tuple(number for number in notes_of if number not in most)
    if rare:
        words = f"{len(rare)} others" if len(rare) > 1 else instrument_name(rare[0])
        named.append(Shown(words, rare, sum(notes_of[number] for number in rare), OTHERS))
    return (*named, *([Shown(instrument_name(DRUMS), (DRUMS,), drums, DRUM)] if drums else []))


def indices(notes: Array, legend: tuple[Shown, ...]) -> IntArray:
    """Return the index in the legend of each note, int64 [notes].

    Args:
        notes: of instruments that are in the legend.
        legend: from :func:`shown`.
    """
    of_instrument = np.zeros(DRUMS + 1, np.int64)
    for index, each in enumerate(legend):
        of_instrument[list(each.instruments)] = index
    found: IntArray = of_instrument[notes["instrument"]]
    return found


def mixed(ground: str, colours: list[str], loud: FloatArray) -> FloatArray:
    """Return colours that stand out more from the ground where notes are louder: float64 [notes, 3], each 0 to 1.

    Args:
        ground: ``#rrggbb``.
        colours: of each note.
        loud: of each note, 0 for the softest to 1 for the loudest.
    """
    behind, full = _rgb([ground]), _rgb(colours)
    return behind + (full - behind) * (0.4 + 0.6 * loud[:, None])


def _rgb(colours: list[str]) -> FloatArray:
    return np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours]).reshape(-1, 3)
