"""The component at work, so that it can be named if it ends its process or never returns."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ablate.blame import blaming
from ablate.surroundings import stopped_timers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_names: list[str] = []
_listeners: list[Callable[[str], None]] = []


@contextlib.contextmanager
def doing(component: str) -> Iterator[None]:
    """Say that a component works inside the block, as people read it (``"metric 'distance.pitch' of plugin 'x'"``)."""
    _names.append(component)
    _tell()
    try:
        with stopped_timers(), blaming(component):
            yield
    finally:
        _names.pop()
        _tell()


@contextlib.contextmanager
def telling(listener: Callable[[str], None]) -> Iterator[None]:
    """Call ``listener`` with the component at work whenever it changes; with an empty text where there is none."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _tell() -> None:
    name = _names[-1] if _names else ""
    for listener in _listeners:
        listener(name)
