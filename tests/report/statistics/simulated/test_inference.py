"""Equivalence, intervals, ranges and warnings on simulated studies.

They are short forms of the tables in docs/explanation/simulations.md.
"""

from __future__ import annotations

import make_statistics
import numpy as np
import pytest
from simulations.inference import doubts, equivalence, intervals, limits, ranges
from support.checkout import ROOT
from support.rates import at_most

STUDIES = 2000
#: The failures that few replicates do not show; nothing is claimed about this distribution.
UNSEEN = "one in ten fails, else normal"


class TestEquivalence:
    @pytest.mark.parametrize("n", equivalence.REPLICATES)
    @pytest.mark.parametrize("name", [name for name in equivalence.AT_THE_MARGIN if name != UNSEEN])
    def test_a_difference_as_large_as_the_margin_is_seldom_called_equivalent(self, name: str, n: int) -> None:
        draw, margin = equivalence.AT_THE_MARGIN[name]
        values = draw(np.random.default_rng(n), (STUDIES, n))
        assert at_most(equivalence.claimed(values, margin)[0], 0.05, STUDIES)
        assert at_most(equivalence.claimed(-values, margin)[0], 0.05, STUDIES)

    @pytest.mark.parametrize("name", ["exponential", "lognormal", "exponential, tail towards 0"])
    def test_nor_is_an_interquartile_mean(self, name: str) -> None:
        draw, _ = equivalence.AT_THE_MARGIN[name]
        values = draw(np.random.default_rng(1), (STUDIES, 8))
        assert at_most(equivalence.claimed(values, equivalence.middle_of(draw), "iqm")[0], 0.05, STUDIES)

    @pytest.mark.parametrize(
        ("name", "rate"),
        [
            ("a share of 0.95 (4 samples) against a constant 1", 0.19),
            ("Poisson(0.1) counts", 0.45),
            ("one replicate in ten fails", 0.43),
            ("exponential", 0.14),
            ("lognormal", 0.22),
        ],
    )
    def test_two_t_tests_claim_it_often(self, name: str, rate: float) -> None:
        """So that the tests above are known to notice."""
        draw, margin = equivalence.AT_THE_MARGIN[name]
        values = draw(np.random.default_rng(2), (STUDIES, 8))
        assert equivalence.two_t_tests(values, margin) == pytest.approx(rate, abs=0.04)

    def test_what_does_not_matter_is_often_found(self) -> None:
        values = np.random.default_rng(3).normal(size=(STUDIES, 12))
        assert equivalence.claimed(values, 2.0)[0] > 0.95
        assert equivalence.claimed(values[:, :8], 3.0)[0] > 0.92
        assert equivalence.claimed(values[:, :8], 2.0, "iqm")[0] > 0.75


def test_intervals_contain_the_truth() -> None:
    for row in list(intervals.rows(300))[:6]:
        assert all(float(row[place]) > 0.9 for place in (2, 5, 6)), row


def test_ranges_contain_the_truth_in_four_studies_of_five() -> None:
    for row in ranges.rows(200):
        assert 0.7 < float(row[4]) < 0.97, row


def test_warnings_are_rare_without_cause_and_frequent_with_one() -> None:
    either = {row[0]: float(row[3]) for row in doubts.rows(150)}
    assert all(share < 0.12 for name, share in either.items() if name.startswith("normal"))
    assert all(share > 0.7 for name, share in either.items() if name.startswith(("exp", "logn", "0.9", "failures")))


@pytest.mark.parametrize(
    ("rule", "values", "least", "most"),
    [
        ("a slope along 1, 2, 3, 4", "gamma, shape 0.3", 0.0, 0.05),
        ("a slope along 1, 2, 3, 30", "gamma, shape 0.3", 0.05, 0.12),
        ("four variants", "normal, shared noise", 0.2, 0.5),
        ("best by rare wins", "normal", 0.1, 0.4),
        ("equivalence of 8, noisy baseline", "normal", 0.0, 0.05),
        ("equivalence of 8, noisy baseline", "lognormal", 0.05, 0.2),
    ],
)
def test_the_limits_of_the_rules_are_those_of_the_page(rule: str, values: str, least: float, most: float) -> None:
    (rate,) = [rate for name, rate, _ in limits.CASES if name == rule]
    found = rate(np.random.default_rng(5), limits.DRAWS[values], 8, 600)
    assert at_most(found, most, 600)
    assert at_most(1 - found, 1 - least, 600)


def test_the_page_has_no_rate_above_what_is_allowed() -> None:
    tables = make_statistics.tables((ROOT / "docs/explanation/simulations.md").read_text(encoding="utf-8"))
    lines = [line.strip("| ").split(" | ") for line in tables[equivalence.TITLE].splitlines() if line.startswith("| ")]
    rows = [row for row in lines[1:] if row[0] in equivalence.AT_THE_MARGIN and row[0] != UNSEEN]
    assert len(rows) == 4 * (len(equivalence.AT_THE_MARGIN) - 1)
    for row in rows:
        assert all(at_most(float(rate), 0.05, equivalence.STUDIES) for rate in row[2:4] if rate != "-")
