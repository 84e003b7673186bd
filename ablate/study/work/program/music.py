"""Read the MIDI files that a program writes, as samples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ablate.errors import CorpusError, ProgramFailed
from ablate.music.midi import parse_midi, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.music.performance import Performance


def read_samples(out: Path, pattern: str, count: int) -> list[Performance]:
    """Return the performances of the MIDI files that match a pattern, named as the samples of a model are.

    Files are sorted by name, with the numbers in them as numbers: ``2.mid`` comes before ``10.mid``.

    Args:
        out: the folder of the program.
        pattern: relative to it.
        count: the number of files that it must have written; 0 for any number.

    Raises:
        ProgramFailed: there are none, there is another number, or one cannot be read or holds no notes.
    """
    files = sorted((path for path in out.glob(pattern) if path.is_file()), key=lambda path: _natural(path, out))
    if not files:
        raise ProgramFailed(f"the program ended without writing a MIDI file that matches {pattern}")
    if count and len(files) != count:
        raise ProgramFailed(f"the program wrote {len(files)} MIDI files that match {pattern}, not {count}")
    samples = []
    for number, path in enumerate(files):
        source = path.relative_to(out).as_posix()
        try:
            performance = parse_midi(read_bytes(path, source), source).performance
        except CorpusError as error:
            raise ProgramFailed(str(error)) from None
        samples.append(performance.replace(name=f"sample-{number:02d}"))
    return samples


def _natural(path: Path, out: Path) -> list[Any]:
    """Return a key to sort by: texts and numbers in turn."""
    parts = re.split(r"(\d+)", path.relative_to(out).as_posix())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]
