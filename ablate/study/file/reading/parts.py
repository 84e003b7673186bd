"""The parts that named variants have, for the attribution: parse and check them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.options import abridged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.study.file.paths import Problem


def parse_parts(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, list[str]]:
    """Return the parts by variant."""
    parts = {}
    for variant, names in table.items():
        if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
            parts[variant] = names
        else:
            problems.append((f"parts.{variant}", f"must be a list of the parts that it has, not {abridged(names)}"))
    return parts
