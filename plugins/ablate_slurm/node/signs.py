"""The memory that a worker shares with its pilot: signs of progress, and the wish that it stops."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile

#: A number that changes with any progress, 1 if the task should stop, and the length of the text that follows.
_HEAD = struct.Struct("<QBH")
_CHANGES, _STOP, _LENGTH = struct.Struct("<Q"), 8, struct.Struct("<H")
_ROOM = 400


def new_memory() -> int:
    """Return a file descriptor of memory for :class:`Signs`, for two processes."""
    with tempfile.TemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as file:  # noqa: PTH112, S108
        file.truncate(_HEAD.size + _ROOM)
        return os.dup(file.fileno())


class Signs:
    """Signs of life of a worker.

    Args:
        descriptor: of :func:`new_memory`; it can be closed afterwards.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _HEAD.size + _ROOM)
        self._shown, self._changes = "", 0

    def show(self, doing: str) -> None:
        """Count progress, and write down what is at work."""
        if doing != self._shown:
            text = doing.encode(errors="replace")[:_ROOM]
            self._memory[_HEAD.size : _HEAD.size + len(text)] = text
            _LENGTH.pack_into(self._memory, _STOP + 1, len(text))
            self._shown = doing
        self._changes += 1
        _CHANGES.pack_into(self._memory, 0, self._changes)

    def stop(self, value: bool) -> None:  # noqa: FBT001 - the value of the flag
        """Set whether the task should stop."""
        self._memory[_STOP] = value

    @property
    def stopping(self) -> bool:
        """True if the task should stop."""
        return bool(self._memory[_STOP])

    @property
    def changes(self) -> int:
        """A number that is another one after any progress."""
        return int(_CHANGES.unpack_from(self._memory, 0)[0])

    @property
    def doing(self) -> str:
        """The component at work, or the last one."""
        length = min(_LENGTH.unpack_from(self._memory, _STOP + 1)[0], _ROOM)
        return self._memory[_HEAD.size : _HEAD.size + length].decode(errors="ignore")
