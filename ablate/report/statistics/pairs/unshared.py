"""Two studies whose replicates share no seeds: replicate k of one does not belong to replicate k of the other.

A random stream derives from the study's seed, the replicate and the purpose. With equal seeds, replicate k of both
studies has the same initial weights, windows and uniform numbers wherever possible, so differences are computed inside
each replicate. With other seeds nothing is shared: the replicates of each study are a group of their own, and the
groups are compared.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.statistics import verdicts
from ablate.report.statistics.inference.unpaired import two_sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.settings import StatisticsSettings


@dataclasses.dataclass(frozen=True)
class Between:
    """A comparison of a variant of each study.

    Attributes:
        kind: ``variant``, or ``contrast`` for a difference of two differences.
        name: for people.
        versus: the other side, for people; empty for a contrast.
        one: the weights of variants of the first study, which are a value in each of its replicates.
        other: the weights of variants of the second study.
    """

    kind: str
    name: str
    versus: str
    one: Mapping[str, float]
    other: Mapping[str, float]


def judge_between(
    studies: Sequence[Analysis], comparisons: Sequence[Between], quantities: pd.DataFrame, rules: StatisticsSettings
) -> pd.DataFrame:
    """Judge comparisons between two studies that share no seeds.

    The comparisons of each role are one family. Two groups are never called equivalent: margins are for paired
    differences.

    Args:
        studies: the two studies.
        comparisons: what to compare.
        quantities: columns ``metric``, ``feature``, ``unit``, ``direction``, ``role``.
        rules: the statistics.

    Returns:
        The columns of :func:`ablate.report.statistics.effects.judge`; ``n`` counts the replicates of both groups, and
        ``replicates`` names both numbers (``"8 + 6"``).
    """
    rows = [row for quantity in quantities.to_dict("records") for row in _rows(studies, comparisons, quantity)]
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    frame[["level", "margin", "p_equivalent"]] = np.nan
    for _, part in frame.groupby("role", sort=False):
        one, other = (np.stack(part[side].to_list()) for side in ("one", "other"))
        found = two_sample(one, other, rules.estimate)
        for column in ("difference", "low", "high", "effect", "p"):
            frame.loc[part.index, column] = getattr(found, column)
        frame.loc[part.index, "p_adjusted"] = found.adjusted
        frame.loc[part.index, "family"] = int((~np.isnan(found.p)).sum())
    frame["family"] = frame["family"].astype("int64")
    frame["verdict"] = [verdicts.decide(row, rules.alpha) for row in frame.to_dict("records")]
    return frame.drop(columns=["one", "other"])


def _rows(studies: Sequence[Analysis], comparisons: Sequence[Between], quantity: Mapping[Any, Any]) -> list[Any]:
    rows = []
    for each in comparisons:
        key = (quantity["metric"], quantity["feature"])
        one, other = (
            analysis.replicates.differences(*key, weights)
            for analysis, weights in zip(studies, (each.one, each.other), strict=True)
        )
        counts = [int((~np.isnan(group)).sum()) for group in (one, other)]
        if not all(counts):
            continue
        both = np.concatenate([one, other])
        rows.append(
            {
                "kind": each.kind,
                "comparison": each.name,
                "versus": each.versus,
                "alias": "",
                **quantity,
                "n": sum(counts),
                "replicates": " + ".join(map(str, counts)),
                "paired": False,
                "margin_of": "",
                # 0 everywhere if all replicates of both groups have one value
                "values": both - both[~np.isnan(both)][0],
                "one": one,
                "other": other,
            }
        )
    return rows


def sentence(row: Mapping[str, Any], quantity: str) -> str:
    """Return the verdict of a comparison between the studies as one plain sentence."""
    name, versus, words = str(row["comparison"]), str(row["versus"]), verdicts.WORDS[row["verdict"]]
    subject = f"{name}: {words}"
    if versus:
        subject = f"{name} is {words} than {versus}"
    if versus and row["verdict"] not in verdicts.DIFFERENT:
        alike = row["verdict"] == "alike"
        subject = f"{name} and {versus} are {words}" if alike else f"Cannot tell {name} from {versus}"
    detail = f"{quantity} {verdicts.signed(row['difference'])}{verdicts.interval_text(row)}"
    return f"{subject}: {detail}, {verdicts.p_text(row['p_adjusted'])}, {row['replicates']} replicates, not paired."
