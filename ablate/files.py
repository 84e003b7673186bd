"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write_whole(path: Path, data: bytes | Callable[[IO[bytes]], None]) -> None:
    """Write a file so that it is there complete or not at all: temporary name, fsync, rename.

    ``data`` is what it holds, or writes that to an open file where it is too much for the memory.

    A process that is killed outright meanwhile may leave the temporary file, which is hidden; it never leaves a part
    of ``path``, and what was there before stays until the new file is complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # opened by name, not by mkstemp, whose files only their owner may read
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                data(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
