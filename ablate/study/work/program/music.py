"""Read the MIDI files that a program writes, as samples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.errors import CorpusError, ProgramFailed
from ablate.music.midi import LONGEST_PAUSE, parse_midi, read_bytes
from ablate.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.music.performance import Performance


class ProgramMusic(NamedTuple):
    """The music that a program has written.

    Attributes:
        samples: named as the samples of a model are.
        problems: the oddities of the files, one line each, with the file's name.
        left_out: the number of notes that were left out.
    """

    samples: list[Performance]
    problems: list[str]
    left_out: int


def read_samples(
    out: Path, pattern: str, count: int, longest_pause: float = LONGEST_PAUSE, pause_option: str = ""
) -> ProgramMusic:
    """Read the MIDI files that match a pattern.

    Files are sorted by name, with the numbers in them as numbers: ``2.mid`` comes before ``10.mid``.

    Args:
        out: the folder of the program.
        pattern: relative to it.
        count: the number of files that it must have written; 0 for any number.
        longest_pause: in seconds, see :func:`ablate.music.midi.parse_midi`, as the next one.
        pause_option: for the message.

    Raises:
        ProgramFailed: there are none, there is another number, or one cannot be read or holds no notes.
    """
    files = sorted((path for path in out.glob(pattern) if path.is_file()), key=lambda path: _natural(path, out))
    if not files:
        raise ProgramFailed(f"the program ended without writing a MIDI file that matches {pattern}")
    if count and len(files) != count:
        raise ProgramFailed(f"the program wrote {len(files)} MIDI files that match {pattern}, not {count}")
    samples: list[Performance] = []
    problems: list[str] = []
    left_out = 0
    for number, path in enumerate(files):
        source = printable(path.relative_to(out).as_posix())
        try:
            data = read_bytes(path, source)
            reading = parse_midi(data, source, longest_pause=longest_pause, pause_option=pause_option)
        except CorpusError as error:
            raise ProgramFailed(str(error)) from None
        samples.append(reading.performance.replace(name=f"sample-{number:02d}"))
        problems += [f"{source}: {problem}" for problem in reading.problems]
        left_out += reading.left_out
    return ProgramMusic(samples, problems, left_out)


def _natural(path: Path, out: Path) -> list[Any]:
    """Return a key to sort by: texts and numbers in turn."""
    parts = re.split(r"(\d+)", path.relative_to(out).as_posix())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]
