"""Possible confounds: quantities that change with a variant without being part of its definition.

The configurations of a study differ only in what the study varies, which is checked before it runs. But an augmenter
with five copies of a piece may give five times the tokens in training, a conditioner adds parameters, and a sampler
with a higher temperature plays more notes in a second. These quantities are recorded in every run; where they differ
between variants, they may explain a difference.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.store.differences import differing_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

#: The columns of :func:`ablate.report.data.frames.run_frame` that are compared, with their names for people.
QUANTITIES = {
    "tokens_seen": "tokens seen in training",
    "steps": "training steps",
    "kept_step": "training steps of the measured weights",
    "steps_per_epoch": "optimiser steps per epoch",
    "parameters": "parameters",
    "notes_kept": "share of notes that the tokenizer keeps",
    "sample_notes": "notes in a sample",
    "sample_seconds": "seconds in a sample",
}
#: From this ratio to the baseline on, in either direction, the report warns.
TOLERANCE = 1.05
#: From this share of notes on, a tokenizer loses some.
LOSES = 1e-3
#: The most variants that a warning lists.
MOST_NAMES = 6
#: The quantities that are settings too.
_PATHS = {"steps": "training.steps"}


@dataclasses.dataclass(frozen=True)
class Confound:
    """A quantity of a variant that is not one of its levels.

    Attributes:
        variant: the name of the variant.
        quantity: a key of :data:`QUANTITIES`.
        value: the mean over replicates.
        ratio: the ratio to the baseline's value.
    """

    variant: str
    quantity: str
    value: float
    ratio: float

    @property
    def matters(self) -> bool:
        """True if it differs from the baseline by more than :data:`TOLERANCE`."""
        return not 1 / TOLERANCE <= self.ratio <= TOLERANCE


def confounds_of(runs: pd.DataFrame, baselines: Mapping[str, str]) -> list[Confound]:
    """Return the :data:`QUANTITIES` of every variant with their ratio to the baseline's.

    Args:
        runs: from :func:`ablate.report.data.frames.run_frame`.
        baselines: for each variant the one that it is compared with.
    """
    spared = {"kept_step": not _keeps_earlier_weights(runs), "notes_kept": not _loses_notes(runs)}
    quantities = [quantity for quantity in QUANTITIES if not spared.get(quantity)]
    means = runs.groupby("variant", observed=True)[quantities].mean()
    return [
        Confound(str(variant), quantity, float(row[quantity]), float(row[quantity] / reference[quantity]))
        for variant, row in means.iterrows()
        if baselines[str(variant)] in means.index
        for reference in [means.loc[baselines[str(variant)]]]
        for quantity in quantities
        if row[quantity] > 0 and reference[quantity] > 0
    ]


def _keeps_earlier_weights(runs: pd.DataFrame) -> bool:
    """Check whether some training keeps other weights than its last ones."""
    return bool((runs["kept_step"] < runs["steps"]).any())


def _loses_notes(runs: pd.DataFrame) -> bool:
    """Check whether some tokenizer loses notes: nats per note of the others are then nats for more music."""
    return bool((runs["notes_kept"] < 1 - LOSES).any())


def warnings(confounds: Iterable[Confound], changes: Mapping[str, Iterable[str]]) -> list[str]:
    """Return one sentence for each quantity in which variants differ from the baseline.

    Args:
        confounds: from :func:`confounds_of`.
        changes: for each variant the paths in which its configuration differs; a quantity that is varied itself is no
            confound.
    """
    candidates = [
        confound
        for confound in confounds
        if confound.matters and _PATHS.get(confound.quantity) not in set(changes.get(confound.variant, ()))
    ]
    sentences = []
    for quantity, name in QUANTITIES.items():
        listing = [f"{one.variant} {_ratio_text(one.ratio)}" for one in candidates if one.quantity == quantity]
        if listing:
            separator = "; " if any("," in each for each in listing) else ", "
            more = f"{separator}and {len(listing) - MOST_NAMES} more" if len(listing) > MOST_NAMES else ""
            verb = "differs" if quantity == "notes_kept" else "differ"
            sentences.append(
                f"{name[0].upper()}{name[1:]} {verb} from the baseline: {separator.join(listing[:MOST_NAMES])}{more}. "
                "This alone may explain a difference."
            )
    return sentences


def _ratio_text(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio >= 2 or ratio <= 0.5 else f"{ratio - 1:+.0%}".replace("-", "\N{MINUS SIGN}")


def changed_paths(configs: Mapping[str, Mapping[str, Any]], baselines: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the settings in which the configuration of each variant differs from the baseline's.

    Where a conditioner differs, the labels that belong to it are left out.
    """
    changes = {}
    for variant, config in configs.items():
        paths = differing_paths(config, configs[baselines[variant]])
        conditioned = any(path == "conditioner" or path.startswith("conditioner.") for path in paths)
        changes[variant] = [path for path in paths if not (conditioned and path.startswith("labels."))]
    return changes
