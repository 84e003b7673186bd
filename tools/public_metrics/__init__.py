"""The public programs that tools/make_public_metrics.py runs; three of them are read from checkouts."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

from support.plain_pieces import TICKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ablate import Performance

#: Of groove: seconds of a bar, and its positions.
BAR, POSITIONS = 2.0, 16


def ticks(piece: Performance) -> Iterator[tuple[int, int, int]]:
    """Yield pitch, start and end of each note, in ticks."""
    for note in piece.notes:
        yield int(note["pitch"]), round(note["start"] * TICKS), round(note["end"] * TICKS)


def source(path: Path) -> str:
    """Return the code of a module without its import of an audio library, which nothing here calls."""
    return path.read_text(encoding="utf-8").replace("import librosa", "")


def module(name: str, code: str) -> types.ModuleType:
    """Run code as a module."""
    made = types.ModuleType(name)
    exec(compile(code, name, "exec"), made.__dict__)  # noqa: S102 - the programs of the comparison
    return made
