"""Lists of names in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The most names that a sentence lists.
MOST_NAMES = 6


def listing(names: Sequence[str]) -> str:
    """Return the first few names; separated by semicolons if a name contains a comma."""
    separator = "; " if any("," in name for name in names) else ", "
    start = separator.join(names[:MOST_NAMES])
    return f"{start} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else start
