"""The parts that named variants have, for the attribution: parse and check them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ablate.errors import did_you_mean
from ablate.options import abridged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.study.file.paths import Problem
    from ablate.study.file.sections import Sections

#: Fewer parts leave nothing to share; more would need thousands of variants.
FEWEST_PARTS, MOST_PARTS = 2, 12
#: The most combinations of parts that a message lists.
MOST_LISTED = 4


def parse_parts(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, list[str]]:
    """Return the parts by variant."""
    parts = {}
    for variant, names in table.items():
        if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
            parts[variant] = names
        else:
            problems.append((f"parts.{variant}", f"must be a list of the parts that it has, not {abridged(names)}"))
    return parts


def part_problems(file: Sections) -> Iterator[Problem]:
    """Check that the parts belong to named variants, and that every combination of them has exactly one variant."""
    for variant, parts in file.parts.items():
        if variant not in file.named:
            hint = did_you_mean(variant, file.named)
            known = f" (named variants: {', '.join(file.named)})" if file.named else "; parts are of [variants.NAME]"
            yield f"parts.{variant}", f"this study has no such named variant{hint}{known}"
        if len(set(parts)) < len(parts):
            yield f"parts.{variant}", "lists a part twice"
    names = list(dict.fromkeys(name for parts in file.parts.values() for name in parts))
    if file.parts and len(names) < FEWEST_PARTS:
        yield "parts", f"needs {FEWEST_PARTS} or more parts: there is nothing to share"
    elif len(names) > MOST_PARTS:
        yield "parts", f"{len(names)} parts are too many (at most {MOST_PARTS})"
    else:
        yield from _combination_problems(file.parts, names)


def _combination_problems(parts: Mapping[str, Sequence[str]], names: Sequence[str]) -> Iterator[Problem]:
    """Find combinations of parts that no variant has, and those that several have."""
    variants: dict[frozenset[str], str] = {}
    for variant, own in parts.items():
        first = variants.setdefault(frozenset(own), variant)
        if first != variant:
            yield f"parts.{variant}", f"has the same parts as '{first}'; leave the one out that is a control"
    sizes = range(len(names) + 1)
    every = [on for size in sizes for on in itertools.combinations(names, size)]
    missing = [" + ".join(on) or "no part" for on in every if frozenset(on) not in variants] if names else []
    if missing:
        listing = "; ".join(missing[:MOST_LISTED])
        more = f" and {len(missing) - MOST_LISTED} more" if len(missing) > MOST_LISTED else ""
        yield "parts", f"every combination of the parts needs a named variant; missing: {listing}{more}"
