"""Messages as a file that one process appends to and another one reads, also on a network file system.

A file that exists and is opened anew for each look shows at once what another machine has appended and closed, because
NFS asks its server whenever a file is opened; a new name in a folder may stay unseen for a minute. Bytes in one file
also have an order, and each is read once. A file that has become long is followed by another one, and removed.
"""

from __future__ import annotations

import errno
import os
import pickle
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: The length of what follows and its checksum; a length of 0 points to the next file.
_HEAD = struct.Struct("<QI")
#: The bytes from which on another file is begun.
_LONG = 2**24
#: Seconds for which bytes that are not what was written may still become it, as a file server may show them late.
_PATIENCE = 60.0
#: Errors of a file server that is away for a moment.
_AWAY = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR}


class Writer:
    """Appends messages; this is the only process that does.

    Args:
        folder: of the file.
        name: of the file, without its number.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._number = folder, name, 0

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._name}.{self._number}"

    def create(self) -> None:
        """Make the file, empty, before anybody looks for it."""
        os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def write(self, messages: Sequence[Any]) -> None:
        """Append messages, which are seen together.

        Raises:
            OSError: they cannot be written.
        """
        data = pickle.dumps(list(messages))
        if self._append(_HEAD.pack(len(data), zlib.crc32(data)) + data) > _LONG:
            here, self._number = self._path, self._number + 1
            self.create()
            _append(here, _HEAD.pack(0, 0))

    def _append(self, data: bytes) -> int:
        return _append(self._path, data)


def _append(path: Path, data: bytes) -> int:
    """Append to a file that exists; return its size."""
    # closing sends the bytes to the file server
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "ab", buffering=0) as file:
        start, view = file.tell(), memoryview(data)
        try:
            while view:
                view = view[file.write(view) or 0 :]
        except OSError:  # a disk that is full keeps no half of a message
            file.truncate(start)
            raise
        return file.tell()


class Reader:
    """Reads messages in order, each once.

    Args:
        folder: of the file.
        name: of the file, without its number.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._number, self._offset = folder, name, 0, 0
        self._damaged = 0.0

    def read(self) -> list[Any]:
        """Return the messages that have come since the last call.

        Raises:
            OSError: the file cannot be read, belongs to another user, or is damaged.
        """
        messages: list[Any] = []
        try:
            for message in self._messages():
                messages.append(message)  # noqa: PERF402 - those before an error are kept
        except OSError as error:
            if error.errno not in _AWAY:
                raise
        return messages

    def _messages(self) -> Iterator[Any]:
        while True:
            path = self._folder / f"{self._name}.{self._number}"
            data = _read_own(path, self._offset)
            used, moved = 0, False
            while not moved and len(data) - used >= _HEAD.size:
                size, checksum = _HEAD.unpack_from(data, used)
                part = data[used + _HEAD.size : used + _HEAD.size + size]
                if len(part) < size or not self._is_whole(part, checksum, path):
                    break
                used += _HEAD.size + size
                self._offset += _HEAD.size + size
                if size:
                    yield from pickle.loads(part)  # noqa: S301 - a file of this user
                else:
                    moved, self._number, self._offset = True, self._number + 1, 0
                    path.unlink(missing_ok=True)
            if not moved:
                return

    def _is_whole(self, part: bytes, checksum: int, path: Path) -> bool:
        if zlib.crc32(part) == checksum:
            self._damaged = 0.0
            return True
        self._damaged = self._damaged or time.monotonic()
        if time.monotonic() - self._damaged > _PATIENCE:
            raise OSError(f"{path} is damaged")
        return False


def read_own(path: Path) -> bytes:
    """Return the content of a file that this user has written.

    Raises:
        OSError: it cannot be read, or belongs to another user.
    """
    return _read_own(path, 0)


def _read_own(path: Path, offset: int) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as file:
        about = os.fstat(file.fileno())
        # whoever could write here could run code here: messages are pickles
        if about.st_uid != os.geteuid():
            raise PermissionError(f"{path} belongs to another user")
        if about.st_size <= offset:
            return b""
        file.seek(offset)
        return file.readall()
