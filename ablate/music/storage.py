"""Performances as one ``.npz`` file: plain arrays, no pickle; and the instrument of a corpus that has one."""

from __future__ import annotations

import io
import json
import re
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ablate.music import arrays
from ablate.music.performance import DRUMS, NOTE_DTYPE, PEDAL_DTYPE, Performance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.arrays import Array

_ARRAYS = {"notes": NOTE_DTYPE, "pedals": PEDAL_DTYPE, "primers": NOTE_DTYPE}


def write_performances(performances: Sequence[Performance], file: IO[bytes]) -> None:
    """Write performances to an open file, piece by piece; equal performances give equal bytes."""
    about = [
        {
            "name": p.name,
            "labels": dict(p.labels),
            "primer_seconds": p.primer_seconds,
            "track_names": sorted(p.track_names.items()),
        }
        for p in performances
    ]
    writer = arrays.Writer(file)
    for name, dtype in _ARRAYS.items():
        parts = [_array(performance, name) for performance in performances]
        counts = np.array(list(map(len, parts)), np.int64)
        writer.parts(name, parts, int(counts.sum()), dtype)
        writer.array(f"{name}_counts", counts)
    writer.array("about", np.frombuffer(json.dumps(about).encode(), np.uint8))
    writer.close()


def pack_performances(performances: Sequence[Performance]) -> bytes:
    """Return the bytes that :func:`write_performances` writes."""
    buffer = io.BytesIO()
    write_performances(performances, buffer)
    return buffer.getvalue()


def read_performances(path: Path) -> list[Performance]:
    """Return the performances of a file; those of a large file are views of it, which cannot be changed.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged.
    """
    data = arrays.read(path)
    try:
        about = json.loads(data["about"].tobytes())
        notes, pedals, primers = (
            np.split(_with_instruments(data[name], dtype), np.cumsum(data[f"{name}_counts"])[:-1])
            for name, dtype in _ARRAYS.items()
        )
    except KeyError as error:
        raise ValueError(f"{path} is damaged: it lacks {error}") from error
    return [
        Performance(n, p, primer=primer, **{**facts, "track_names": dict(facts.get("track_names", ()))})
        for n, p, primer, facts in zip(notes, pedals, primers, about, strict=True)
    ]


def read_instrument(path: Path) -> int:
    """Return the instrument, 0 to 128, that plays every note of a corpus.

    Args:
        path: of the file that has its number. There is none for a piano, 0, and for several instruments.

    Raises:
        OSError: the file is there and cannot be read.
        ValueError: it is damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return 0
    if not re.fullmatch(rb"[0-9]{1,3}", data) or int(data) > DRUMS:
        raise ValueError(f"{path} is damaged: it has no number of an instrument, 0 to {DRUMS}")
    return int(data)


def _with_instruments(records: Array, dtype: np.dtype[Any]) -> Array:
    """Return records with an instrument; those of older files have none and are for piano."""
    if records.dtype == dtype:
        return records
    complete = np.zeros(len(records), dtype)
    for name in records.dtype.names or ():
        complete[name] = records[name]
    return complete


def _array(performance: Performance, name: str) -> Array:
    array: Array = performance.primer if name == "primers" else getattr(performance, name)
    return array
