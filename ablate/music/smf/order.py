"""Bring notes into the order of pretty_midi, which is that of golden tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import IntArray
    from ablate.music.smf.notes import Notes
    from ablate.music.smf.song import Song


def order_of_pretty_midi(song: Song, notes: Notes) -> IntArray:
    """Return the index that sorts notes as pretty_midi does.

    pretty_midi has an instrument for each program, channel and track, in the order in which the first note of each ends
    in the file. An instrument has its notes in the order in which they end in the file; those that one note-off ends
    are in the order of their beginnings.
    """
    ended = np.lexsort((notes.begin, song.place[notes.end]))
    begin, end = notes.begin[ended], notes.end[ended]
    group = (song.track[end].astype(np.int64) << 32) + song.voice[begin] * 128 + song.program(begin)
    _, first, of = np.unique(group, return_index=True, return_inverse=True)
    return ended[np.argsort(first[of], kind="stable")]
