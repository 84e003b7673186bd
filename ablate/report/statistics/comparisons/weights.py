"""Comparisons: weighted sums of variants whose weights add up to 0.

Each variant against the baseline; the contrasts that a study names; and main effects and two-way interactions where
axes are crossed.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from ablate.names import level_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.report.data.variants import Variants

#: The kinds of comparisons, in the order of tables.
KINDS = (
    "variant",
    "contrast",
    "step",
    "main effect",
    "interaction",
    "trend",
    "share",
    "dependence",
    "total",
    "rest",
    "add one in",
    "leave one out",
    "prediction",
)
#: With more varied levels than this, main effects and interactions are more than a person would read.
MOST_EFFECTS = 200


@dataclasses.dataclass(frozen=True)
class Weights:
    """One comparison.

    Attributes:
        kind: one of :data:`KINDS`.
        name: for people (``"tau=0.8"``, ``"conditioner=tempo"``, ``"conditioner=tempo x augmenter=tempo"``).
        versus: the other side of the comparison, for people; empty where it has no two sides.
        weights: variant to weight.
        alias: the effect that a fraction cannot separate from this one; empty otherwise.
        only: the quantity that it is compared in; None for all of them.
        slope: whether it is a slope along an axis, which has no margin and no better direction of its own.
    """

    kind: str
    name: str
    versus: str
    weights: Mapping[str, float]
    alias: str = ""
    only: tuple[str, str] | None = None
    slope: bool = False


def against_baseline(variants: Variants) -> Iterator[Weights]:
    """Yield each other variant against the baseline."""
    for name in variants.levels:
        if name != variants.baseline:
            yield Weights("variant", name, variants.baseline, {name: 1.0, variants.baseline: -1.0})


def study_contrasts(contrasts: Mapping[str, Mapping[str, float]], variants: Variants) -> Iterator[Weights]:
    """Yield the contrasts of a study file, except those whose variants are missing."""
    for name, weights in contrasts.items():
        if all(variant in variants.levels for variant in weights):
            yield Weights("contrast", name, "", {variant: float(weight) for variant, weight in weights.items()})


def factorial_effects(variants: Variants, labels: Mapping[str, str], aliases: Mapping[str, str]) -> Iterator[Weights]:
    """Yield the main effects and two-way interactions of a crossed design, each level against the baseline's level.

    A main effect is the change that a level causes, averaged over all combinations of the other axes. An interaction is
    the difference of such a change between two levels of another axis, averaged likewise. In a half fraction, each is
    the sum of an effect and its alias.

    Args:
        variants: every combination of the levels, or half of them.
        labels: the short names of the axes.
        aliases: of a half fraction, effect to alias, by those names; empty for a full design.
    """
    names = {
        path: [f"{labels[path]}={level_name(level)}" for level in variants.axis_levels(path)] for path in variants.axes
    }
    if sum(len(levels) - 1 for levels in names.values()) > MOST_EFFECTS:
        return
    if aliases and 2 * len(variants.levels) != math.prod(map(len, names.values())):
        return  # less than half a factorial
    aliases = _both_directions(aliases)
    single = [(path, level) for path, levels in names.items() for level in range(1, len(levels))]
    for path, level in single:
        weights = _product_weights(variants, {path: level}, fraction=bool(aliases))
        if weights:
            versus = names[path][0]
            yield Weights("main effect", names[path][level], versus, weights, aliases.get(labels[path], ""))
    for (one, a), (other, b) in itertools.combinations(single, 2):
        weights = _product_weights(variants, {one: a, other: b}, fraction=bool(aliases)) if one != other else {}
        if weights:
            pair = f"{labels[one]} x {labels[other]}"
            yield Weights("interaction", f"{names[one][a]} x {names[other][b]}", "", weights, aliases.get(pair, ""))


def _both_directions(aliases: Mapping[str, str]) -> dict[str, str]:
    """Add the effect of each alias as the alias of that alias; the sign is the same."""
    signs = {effect: "-" if alias.startswith("-") else "" for effect, alias in aliases.items()}
    return {**{alias.removeprefix("-"): signs[effect] + effect for effect, alias in aliases.items()}, **aliases}


def _product_weights(variants: Variants, effect: Mapping[str, int], *, fraction: bool) -> dict[str, float]:
    """Return the weights of an effect of some axes, averaged over the others; empty if combinations are missing.

    ``effect`` maps each axis to the index of a level; index 0 is the baseline's level. With levels coded +1 (that
    level), -1 (baseline) and left out otherwise, the weight of a variant is the product of its codes.
    """
    indices = {path: variants.axis_levels(path) for path in effect}
    weights: dict[str, float] = {}
    blocks: dict[tuple[tuple[str, str], ...], collections.Counter[tuple[int, ...]]] = {}
    for name, levels in variants.levels.items():
        code = tuple(indices[path].index(levels[path]) if path in levels else -1 for path in effect)
        if all(index in (0, level) for index, level in zip(code, effect.values(), strict=True)):
            weights[name] = float(np.prod([1 if index else -1 for index in code]))
            # a half fraction is balanced only as a whole, not in every combination of the other axes
            block = () if fraction else _other_levels(variants, name, effect)
            blocks.setdefault(block, collections.Counter())[code] += 1
    codes = 2 ** len(effect)
    if not weights or any(len(block) < codes or len(set(block.values())) > 1 for block in blocks.values()):
        return {}
    times = len(weights) / codes
    return {name: weight / times for name, weight in weights.items()}


def _other_levels(variants: Variants, name: str, effect: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple((path, repr(level)) for path, level in variants.levels[name].items() if path not in effect)
