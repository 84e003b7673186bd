"""Metric: the likelihood that the trained model assigns to its training, validation and test pieces.

It needs no generation, and it is the clearest sign of overfitting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.specs import NoOptions

_PARTS = {
    "test": "The nats of the test pieces",
    "validation": "The nats of the validation pieces",
    "train": "The nats of the training pieces",
    "gap": "The nats of unseen pieces minus those of the training pieces",
}
_UNITS = {"_per_note": "note", "_per_second": "second", "": "token"}
#: One sentence for each feature, for the glossary of a report.
FEATURES = {
    f"{part}{ending}": f"{words}, for each {unit}." for part, words in _PARTS.items() for ending, unit in _UNITS.items()
}


def _build(options: NoOptions) -> ablate.ModelMetric:
    from ablate_likelihood.likelihood import Likelihood  # NumPy only when built

    del options
    return Likelihood()


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.ModelMetricSpec]:
    """Offer the negative log-likelihood."""
    yield ablate.ModelMetricSpec(
        name="likelihood.nll",
        summary="Negative log-likelihood of training, validation and test pieces: nats per note, second and token.",
        version="2",
        build=_build,
        features=FEATURES,
        main={"test": "test_per_note", "validation": "validation_per_note"},
    )
