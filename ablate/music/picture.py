"""A small piano roll of a performance as a PNG, made with NumPy and zlib alone, for notebooks."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

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


def piano_roll_png(notes: Array, primer: Array) -> bytes:
    """Return notes as a picture: time to the right, pitch upward, louder notes darker, a primer in grey.

    Args:
        notes: record array of ``NOTE_DTYPE``; without any, the picture has the keys only.
        primer: the notes before them, of the same type.

    Returns:
        The bytes of a PNG, :data:`WIDTH` by some :data:`HEIGHT` pixels.
    """
    notes = np.concatenate([primer, notes])
    low, high = (int(notes["pitch"].min()) - 2, int(notes["pitch"].max()) + 2) if len(notes) else (58, 74)
    each = max(2, HEIGHT // (high - low + 1))
    picture = np.empty((each * (high - low + 1), WIDTH, 3), np.uint8)
    for pitch in range(low, high + 1):
        row = _row(picture, pitch, high, each)
        row[:] = _BLACK_KEY if pitch % 12 in _BLACK_KEYS else _PAPER
        if pitch % 12 == 0:
            row[-1:] = _OCTAVE
    if len(notes):
        scale = (WIDTH - 1) / max(float(notes["end"].max()), 1e-9)
        for index, note in enumerate(notes):
            left = int(note["start"] * scale)
            right = max(left + 1, int(note["end"] * scale))
            loud = note["velocity"] / 127
            colour = _PRIMER if index < len(primer) else _SOFT + (_LOUD - _SOFT) * loud
            _row(picture, int(note["pitch"]), high, each)[: each - 1 or 1, left:right] = colour.astype(np.uint8)
    return _png(picture)


def _row(picture: Array, pitch: int, high: int, each: int) -> Array:
    """Return the part of a picture that a pitch has."""
    part: Array = picture[(high - pitch) * each : (high - pitch + 1) * each]
    return part


def _png(picture: Array) -> bytes:
    """Return a picture, uint8 [height, width, red green blue], as the bytes of a PNG file."""
    height, width, _ = picture.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)  # 0: no filter
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
