"""Messages as a file that one process appends to and another one reads, also on a network file system.

A file that exists and is opened anew for each look shows at once what another machine has appended and closed, because
NFS asks its server whenever a file is opened; a new name in a folder may stay unseen for a minute. Bytes in one file
also have an order, and each is read once. A file that has become long is followed by another one, and removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: The length of what follows and its checksum; a length of 0 with a checksum of its own points to the next file.
_HEAD = struct.Struct("<QI")
_NEXT = _HEAD.pack(0, 0x4E455854)
#: The bytes from which on another file is begun, and those that one look reads at least before it leaves the rest.
_LONG, _LOOK = 2**24, 2**23
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
        self._folder, self._name, self._number, self._size = folder, name, 0, 0

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name}.{number}"

    def create(self) -> None:
        """Make the file, empty, before anybody looks for it."""
        _create(self._path(0))

    def write(self, messages: Sequence[Any]) -> None:
        """Append messages, which are seen together; after an error, none of them is.

        Raises:
            OSError: they cannot be written.
        """
        data = pickle.dumps(list(messages))
        if self._size > _LONG:  # each step may fail, and is then done again
            _create(self._path(self._number + 1))
            _append(self._path(self._number), _NEXT)
            self._number, self._size = self._number + 1, 0
        self._size = _append(self._path(self._number), _HEAD.pack(len(data), zlib.crc32(data)) + data)


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))


def _append(path: Path, data: bytes) -> int:
    """Append to a file that exists; return its size."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "ab", buffering=0) as file:
        start, view = file.tell(), memoryview(data)
        try:
            while view:
                view = view[file.write(view) or 0 :]
            os.fsync(file.fileno())  # a file server may say only now that it has no room
        except OSError:  # a disk that is full keeps no half of a message
            file.truncate(start)
            raise
        return file.tell()


class Reader:
    """Reads messages in order, each once.

    Args:
        folder: of the file.
        name: of the file, without its number.

    Attributes:
        has_more: whether the last look has left something for the next one.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._number, self._offset = folder, name, 0, 0
        self._damaged, self._read, self.has_more = 0.0, 0, False

    def read(self) -> list[Any]:
        """Return the messages that have come since the last call, or the first some MB of them.

        Raises:
            OSError: the file cannot be read, belongs to another user, or is damaged.
        """
        messages: list[Any] = []
        self._read, self.has_more = 0, False
        try:
            for message in self._messages():
                messages.append(message)  # noqa: PERF402 - those before an error are kept
        except OSError as error:
            if error.errno not in _AWAY:
                raise
        return messages

    def _messages(self) -> Iterator[Any]:
        while True:
            path, number = self._folder / f"{self._name}.{self._number}", self._number
            with _open_own(path) as file:
                yield from self._messages_of(file, path)
            if self._number == number:
                return
            path.unlink(missing_ok=True)

    def _messages_of(self, file: BinaryIO, path: Path) -> Iterator[Any]:
        """Yield the messages that are whole; at the end of the file, turn to the next one."""
        left = os.fstat(file.fileno()).st_size - self._offset
        file.seek(self._offset)
        while left >= _HEAD.size:
            if self._read > _LOOK:
                self.has_more = True
                return
            head = file.read(_HEAD.size)
            if head == _NEXT:
                self._number, self._offset = self._number + 1, 0
                return
            size, checksum = _HEAD.unpack(head)
            left -= _HEAD.size + size
            if left < 0:  # the rest is still to come
                return
            part = file.read(size)
            if not size or not self._is_whole(part, checksum, path):
                return
            self._offset += _HEAD.size + size
            self._read += size
            yield from pickle.loads(part)  # noqa: S301 - a file of this user

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
    with _open_own(path) as file:
        return file.read()


@contextlib.contextmanager
def _open_own(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        # whoever could write here could run code here: messages are pickles
        if os.fstat(file.fileno()).st_uid != os.geteuid():
            raise PermissionError(f"{path} belongs to another user")
        yield file
