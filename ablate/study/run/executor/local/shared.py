"""The memory that a worker shares with its driver: plain values without locks, which a killed process would keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

#: Bytes for the name of what is at work.
_ROOM = 400


class Signs:
    """The signs of life of a worker: its task, what is at work in it, and a number that rises with its progress.

    Args:
        processes: how worker processes are started.
    """

    def __init__(self, processes: BaseContext) -> None:
        self._text: Any = processes.RawArray("c", _ROOM)
        self._changes: Any = processes.RawValue("Q", 0)
        self._task: Any = processes.RawValue("Q", 0)
        self._shown = ""

    def begin(self, task: int) -> None:
        """Write down the number of the task that begins, and that there was no progress in it.

        Meanwhile the number is 0, so that a reader who finds the same number before and after has read of one task.
        """
        self._task.value = 0
        self._text.value, self._shown, self._changes.value = b"", "", 0
        self._task.value = task

    def show(self, doing: str) -> None:
        """Count progress, and write down what is at work; empty where nothing is."""
        if doing != self._shown:
            self._text.value = doing.encode(errors="replace")[: _ROOM - 1]
            self._shown = doing
        self._changes.value += 1

    @property
    def task(self) -> int:
        """The number of the task, from 1; 0 while none is written down."""
        return int(self._task.value)

    @property
    def doing(self) -> str:
        """The component at work."""
        text: bytes = self._text.value
        return text.decode(errors="ignore")

    @property
    def changes(self) -> int:
        """A number that rises with any progress of the task; 0 before."""
        return int(self._changes.value)
