"""From axes to variants and cells: pure functions, no plugins, no files."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


#: The path of the axis whose levels are the named variants of a study file, each a set of changes.
NAMED = "variants"


@dataclasses.dataclass(frozen=True)
class Axis:
    """What is varied: a dotted path into the configuration (or :data:`NAMED`), and its levels in order."""

    path: str
    levels: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Variant:
    """One assignment of a level to every axis.

    Attributes:
        name: unique in the study (``"tau=0.8"``, ``"conditioner=tempo, tau=0.8"``, ``"both, tau=0.8"``).
        levels: axis path to level.
        baseline: whether the others are compared with it.
    """

    name: str
    levels: Mapping[str, Any]
    baseline: bool


@dataclasses.dataclass(frozen=True)
class Objective:
    """The number that stands for a variant in Optuna, and whether ``lower`` or ``higher`` is better.

    An empty feature or direction is not known before the metric has measured something.
    """

    metric: str
    feature: str
    direction: str


def factorial(axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Every combination of levels, the last axis varying fastest; without axes, one variant named ``base``."""
    labels = short_names([axis.path for axis in axes])
    variants = []
    for levels in itertools.product(*(axis.levels for axis in axes)):
        assignment = {axis.path: level for axis, level in zip(axes, levels, strict=True)}
        name = ", ".join(_part(labels[path], level) for path, level in assignment.items()) or "base"
        variants.append(Variant(name, assignment, all(same(baseline[p], v) for p, v in assignment.items())))
    return variants


def _part(label: str, level: Any) -> str:
    return level_name(level) if label == NAMED else f"{label}={level_name(level)}"


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """The shortest ends of the paths that tell them apart."""
    names = {}
    for path in paths:
        parts = path.split(".")
        ends = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        others = [other for other in paths if other != path]
        names[path] = next((end for end in ends if not any(o == end or o.endswith(f".{end}") for o in others)), path)
    return names


def level_name(level: Any) -> str:
    """A level for people: text bare, components joined by ``+``, anything else as JSON."""
    if isinstance(level, str):
        return level
    if isinstance(level, list):
        return "+".join(level_name(item) for item in level) or "none"
    if isinstance(level, dict):
        return "+".join(f"{name}{_options(value)}" for name, value in level.items()) or "none"
    return json.dumps(level)


def _options(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return ""
    return "(" + ", ".join(f"{key}={level_name(item)}" for key, item in value.items()) + ")"


def same(one: Any, other: Any) -> bool:
    """Whether two levels are the same: 1 and 1.0 are, 1 and true are not."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
