"""The files of a stage: plain arrays, written whole or not at all."""

from __future__ import annotations

import io
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.engine import checkpoint
from ablate.engine.windows import Example

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.study.stages import Stage


def write_artifact(home: Path, stage: Stage, files: Mapping[str, bytes]) -> None:
    """Write a stage's folder whole or not at all."""
    target = home / stage.artifact
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".writing-{os.getpid()}-{target.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        for name, data in files.items():
            checkpoint.write_whole(temporary / name, data)
        if target.exists():  # left by a run that was killed before it could say so
            shutil.rmtree(target)
        os.replace(temporary, target)  # noqa: PTH105 - Path.replace is the same call with more words
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def npy(array: np.ndarray[Any, Any]) -> bytes:
    """The bytes of a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def pack_examples(examples: Sequence[Example]) -> bytes:
    """Examples as the bytes of an ``.npz`` file."""
    buffer = io.BytesIO()
    conditions: dict[str, Any] = {
        f"conditions_{index}": np.concatenate(parts).astype(np.float32)
        for index, parts in enumerate(zip(*(example.conditions for example in examples), strict=True))
    }
    np.savez(
        buffer,
        tokens=np.concatenate([example.tokens for example in examples]).astype(np.int32),
        counts=np.array([len(example.tokens) for example in examples]),
        **conditions,
    )
    return buffer.getvalue()


def read_examples(path: Path) -> list[Example]:
    """What :func:`pack_examples` packed."""
    with np.load(path, allow_pickle=False) as data:
        places = np.cumsum(data["counts"])[:-1]
        tokens = np.split(data["tokens"].astype(np.int64), places)
        names = sorted((name for name in data.files if name.startswith("conditions_")), key=lambda n: int(n[11:]))
        conditions = [np.split(data[name], places) for name in names]
    return [Example(t, tuple(parts[i] for parts in conditions)) for i, t in enumerate(tokens)]
