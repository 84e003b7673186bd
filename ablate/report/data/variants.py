"""The variants of a study with their levels."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Variants:
    """The names of a study's variants with their levels, in order, and the baseline."""

    levels: Mapping[str, Mapping[str, Any]]
    baseline: str

    @property
    def axes(self) -> list[str]:
        """The paths of the axes with more than one level, in order."""
        paths = dict.fromkeys(path for levels in self.levels.values() for path in levels)
        return [path for path in paths if len(self.axis_levels(path)) > 1]

    def axis_levels(self, path: str) -> list[Any]:
        """Return the levels that an axis has among the variants, the baseline's first."""
        base = self.levels[self.baseline]
        distinct = [base[path]] if path in base else []
        for levels in self.levels.values():
            if path in levels and levels[path] not in distinct:
                distinct.append(levels[path])
        return distinct
