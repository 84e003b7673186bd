"""Attribution: the difference between the bare and the full model, shared among the parts that are on or off.

A part is an axis of two levels, off at the baseline's level and on at the other one, or a name in the study's
``[parts]``. The bare model has no part on, the full model has all of them. The share of a part is its Shapley value (L.
S. Shapley, "A value for n-person games", 1953): the change that the part causes when it is added, averaged over every
order in which the parts can be added one after another. A share is a weighted sum of variants, so it is computed in
each replicate and judged like any other comparison; the shares add up to the total in every replicate.
"""

from __future__ import annotations

import collections
import dataclasses
from fractions import Fraction
from typing import TYPE_CHECKING

from ablate.names import level_name, same
from ablate.report.statistics.comparisons.shapley import (
    added,
    combinations,
    main_effect,
    product,
    shapley,
    total_difference,
)
from ablate.report.statistics.comparisons.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.report.data.variants import Variants
    from ablate.report.statistics.comparisons.shapley import On, Sums

#: The path of the axis of named variants.
NAMED = "variants"
#: With fewer parts there is nothing to share.
FEWEST = 2
#: With more parts than this, 2**parts variants are more than a study has.
MOST = 12
#: A half fraction of fewer parts cannot separate one two-way interaction from another.
FEWEST_FOR_PAIRS = 5

SHARE, TOTAL, REST, FIRST, LAST, DEPENDENCE = (
    "share",
    "total",
    "rest",
    "add one in",
    "leave one out",
    "dependence",
)


@dataclasses.dataclass(frozen=True)
class Part:
    """Something that is on or off: its name for people, and its short name in aliases."""

    name: str
    label: str


@dataclasses.dataclass(frozen=True)
class Layout:
    """The combinations of parts that a study has.

    Attributes:
        parts: in the order of the study file.
        cells: the parts that are on to the variants with this combination, one for each combination of the other axes'
            levels.
        over: the short names of the other axes, over whose levels the values are averaged.
        left_out: the number of variants with parts that belong to no complete set of combinations.
    """

    parts: tuple[Part, ...]
    cells: Mapping[On, tuple[str, ...]]
    over: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def half(self) -> bool:
        """True if the study has half of the combinations: those with an even number of parts on."""
        return bool(self.cells) and len(self.cells) < 2 ** len(self.parts)

    @property
    def bare(self) -> str:
        """The name of the bare model; empty if it is an average over other axes."""
        return self._single(frozenset())

    @property
    def full(self) -> str:
        """The name of the full model; empty if it was not run, or is an average over other axes."""
        return self._single(frozenset(range(len(self.parts))))

    @property
    def ends(self) -> str:
        """The bare and the full model in words; their names if these are short."""
        if not self.bare or not self.full or "," in f"{self.bare}{self.full}":
            return "the bare and the full model"
        return f"{self.bare} and {self.full}"

    def _single(self, on: On) -> str:
        names = self.cells.get(on, ())
        return names[0] if len(names) == 1 else ""


def layout(
    variants: Variants, labels: Mapping[str, str], declared: Mapping[str, Sequence[str]], *, crossed: bool = True
) -> Layout:
    """Return the parts of a study and the combinations of them that it has.

    Args:
        variants: the variants with their levels.
        labels: the short names of the axes.
        declared: ``[parts]`` of the study file: named variant to the parts that it has; a named variant that is
            missing has no place in the attribution.
        crossed: whether the design crosses its axes; otherwise only named variants have parts.

    Returns:
        The parts with their variants. ``cells`` is empty if the study lacks combinations, or has fewer than
        :data:`FEWEST` or more than :data:`MOST` parts.
    """
    own = [path for path in variants.axes if not (path == NAMED and declared)]
    paths = [path for path in own if crossed and _on_or_off(variants, path)]
    names = list(dict.fromkeys(name for parts in declared.values() for name in parts))
    parts = [Part(name, name) for name in names] + [_part(variants, path, labels[path]) for path in paths]
    over = [path for path in own if path not in paths]
    if not FEWEST <= len(parts) <= MOST:
        return Layout(tuple(parts), {})
    blocks: dict[str, dict[On, str]] = collections.defaultdict(dict)
    for name, levels in variants.levels.items():
        if declared and levels.get(NAMED) not in declared:
            continue
        on = {names.index(part) for part in declared.get(levels.get(NAMED, ""), ())}
        on |= {
            len(names) + place
            for place, path in enumerate(paths)
            if not same(levels[path], variants.axis_levels(path)[0])
        }
        blocks[repr([levels.get(path) for path in over])][frozenset(on)] = name
    return _complete(tuple(parts), list(blocks.values()), tuple(labels[path] for path in over))


def _on_or_off(variants: Variants, path: str) -> bool:
    """Check whether an axis has two levels and exists in every variant."""
    return len(variants.axis_levels(path)) == 2 and all(path in levels for levels in variants.levels.values())


def _part(variants: Variants, path: str, label: str) -> Part:
    on = level_name(variants.axis_levels(path)[1])
    return Part(on, on) if path == NAMED else Part(f"{label}={on}", label)


def _complete(parts: tuple[Part, ...], blocks: list[dict[On, str]], over: tuple[str, ...]) -> Layout:
    """Return the blocks that have every combination, or else those that have the half with an even number on."""
    every = set(combinations(len(parts)))
    halves = {on for on in every if len(on) % 2 == 0} if len(parts) > FEWEST else every
    wanted = next((need for need in (every, halves) if any(set(block) == need for block in blocks)), every)
    complete = [block for block in blocks if set(block) == wanted]
    left_out = sum(len(block) for block in blocks if set(block) != wanted)
    cells = {on: tuple(block[on] for block in complete) for on in combinations(len(parts)) if on in wanted}
    return Layout(parts, cells if complete else {}, over, left_out)


def attribution(study: Layout) -> Iterator[Weights]:
    """Yield the shares of the parts and everything that explains them; nothing without complete combinations.

    - ``share``: the Shapley value of each part; in a half fraction its main effect;
    - ``total``: the full model minus the bare one; the sum of the shares if the full model was not run;
    - ``rest``: in a half fraction of six or more parts, the total minus the shares;
    - ``add one in``: the bare model with the part, minus the bare model;
    - ``leave one out``: the full model, minus the full model without the part;
    - ``dependence``: the second of these minus the first, 0 for a part that interacts with no other; of two parts, one
      comparison for both.

    All have the same variants, some with weight 0, so that all are computed in the same replicates. In a half fraction
    of fewer than five parts the last three cannot be computed, and with more they hold without interactions of three
    or more parts.
    """
    if not study.cells:
        return
    count = len(study.parts)
    shares = [main_effect(count, part) if study.half else shapley(count, part) for part in range(count)]
    total = added(shares) if study.half and count % 2 else total_difference(count)
    for part, share in zip(study.parts, shares, strict=True):
        yield _weights(study, SHARE, part.name, share, _alias(study, part))
    yield _weights(study, TOTAL, study.full or "all parts", total, versus=study.bare or "no part")
    rest = added([total, *({on: -weight for on, weight in share.items()} for share in shares)])
    if any(rest.values()):
        yield _weights(study, REST, "interactions of three or more parts", rest)
    if study.half and count < FEWEST_FOR_PAIRS:
        return
    for place, part in enumerate(study.parts):
        first, last = _alone(study, place, -1), _alone(study, place, 1)
        yield _weights(study, FIRST, part.name, first)
        yield _weights(study, LAST, part.name, last)
        if place or count > FEWEST:
            name = part.name if count > FEWEST else both(study)
            yield _weights(study, DEPENDENCE, name, added([last, {on: -w for on, w in first.items()}]))


def both(study: Layout) -> str:
    """Return the name of the dependence of two parts on each other, which is one comparison."""
    return " x ".join(part.name for part in study.parts)


def pair_weights(study: Layout, one: int, other: int) -> dict[str, float]:
    """Return the weights of the interaction of two parts, averaged over the other parts."""
    return _by_variant(study, product(list(study.cells), (one, other)))


def _alone(study: Layout, part: int, sign: int) -> dict[On, Fraction]:
    """Return the weights of a part's effect without any other part (sign -1), or with all others (sign +1)."""
    count = len(study.parts)
    if not study.half:
        others = frozenset(range(count)) - {part} if sign > 0 else frozenset()
        return {others | {part}: Fraction(1), others: Fraction(-1)}
    cells = list(study.cells)
    pairs = [product(cells, (part, other)) for other in range(count) if other != part]
    half = [{on: sign * weight / 2 for on, weight in pair.items()} for pair in pairs]
    return added([product(cells, (part,)), *half])


def _alias(study: Layout, part: Part) -> str:
    """Return what a half fraction mixes with a main effect."""
    if not study.half:
        return ""
    return "-" * (len(study.parts) % 2) + " x ".join(other.label for other in study.parts if other != part)


def _weights(study: Layout, kind: str, name: str, sums: Sums, alias: str = "", versus: str = "") -> Weights:
    return Weights(kind, name, versus, _by_variant(study, sums), alias)


def _by_variant(study: Layout, sums: Sums) -> dict[str, float]:
    """Spread the weight of each combination over its variants; combinations without weight have weight 0."""
    return {name: float(sums.get(on, 0) / Fraction(len(names))) for on, names in study.cells.items() for name in names}
