"""The intervals of variance components and the advice that follows, on simulated studies.

With the functions of tools/simulations, which use those of the report.
"""

from __future__ import annotations

import numpy as np
import pytest
from simulations.inference.samples_or_replicates import outcomes
from simulations.inference.variance import coverage

STUDIES = 400


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize(
    ("scatter", "least"), [("normal", 0.91), ("skewed (exponential)", 0.88), ("heavy tails (t, 3 df)", 0.82)]
)
def test_intervals_contain_the_truth(scatter: str, least: float, share: float) -> None:
    hits = coverage(np.random.default_rng(5), scatter, (8, 4), share, STUDIES)
    assert min(hits[:4]) > least
    if scatter != "normal":
        assert hits[5] < 0.9, "by chi-square they are too narrow, so that the test above is known to notice"


@pytest.mark.parametrize("scatter", ["normal", "lognormal"])
@pytest.mark.parametrize(("share", "better"), [(0.05, "replicates"), (0.4, ""), (0.9, "samples")])
def test_the_advice_is_right_or_costs_little(scatter: str, share: float, better: str) -> None:
    right, sure, ratio = map(np.array, zip(*outcomes(np.random.default_rng(6), scatter, share, STUDIES), strict=True))
    assert ratio.mean() < 1.05
    if better:
        assert right.mean() > 0.85
        assert right[sure].mean() > 0.95
