"""The variants and runs behind the numbers of a table: names, baseline, and paired or independent replicates."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.errors import UnknownName, UsageError
from ablate.names import level_name, same, short_names
from ablate.study.design import Variant
from ablate.study.judge.columns import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.study.judge.observations import Levels, Observations

#: Variants are paired if at least this share of the replicates of the smaller one has the same labels in both.
SHARED = 0.5
#: With more variants than this, the correction for their comparisons costs much power.
MANY = 50


@dataclasses.dataclass(frozen=True)
class JudgedRun:
    """One variant in one replicate.

    Attributes:
        variant: its name.
        replicate: from 0; with independent replicates it means nothing across variants.
        label: the replicate's label in the table.
        values: of each metric that has any, the numbers of its samples.
    """

    variant: str
    replicate: int
    label: str
    values: Mapping[str, tuple[float, ...]]


@dataclasses.dataclass(frozen=True)
class JudgedRuns:
    """The variants and runs of a table.

    Attributes:
        variants: in the order of the table.
        runs: by variant and replicate. With paired replicates every variant has every one, with or without values.
        paired: whether equal labels are one replicate of all variants.
        notes: what a reader should know, one line each.
    """

    variants: tuple[Variant, ...]
    runs: tuple[JudgedRun, ...]
    paired: bool
    notes: tuple[str, ...]

    @property
    def baseline(self) -> Variant:
        """The variant that the others are compared with."""
        return next(variant for variant in self.variants if variant.baseline)

    @property
    def count(self) -> int:
        """The number of replicates of the variant that has most."""
        return 1 + max(run.replicate for run in self.runs)

    def facts(self) -> dict[str, Any]:
        """Return what a judged study keeps of its runs, as plain data: the pairing, and the labels of replicates."""
        labels: dict[str, list[str]] = {}
        for run in self.runs:
            labels.setdefault(run.variant, []).append(run.label)
        return {"paired": self.paired, "replicates": labels}


def judged_runs(found: Observations, baseline: Sequence[str], source: str, replicate: str) -> JudgedRuns:
    """Return the variants and runs of a table's numbers.

    Args:
        found: the numbers.
        baseline: the name or the level of the baseline, or ``axis=level`` for each axis; empty for the first variant.
        source: the name of the table, for messages.
        replicate: the column with the labels of replicates; empty without one.

    Raises:
        UnknownName: no variant has the name of the baseline, with a suggestion.
        UsageError: the baseline is ambiguous.
    """
    places = [*found.values, *found.empty]
    names = variant_names(found.axes, list(dict.fromkeys(levels for levels, *_ in places)))
    base = find_baseline(names, found.axes, baseline, source)
    labels: dict[Levels, list[Any]] = {levels: [] for levels in names}
    for levels, label, *_ in places:
        if label not in labels[levels]:
            labels[levels].append(label)
    # a single replicate can be tested in neither way, so it decides nothing unless all variants have one
    deciding = [levels for levels in names if len(labels[levels]) > 1] or list(names)
    unshared = [names[levels] for levels in deciding if not _shares(labels[levels], labels[base])]
    paired = bool(replicate) and not unshared and len(names) > 1
    numbers = _numbers(labels, paired=paired)
    values: dict[tuple[Levels, Any], dict[str, dict[Any, float]]] = {}
    for (levels, label, metric, sample), value in found.values.items():
        values.setdefault((levels, label), {}).setdefault(metric, {})[sample] = value
    runs = [
        JudgedRun(names[levels], number, str(label), _samples(values.get((levels, label), {})))
        for levels, own in numbers.items()
        for label, number in own.items()
    ]
    variants = [
        Variant(names[levels], dict(zip(found.axes, levels, strict=True)), levels == base)
        for levels in _in_order(list(names))
    ]
    lines = [*_pairing(names, labels, unshared, replicate, paired=paired), *_few(names, labels)]
    if not baseline:
        lines.insert(0, f"baseline: {names[base]}, the first variant; to choose another one: --baseline")
    return JudgedRuns(tuple(variants), tuple(runs), paired, tuple(lines))


def _samples(values: Mapping[str, Mapping[Any, float]]) -> dict[str, tuple[float, ...]]:
    return {metric: tuple(own[key] for key in _ordered(list(own))) for metric, own in values.items()}


def variant_names(axes: Sequence[str], variants: Sequence[Levels]) -> dict[Levels, str]:
    """Return the name of each variant: its level for a single axis of text, otherwise ``axis=level`` for each axis."""
    if len(axes) == 1 and all(isinstance(levels[0], str) for levels in variants):
        return {levels: levels[0] for levels in variants}
    labels = short_names(axes)
    return {
        levels: ", ".join(f"{labels[axis]}={_level(level)}" for axis, level in zip(axes, levels, strict=True))
        for levels in variants
    }


def _in_order(variants: Sequence[Levels]) -> list[Levels]:
    """Return variants by their levels: numbers in increasing order, others in the order of the table."""
    ranks = [
        {level: rank for rank, level in enumerate(_ordered(list(dict.fromkeys(own))))}
        for own in zip(*variants, strict=True)
    ]
    return sorted(variants, key=lambda levels: [rank[level] for rank, level in zip(ranks, levels, strict=True)])


def _level(level: Any) -> str:
    # unlike the level of a study file, a path keeps its folders: two variants may differ in nothing else
    return level if isinstance(level, str) else level_name(level)


def find_baseline(names: Mapping[Levels, str], axes: Sequence[str], wanted: Sequence[str], source: str) -> Levels:
    """Return the levels of the baseline; see :func:`judged_runs`."""
    if not wanted:
        return next(iter(names))
    by_name = {name: levels for levels, name in names.items()}
    if len(wanted) == 1 and wanted[0] in by_name:
        return by_name[wanted[0]]
    parts = [part.strip() for text in wanted for part in text.split(", ")]
    pairs = [_pair(part, axes) for part in parts]
    found = [levels for levels in names if all(_fits(pair, axes, levels) for pair in pairs)]
    if len(found) == 1:
        return found[0]
    text = ", ".join(wanted)
    if not found:
        raise UnknownName("baseline", text, names.values(), where=f"in {source}")
    raise UsageError(
        f"--baseline {text} fits {len(found)} variants ({listed(names[levels] for levels in found)}); give --baseline "
        "AXIS=LEVEL for each axis"
    )


def _pair(part: str, axes: Sequence[str]) -> tuple[str, str]:
    """Return an axis with the text of a level; the axis is empty if the text names none."""
    labels = short_names(axes)
    axis, sign, level = part.partition("=")
    known = next((path for path in axes if axis.strip() in (path, labels[path])), "")
    return (known, level.strip()) if sign and known else ("", part)


def _fits(pair: tuple[str, str], axes: Sequence[str], levels: Levels) -> bool:
    axis, text = pair
    return any(
        _level(level) == text or same(level, _as_number(text))
        for path, level in zip(axes, levels, strict=True)
        if axis in ("", path)
    )


def _as_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _shares(own: Sequence[Any], base: Sequence[Any]) -> bool:
    return len(set(own) & set(base)) >= SHARED * min(len(own), len(base))


def _ordered(labels: Sequence[Any]) -> list[Any]:
    """Return labels in increasing order if they are numbers, otherwise as they are."""
    numeric = all(isinstance(label, int | float) for label in labels)
    return sorted(labels) if numeric else list(labels)


def _numbers(labels: Mapping[Levels, Sequence[Any]], *, paired: bool) -> dict[Levels, dict[Any, int]]:
    """Return the number of each replicate by its label, for each variant; paired ones have one number everywhere."""
    if not paired:
        return {levels: {label: n for n, label in enumerate(_ordered(own))} for levels, own in labels.items()}
    union = _ordered(list(dict.fromkeys(label for own in labels.values() for label in own)))
    # replicates that every variant has come first
    complete = [label for label in union if all(label in own for own in labels.values())]
    ordered = [*complete, *(label for label in union if label not in complete)]
    return {levels: {label: n for n, label in enumerate(ordered)} for levels in labels}


def _pairing(
    names: Mapping[Levels, str],
    labels: Mapping[Levels, Sequence[Any]],
    unshared: Sequence[str],
    replicate: str,
    *,
    paired: bool,
) -> Iterator[str]:
    """Yield whether replicates are paired and why, and which are missing."""
    if len(names) < 2:
        yield "one variant only: there is nothing to compare it with"
        return
    if paired:
        union = list(dict.fromkeys(label for own in labels.values() for label in own))
        yield f"paired: equal values of {replicate} are one replicate of all variants ({listed(_ordered(union))})"
        without = {
            names[levels]: [label for label in _ordered(union) if label not in own] for levels, own in labels.items()
        }
        missing = [f"{name} has no {replicate} {listed(labels)}" for name, labels in without.items() if labels]
        if missing:
            yield f"{'; '.join(missing)}: each comparison uses the replicates that all of its variants have"
        return
    counts = {len(own) for own in labels.values()}
    unequal = f"; variants have {min(counts)} to {max(counts)} replicates" if len(counts) > 1 else ""
    if not replicate:
        yield f"not paired: no column names the replicates, so each row is one (to choose: --replicate){unequal}"
        return
    yield f"not paired: {listed(unshared)} and the baseline have other values of {replicate}{unequal}"


def _few(names: Mapping[Levels, str], labels: Mapping[Levels, Sequence[Any]]) -> Iterator[str]:
    """Yield lines about too few replicates, and too many variants."""
    single = [names[levels] for levels, own in labels.items() if len(own) == 1]
    if len(single) == len(names):
        yield "one replicate only: no difference can be tested; add results with other seeds"
    elif single:
        yield f"one replicate only of {listed(single)}: no difference from it can be tested"
    if len(names) > MANY:
        yield (
            f"{len(names)} variants: every p is corrected for all {len(names) - 1} comparisons with "
            "the baseline, which costs power; judge fewer variants if you can choose them without their results"
        )
