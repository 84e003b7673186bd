"""The seed of every random stream.

Each stream is derived from (study seed, replicate, purpose, index) by SHA-256, and from nothing else. So replicate k of
every variant has the same streams (comparisons are paired), two purposes never share a stream, and a run draws the same
numbers alone, in a batch, resumed, or on another worker.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

Purpose = Literal[
    "augment", "init", "windows", "labels", "dropout", "sample", "floor", "resample", "search", "split", "program"
]


def derive(seed: int, replicate: int, purpose: Purpose, index: int = 0) -> int:
    """Return the seed of one stream, at least 0 and less than 2**63."""
    text = f"{seed}/{replicate}/{purpose}/{index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_stream(seed: int) -> np.random.Generator:
    """Return a NumPy generator for a derived seed (Philox: counter-based, the same on every platform)."""
    return np.random.Generator(np.random.Philox(seed))
