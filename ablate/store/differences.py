"""Differences between two resolved configurations, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def differing_paths(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """List the dotted paths whose values differ, in the order of ``one``.

    A kind differs as a whole (``conditioner``) unless both have the same components in the same order; then its
    options are listed (``sampler.temperature.tau``). So are settings and labels (``training.steps``).
    """
    sections = dict.fromkeys([*one, *other])
    return [path for section in sections for path in _in_section(section, one.get(section), other.get(section))]


def _in_section(section: str, one: Any, other: Any) -> Iterator[str]:
    if one == other:
        return
    if isinstance(one, list) and isinstance(other, list):
        same_components = [c["name"] for c in one] == [c["name"] for c in other]
        if not same_components or any(a["version"] != b["version"] for a, b in zip(one, other, strict=True)):
            yield section
            return
        for a, b in zip(one, other, strict=True):
            yield from (f"{section}.{a['name']}.{key}" for key in _keys(a["options"], b["options"]))
    elif isinstance(one, dict) and isinstance(other, dict):
        yield from (f"{section}.{key}" for key in _keys(one, other))
    else:
        yield section


def _keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [key for key in dict.fromkeys([*one, *other]) if one.get(key) != other.get(key)]


def unexplained(paths: Iterable[str], varied: Iterable[str]) -> list[str]:
    """Return the ``paths`` that are neither among ``varied`` nor inside one of them."""
    prefixes = tuple(varied)
    return [path for path in paths if not any(path == each or path.startswith(f"{each}.") for each in prefixes)]
