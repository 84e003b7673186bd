"""The comparisons of two variants, or of two studies, paired or not."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from ablate.report.statistics import effects
from ablate.report.statistics.comparisons.weights import Weights
from ablate.report.statistics.pairs import unshared
from ablate.report.statistics.pairs.unshared import Between
from ablate.report.statistics.replicates import Replicates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.report.statistics.analysis.analysis import Analysis

_COLUMNS = ["variant", "baseline", "replicate", "sample", "metric", "feature", "value", "unit", "direction"]


def _titles(studies: Sequence[Analysis], names: Sequence[str]) -> list[str]:
    return [f"{name} of {analysis.study.record.name}" for name, analysis in zip(names, studies, strict=True)]


def _in_common(studies: Sequence[Analysis]) -> list[str]:
    """Return the variants, no baselines, that both studies have."""
    names = [[name for name in each.study.names if name != each.study.baseline] for each in studies]
    return [name for name in names[1] if name in names[0]]


def _paired_comparisons(studies: Sequence[Analysis], variants: tuple[str, str] | None) -> Iterator[Weights]:
    """Yield the two variants; or every variant of both studies against its baseline, and those of the same name."""
    if variants:
        names = variants if variants[0] != variants[1] else _titles(studies, variants)
        yield Weights("variant", names[1], names[0], {f"1:{variants[1]}": 1.0, f"0:{variants[0]}": -1.0})
        return
    for index in range(len(studies)):
        yield from _against_own_baseline(studies, index, f"{index}:")
    for name in _in_common(studies):
        one, other = _titles(studies, (name, name))
        yield Weights("contrast", f"{other} - {one}", "", {f"1:{name}": 1.0, f"0:{name}": -1.0})


def _against_own_baseline(studies: Sequence[Analysis], index: int, prefix: str = "") -> Iterator[Weights]:
    study = studies[index].study
    for name in study.names:
        if name != study.baseline:
            weights = {f"{prefix}{name}": 1.0, f"{prefix}{study.baseline}": -1.0}
            yield Weights("variant", f"{name} of {study.record.name}", study.baseline, weights)


def _comparisons_between(studies: Sequence[Analysis], variants: tuple[str, str] | None) -> Iterator[Between]:
    """Yield the two variants; or the variants of the same name, each by its difference from its own baseline."""
    if variants:
        names = variants if variants[0] != variants[1] else _titles(studies, variants)
        yield Between("variant", names[1], names[0], {variants[0]: 1.0}, {variants[1]: 1.0})
        return
    for name in _in_common(studies):
        one, other = _titles(studies, (name, name))
        weights = [{name: 1.0, analysis.study.baseline: -1.0} for analysis in studies]
        yield Between("contrast", f"{other} - {one}, each against its own baseline", "", *weights)


def judge_paired(
    studies: Sequence[Analysis], variants: tuple[str, str] | None, quantities: pd.DataFrame
) -> pd.DataFrame:
    """Judge two variants, or two studies, whose replicates share their seeds: all comparisons of a role as one family.

    Variants are named with the index of their study before their name.
    """
    comparisons = list(_paired_comparisons(studies, variants))
    frames = [
        analysis.study.frame.assign(variant=f"{index}:" + analysis.study.frame["variant"].astype(str))
        for index, analysis in enumerate(studies)
    ]
    replicates = Replicates(pd.concat([frame[_COLUMNS] for frame in frames], ignore_index=True))
    margins = {
        quantity: dataclasses.replace(margin, share_of=margin.share_of and f"0:{margin.share_of}")
        for quantity, margin in studies[0].margins.items()
    }
    frame = effects.judge(replicates, comparisons, margins, studies[0].rules, quantities)
    return frame.assign(paired=True, replicates=frame["n"].astype(str))


def judge_unpaired(
    studies: Sequence[Analysis], variants: tuple[str, str] | None, quantities: pd.DataFrame
) -> pd.DataFrame:
    """Judge the comparisons inside each study (paired), and those between them, each as a family of its own."""
    parts = []
    for index, analysis in enumerate(studies if not variants else ()):
        weights = list(_against_own_baseline(studies, index))
        part = effects.judge(analysis.replicates, weights, analysis.margins, studies[0].rules, quantities)
        parts.append(part.assign(paired=True, replicates=part["n"].astype(str)))
    between = list(_comparisons_between(studies, variants))
    parts.append(unshared.judge_between(studies, between, quantities, studies[0].rules))
    parts = [part for part in parts if not part.empty]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
