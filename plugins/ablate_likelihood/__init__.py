"""Metric: how likely the trained model finds the pieces that it learned from, and those that it did not see.

The one number of a language model that needs no generation, and the plainest sign of overfitting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.specs import NoOptions


def _build(options: NoOptions) -> ablate.ModelMetric:
    from ablate_likelihood.likelihood import Likelihood  # NumPy only when built

    del options
    return Likelihood()


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer the negative log-likelihood."""
    yield ablate.MetricSpec(
        name="likelihood.nll",
        summary="Negative log-likelihood of the pieces learned from and of those held out, in nats a token.",
        build=_build,
        of="model",
    )
