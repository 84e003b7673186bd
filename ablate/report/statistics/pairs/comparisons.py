"""The comparisons of two variants, or of two studies, paired or not.

A comparison inside one study is that of its report, with the same families, so that no two commands give two answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.statistics import effects, ranges
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.comparisons.weights import Weights
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.statistics.pairs import unshared
from ablate.report.statistics.pairs.unshared import Between
from ablate.report.statistics.replicates import Replicates
from ablate.report.statistics.rows import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLUMNS = ["variant", "baseline", "replicate", "sample", "metric", "feature", "value", "unit", "direction"]
_OPPOSITE = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}


def _titles(studies: Sequence[Analysis], names: Sequence[str]) -> list[str]:
    return [f"{name} of {analysis.study.record.name}" for name, analysis in zip(names, studies, strict=True)]


def _in_common(studies: Sequence[Analysis]) -> list[str]:
    """Return the variants, no baselines, that both studies have."""
    names = [[name for name in each.study.names if name != each.study.baseline] for each in studies]
    return [name for name in names[1] if name in names[0]]


def judge_in_study(analysis: Analysis, variants: tuple[str, str], quantities: pd.DataFrame) -> pd.DataFrame:
    """Return the comparison of two variants of one study, as its report makes it, or as if it made it too."""
    one, other = variants
    baseline = analysis.study.baseline
    if baseline in variants:
        name = other if one == baseline else one
        frame = analysis.all_effects
        frame = frame[(frame["kind"] == "variant") & (frame["comparison"] == name)]
        frame = frame if one == baseline else _opposite(frame, one, other)
    else:
        frame = analysis.all_effects.iloc[:0]
    if frame.empty:  # a path compares only some of its variants with the baseline
        asked = Weights("contrast", other, one, {other: 1.0, one: -1.0})
        frame = Analysis(analysis.study, analysis.registry, [asked]).all_effects
        frame = frame[(frame["comparison"] == other) & (frame["versus"] == one) & (frame["kind"] == "contrast")]
    return _counted(_of(frame, quantities))


def _of(frame: pd.DataFrame, quantities: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of these quantities, in their order."""
    wanted = keys_of(quantities)
    frame = frame[np.array([key in wanted for key in keys_of(frame)], dtype=bool)]
    order = np.argsort([wanted.index(key) for key in keys_of(frame)], kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def _opposite(frame: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Return comparisons of ``one`` with ``other`` the other way round."""
    low, high = frame["p_better_low"], frame["p_better_high"]
    return frame.assign(
        comparison=other,
        versus=one,
        difference=-frame["difference"],
        low=-frame["high"],
        high=-frame["low"],
        effect=-frame["effect"],
        p_better=1 - frame["p_better"],
        p_better_low=1 - high,
        p_better_high=1 - low,
        verdict=frame["verdict"].replace(_OPPOSITE),
        values=[_negative(each) for each in frame["values"]],
    )


def _negative(values: Any) -> Any:
    return Groups(values.values, -values.weights, values.estimate) if isinstance(values, Groups) else -values


def _counted(frame: pd.DataFrame, *, between: bool = False) -> pd.DataFrame:
    """Add the numbers of replicates, as text, whether they are paired, and whether two studies are compared."""
    independent = [isinstance(each, Groups) for each in frame["values"]]
    sizes = [
        " + ".join(map(str, reversed(values.sizes))) if own else str(n)
        for values, own, n in zip(frame["values"], independent, frame["n"], strict=True)
    ]
    return frame.assign(paired=[not own for own in independent], between=between, replicates=sizes)


def _between_paired(studies: Sequence[Analysis], variants: tuple[str, str] | None) -> Iterator[Weights]:
    """Yield the two variants, or those of the same name."""
    if variants:
        names = variants if variants[0] != variants[1] else _titles(studies, variants)
        yield Weights("variant", names[1], names[0], {f"1:{variants[1]}": 1.0, f"0:{variants[0]}": -1.0})
        return
    for name in _in_common(studies):
        one, other = _titles(studies, (name, name))
        yield Weights("contrast", f"{other} - {one}", "", {f"1:{name}": 1.0, f"0:{name}": -1.0})


def _inside(studies: Sequence[Analysis], quantities: pd.DataFrame) -> list[pd.DataFrame]:
    """Return every variant of each study against the baseline of its own, as in the study's report."""
    frames = []
    for analysis in studies:
        frame = _of(analysis.against_baseline, quantities)
        named = [f"{name} of {analysis.study.record.name}" for name in frame["comparison"]]
        frames.append(_counted(frame.assign(comparison=named)))
    return frames


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


def _joined(studies: Sequence[Analysis], *, paired: bool) -> Replicates:
    """Return the replicates of both studies, variants named with the index of their study before their name."""
    frames = [
        analysis.study.frame.assign(variant=f"{index}:" + analysis.study.frame["variant"].astype(str))
        for index, analysis in enumerate(studies)
    ]
    return Replicates(pd.concat([frame[_COLUMNS] for frame in frames], ignore_index=True), paired=paired)


def judge_paired(
    studies: Sequence[Analysis], variants: tuple[str, str] | None, quantities: pd.DataFrame
) -> pd.DataFrame:
    """Judge two variants, or two studies, whose replicates share their seeds.

    Comparisons inside a study are those of its report; those between the studies are a family of their own.
    """
    margins = {
        quantity: margin if not margin.share_of else type(margin)(margin.size, f"0:{margin.share_of}")
        for quantity, margin in studies[0].margins.items()
    }
    comparisons = list(_between_paired(studies, variants))
    frame = effects.judge(_joined(studies, paired=True), comparisons, margins, studies[0].rules, quantities)
    frame = ranges.cut_differences(frame, comparisons, studies[0].study.shares)
    return _together([*(_inside(studies, quantities) if not variants else []), _counted(frame)])


def judge_unpaired(
    studies: Sequence[Analysis], variants: tuple[str, str] | None, quantities: pd.DataFrame
) -> pd.DataFrame:
    """Judge the comparisons between two studies whose replicates share nothing, as a family of their own.

    Comparisons inside a study are those of its report.
    """
    between = list(_comparisons_between(studies, variants))
    if all(analysis.study.paired for analysis in studies):
        frame = unshared.judge_between(studies, between, quantities, studies[0].rules)
        frame = frame.assign(between=True) if len(frame) else frame
    else:
        comparisons = [
            Weights(
                each.kind,
                each.name,
                each.versus,
                {f"1:{name}": weight for name, weight in each.other.items()}
                | {f"0:{name}": -weight for name, weight in each.one.items()},
            )
            for each in between
        ]
        frame = _counted(
            effects.judge(_joined(studies, paired=False), comparisons, {}, studies[0].rules, quantities), between=False
        )
    return _together([*(_inside(studies, quantities) if not variants else []), frame])


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    frames = [frame for frame in frames if not frame.empty]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
