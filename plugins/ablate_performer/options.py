"""Options of the conditioner."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate
from ablate.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class PerformerOptions:
    """Options of ``performer``."""

    performers: tuple[str, ...] = ablate.option(min_length=1, doc="Names of the performers; each has an embedding.")
    default: str = ablate.option(
        "", doc="Performer of generated music where the study sets no label; empty: the first one."
    )
    separator: str = ablate.option(
        "_",
        min_length=1,
        doc='Text at which a performance\'s name is split into parts; "/" for folders, which count only then.',
    )
    field: int = ablate.option(
        0, doc="Part of the name that is the performer: 0 the first, 1 the second; -1 the last, -2 the one before it."
    )

    def __post_init__(self) -> None:
        """Check the names, and the default against them."""
        counts = Counter(unicodedata.normalize("NFC", name) for name in self.performers)
        duplicates = [name for name, count in counts.items() if count > 1]
        if duplicates:
            raise ValueError(f"performers lists {_listed(duplicates)} more than once")
        if "" in self.performers:
            raise ValueError("performers has an empty name")
        if self.default and self.default not in self.performers:
            hint = did_you_mean(self.default, self.performers)
            raise ValueError(f"default '{self.default}' is not among performers ({_listed(self.performers)}){hint}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
