"""The corpus that ``--corpus`` names: a component, or the one that reads a path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import UsageError, did_you_mean, shortened
from ablate.files import exists
from ablate.printable import printable
from ablate.specs import CorpusSpec

if TYPE_CHECKING:
    from ablate.registry import Registry
    from ablate.study.file.overrides.record import Overrides
    from ablate.study.file.paths import FileShape

#: The most characters of a path in a message.
LONGEST_PATH = 1000


def given_corpus(overrides: Overrides, registry: Registry) -> FileShape:
    """Return the corpus of ``--corpus`` in file shape; raises like :func:`corpus_table`."""
    name = overrides.corpus
    if overrides.elsewhere and name not in registry.names("corpus"):
        return _read_by_path(name, registry, skip_bad=overrides.skip_bad, option="--corpus")
    return corpus_table(name, registry, skip_bad=overrides.skip_bad)


def corpus_table(name: str, registry: Registry, *, skip_bad: bool = False, option: str = "--corpus") -> FileShape:
    """Return a corpus in file shape: a component by its name, or the one that reads this path.

    Args:
        name: of the component, or a path.
        registry: the components.
        skip_bad: skip the files that cannot be read.
        option: of the command line that gave the name, for messages.

    Raises:
        UsageError: there is neither, or the corpus has no files to skip.
    """
    if name in registry.names("corpus") and not exists(Path(name)):
        if skip_bad:
            raise UsageError(f"--skip-bad needs a path in {option}, not the corpus '{name}'")
        return {name: {}}
    return _path_corpus(name, registry, skip_bad=skip_bad, option=option)


def _start(path: str) -> str:
    """Return a path for a message, its end left out if no file can have so long a one."""
    return printable(shortened(path, LONGEST_PATH))


def _path_corpus(path: str, registry: Registry, *, skip_bad: bool, option: str) -> FileShape:
    if not exists(Path(path)):
        names = registry.names("corpus")
        hint = did_you_mean(path, names)
        raise UsageError(
            f"{option} {_start(path)}: no such file or folder, and no corpus of that name{hint} "
            f"(offered: {', '.join(names)})"
        )
    return _read_by_path(str(Path(path).resolve()), registry, skip_bad=skip_bad, option=option)


def _read_by_path(path: str, registry: Registry, *, skip_bad: bool, option: str) -> FileShape:
    readers = path_readers(registry)
    if len(readers) != 1:
        listing = ", ".join(spec.name for spec in readers) or "none"
        raise UsageError(f"{option} {_start(path)}: exactly one installed corpus must read paths, found: {listing}")
    (reader,) = readers
    options = {"skip_bad": True} if skip_bad else {}
    return {reader.name: {reader.path_option: path, **options}}


def path_readers(registry: Registry) -> list[CorpusSpec]:
    """Return the corpora that read a file or folder."""
    offered = [component.spec for component in registry.offered("corpus")]
    return [spec for spec in offered if isinstance(spec, CorpusSpec) and spec.path_option]
