"""The rules as a whole, on simulated studies: they are wrong no more often than they say, and find what they say.

With the functions of tools/make_statistics.py, which judge studies as the report does.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats as sps
from support.checkout import ROOT

from ablate.report.statistics.inference import flips, power

if TYPE_CHECKING:
    from types import ModuleType

STUDIES = 10_000


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import make_statistics
    finally:
        sys.path.pop(0)
    return make_statistics


def at_most(count: int, rate: float, of: int = STUDIES) -> bool:
    """Whether so many wrong ones are no more than chance allows at this rate (one in 100,000 runs)."""
    return bool(sps.binomtest(count, of, rate, alternative="greater").pvalue > 1e-5)


@pytest.mark.parametrize("scatter", ["normal", "skewed (exponential)", "heavy tails (t, 3 df)"])
@pytest.mark.parametrize("m", [1, 5])
def test_where_nothing_differs_few_studies_claim_that_something_does(
    simulation: ModuleType, scatter: str, m: int
) -> None:
    values = simulation.differences(np.random.default_rng(m), scatter, STUDIES, m, 8, 0.0)
    wrong = simulation.claims(simulation.judge(values, np.nan)).any(1).sum()
    assert at_most(wrong, simulation.ALPHA)
    assert wrong > STUDIES / 200, "a rule that never claims anything is no rule"


def test_a_family_without_correction_would_be_wrong_more_often(simulation: ModuleType) -> None:
    """So that the test above is known to notice."""
    values = simulation.differences(np.random.default_rng(0), "normal", STUDIES, 5, 8, 0.0)
    uncorrected = (flips.sign_flip(values.reshape(-1, 8)).reshape(STUDIES, 5) < simulation.ALPHA).any(1).sum()
    assert not at_most(uncorrected, simulation.ALPHA)


@pytest.mark.parametrize("effect", [0.5, 1.0, 2.0])
def test_a_difference_as_large_as_the_margin_is_seldom_called_none(simulation: ModuleType, effect: float) -> None:
    values = simulation.differences(np.random.default_rng(7), "normal", STUDIES, 1, 8, effect)
    found = simulation.judge(values, effect * np.sqrt(2.0))
    assert at_most((found == "equivalent").sum(), simulation.ALPHA)


def test_where_nothing_differs_enough_replicates_say_so(simulation: ModuleType) -> None:
    values = simulation.differences(np.random.default_rng(8), "normal", 500, 4, 10, 0.0)
    found = simulation.judge(values, 2.0 * np.sqrt(2.0))
    assert (found == "equivalent").mean() > 0.95


@pytest.mark.parametrize(("effect", "n"), [(1.0, 6), (1.0, 8), (1.5, 8), (0.5, 12), (1.0, 12), (2.0, 7)])
def test_power_is_as_computed(simulation: ModuleType, effect: float, n: int) -> None:
    values = simulation.differences(np.random.default_rng(n), "normal", 2000, 1, n, effect)
    found = simulation.claims(simulation.judge(values, np.nan)).mean()
    assert found == pytest.approx(power.power(effect, n, simulation.ALPHA), abs=0.04)


def test_a_better_variant_is_called_better_and_a_worse_one_worse(simulation: ModuleType) -> None:
    rng = np.random.default_rng(9)
    for effect, verdict in ((-3.0, "better"), (3.0, "worse")):
        found = simulation.judge(simulation.differences(rng, "normal", 200, 1, 10, effect), np.nan)
        assert (found == verdict).mean() > 0.95


def test_the_best_variant_is_seldom_left_out(simulation: ModuleType) -> None:
    """Of equal variants each is as good as any, so one of them is looked at."""
    values = np.random.default_rng(11).normal(size=(1000, 5, 8))
    named = [simulation.best_candidates(study) for study in values]
    missed = sum(0 not in each for each in named)
    assert at_most(missed, simulation.ALPHA, 1000)
    assert missed > 5, "a rule that leaves out nobody is no rule"
    values[:, 0] -= 3.0
    assert np.mean([simulation.best_candidates(study) == {0} for study in values[:300]]) > 0.9


def test_the_page_says_what_the_simulations_found(simulation: ModuleType) -> None:
    """The tables are there, whole, and none of their rates is above what is allowed."""
    page = (ROOT / "docs/statistics.md").read_text(encoding="utf-8")
    tables = page.partition(simulation.BEGIN)[2].partition(simulation.END)[0].split("### ")[1:]
    rows: dict[str, list[list[str]]] = {}
    for table in tables:
        title, _, text = table.partition("\n")
        lines = [line for line in text.splitlines() if line.startswith("|")]
        rows[title] = [line.strip("| ").split(" | ") for line in lines[2:]]  # without the header and its rule
    assert [len(found) for found in rows.values()] == [15, 9, 4, 9, 12, 18, 18]
    for title in ("Wrong claims of a difference", "Wrong claims of no difference that matters"):
        rates: list[Any] = [float(rate) for row in rows[title] for rate in row[2:]]
        assert all(at_most(round(rate * STUDIES), simulation.ALPHA) for rate in rates)
    assert all(at_most(round(float(row[3]) * 2000), simulation.ALPHA, 2000) for row in rows["The best one"])
    still = [row for row in rows["Trends"] if row[0] == "0"]
    assert len(still) == 9
    assert all(at_most(round(float(row[3]) * 2000), simulation.ALPHA, 2000) for row in still)
    said = {(float(effect), int(m)): int(n) for effect, m, n, _ in rows["Replicates needed"]}
    assert all(power.replicates_needed(effect, 0.05 / m) == n for (effect, m), n in said.items())
    computed = [(float(row[0]), re.findall(r"\((.*?)\)", " ".join(row))) for row in rows["Power"]]
    for n, values in computed:
        expected = [power.power(effect, int(n), 0.05) for effect in (0.5, 1.0, 1.5, 2.0)]
        assert [float(value) for value in values] == pytest.approx(expected, abs=6e-4)
