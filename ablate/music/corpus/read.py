"""Read a MIDI file or a folder of them, and report the files that cannot be read."""

from __future__ import annotations

import collections
import dataclasses
import functools
import hashlib
import itertools
import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import CorpusError, first_problems
from ablate.music.corpus.find import find_midi, piece_names
from ablate.music.midi import LONGEST_PAUSE, LeftOut, parse_midi, read_bytes
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.music.midi import Reader, Reading, Sustain
    from ablate.music.performance import Performance

#: More threads are not faster, because a part of the work is Python code.
MOST_THREADS = 4


@dataclasses.dataclass(frozen=True)
class FileReading:
    """The result of reading one file.

    Attributes:
        name: its path relative to the folder that was read, with ``/``.
        performance: its music; None if it cannot be read.
        problems: oddities of the file, or the reason why it cannot be read; one line each, without the name.
        left_out: the number of its notes that are left out, by kind.
        unchosen: the number of its notes of each instrument that a person has not chosen; ``performance`` has none.
    """

    name: str
    performance: Performance | None
    problems: tuple[str, ...] = ()
    left_out: LeftOut = dataclasses.field(default_factory=LeftOut)
    unchosen: Mapping[int, int] = dataclasses.field(default_factory=dict)


class CorpusReading(NamedTuple):
    """The result of reading a corpus.

    Attributes:
        performances: at least one, in the order of the files' relative paths; each has a name of its own, see
            :func:`ablate.music.corpus.find.piece_names`.
        problems: one line for each file that was left out or is odd, with its name.
        left_out: the numbers of ``files`` that were left out and of ``notes`` left out of the others.
    """

    performances: tuple[Performance, ...]
    problems: tuple[str, ...]
    left_out: dict[str, int]


def read_files(
    path: str | Path,
    reader: Reader = "ablate",
    *,
    sustain: Sustain = "ignore",
    longest_pause: float = LONGEST_PAUSE,
    pause_option: str = "",
) -> Iterator[FileReading]:
    """Read every file at ``path``, in order; a file that cannot be read is a result, not an error.

    Threads read some files ahead.

    Args:
        path: see :func:`ablate.music.corpus.find.find_midi`.
        reader: see :func:`ablate.music.midi.parse_midi`, as the next three.
        sustain: whether the pedals hold the notes.
        longest_pause: in seconds.
        pause_option: for the message.

    Raises:
        CorpusError: there is no file to read (:func:`ablate.music.corpus.find.find_midi`).
    """
    parse = functools.partial(
        parse_midi, reader=reader, sustain=sustain, longest_pause=longest_pause, pause_option=pause_option
    )
    found = find_midi(path)
    pieces = piece_names([name for name, _ in found])
    files = ((name, piece, file) for (name, file), piece in zip(found, pieces, strict=True))
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        ahead = collections.deque(pool.submit(_read, *one, parse) for one in itertools.islice(files, 4 * threads))
        while ahead:
            reading = ahead.popleft().result()
            ahead.extend(pool.submit(_read, *one, parse) for one in itertools.islice(files, 1))
            yield reading


def _read(name: str, piece: str, file: Path, parse: Callable[[bytes, str], Reading]) -> FileReading:
    try:
        reading = parse(read_bytes(file, name), name)
    except CorpusError as error:
        return FileReading(name, None, (str(error).removeprefix(f"{name}: "),))
    return FileReading(name, reading.performance.replace(name=piece), reading.problems, reading.kinds)


def read_corpus(
    path: str | Path,
    reader: Reader = "ablate",
    *,
    skip_bad: bool = False,
    sustain: Sustain = "ignore",
    longest_pause: float = LONGEST_PAUSE,
    pause_option: str = "",
) -> CorpusReading:
    """Read every file at ``path``.

    Args:
        path: see :func:`ablate.music.corpus.find.find_midi`.
        reader: see :func:`ablate.music.midi.parse_midi`.
        skip_bad: skip the files that cannot be read, and list them among the problems.
        sustain: see :func:`ablate.music.midi.parse_midi`, as the next two.
        longest_pause: in seconds.
        pause_option: for the message.

    Raises:
        CorpusError: there is no file; or without ``skip_bad`` a file cannot be read, or with it all of them.
    """
    files = list(read_files(path, reader, sustain=sustain, longest_pause=longest_pause, pause_option=pause_option))
    bad = [file for file in files if file.performance is None]
    if bad and (len(bad) == len(files) or not skip_bad):
        raise CorpusError(_unreadable_message(path, files, bad))
    problems = tuple(
        f"{file.name}: {'left out: ' if file.performance is None else ''}{problem}"
        for file in files
        for problem in file.problems
    )
    left_out = {"files": len(bad), "notes": sum(sum(file.left_out) for file in files)}
    return CorpusReading(tuple(f.performance for f in files if f.performance is not None), problems, left_out)


def left_out_text(left_out: Mapping[str, int], used: Mapping[str, int], why: str = "") -> str:
    """Return how much of some music was left out, such as ``1 of 5 files and 13 of 1,204 notes left out``.

    Args:
        left_out: numbers by their noun in the plural.
        used: the numbers of what was not left out.
        why: the reason for a part of it, which is added in brackets.

    Returns:
        The text; empty if nothing was left out.
    """
    parts = [f"{count:,} of {count + used[noun]:,} {noun}" for noun, count in left_out.items() if count]
    return f"{' and '.join(parts)} left out{f' ({why})' if why else ''}" if parts else ""


def _unreadable_message(path: str | Path, files: Sequence[FileReading], bad: Sequence[FileReading]) -> str:
    rest = f"ablate corpus inspect {shlex.quote(printable(str(path)))} --json lists all"
    reasons = "; ".join(first_problems([f"{file.name}: {file.problems[0]}" for file in bad], rest))
    if len(files) == 1:
        return reasons
    if len(bad) == len(files):
        return f"none of the {len(files)} files can be read: {reasons}"
    return f"{len(bad)} of {len(files)} files cannot be read: {reasons}. Fix or remove them, or pass --skip-bad"


def corpus_digest(path: str | Path) -> str:
    """Return the SHA-256 of the names and contents of the files at ``path``, as 64 hexadecimal digits.

    The files are hashed in the order in which they are read, with their paths relative to ``path``, because these name
    the pieces. So a corpus that is moved has the same digest. Of unreadable files only the name is hashed.

    Raises:
        CorpusError: there is no file (:func:`ablate.music.corpus.find.find_midi`).
    """
    digest = hashlib.sha256()
    for name, file in find_midi(path):
        try:
            content = read_bytes(file)
        except CorpusError:
            content = b""
        # each part is hashed by itself, so that no byte can move from a name to the contents
        for part in (name.encode(), content):
            digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
