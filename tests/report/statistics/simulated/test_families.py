"""The rules as a whole, on simulated studies: they are wrong no more often than they say, and find what they say.

Short forms of the simulations behind docs/explanation/simulations.md, in tools/simulations.
"""

from __future__ import annotations

import make_statistics
import numpy as np
import pytest
from simulations import draws
from simulations.claims import best_set, families, nulls, pages
from simulations.inference import slopes
from support.checkout import ROOT
from support.rates import at_most

from ablate.report.statistics.inference.flips import sign_flip

STUDIES = 1500


@pytest.mark.parametrize("scatter", ["normal", "exponential", "lognormal", "t, 3 df"])
@pytest.mark.parametrize("m", [1, 5])
def test_where_nothing_differs_few_studies_claim_that_something_does(scatter: str, m: int) -> None:
    wrong = families.level(scatter, m, 8, STUDIES)
    assert at_most(wrong, 0.05, STUDIES)
    assert wrong > 0.005, "a rule that never claims anything is no rule"


def test_a_family_without_correction_would_be_wrong_more_often() -> None:
    """So that the test above is known to notice."""
    values = draws.differences(draws.SCATTER["normal"], np.random.default_rng(0), (STUDIES, 5, 8))
    assert not at_most(float((sign_flip(values) < 0.05).any(1).mean()), 0.05, STUDIES)


@pytest.mark.parametrize(("m", "n", "one"), [(4, 6, 0.361), (4, 8, 0.759), (6, 8, 0.693), (16, 8, 0.525)])
def test_one_difference_of_many_is_found_as_often_as_promised(m: int, n: int, one: float) -> None:
    found = families.power(m, n, 1000, np.arange(m) == 0, 1.5 * 2**0.5)
    assert found == pytest.approx(one, abs=0.05)


@pytest.mark.parametrize("null", ["normal", "exponential", "lognormal", "counts, Poisson(2)", "normal, sds 0.2 to 4"])
def test_where_all_have_one_distribution_the_level_holds(null: str) -> None:
    claims, _ = nulls.false_claims(null, 8, STUDIES)
    assert at_most(claims, 0.05, STUDIES)


def test_rare_failures_are_claimed_and_the_page_says_that_they_can_be() -> None:
    """No test of eight replicates sees what did not happen in them; docs/explanation/simulations.md states the rate."""
    claims, unwarned = nulls.false_claims("rare failures, 10 % of replicates", 8, 300)
    assert claims > 0.5
    assert unwarned < claims
    page = (ROOT / "docs/explanation/simulations.md").read_text(encoding="utf-8")
    assert "rare failures, 10 % of replicates" in page


@pytest.mark.parametrize(("at", "m", "n"), [(0, 3, 8), (1, 3, 8), (1, 5, 6), (0, 5, 12)])
def test_the_best_variant_is_seldom_left_out(at: int, m: int, n: int) -> None:
    """Of equal variants each is as good as any, so one of them is looked at: the baseline, or another one."""
    out, named, _ = best_set.found(0.0, at, m, n, 400)
    assert at_most(out, 0.05, 400)
    assert named < m, "a rule that leaves out nobody is no rule"


@pytest.mark.parametrize("at", [0, 1])
def test_a_best_variant_of_eight_replicates_is_found(at: int) -> None:
    """With a lead of two standard deviations, whether it is the baseline or another one."""
    out, named, alone = best_set.found(2.0, at, 5, 8, 200)
    assert out < 0.02
    assert named < 2.8
    assert alone > 0.18


def test_the_slope_finds_more_than_ranks_do_and_keeps_its_level() -> None:
    assert at_most(slopes.found(0.0, 0.6, "normal", 8, 300)[0], 0.05, 300)
    by_slope, by_tau = slopes.found(0.3, 0.0, "normal", 8, 300)
    assert by_slope > 0.53
    assert by_slope > by_tau
    by_slope, by_tau = slopes.found(0.0, 0.0, "lognormal, growing", 12, 200)
    assert by_slope < 0.2 < by_tau


@pytest.mark.parametrize("name", ["tau_sweep", "tempo_ablation"])
def test_a_page_on_which_nothing_differs_seldom_says_that_something_does(name: str) -> None:
    found = pages.pages(name, "normal", 20)
    for false in ([page.primary for page in found], [page.secondary for page in found]):
        assert at_most(float(np.mean(false)), 0.05, 20)


def test_the_page_has_every_table_and_no_rate_above_what_is_allowed() -> None:
    tables = make_statistics.tables((ROOT / "docs/explanation/simulations.md").read_text(encoding="utf-8"))
    assert list(tables) == [make_statistics.simulation(topic).TITLE for topic in make_statistics.TOPICS]
    for topic in make_statistics.TOPICS:
        module = make_statistics.simulation(topic)
        assert f"\n\n{module.TEXT}" in tables[module.TITLE], "write the text of the module into the page"
        assert f"| {' | '.join(module.HEADER)} |" in tables[module.TITLE]
    rows = {title: _rows(table) for title, table in tables.items()}
    assert len(rows[pages.TITLE]) == 6
    for row in rows[pages.TITLE]:
        assert all(at_most(float(share), 0.05, pages.STUDIES) for share in row[2:5])
    for row in rows[families.TITLE]:
        assert at_most(float(row[2]), 0.05, families.STUDIES // (20 if int(row[1]) > 16 else 1))
    for row in rows[best_set.TITLE]:
        assert at_most(float(row[4]), 0.05, best_set.STUDIES // (10 if row[2] == "10" else 1))
    assert all(at_most(float(row[1].split()[0]), 0.05, nulls.STUDIES) for row in rows[nulls.TITLE][:5])


def _rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]  # without the header and its rule
