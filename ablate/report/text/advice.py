"""Sentences about the noise of a study: more samples, or more replicates?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ablate.report.statistics.inference.flips import EXACT_UP_TO
from ablate.report.statistics.verdicts import percent
from ablate.site import page

if TYPE_CHECKING:
    from ablate.report.statistics.inference.variance import Bounded
    from ablate.report.statistics.variance import Advice

#: From this number on samples are not counted.
MANY = 1000


def advice_sentence(advice: Advice, label: str, *, other_seed: int | None = None) -> str:
    """Return the share of sampling noise, both options with their costs, and the better one.

    Args:
        advice: from :func:`ablate.report.statistics.variance.advise`.
        label: the name of the quantity.
        other_seed: a seed for a study of its own, if the study declares no further look, so that more replicates in it
            could claim little.
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
    better = _better(advice)
    end = (
        f"{start} {_detectable(advice)} {better}{'' if advice.sure else ', but the share is too uncertain to be sure'}."
    )
    if other_seed is None or advice.better != "replicates":
        return end
    return (
        f"{end} A further look at this study can claim little: run all replicates as a study of its own, by the same "
        f"command with --seed {other_seed} --replicates {found.replicates + replicates} ({page('guides/replicates')})."
    )


def _detectable(advice: Advice) -> str:
    """Return the differences that would be found now and with both options."""
    found, (now, by_samples, by_replicates) = advice.components, advice.detectable
    more = found.replicates + advice.replicates
    alone = "" if advice.one_look else ", each in a study with one look"
    together = f", for {found.comparisons} comparisons together" if found.comparisons > 1 else ""
    sizes = {f"{advice.samples} samples": by_samples, f"{more} replicates": by_replicates}
    known = [f"{name} would find one of {size:.2g}" for name, size in sizes.items() if math.isfinite(size)]
    options = f"; {' and '.join(known)}{alone}" if known else ""
    if math.isfinite(now):
        look = "" if advice.one_look else " at this look"
        return f"The smallest difference likely to be found is {now:.2g}{look}{together}{options}."
    start = f"With {found.replicates} replicates" if advice.one_look else "At this look"
    samples = f", also with {advice.samples} samples" if math.isinf(by_samples) and advice.one_look else ""
    return f"{start} no difference is likely to be found{samples}, unless it is very clear{options}{together}."


def _better(advice: Advice) -> str:
    """Return the better option with the reason, without full stop."""
    found, (_, by_samples, by_replicates) = advice.components, advice.detectable
    start = f"More {advice.better} are the better use of the time"
    if math.isinf(by_samples):
        return f"{start}, because more samples do not help a test of {found.replicates} replicates"
    if f"{by_samples:.2g}" == f"{by_replicates:.2g}":
        return "Both are equally good uses of the time"
    if advice.better == "samples" or found.replicates > EXACT_UP_TO:
        return f"{start}, because the difference that they find is smaller"
    return f"{start}, because the difference that they find is smaller: they also make the smallest possible p smaller"


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
