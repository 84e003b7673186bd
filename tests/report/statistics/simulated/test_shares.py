"""Shares keep their level and their coverage on simulated studies: short form of tools/simulations/claims/shares.py."""

from __future__ import annotations

import numpy as np
import pytest
from simulations.claims import shares as simulation
from support.rates import at_most

STUDIES = 400


@pytest.mark.parametrize(
    ("design", "parts", "scatter", "truth"),
    [
        ("factorial", 3, "normal", "nothing"),
        ("factorial", 3, "skewed (exponential)", "two that interact"),
        ("fractional", 4, "heavy tails (t, 3 df)", "one part"),
    ],
)
def test_false_claims_and_coverage(design: str, parts: int, scatter: str, truth: str) -> None:
    rng = np.random.default_rng(1)
    any_false, false_share, coverage, found = simulation.outcomes(design, parts, scatter, truth, STUDIES, rng)
    assert at_most(any_false, 0.05, STUDIES)
    assert false_share <= any_false
    assert 0.92 < coverage < 0.98
    assert np.isnan(found) if truth == "nothing" else found > 0.7


def test_the_true_shares_are_those_of_every_order() -> None:
    """The truths that coverage is counted for, worked out from the values of all combinations."""
    for truth in simulation.TRUTHS:
        comparisons, weights, on = simulation.crossed("factorial", 3)
        means = np.array([simulation.TRUTHS[truth](row) for row in on])
        shares = [row @ means for one, row in zip(comparisons, weights, strict=True) if one.kind == "share"]
        assert shares == pytest.approx(simulation.true_shares(truth, 3))
