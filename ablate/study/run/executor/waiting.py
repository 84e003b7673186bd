"""The order in which jobs that wait get their turn."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Generic, TypeVar

from ablate.kinds import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Waiting(Generic[T]):
    """A queue in which programs are last, so that what other jobs have written is measured soon.

    Args:
        kind: returns the kind of the stages of something that waits.
    """

    def __init__(self, kind: Callable[[T], str]) -> None:
        self._kind = kind
        self._others: collections.deque[T] = collections.deque()
        self._programs: collections.deque[T] = collections.deque()

    def __len__(self) -> int:
        return len(self._others) + len(self._programs)

    def _of(self, each: T) -> collections.deque[T]:
        return self._programs if self._kind(each) == PROGRAM else self._others

    def add(self, each: T) -> None:
        """Add something behind all others of its sort."""
        self._of(each).append(each)

    def put_back(self, several: Sequence[T]) -> None:
        """Add several things before all others, in their order."""
        for each in reversed(several):
            self._of(each).appendleft(each)

    def take(self) -> T:
        """Remove the first one, and return it."""
        return (self._others or self._programs).popleft()

    def clear(self) -> None:
        """Remove all."""
        self._others.clear()
        self._programs.clear()
