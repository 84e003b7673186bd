"""Performances as one ``.npz`` file: plain arrays, no pickle."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.music.performance import NOTE_DTYPE, PEDAL_DTYPE, Performance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def pack_performances(performances: Sequence[Performance]) -> bytes:
    """The performances as the bytes of an ``.npz`` file; the same performances give the same bytes."""
    buffer = io.BytesIO()
    about = [{"name": p.name, "labels": dict(p.labels), "primer_seconds": p.primer_seconds} for p in performances]
    np.savez(
        buffer,
        notes=_joined([p.notes for p in performances], NOTE_DTYPE),
        notes_counts=np.array([len(p.notes) for p in performances]),
        pedals=_joined([p.pedals for p in performances], PEDAL_DTYPE),
        pedals_counts=np.array([len(p.pedals) for p in performances]),
        primers=_joined([p.primer for p in performances], NOTE_DTYPE),
        primers_counts=np.array([len(p.primer) for p in performances]),
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
    )
    return buffer.getvalue()


def read_performances(path: Path) -> list[Performance]:
    """What :func:`pack_performances` packed."""
    with np.load(path, allow_pickle=False) as data:
        about = json.loads(data["about"].tobytes())
        notes, pedals, primers = (
            np.split(data[name], np.cumsum(data[f"{name}_counts"])[:-1]) for name in ("notes", "pedals", "primers")
        )
    return [
        Performance(n, p, primer=primer, **facts)
        for n, p, primer, facts in zip(notes, pedals, primers, about, strict=True)
    ]


def _joined(arrays: Sequence[np.ndarray[Any, Any]], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    return np.concatenate([np.empty(0, dtype), *arrays])
