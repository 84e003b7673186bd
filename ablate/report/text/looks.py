"""The looks at a study in words: how many there were, what they spent, and why the study stopped."""

from __future__ import annotations

import collections
import math
from typing import TYPE_CHECKING

from ablate.report.statistics import looks as rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.looks import Reason, State

#: The reasons to stop, in words.
REASONS: dict[Reason, str] = {
    "decided": "every primary comparison is decided",
    "given up": "every primary comparison is decided, or the largest number of replicates would hardly decide it",
    "most": "the largest number of replicates is reached",
}
#: The states of comparisons, in words.
STATES: dict[State, str] = {
    "different": "with a difference",
    "equivalent": "without a difference that matters",
    "given up": "given up",
    "open": "open",
}


def facts(analysis: Analysis) -> list[tuple[str, str]]:
    """Return the looks at a study and why it stopped, as label and text; nothing for a single undivided look."""
    looks, spent = analysis.looks, analysis.spent
    if looks.plain:
        return []
    numbers = _listing([str(look.replicates) for look in looks.made])
    most = f" of at most {looks.settings.most}" if looks.settings else ""
    shares = ", ".join(f"{share:.2g}" for share in spent)
    text = f"after {numbers}{most} replicates; chance of a false claim up to each: {shares}"
    return [("Looks", f"{text} (at most {analysis.rules.alpha:g} in all)"), *_ending(analysis)]


def _ending(analysis: Analysis) -> Iterator[tuple[str, str]]:
    if analysis.looks.settings is None:
        return
    after = f"after {analysis.looks.now.replicates} replicates"
    why = rules.reason(analysis.states, analysis.looks)
    if why:
        yield "Stopped", f"{after}, because {REASONS[why]}: {counted(analysis)}"
    else:
        yield "Not decided", f"{after}: {counted(analysis)}; study run --until-decided continues"


def counted(analysis: Analysis) -> str:
    """Return how many primary comparisons are in each state."""
    counts = collections.Counter(analysis.states.values())
    return ", ".join(f"{counts[state]} {words}" for state, words in STATES.items() if counts[state])


def warnings(analysis: Analysis) -> Iterator[str]:
    """Yield what a reader must know about looks that the study file does not declare."""
    looks, spent, alpha = analysis.looks, analysis.spent, analysis.rules.alpha
    earlier = (analysis.study.judged or {}).get("earlier_metrics")
    if earlier:
        yield (
            f"When these results were judged before, the primary metric was {_listing(earlier)}. Whoever chooses the "
            "primary metric after a look at the results makes more false claims, and no p-value is corrected for it. "
            "Decide on the metric before you judge, or trust only what every one of these metrics shows."
        )
    if looks.later:
        yield (
            f"An earlier command looked at {looks.later} replicates of this study. These {looks.now.replicates} are a "
            "part of them, so they can claim nothing that an earlier look at this number did not claim."
        )
    undeclared = [str(look.replicates) for look in looks.made if math.isnan(look.share)]
    if not undeclared or not spent[:-1].any():
        return
    judged = analysis.study.judged
    which = "Earlier looks at these results" if judged else "Looks that the study file does not declare"
    todo = (
        "Decide how many replicates there will be before you judge them."
        if judged
        else "Before the first look, declare how far you would go: replicates = { first = 8, most = 24 }, and run the "
        "study with --until-decided."
    )
    yield (
        f"{which}: after {_listing(undeclared)} replicates. Whoever adds replicates until a difference is found makes "
        "more false claims, so the p-values are corrected for all looks "
        f"({_listing([str(look.replicates) for look in looks.made])} replicates). {_left(spent, alpha)} {todo}"
    )


def _left(spent: FloatArray, alpha: float) -> str:
    """Return what the looks before the last one have left of alpha."""
    before, now = spent[-2], spent[-1]
    if now > before:
        return f"The looks before this one have spent {before:.3g} of {alpha:g}, and this one {now - before:.2g}."
    return (
        f"The looks before this one have spent {before:.3g} of {alpha:g}; with what is left, this one can claim no "
        "difference that they did not."
    )


def _listing(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
