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

if TYPE_CHECKING:
    from collections.abc import Callable

#: Reasons to choose another file; any other one is that of the disk.
_WRONG_PLACE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


def output_option(about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--output``; the command gets a path, or None for standard output."""

    def given(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
        del context, parameter
        return None if path == Path("-") else path

    kind = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
    return click.option("--output", "-o", type=kind, callback=given, help=about)


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
