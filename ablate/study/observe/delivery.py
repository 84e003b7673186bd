"""Deliver events to one observer, in a thread of its own, so that it can neither fail nor slow down a study."""

from __future__ import annotations

import collections
import threading
import time
from typing import TYPE_CHECKING, Any

from ablate.errors import named_line

if TYPE_CHECKING:
    from ablate.study.observe.choice import Observer

#: The most steps that wait for an observer; further ones are dropped and counted. Other events always wait.
MOST_STEPS = 1000

_STEP = "ablate_step_logged"
_END = "ablate_study_finished"


class Delivery:
    """Calls the hooks of one observer, one after another, in a thread.

    The first exception switches the observer off. A daemon thread does not keep the process alive.

    Args:
        observer: built.

    Attributes:
        dropped: the number of steps that it was too slow for.
        line: the line that it returned at the end of the study; empty without one.
    """

    def __init__(self, observer: Observer) -> None:
        self.observer, self.dropped, self.line = observer, 0, ""
        self._events: collections.deque[tuple[str, Any]] = collections.deque()
        self._steps, self._error, self._is_over = 0, "", False
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name=f"observer {observer.name}", daemon=True).start()

    def put(self, hook: str, event: object) -> None:
        """Add an event to the queue; returns at once."""
        if hook not in self.observer.events and hook != _END:
            return
        with self._changed:
            if self._is_over:
                return
            if hook == _STEP and self._steps >= MOST_STEPS:
                self.dropped += 1
                return
            self._steps += hook == _STEP
            self._events.append((hook, event))
            self._changed.notify()

    def take_error(self) -> str:
        """Return the message of the exception that has switched the observer off, once; an empty string before."""
        with self._changed:
            error, self._error = self._error, ""
        return error

    def wait(self, deadline: float) -> int:
        """Wait for the end of the study to be delivered; return the number of events that were not, after all.

        Args:
            deadline: a value of ``time.monotonic``.
        """
        with self._changed:
            while not self._is_over and time.monotonic() < deadline:
                # in short parts, so that Ctrl-C is noticed on every system
                self._changed.wait(min(0.2, max(0.0, deadline - time.monotonic())))
            left = 0 if self._is_over else max(1, len(self._events))
            self._switch_off()
        return left

    def _switch_off(self) -> None:
        self._is_over, self._steps = True, 0
        self._events.clear()
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._events and not self._is_over:
                    self._changed.wait()
                if self._is_over:
                    return
                hook, event = self._events[0]
            try:
                lines = getattr(self.observer.hooks, hook)(event=event)
            except BaseException as error:  # noqa: BLE001 - an observer may raise anything, and no run suffers
                with self._changed:
                    self._error = f"{self.observer} failed in {hook}: {named_line(error)}"
                    self._switch_off()
                return
            with self._changed:
                if self._is_over:
                    return
                self._events.popleft()
                self._steps -= hook == _STEP
                if hook == _END:
                    self.line = " ".join(str(line) for line in lines)
                    self._switch_off()
