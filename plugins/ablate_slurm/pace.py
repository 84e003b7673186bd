"""The pause between two looks for messages: short for short tasks, longer for long ones, to spare the file server."""

from __future__ import annotations

import time

#: Seconds between two looks, and the part of the time since something happened that a look may come late.
_SHORTEST, _LONGEST, _PART = 0.02, 0.5, 1 / 20


class Pace:
    """The pause between two looks at a file.

    It is a twentieth of the time since a task began or ended, so that no task takes much longer for it.
    """

    def __init__(self) -> None:
        self._moved, self._looked = time.monotonic(), 0.0

    def moved(self) -> None:
        """Look often again: a task has begun or ended."""
        self._moved = time.monotonic()

    def again(self) -> None:
        """Let the next look be due: the last one has left something."""
        self._looked = 0.0

    @property
    def pause(self) -> float:
        """The seconds until the next look."""
        return min(max((time.monotonic() - self._moved) * _PART, _SHORTEST), _LONGEST)

    def is_due(self) -> bool:
        """Return whether it is time for a look, which is taken now."""
        now = time.monotonic()
        if now - self._looked < self.pause:
            return False
        self._looked = now
        return True
