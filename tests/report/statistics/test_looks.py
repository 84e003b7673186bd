"""Which looks count, what they may spend, and when a study may stop."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate.report.statistics import looks
from ablate.report.statistics.inference.sequential import Look
from ablate.report.statistics.looks import Looks, looks_of, reason, states
from ablate.settings import LookSettings, StatisticsSettings
from ablate.store.records import LookRecord

VARIANTS = ("a", "b", "c")
DECLARED = {"looks": {"first": 8, "most": 24}}


def seen(replicates: int, share: float | None = 1.0, variants: tuple[str, ...] = VARIANTS) -> LookRecord:
    return LookRecord(replicates, share, {}, {}, variants)


def made(records: list[LookRecord], now: int, spec: dict[str, Any] | None = None) -> list[tuple[int, float | None]]:
    found = looks_of(records, spec or {}, now, VARIANTS)
    return [(look.replicates, None if math.isnan(look.share) else look.share) for look in found.made]


def test_a_plain_number_is_one_look_with_all_of_alpha() -> None:
    assert made([], 8) == [(8, 1.0)]
    assert made([seen(8)], 8) == [(8, 1.0)]
    assert looks_of([seen(8)], {}, 8, VARIANTS).plain


def test_more_replicates_are_a_look_that_nobody_declared() -> None:
    assert made([seen(8)], 10) == [(8, 1.0), (10, None)]
    assert made([seen(8), seen(10, None)], 14) == [(8, 1.0), (10, None), (14, None)]
    assert not looks_of([seen(8)], {}, 10, VARIANTS).plain


def test_declared_looks_spend_in_proportion() -> None:
    assert made([], 8, DECLARED) == [(8, pytest.approx(1 / 3))]
    assert made([seen(8, 1 / 3), seen(12, 0.5)], 24, DECLARED)[-1] == (24, 1.0)
    assert made([seen(24, 1.0)], 30, DECLARED)[-1] == (30, None), "beyond most, nobody declared it"
    # looks that were declared after the first one find alpha spent already
    assert made([seen(8, 1.0)], 12, DECLARED) == [(8, 1.0), (12, 0.5)]


def test_fewer_replicates_than_were_seen_claim_nothing_new() -> None:
    found = looks_of([seen(8), seen(10, None)], {}, 8, VARIANTS)
    assert (found.made, found.later) == ((Look(8, 1.0),), 10)
    found = looks_of([seen(10)], {}, 8, VARIANTS)
    assert (found.made, found.later) == ((Look(8, 0.0),), 10)
    # a look at fewer is no step of its own
    assert made([seen(10), seen(8, 0.0)], 12) == [(10, 1.0), (12, None)]


def test_looks_at_other_variants_do_not_count() -> None:
    assert made([seen(8, 1.0, ("a", "x", "y"))], 10) == [(10, 1.0)]
    assert made([seen(8, 1.0, ("a", "b", "y"))], 10) == [(8, 1.0), (10, None)]


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return rows as judge makes them: one comparison each, of the primary quantity."""
    whole = {
        "kind": "variant",
        "metric": "m",
        "feature": "f",
        "role": "primary",
        "direction": "lower",
        "p_adjusted": 1.0,
        "p_equivalent": np.nan,
        "margin": np.nan,
        "verdict": "inconclusive",
    }
    return pd.DataFrame([{**whole, "comparison": f"v{index}", **row} for index, row in enumerate(rows)])


def test_states_and_reasons() -> None:
    settings = LookSettings(first=8, most=24)
    at_first = Looks((Look(8, 1 / 3),), settings)
    zero, large = np.tile([0.1, -0.1], 4), np.arange(1.0, 9.0)
    rows = frame({"verdict": "better", "values": large}, {"verdict": "equivalent", "values": zero})
    assert list(states(rows, at_first, 0.05).values()) == ["different", "equivalent"]
    assert reason(states(rows, at_first, 0.05), at_first) == "decided"

    rows = frame({"verdict": "better", "values": large}, {"values": zero})
    assert list(states(rows, at_first, 0.05).values()) == ["different", "given up"]
    assert reason(states(rows, at_first, 0.05), at_first) == "given up"

    rows = frame({"values": large}, {"values": zero})
    assert reason(states(rows, at_first, 0.05), at_first) == ""
    at_last = Looks((Look(24, 1.0),), settings)
    assert reason(states(rows, at_last, 0.05), at_last) == "most"

    never = Looks((Look(8, 1 / 3),), LookSettings(first=8, most=24, futility=0.0))
    assert list(states(frame({"values": zero}), never, 0.05).values()) == ["open"]
    # a wide margin can still be decided
    assert list(states(frame({"values": zero, "margin": 1.0}), at_first, 0.05).values()) == ["open"]
    # every replicate has the same difference; all differences are 0
    assert list(states(frame({"values": np.ones(8)}), at_first, 0.05).values()) == ["open"]
    assert list(states(frame({"values": np.zeros(8), "verdict": "alike"}), at_first, 0.05).values()) == ["given up"]


def test_equivalence_takes_the_part_of_alpha_of_its_look() -> None:
    declared = Looks((Look(8, 0.25), Look(16, 1.0)), LookSettings(first=8, most=16))
    values = np.random.default_rng(0).normal(size=16) * 0.01
    rows = frame({"values": values, "margin": 1.0, "p_equivalent": 0.03, "difference": 0.0})
    early = rows.assign(p_equivalent=[0.02])
    rules = StatisticsSettings()
    corrected, _ = looks.correct(rows, declared, lambda _: early, np.arange(16), rules)
    assert corrected["p_equivalent"].tolist() == [pytest.approx(0.03 / 0.75)]  # 0.02 / 0.25 is more
    undeclared = Looks((Look(8, 1.0), Look(16, math.nan)), None)
    corrected, _ = looks.correct(rows, undeclared, lambda _: early, np.arange(16), rules)
    assert corrected["p_equivalent"].tolist() == [pytest.approx(0.02)], "a look that nobody declared adds none"


def test_the_numbers_of_looks() -> None:
    assert LookSettings(first=8, most=24).numbers == (8, 12, 16, 20, 24)
    assert LookSettings(first=8, most=25).numbers == (8, 12, 16, 20, 25)
    assert LookSettings(first=6, most=10).numbers == (6, 10)
    assert LookSettings(first=2, most=3).numbers == (2, 3)
    assert LookSettings(first=8, most=24, looks=(8, 16, 24)).numbers == (8, 16, 24)
