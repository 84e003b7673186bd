"""Words for the ways in which an actor ends, as Ray reports them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ablate.errors import named_line

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What Ray's texts contain, and what it means.
_KNOWN: Iterable[tuple[str, str]] = (
    ("node was terminated", "the machine is gone"),
    ("node has died", "the machine is gone"),
    ("node died", "the machine is gone"),
    ("low on memory", "Ray ended its worker, because memory ran out there (executor.ray.memory reserves some)"),
    ("unreachable", "the machine cannot be reached"),
    ("unavailable", "the machine cannot be reached"),
    ("worker process has died", "its worker was killed"),
)


def how_it_died(error: Exception) -> str:
    """Return how an actor has died, as the end of a sentence."""
    from ray.exceptions import RayTaskError

    if isinstance(error, RayTaskError):
        return f"its worker has failed ({named_line(error.cause)})"
    text = str(error).lower()
    reason = next((meaning for part, meaning in _KNOWN if part in text), "")
    return reason or f"its worker is lost ({named_line(error)})"


def why_it_cannot_start(error: Exception) -> str:
    """Return why an actor could not start, as a sentence; Ray's text is a traceback with the address of the machine."""
    text = str(error)
    address = re.search(r"ip=([^,)\s]+)", text)
    where = f" on {address[1]}" if address else ""
    last = text.strip().rpartition("\n")[2].strip()
    return f"a worker of Ray{where} cannot start ({last}); install there what this machine has"
