"""Sentences about the noise of a study: more samples, or more replicates?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ablate.report.statistics.verdicts import percent

if TYPE_CHECKING:
    from ablate.report.statistics.inference.variance import Bounded
    from ablate.report.statistics.variance import Advice

#: From this number on samples are not counted.
MANY = 1000


def advice_sentence(advice: Advice, label: str, *, last_look: bool = False) -> str:
    """Return the share of sampling noise, both options with their costs, and the better one.

    Args:
        advice: from :func:`ablate.report.statistics.variance.advise`.
        label: the name of the quantity.
        last_look: whether the study declares no further look, so that more replicates in it could claim little.
    """
    found = advice.components
    samples, replicates = f"{found.samples:.0f}", advice.replicates
    start = (
        f"Sampling noise is {bounded_percent(found.share)} of the variance of a difference in {label}: "
        f"{advice.samples} samples instead of {samples} on the same trainings divide the variance by "
        f"{advice.samples_gain:.1f} and take {_seconds(advice.samples_seconds)}; {replicates} more "
        f"replicate{'' if replicates == 1 else 's'} divide{'s' if replicates == 1 else ''} it by "
        f"{advice.replicates_gain:.1f} and take{'s' if replicates == 1 else ''} "
        f"{_seconds(advice.replicates_seconds)}."
    )
    now, by_samples, by_replicates = map(_difference, advice.detectable)
    start += f" The smallest difference likely to be found is {now}; with these samples {by_samples}, with these "
    start += f"replicates {by_replicates}."
    better = f"More {advice.better} are the better use of the time"
    end = f"{start} {better}{'' if advice.sure else ', but the share is too uncertain to be sure'}."
    further = " A further look at this study can claim little: run all these replicates as a study with another seed."
    return f"{end}{further * (last_look and advice.better == 'replicates')}"


def plan_sentence(advice: Advice, label: str, source: str) -> str:
    """Return the best number of samples for a given cost, from the variance components of an earlier run."""
    found = advice.components
    value, low, high = advice.optimal
    return (
        f"sampling noise is {bounded_percent(found.share)} of the variance of a difference in {label} "
        f"({source}: {found.replicates} replicates, {found.samples:.0f} samples each); with "
        f"{_seconds(advice.costs.training)} for a training and {_seconds(advice.costs.sample)} for a sample, "
        f"{count(value)} samples for each training are best ({count(low)} to {count(high)})"
    )


def _difference(size: float) -> str:
    return f"{size:.2g}" if math.isfinite(size) else "none"


def bounded_percent(share: Bounded) -> str:
    """Return a share with its interval: ``95 % (80 to 98 %)``."""
    low, high = (percent(end) for end in (share.low, share.high))
    return f"{percent(share.value)} ({low.removesuffix(' %')} to {high})"


def count(samples: float) -> str:
    """Return a number of samples; beyond :data:`MANY` it is a matter of cost alone."""
    return "unknown" if math.isnan(samples) else f"over {MANY:,}" if samples > MANY else f"{samples:.0f}"


def _seconds(seconds: float) -> str:
    """Return seconds with two digits, whole ones from 10 on."""
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
