"""Designs: functions from axes and a baseline to variants, without plugins and files."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any

from ablate.names import level_name, same, short_names

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

#: The path of the axis whose levels are the named variants of a study file.
NAMED = "variants"
#: With fewer two-level axes than this, a half fraction cannot separate one main effect from another.
FEWEST_TO_HALVE = 3


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``, both included, that a search can choose.

    Attributes:
        low: the smallest number.
        high: the largest number.
        log: whether the numbers are spaced by equal factors; ``low`` must then be above 0.
        step: the distance between two numbers that can be chosen; None for any number.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        """True if the range has whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step or 1, int)

    def levels(self, count: int) -> tuple[float, ...]:
        """Return ``count`` numbers from ``low`` to ``high`` with equal distances, or equal factors."""
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        places = [low + (high - low) * index / max(count - 1, 1) for index in range(count)]
        values = [math.exp(place) if self.log else place for place in places]
        if self.whole:
            return tuple(dict.fromkeys(round(value) for value in values))
        return tuple(float(f"{value:.6g}") for value in values)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclasses.dataclass(frozen=True)
class Axis:
    """An option, setting, label or kind of component that the study varies.

    Attributes:
        path: a dotted path into the configuration, or :data:`NAMED`.
        levels: in order; empty if the axis has a range.
        range: the numbers that a search chooses from, instead of levels.
        when: levels of earlier axes under which this axis exists; under other levels its path is not changed.
        block: whether the levels are blocks, which are not compared; see :mod:`ablate.study.blocks`.
    """

    path: str
    levels: tuple[Any, ...]
    range: Range | None = None
    when: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)
    block: bool = False

    def exists(self, levels: Mapping[str, Any]) -> bool:
        """Check whether this axis exists under these levels of the earlier axes."""
        return all(
            path in levels and any(same(levels[path], level) for level in wanted) for path, wanted in self.when.items()
        )


@dataclasses.dataclass(frozen=True)
class Variant:
    """A level for every axis.

    Attributes:
        name: unique in the study (``"tau=0.8"``, ``"conditioner=tempo, tau=0.8"``, ``"both, tau=0.8"``).
        levels: axis path -> level.
        baseline: whether the other variants are compared with it.
    """

    name: str
    levels: Mapping[str, Any]
    baseline: bool


@dataclasses.dataclass(frozen=True)
class Objective:
    """The value of a variant in Optuna, and whether ``lower`` or ``higher`` is better.

    An empty feature or direction is filled in once the metric has measured something.
    """

    metric: str
    feature: str
    direction: str


def factorial(axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Return every combination of levels, the last axis varying fastest; without axes, one variant named ``base``.

    An axis that does not exist under the earlier levels is left out, so that no combination occurs twice.
    """
    labels = short_names([axis.path for axis in axes])
    return [Variant(full_name(levels, labels), levels, is_baseline(levels, baseline)) for levels in _combinations(axes)]


def _combinations(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{}]
    for axis in axes:
        rows = [
            {**row, **level}
            for row in rows
            for level in ([{axis.path: level} for level in axis.levels] if axis.exists(row) else [{}])
        ]
    yield from rows


def one_at_a_time(axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Return the baseline, named ``base``, and one variant for each other level of each axis, changed alone."""
    return _one_changed(axes, baseline, "base", _named_change)


def leave_one_out(axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Return the full model, which is the baseline, and the full model without each of its parts.

    Every axis has two levels: that of the full model, and the one without the part.
    """
    return _one_changed(axes, baseline, "full", _without)


def add_one_in(axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Return the bare model, which is the baseline, and the bare model with each of the parts added."""
    return _one_changed(axes, baseline, "bare", lambda label, level: f"with {_named_change(label, level)}")


def _one_changed(
    axes: Sequence[Axis], baseline: Mapping[str, Any], name: str, named: Callable[[str, Any], str]
) -> list[Variant]:
    labels = short_names([axis.path for axis in axes])
    start = {axis.path: baseline[axis.path] for axis in axes}
    variants = [Variant(name, start, baseline=True)]
    for axis in axes:
        others = (level for level in axis.levels if not same(level, baseline[axis.path]))
        variants += [Variant(named(labels[axis.path], to), {**start, axis.path: to}, baseline=False) for to in others]
    return variants


def _named_change(label: str, level: Any) -> str:
    return level_name(level) if label == NAMED else f"{label}={level_name(level)}"


def _without(label: str, level: Any) -> str:
    return f"without {label}" if level in ("none", [], {}) else _named_change(label, level)


def fractional(axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Return half of :func:`factorial`: the combinations in which an even number of two-level axes leave the baseline.

    It is the half fraction of highest resolution that contains the baseline; the defining word is the product of
    all two-level axes (G. E. P. Box and J. S. Hunter, "The 2^(k-p) fractional factorial designs", Technometrics 3,
    1961). Axes of more levels are crossed with it. :func:`aliases` lists the effects that it
    cannot separate.
    """
    halved = [axis for axis in axes if len(axis.levels) == 2]

    def in_half(variant: Variant) -> bool:
        return sum(not same(variant.levels[axis.path], baseline[axis.path]) for axis in halved) % 2 == 0

    return [variant for variant in factorial(axes, baseline) if in_half(variant)]


def aliases(axes: Sequence[Axis]) -> list[tuple[str, str]]:
    """List the effects that :func:`fractional` cannot separate: main effects and two-way interactions with their alias.

    With levels coded -1 (baseline) and +1, an effect's contrast over the half fraction equals its alias's, with the
    sign shown: the estimate is the sum of both.
    """
    labels = short_names([axis.path for axis in axes])
    halved = [labels[axis.path] for axis in axes if len(axis.levels) == 2]
    sign = "-" if len(halved) % 2 else ""
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for effect in [*itertools.combinations(halved, 1), *itertools.combinations(halved, 2)]:
        rest = tuple(label for label in halved if label not in effect)
        key = frozenset((" x ".join(effect), " x ".join(rest)))
        pairs.setdefault(key, (" x ".join(effect), sign + " x ".join(rest)))
    return list(pairs.values())


def changed_variant(axes: Sequence[Axis], baseline: Mapping[str, Any], changed: Container[str]) -> Variant:
    """Return the variant of a path with the target's level of the changed axes, and the baseline's of the others.

    Every axis has two levels. The ends of the path are named ``base`` and ``target``, other variants after their
    changes (``"layers=2, tau=0.8"``).
    """
    labels = short_names([axis.path for axis in axes])
    others = {axis.path: next((x for x in axis.levels if not same(x, baseline[axis.path])), None) for axis in axes}
    changes = [path for path in others if path in changed]
    name = ", ".join(_named_change(labels[path], others[path]) for path in changes) or "base"
    levels = {path: others[path] if path in changed else baseline[path] for path in others}
    return Variant("target" if len(changes) == len(axes) else name, levels, baseline=not changes)


def path_ends(axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Return the two ends of a path: the baseline, and the target with the other level of every axis."""
    return [changed_variant(axes, baseline, changed) for changed in ((), [axis.path for axis in axes])]


#: The designs by name. ``search`` and ``path`` start with what they compare with: the other variants are chosen while
#: the study runs.
DESIGNS: dict[str, Callable[[Sequence[Axis], Mapping[str, Any]], list[Variant]]] = {
    "factorial": factorial,
    "one_at_a_time": one_at_a_time,
    "leave_one_out": leave_one_out,
    "add_one_in": add_one_in,
    "fractional": fractional,
    "search": lambda axes, baseline: [chosen_variant(axes, baseline, baseline)],
    "path": path_ends,
}
#: Designs that choose their variants while the study runs.
ADAPTIVE = ("search", "path")
#: Designs whose axes have two levels each, one of them the baseline's.
OF_PARTS = ("leave_one_out", "add_one_in")


def chosen_variant(axes: Sequence[Axis], levels: Mapping[str, Any], baseline: Mapping[str, Any]) -> Variant:
    """Return the variant with these levels, without the axes that do not exist under them."""
    labels = short_names([axis.path for axis in axes])
    existing: dict[str, Any] = {}
    for axis in axes:
        if axis.exists(existing):
            existing[axis.path] = levels[axis.path]
    return Variant(full_name(existing, labels), existing, is_baseline(existing, baseline))


def is_baseline(levels: Mapping[str, Any], baseline: Mapping[str, Any]) -> bool:
    """Check whether every level is the baseline's."""
    return all(same(baseline[path], level) for path, level in levels.items())


def full_name(levels: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Return a variant's name, made of all its levels."""
    return ", ".join(_named_change(labels[path], level) for path, level in levels.items()) or "base"
