"""Things that take long to start, and serve all tests of a folder: they end with the last of these in a process.

Fixtures of a session would keep a cluster until the very end, and a cluster computes even if nobody asks it to.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest


T = TypeVar("T")


class UntilLeft(Generic[T]):
    """Starts a thing when it is first asked for, and ends it after the last test of a folder.

    Args:
        folder: of the tests.
        start: starts the thing, and ends it when it is left.
    """

    def __init__(self, folder: Path, start: Callable[[], AbstractContextManager[T]]) -> None:
        self._folder, self._start = folder, start
        self._left = contextlib.ExitStack()
        self._running: list[T] = []

    def get(self) -> T:
        """Return the thing, which is started if it does not run."""
        if not self._running:
            self._running.append(self._left.enter_context(self._start()))
        return self._running[0]

    def end(self) -> None:
        """End the thing, if it runs."""
        self._running.clear()
        self._left.close()

    def follow(self, following: pytest.Item | None) -> None:
        """End the thing if the test that follows is in another folder."""
        if following is None or self._folder not in following.path.parents:
            self.end()
