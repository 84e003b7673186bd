"""The steps of a path: each variant that it has reached, against the one before."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

from ablate.names import level_name, same
from ablate.report.statistics.comparisons.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.report.data.variants import Variants

#: The kind of the steps.
STEP = "step"


@dataclasses.dataclass(frozen=True)
class Path:
    """A path from the baseline to a target, as far as it has come.

    Attributes:
        taken: the variants that it has reached, in order, the baseline first.
        changes: the change of each step, for people; one fewer than ``taken``.
        rounds: for each step, the variants that it was chosen from, in the order of the axes.
        target: the name of the variant at its end.
        left: the number of changes that are left.
    """

    taken: tuple[str, ...]
    changes: tuple[str, ...]
    rounds: tuple[tuple[str, ...], ...]
    target: str
    left: int


def path_of(spec: Mapping[str, Any], variants: Variants, labels: Mapping[str, str]) -> Path | None:
    """Return the path of a study; None for other designs.

    Args:
        spec: the study as plain data; ``path.taken`` has the variants that the path has reached.
        variants: the variants with their levels; every one has a level of each axis.
        labels: the short names of the axes.
    """
    if spec.get("design") != "path":
        return None
    levels, base = variants.levels, variants.baseline
    taken = tuple(name for name in (spec.get("path") or {}).get("taken") or (base,) if name in levels)
    steps = [_changed(levels[one], levels[other]) for one, other in itertools.pairwise(taken)]
    changes = [", ".join(_change(labels[path], level) for path, level in step.items()) for step in steps]
    rounds = [tuple(name for name in levels if len(_changed(levels[one], levels[name])) == 1) for one in taken[:-1]]
    forward = [_forward(levels, base, one, names) for one, names in zip(taken, rounds, strict=False)]
    target = max(levels, key=lambda name: len(_changed(levels[base], levels[name])))
    left = len(_changed(levels[taken[-1]], levels[target]))
    return Path(taken, tuple(changes), tuple(forward), target, left)


def _forward(levels: Mapping[str, Mapping[str, Any]], base: str, one: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the neighbours of a variant that are one change further from the baseline."""
    away = len(_changed(levels[base], levels[one]))
    return tuple(name for name in names if len(_changed(levels[base], levels[name])) > away)


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the levels of the second variant in which it differs from the first."""
    return {path: level for path, level in other.items() if not same(level, one[path])}


def _change(label: str, level: Any) -> str:
    return level_name(level) if label == "variants" else f"{label}={level_name(level)}"


def path_steps(path: Path, baseline: str) -> Iterator[Weights]:
    """Yield the target against the baseline, and each step of the path.

    All of them are one family. Every change is one step, so however the order was chosen from the same results, the
    family contains the best-looking change of the first round, and pays for that choice; see
    docs/explanation/statistics/blocks-and-paths.md.
    """
    yield Weights("variant", path.target, baseline, {path.target: 1.0, baseline: -1.0})
    for change, before, after in zip(path.changes, path.taken, path.taken[1:], strict=False):
        yield Weights(STEP, change, before, {after: 1.0, before: -1.0})
