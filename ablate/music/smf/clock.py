"""The seconds at each tick of a file."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import CorpusError

if TYPE_CHECKING:
    from ablate.arrays import FloatArray, IntArray
    from ablate.music.smf.container import Division

Tempo = tuple[int, int]  # tick, microseconds of a quarter note


def read_tempos(events: list[tuple[int, bytes]]) -> tuple[list[Tempo], list[str]]:
    """Return the tempos of all tracks by tick, and the problems of those that cannot be read.

    Args:
        events: tick and content of each tempo event, track by track.
    """
    senseless = sum(len(content) != 3 for _, content in events)
    which = "tempo event without 3 bytes is" if senseless == 1 else "tempo events without 3 bytes are"
    problems = [f"{senseless} {which} ignored"] if senseless else []
    tempos = [(tick, int.from_bytes(content, "big")) for tick, content in events if len(content) == 3]
    return sorted(tempos, key=lambda tempo: tempo[0]), problems


def without_zeros(tempos: list[Tempo], last: int, source: str) -> tuple[list[Tempo], list[str]]:
    """Return the tempos without those of 0, and a problem for these.

    Args:
        tempos: by tick.
        last: the last tick whose time matters.
        source: the name of the file, for messages.

    Raises:
        CorpusError: a tempo of 0 is in force before ``last``.
    """
    kept = [tempo for tempo in tempos if tempo[1]]
    for (tick, microseconds), following in itertools.pairwise([*tempos, (last, 1)]):
        if not microseconds and tick < last and tick != following[0]:
            raise CorpusError(
                f"{source}: is damaged: it has a tempo of 0 at tick {tick:,}, which leaves later notes without a time"
            )
    zeros = len(tempos) - len(kept)
    problem = (
        f"{zeros} tempo{'' if zeros == 1 else 's'} of 0 ignored; no note depends on {'it' if zeros == 1 else 'them'}"
    )
    return kept, [problem] if zeros else []


class Clock:
    """Computes seconds in the arithmetic of pretty_midi, so that both agree bit for bit.

    Args:
        division: the length of a tick.
        tempos: by tick; none of 0. Without a tempo, a minute has 120 quarter notes.
    """

    def __init__(self, division: Division, tempos: list[Tempo]) -> None:
        ticks, lengths = (
            [0],
            [1.0 / division.per_second if division.per_second else 60.0 / (120.0 * division.per_quarter)],
        )
        for tick, microseconds in tempos if division.per_quarter else ():
            length = 60.0 / ((6e7 / microseconds) * division.per_quarter)
            if tick == 0:
                lengths[0] = length
            elif length != lengths[-1]:
                ticks.append(tick)
                lengths.append(length)
        self._ticks, self._lengths = np.array(ticks, np.int64), np.array(lengths)
        self._offsets = np.concatenate([[0.0], np.cumsum(self._lengths[:-1] * np.diff(self._ticks))])

    def seconds(self, ticks: IntArray) -> FloatArray:
        """Return the seconds, float64, at each of ``ticks`` (at least 0)."""
        if len(self._ticks) == 1:
            return np.asarray(self._lengths[0] * ticks)
        part = np.searchsorted(self._ticks, ticks, side="right") - 1
        return np.asarray(self._offsets[part] + self._lengths[part] * (ticks - self._ticks[part]))
