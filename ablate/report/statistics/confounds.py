"""What else differs between variants: what follows from the levels without being one, and could explain a difference.

A study's configurations differ in nothing but what it varies (the run sees to that). But five copies of a piece may be
five times the tokens in training, a conditioner adds parameters, a hotter sampler plays more notes a second. All of it
is measured in every run; where it moves with the variants, a difference between them may be its doing.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.differences import differing_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

#: What is compared, by column of :func:`ablate.report.data.frames.run_frame`, and how it is called.
QUANTITIES = {
    "tokens_seen": "tokens seen in training",
    "steps": "training steps",
    "steps_per_epoch": "optimiser steps per epoch",
    "parameters": "parameters",
    "sample_notes": "notes in a sample",
    "sample_seconds": "seconds in a sample",
}
#: From this ratio to the baseline on, up or down, a difference is warned about.
TOLERANCE = 1.05


@dataclasses.dataclass(frozen=True)
class Confound:
    """Something that differs from the baseline without being a level.

    Attributes:
        variant: which.
        quantity: a key of :data:`QUANTITIES`.
        value: its mean over replicates.
        ratio: to the baseline's.
    """

    variant: str
    quantity: str
    value: float
    ratio: float

    @property
    def matters(self) -> bool:
        """Whether it differs by more than :data:`TOLERANCE`."""
        return not 1 / TOLERANCE <= self.ratio <= TOLERANCE


def followed(runs: pd.DataFrame, baseline: str) -> list[Confound]:
    """What every variant has of :data:`QUANTITIES`, beside the baseline.

    Args:
        runs: from :func:`ablate.report.data.frames.run_frame`.
        baseline: the variant that the others are compared with.
    """
    means = runs.groupby("variant", observed=True)[list(QUANTITIES)].mean()
    if baseline not in means.index:
        return []
    reference = means.loc[baseline]
    return [
        Confound(str(variant), quantity, float(row[quantity]), float(row[quantity] / reference[quantity]))
        for variant, row in means.iterrows()
        for quantity in QUANTITIES
        if row[quantity] > 0 and reference[quantity] > 0
    ]


def warnings(found: Iterable[Confound], meant: Mapping[str, Iterable[str]]) -> list[str]:
    """One sentence for each quantity in which variants differ from the baseline.

    Args:
        found: of :func:`followed`.
        meant: for each variant the paths in which its configuration differs: what is varied itself is no surprise.
    """
    sentences = []
    for quantity, name in QUANTITIES.items():
        apart = [each for each in found if each.quantity == quantity and each.matters]
        apart = [each for each in apart if _PATHS.get(quantity) not in set(meant.get(each.variant, ()))]
        if apart:
            listing = ", ".join(f"{each.variant} {_times(each.ratio)}" for each in apart[:6])
            more = f", and {len(apart) - 6} more" if len(apart) > 6 else ""
            sentences.append(
                f"{name[0].upper()}{name[1:]} differ from the baseline's: {listing}{more}. "
                "That alone may explain a difference."
            )
    return sentences


#: Where a quantity is a setting of its own.
_PATHS = {"steps": "training.steps"}


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio >= 2 or ratio <= 0.5 else f"{ratio - 1:+.0%}".replace("-", "\N{MINUS SIGN}")


def changed_paths(configs: Mapping[str, Mapping[str, Any]], baseline: str) -> dict[str, list[str]]:
    """For each variant in which settings its configuration differs from the baseline's.

    Labels that a conditioner brings with it are left out where the conditioner itself differs.
    """
    reference = configs[baseline]
    found = {}
    for variant, config in configs.items():
        paths = differing_paths(config, reference)
        brought = any(path == "conditioner" or path.startswith("conditioner.") for path in paths)
        found[variant] = [path for path in paths if not (brought and path.startswith("labels."))]
    return found


def bundled(changes: Mapping[str, list[str]]) -> list[str]:
    """Variants that change several things at once: their difference belongs to none of these alone."""
    return [variant for variant, paths in changes.items() if len(paths) > 1]
