"""A small piano roll of a performance as a PNG, made with NumPy and zlib alone, for notebooks.

Of several instruments each has a colour (:mod:`ablate.music.colours`), and drums have rows of their own at the bottom,
one for each sound; such a picture has a legend as HTML.
"""

from __future__ import annotations

import base64
import html
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from ablate.music import colours
from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from ablate.arrays import Array

#: Pixels from left to right.
WIDTH = 640
#: About as many pixels from top to bottom, depending on the range of the notes.
HEIGHT = 160
_PAPER, _BLACK_KEY, _OCTAVE = (255, 255, 255), (246, 246, 246), (222, 222, 222)
#: The colours of the softest and of the loudest note, and of a primer.
_SOFT, _LOUD, _PRIMER = np.array([178, 206, 228]), np.array([16, 70, 120]), np.array([170, 170, 170])
_BLACK_KEYS = (1, 3, 6, 8, 10)
#: Pixels of the row of a drum sound, and of the shortest drum note in its row.
_SOUND, _DRUM = 4, 2


def piano_roll_png(notes: Array, primer: Array) -> bytes:
    """Return notes as a picture: time to the right, pitch upward, louder notes darker, a primer in grey.

    Args:
        notes: record array of ``NOTE_DTYPE``; without any, the picture has the keys only.
        primer: the notes before them, of the same type.

    Returns:
        The bytes of a PNG, :data:`WIDTH` by some :data:`HEIGHT` pixels; drums are below it.
    """
    both = np.concatenate([primer, notes])
    is_drum = both["instrument"] == DRUMS
    keys, sounds = both[~is_drum], np.unique(both["pitch"][is_drum])
    low, high = (int(keys["pitch"].min()) - 2, int(keys["pitch"].max()) + 2) if len(keys) else (58, 74)
    each = max(2, HEIGHT // (high - low + 1))
    picture = _paper(low, high, each, len(sounds))
    bottom, height = len(picture) - _SOUND, each - 1
    tops = (high - both["pitch"].astype(int)) * each
    tops[is_drum] = bottom - _SOUND * np.searchsorted(sounds, both["pitch"][is_drum])
    scale = (WIDTH - 1) / max(float(both["end"].max(initial=0.0)), 1e-9)
    left = (both["start"] * scale).astype(int)
    right = np.maximum((both["end"] * scale).astype(int), left + np.where(is_drum, _DRUM, 1))
    fills = _fills(both)
    fills[: len(primer)] = _PRIMER
    tall = np.where(is_drum, _SOUND - 1, height)
    for top, rows, begin, end, fill in zip(tops, tall, left, right, fills.astype(np.uint8), strict=True):
        picture[top : top + rows, begin:end] = fill
    return _png(picture)


def piano_roll_html(notes: Array, primer: Array) -> str | None:
    """Return the picture and a legend of its instruments as HTML; None for music of one, which needs no legend."""
    legend = colours.shown(np.concatenate([primer, notes]))
    if not legend:
        return None
    image = base64.b64encode(piano_roll_png(notes, primer)).decode()
    marks = " &nbsp; ".join(
        f'<span style="color:{each.colour.paper}">&#9632;</span> {html.escape(each.name)} ({each.notes:,})'
        for each in legend
    )
    alt = html.escape(", ".join(each.name for each in legend))
    return f'<div><img src="data:image/png;base64,{image}" alt="Piano roll: {alt}"><br><small>{marks}</small></div>'


def _fills(notes: Array) -> Array:
    """Return the colour of each note, 0 to 255 [notes, red green blue]."""
    loud, legend = notes["velocity"] / 127, colours.shown(notes)
    if not legend:
        fills: Array = _SOFT + (_LOUD - _SOFT) * loud[:, None]
        return fills
    of_note = [legend[index].colour.paper for index in colours.indices(notes, legend)]
    return np.rint(255 * colours.mixed("#ffffff", of_note, loud))


def _paper(low: int, high: int, each: int, sounds: int) -> Array:
    """Return the keys from low to high, each of some pixels, and below them a line and the rows of drums, if any."""
    height = each * (high - low + 1)
    picture = np.full((height + (_SOUND * sounds + 2 if sounds else 0), WIDTH, 3), _PAPER, np.uint8)
    for pitch in range(low, high + 1):
        row = picture[(high - pitch) * each : (high - pitch + 1) * each]
        row[:] = _BLACK_KEY if pitch % 12 in _BLACK_KEYS else _PAPER
        if pitch % 12 == 0:
            row[-1:] = _OCTAVE
    if sounds:
        picture[height : height + 2] = _PRIMER
    return picture


def _png(picture: Array) -> bytes:
    """Return a picture, uint8 [height, width, red green blue], as the bytes of a PNG file."""
    height, width, _ = picture.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)  # 0: no filter
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
