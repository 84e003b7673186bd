"""Pieces in a plain form, in which every program reads the same notes, and the excerpts that stand for pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from ablate import Performance

#: Ticks of a second in the plain form: 480 a beat, 120 beats a minute, as in the Saarland Music Data.
TICKS = 960
#: Seconds of a tick, as pretty_midi computes it: two times 48 ticks apart are then just below 0.05 s apart in both.
TICK = 60 / (120 * 480)
#: Twelve of its pieces, by four epochs.
NAMES = (
    "Bach_BWV849-01_001_20090916-SMD",
    "Bach_BWV888-02_008_20110315-SMD",
    "Bartok_SZ080-02_002_20110315-SMD",
    "Beethoven_Op027No1-01_003_20090916-SMD",
    "Beethoven_WoO080_001_20081107-SMD",
    "Brahms_Op010No1_003_20090916-SMD",
    "Chopin_Op028-04_003_20100611-SMD",
    "Chopin_Op066_006_20100611-SMD",
    "Haydn_HobXVINo52-02_008_20110315-SMD",
    "Liszt_KonzertetuedeNo2LaLeggierezza_003_20090916-SMD",
    "Mozart_KV398_002_20110315-SMD",
    "Skryabin_Op008No8_003_20090916-SMD",
)
#: Lengths of the excerpts of the prelude, in parts of their sum: unequal, so that numbers of notes are spread.
EXCERPTS = (5, 9, 6, 11, 8, 7, 10, 6, 9, 12, 7, 8)


def plain(piece: Performance) -> Performance:
    """Return a piece without pedals, in canonical order, from time 0, with times in whole ticks.

    Velocities are 64. A note ends where its pitch is played again, and has at least one tick; of notes of one pitch
    that start together one remains.
    """
    notes = piece.canonical().notes.copy()
    start, end = (np.rint((notes[key] - notes["start"][0]) * TICKS).astype(np.int64) for key in ("start", "end"))
    end = np.maximum(end, start + 1)
    keep = np.ones(len(notes), np.bool_)
    for pitch in np.unique(notes["pitch"]):
        own = np.flatnonzero(notes["pitch"] == pitch)
        end[own[:-1]] = np.minimum(end[own[:-1]], start[own[1:]])
        keep[own] = end[own] > start[own]
    notes["start"], notes["end"], notes["velocity"] = start * TICK, end * TICK, 64
    return piece.replace(notes=notes[keep], pedals=piece.pedals[:0]).canonical()


def real_pieces(folder: Path) -> list[Performance]:
    """Return the twelve pieces of the Saarland Music Data, plain."""
    from ablate.music.midi import read_midi

    return [plain(read_midi(folder / f"{name}.mid")) for name in NAMES]


def prelude_excerpts() -> list[Performance]:
    """Return twelve successive parts of the corpus ``bach-prelude``, plain."""
    from ablate_bach.options import PreludeOptions
    from ablate_bach.render import render

    whole = render(PreludeOptions()).canonical()
    ends = np.cumsum(EXCERPTS) * len(whole) // sum(EXCERPTS)
    return [plain(whole.replace(notes=part)) for part in np.split(whole.notes, ends[:-1])]


def quarters(pieces: list[Performance]) -> list[Performance]:
    """Return four successive parts of each piece: enough for a covariance of twelve features."""
    return [plain(piece.replace(notes=part)) for piece in pieces for part in np.array_split(piece.canonical().notes, 4)]


def one_after_another(pieces: list[Performance]) -> Performance:
    """Return all pieces as one."""
    starts = np.cumsum([0.0, *(piece.seconds for piece in pieces)])
    parts = [piece.notes.copy() for piece in pieces]
    for start, part in zip(starts, parts, strict=False):
        part["start"] += start
        part["end"] += start
    return pieces[0].replace(notes=np.concatenate(parts))
