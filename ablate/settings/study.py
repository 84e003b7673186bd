"""The sections of a study file that decide how a study is judged, searched and ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ablate.errors import InvalidOptions
from ablate.options import option

#: The most replicates of a study, and variants of a search.
MOST_REPLICATES = 10_000


@dataclass(frozen=True)
class StatisticsSettings:
    """Section ``[statistics]`` of a study file: how differences are judged; see docs/explanation/verdicts.md."""

    alpha: float = option(
        0.05, gt=0, lt=0.5, doc="Error rate of a family: of the primary quantity, or of all secondary ones together."
    )
    estimate: Literal["mean", "iqm"] = option("mean", doc="How replicates are summarised: mean or interquartile mean.")
    power: float = option(0.8, gt=0, lt=1, doc="Power used when computing how many replicates are needed.")


@dataclass(frozen=True)
class LookSettings:
    """Table ``replicates`` of a study file: the numbers of replicates after which the study may stop.

    With the plain number of a study that declares nothing, there is no such table.
    """

    first: int = option(ge=2, le=MOST_REPLICATES, doc="Number of replicates at the first look.")
    most: int = option(ge=3, le=MOST_REPLICATES, doc="Number of replicates at the last look.")
    looks: tuple[int, ...] = option(
        (), ge=2, doc="Numbers of replicates at every look; by default steps of half of first."
    )
    spending: Literal["linear", "obrien-fleming"] = option(
        "linear",
        doc="How alpha is spent over the looks: in proportion to the replicates, or little at first (O'Brien-Fleming).",
    )
    futility: float = option(
        0.05,
        ge=0,
        lt=0.5,
        doc="An undecided comparison is given up if most would decide it with a smaller probability than this; 0 never "
        "gives up.",
    )

    def __post_init__(self) -> None:
        if self.most <= self.first:
            raise InvalidOptions([("most", f"must be above first, {self.first}, not {self.most}")])
        wrong = list(self.looks) != sorted(set(self.looks)) or self.looks[:1] + self.looks[-1:] != (
            self.first,
            self.most,
        )
        if self.looks and wrong:
            listing = f"must rise from first to most: [{self.first}, …, {self.most}], not {list(self.looks)}"
            raise InvalidOptions([("looks", listing)])

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of replicates at every look, in increasing order."""
        step = (self.first + 1) // 2
        # a last step of less than half a step is part of the one before it
        between = range(self.first, self.most - step // 2, step)
        return self.looks or (*between, self.most)


@dataclass(frozen=True)
class SearchSettings:
    """Section ``[search]`` of a study file: how ``design = "search"`` chooses variants."""

    n_variants: int = option(20, ge=2, le=MOST_REPLICATES, doc="Number of variants to try, including the baseline.")
    algorithm: Literal["auto", "tpe", "nsga2", "random"] = option(
        "auto", doc="Sampler of Optuna; auto is TPE for one objective and NSGA-II for several."
    )
    prune_after: int = option(
        0,
        ge=0,
        doc="Number of replicates after which a variant that is worse than the best one is pruned; 0 for never.",
    )
    prune_p: float = option(
        0.1, gt=0, lt=1, doc="A variant is worse if Wilcoxon's signed-rank test gives a p below this."
    )

    def __post_init__(self) -> None:
        if self.prune_after == 1:
            problem = "must be 2 or more, or 0 for never: one replicate is not enough to prune a variant"
            raise InvalidOptions([("prune_after", problem)])


def share_of(text: str) -> float | None:
    """Return the share, above 0 and at most 1, that a text such as ``"10 %"`` stands for; None if it is no share."""
    number = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", text)
    share = float(number[1]) / 100 if number else 0.0
    return share if 0 < share <= 1 else None


@dataclass(frozen=True)
class PathSettings:
    """Section ``[path]`` of a study file: how ``design = "path"`` chooses the next change."""

    racing: bool = option(
        True, doc="Whether changes that are clearly worse than the best one of a round get no more replicates."
    )
    first_replicates: int = option(4, ge=2, doc="Number of replicates before the first change of a round is dropped.")
    drop_p: float = option(
        0.2,
        gt=0,
        lt=0.5,
        doc="A change is clearly worse than the best one if joint sign flips, one-sided, give a p of at most this. A "
        "change that was dropped is tried again in the next round.",
    )
