"""The files of a stage: plain arrays, written whole or not at all."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import tempfile
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from ablate.engine.training.windows import Examples
from ablate.files import write_folder_whole
from ablate.inside import without_links
from ablate.music import arrays
from ablate.music.channels import left_out_pedals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import Array
    from ablate.engine.training.windows import Example
    from ablate.files import Content
    from ablate.music.channels import Change
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage


def write_artifact(home: Path, stage: Stage, files: Mapping[str, Content]) -> None:
    """Write a stage's folder whole or not at all; see :func:`ablate.files.write_folder_whole`.

    Raises:
        UnsafePath: a folder above it is a link.
    """
    # the folder of a process that was killed before its result was recorded is replaced
    write_folder_whole(without_links(home, stage.artifact), files)


class MidiFiles(NamedTuple):
    """The MIDI files of samples, and the changes that MIDI made necessary.

    The changes are one line for each kind, for people, with the number of notes and samples that have it.

    Attributes:
        files: bytes by file name.
        changes: all changes.
        problems: those that are not harmless.
    """

    files: dict[str, bytes]
    changes: list[str]
    problems: list[str]


def midi_files(samples: Sequence[Performance]) -> MidiFiles:
    """Write a MIDI file for each sample."""
    written = {sample.name: sample.midi_file() for sample in samples}
    kinds: dict[Change, list[Change]] = {}
    for file in written.values():
        for change in file.changes:
            kinds.setdefault(change._replace(notes=0, pedals=0), []).append(change)
    total = sum(file.notes for file in written.values())
    lines = {}
    for kind, changes in kinds.items():
        concerned = f"{len(changes)} of {len(written)} samples"
        notes, pedals = sum(change.notes for change in changes), sum(change.pedals for change in changes)
        counted = f"{notes:,} of {total:,} notes in {concerned} {kind.text}{left_out_pedals(pedals)}"
        lines[kind] = counted if notes else f"{concerned}: {kind.text}"
    problems = [line for kind, line in lines.items() if not kind.harmless]
    return MidiFiles({f"{name}.mid": file.data() for name, file in written.items()}, [*lines.values()], problems)


def npy(array: Array) -> bytes:
    """Return an array as the bytes of a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def write_examples(examples: Iterable[Example], file: IO[bytes]) -> list[int]:
    """Write examples to an open file one by one, keeping none in memory; return the number of tokens of each."""
    counts: list[int] = []
    with contextlib.ExitStack() as open_files:
        tokens = open_files.enter_context(_Spool(np.int32))
        conditions: list[_Spool] = []
        for example in examples:
            conditions = conditions or [open_files.enter_context(_Spool(np.float32)) for _ in example.conditions]
            counts.append(len(example.tokens))
            for spool, part in zip([tokens, *conditions], [example.tokens, *example.conditions], strict=True):
                spool.add(part)
        writer = arrays.Writer(file)
        for name, spool in {"tokens": tokens, **{f"conditions_{i}": each for i, each in enumerate(conditions)}}.items():
            writer.parts(name, spool.parts(), sum(counts), spool.dtype, spool.rest)
        writer.array("counts", np.array(counts, np.int64))
        writer.close()
    return counts


class _Spool:
    """Arrays one after another, in a temporary file; small ones stay in memory."""

    def __init__(self, dtype: Any) -> None:
        self.dtype, self.rest = np.dtype(dtype), ()
        self._file = tempfile.SpooledTemporaryFile(max_size=2**24)  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, part: Array) -> None:
        self.rest = part.shape[1:]
        self._file.write(np.ascontiguousarray(part, self.dtype).tobytes())

    def parts(self) -> Iterator[Array]:
        self._file.seek(0)
        entry = self.dtype.itemsize * math.prod(self.rest)
        while data := self._file.read(entry * 2**16):
            yield np.frombuffer(data, self.dtype).reshape(-1, *self.rest)


def read_examples(path: Path) -> Examples:
    """Return the examples that :func:`write_examples` wrote; large arrays are mapped from the file.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged.
    """
    data = arrays.read(path)
    conditions = itertools.takewhile(lambda name: name in data, (f"conditions_{i}" for i in itertools.count()))
    return Examples(data["tokens"], data["counts"], tuple(data[name] for name in conditions))
