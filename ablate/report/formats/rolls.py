"""The piano rolls of the page as data for its script.

Music of a single instrument is drawn by velocity. Of several, each note has the index of its colour too, and drums get
pitches below all others, one for each sound, so that they are in a strip at the bottom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.music import colours
from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array
    from ablate.report.formats.clips import Clip

#: Pitches between the lowest pitched note and the highest row of drums.
_GAP = 3


class Rolls(NamedTuple):
    """The piano rolls of all clips.

    Attributes:
        clips: of each clip its id, the end of the primer in ms, and the notes: start and duration in ms, MIDI pitch,
            velocity, and with several instruments the index of the colour.
        legend: the colours, of the instruments of all clips together; empty for a single instrument.
        strip: the pitch between drums and the lowest pitched note; None without drums.
    """

    clips: list[dict[str, Any]]
    legend: tuple[colours.Shown, ...]
    strip: int | None


def rolls(clips: Sequence[Clip]) -> Rolls:
    """Return the piano rolls of clips."""
    notes = np.concatenate([clip.notes for clip in clips]) if clips else None
    if notes is None or not (legend := colours.shown(notes)):
        return Rolls([_roll(clip, clip.notes["pitch"]) for clip in clips], (), None)
    is_drum = notes["instrument"] == DRUMS
    sounds, lowest = np.unique(notes["pitch"][is_drum]), int(notes["pitch"][~is_drum].min(initial=60))
    rows = [
        _roll(clip, _placed(clip.notes, sounds, lowest - _GAP), colours.indices(clip.notes, legend)) for clip in clips
    ]
    return Rolls(rows, legend, lowest - _GAP + 1 if len(sounds) else None)


def _placed(notes: Array, sounds: Array, top: int) -> Array:
    """Return the pitch of each note, of drums that of its row, the highest sound at ``top``."""
    rows = top - (len(sounds) - 1 - np.searchsorted(sounds, notes["pitch"]))
    return np.where(notes["instrument"] == DRUMS, rows, notes["pitch"])


def _roll(clip: Clip, pitch: Array, *more: Array) -> dict[str, Any]:
    start, length = (np.round(1000 * t) for t in (clip.notes["start"], clip.notes["end"] - clip.notes["start"]))
    columns = np.stack([start, length, pitch, clip.notes["velocity"], *more], axis=1).astype(int)
    return {"id": clip.id, "notes": columns.tolist(), "primer": clip.primer_ms}
