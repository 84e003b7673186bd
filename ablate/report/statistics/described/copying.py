"""Copies: the share of generated music that is copied from the training pieces, and the caveat that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import AblateError
from ablate.report.statistics import verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ablate.registry import Registry


#: From this share on, a variant that is named the best one has a caveat, also if it copies no more than the baseline.
MUCH = 0.5


def copied_share(
    metrics: Sequence[str], quantities: Sequence[tuple[str, str]], registry: Registry
) -> tuple[str, str] | None:
    """Return the quantity that is the share of a sample that is copied; None if the study does not measure it.

    Args:
        metrics: the metrics of copying in the study.
        quantities: all that the study measures.
        registry: the components; a metric whose plugin is missing is represented by its first feature.
    """
    for metric in metrics:
        try:
            feature = str(getattr(registry.spec("metric", metric), "copied_share", ""))
        except AblateError:
            feature = ""
        shares = [quantity for quantity in quantities if quantity[0] == metric and feature in ("", quantity[1])]
        if shares:
            return shares[0]
    return None


def copies_more(rows: pd.DataFrame) -> list[str]:
    """Return the variants that copy more than the baseline.

    A caveat is no claim, so where the share has no verdict (it is exploratory) an interval above 0 is enough. A larger
    share is more copying, whatever the direction of the metric.

    Args:
        rows: the variants against the baseline in the copied share, from
            :func:`ablate.report.statistics.effects.judge`.
    """
    shown = rows["verdict"].isin(verdicts.DIFFERENT) | ((rows["verdict"] == "") & (rows["low"] > 0))
    return list(rows.loc[shown & (rows["difference"] > 0), "comparison"])


def caveat(name: str, baseline: str, shares: Mapping[str, float]) -> str:
    """Return a clause about the copies of a variant, with a comma before it; empty if its share is unknown.

    Args:
        name: the variant.
        baseline: the variant that it is compared with.
        shares: the copied share of a sample, 0 to 1, by variant.
    """
    if name not in shares:
        return ""
    other = ""
    if name != baseline and baseline in shares:
        other = f" ({baseline}: {verdicts.percent(shares[baseline])})"
    return f", but {verdicts.percent(shares[name])} of a sample is copied from the training pieces{other}"
