"""The option ``--output`` of commands that write one file, with ``-`` for standard output."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo_data
from ablate.errors import AblateError, UsageError
from ablate.files import write_whole
from ablate.home import DATABASE

if TYPE_CHECKING:
    from collections.abc import Callable

#: Reasons to choose another file; any other one is that of the disk.
_WRONG_PLACE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


#: How an SQLite file begins, and the ends of the names of those that SQLite keeps beside it.
_SQLITE, _BESIDE_SQLITE = b"SQLite format 3\0", ("-wal", "-shm", "-journal")
#: What only ablate writes in a home.
_OF_HOME = (DATABASE, *(f"{DATABASE}{end}" for end in _BESIDE_SQLITE), "artifacts", "audio", "checkpoints", "run.lock")


def output_option(about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--output``; the command gets a path, or None for standard output."""

    def given(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
        placed = file_or_stdout(context, parameter, path)
        return None if placed == Path("-") else placed

    kind = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
    return click.option("--output", "-o", type=kind, callback=given, help=about)


def file_or_stdout(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Return the file of an option after :func:`free_place`, and ``-`` for any name of standard output.

    In a command, the descriptor behind ``/dev/stdout`` is that of standard error; see :mod:`ablate.stdout`.
    """
    return Path("-") if path is not None and _is_stdout(path) else free_place(context, parameter, path)


def free_place(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Return the file or folder of an option, which click has read (a callback of click).

    Raises:
        UsageError: it is a database, or a file of a home that only ablate writes: results would be lost.
    """
    del context
    problem = _place_problem(Path(os.path.realpath(path))) if path is not None else ""
    if problem:
        raise UsageError(f"{max(parameter.opts, key=len)} {path} {problem}; name another place")
    return path


def _is_stdout(path: Path) -> bool:
    """Return whether a path is ``-`` or a name of this process's descriptor 1."""
    for _ in range(40):  # no system follows more links
        if path == Path("-") or (path.name == "1" and path.parent.resolve() == Path("/dev/fd").resolve()):
            return True
        if not path.is_symlink():
            return False
        path = path.parent / path.readlink()
    return False


def _place_problem(path: Path) -> str:
    """Return why no result may be written to a path, as the end of a sentence; empty where it may."""
    for end in ("", *_BESIDE_SQLITE):
        if path.name.endswith(end) and _is_sqlite(path.with_name(path.name.removesuffix(end) or path.name)):
            return "is a database" if not end else "belongs to a database"
    for home in path.parents:
        if path.relative_to(home).parts[0] in _OF_HOME and (home / DATABASE).is_file():
            return f"is a place of the home {home}, where only ablate's own files are"
    return ""


def _is_sqlite(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def write_output(data: bytes, output: Path | None) -> None:
    """Write what a command makes to its file, whole or not at all, or to standard output.

    Raises:
        UsageError: there can be no such file.
        AblateError: the disk is full, or fails.
    """
    if output is None:
        echo_data(data)
        return
    try:
        _write(output, data)
    except _WRONG_PLACE as error:
        raise UsageError(f"cannot write {output} ({error.strerror}); choose another file with --output") from error
    except OSError as error:
        raise AblateError(f"cannot write {output}: {error.strerror or error}") from error


def _write(output: Path, data: bytes) -> None:
    path = Path(os.path.realpath(output))  # a link stays one
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if path.exists() and not (path.is_file() and os.access(path.parent, os.W_OK)):
        path.write_bytes(data)  # a device or a pipe; or a file in a folder that gets no other
        return
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    write_whole(path, data)
    if mode is not None:
        path.chmod(mode)
