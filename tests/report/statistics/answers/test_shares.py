"""The shares of parts in a study: exact sums, verdicts, and the reasons why leave-one-out and add-one-in disagree."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.effects_material import NAN, RULES, crossed, replicated
from support.parts_material import DISTANCE, study_of_parts

from ablate.report.statistics import roles
from ablate.report.statistics.answers.shares import adding_up, shares_of
from ablate.report.statistics.comparisons.attribution import DEPENDENCE, FIRST, LAST, REST, SHARE, TOTAL, attribution
from ablate.report.statistics.comparisons.attribution import layout as laid_out
from ablate.report.statistics.effects import judge
from ablate.study.design import DESIGNS, Axis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from ablate.arrays import Array
    from ablate.report.statistics.answers.shares import Shares

SMALL = np.random.default_rng(7).normal(0, 0.01, (64, 8))
START = np.random.default_rng(8).normal(5.0, 1.0, 8)


def interacting() -> Callable[[tuple[bool, ...]], Array]:
    """The first part makes it better by 1, the second by 0.5, both together by 1 more; the third does nothing."""
    noise = iter(SMALL)
    return lambda on: START - on[0] - 0.5 * on[1] - 1.0 * (on[0] and on[1]) + next(noise)


def judged(design: str, count: int, values: Array) -> tuple[pd.DataFrame, Shares]:
    """Everything about the shares of a study without a store, with these values, [variants, replicates]."""
    axes = [Axis(f"part{place}", (0, 1)) for place in range(count)]
    variants = DESIGNS[design](axes, {axis.path: 0 for axis in axes})
    replicates = replicated({variant.name: own for variant, own in zip(variants, values, strict=False)})
    study = laid_out(*crossed(variants), {})
    quantities = replicates.quantities.assign(role=roles.PRIMARY)
    frame = adding_up(judge(replicates, list(attribution(study)), {}, RULES, quantities))
    shares = shares_of(replicates, study, frame, ("m", "f"), "mean")
    assert shares
    return frame, shares


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([("factorial", 2), ("factorial", 3), ("fractional", 3), ("fractional", 6)]), st.data())
def test_shares_add_up_to_the_last_digit(design: tuple[str, int], data: st.DataObject) -> None:
    """As doubles, in every order of adding, and as printed."""
    scale = 10.0 ** data.draw(st.integers(-8, 8))
    seed = data.draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).normal(size=(32, 5)) * scale
    frame, shares = judged(*design, values)
    parts, total = [row["difference"] for row in shares.rows], shares.total["difference"]
    assert math.fsum(parts) == total
    assert {sum(order) for order in itertools.permutations(parts[:5])} == {sum(parts[:5])}
    assert sum(parts) == total
    printed, whole = shares.printed()
    digits = shares.decimals
    assert sum(Decimal(f"{value:.{digits}f}") for value in printed) == Decimal(f"{whole:.{digits}f}")
    assert frame.loc[frame["kind"] == TOTAL, "difference"].item() == total


def test_adding_up_changes_nothing_but_the_last_bits() -> None:
    values = np.random.default_rng(3).normal(size=(8, 6))
    frame, _ = judged("factorial", 3, values)
    for row in frame.to_dict("records"):
        assert row["difference"] == pytest.approx(row["values"].mean(), rel=1e-12, abs=1e-14)


def test_wide_intervals_hide_no_digits() -> None:
    """Two replicates have intervals of any width; the shares themselves still have three digits."""
    values = np.array([[0.0, 4.0], [0.1, 4.0], [0.2, 4.0], [0.36, 4.2]])
    _, shares = judged("factorial", 2, values)
    assert shares.decimals == 3
    assert shares.printed() == ([0.165, 0.115], 0.28)


def test_only_shares_and_dependences_are_judged(tmp_path: Path) -> None:
    analysis = study_of_parts(tmp_path, "factorial", 3, interacting())
    frame = analysis.all_effects
    described = frame[frame["kind"].isin((TOTAL, REST, FIRST, LAST))]
    assert len(described) == 7
    assert set(described["role"]) == {"exploratory"}
    assert set(described["verdict"]) == {""}
    assert not described[["difference", "low", "high"]].isna().any(axis=None)
    primary = frame[frame["role"] == "primary"]
    assert set(primary["family"]) == {7 + 3 + 3 + 3 + 3}
    assert set(primary["kind"]) == {"variant", "main effect", "interaction", SHARE, DEPENDENCE}


def test_an_interaction_is_shared_and_its_partner_is_named(tmp_path: Path) -> None:
    analysis = study_of_parts(tmp_path, "factorial", 3, interacting())
    shares = analysis.shares[DISTANCE]
    first, second, third = shares.shares
    assert [share.row["verdict"] for share in shares.shares] == ["better", "better", "inconclusive"]
    assert [share.row["difference"] for share in (first, second)] == pytest.approx([-1.5, -1.0], abs=0.02)
    assert shares.total["difference"] == pytest.approx(-2.5, abs=0.03)
    assert first.first
    assert first.last
    assert (first.first["difference"], first.last["difference"]) == pytest.approx((-1.0, -2.0), abs=0.03)
    assert first.partner
    assert first.partner.name == "conditioner=on"
    assert first.partner.size == pytest.approx(-1.0, abs=0.03)
    assert second.partner
    assert second.partner.name == "augmenter=on"
    assert third.partner is None
    assert shares.missing == 0


def test_a_missing_replicate_counts_nowhere(tmp_path: Path) -> None:
    value = interacting()

    def with_gap(on: tuple[bool, ...]) -> Array:
        values = value(on)
        return np.where(np.arange(8) == 2, NAN, values) if on == (True, False) else values

    shares = study_of_parts(tmp_path, "factorial", 2, with_gap).shares[DISTANCE]
    assert shares.missing == 1
    assert {share.row["n"] for share in shares.shares} == {7}
    assert shares.total["n"] == 7
    assert sum(share.row["difference"] for share in shares.shares) == shares.total["difference"]


def test_a_variant_without_values_leaves_a_quantity_without_shares(tmp_path: Path) -> None:
    value = interacting()
    analysis = study_of_parts(tmp_path, "factorial", 2, lambda on: value(on) * (NAN if all(on) else 1.0))
    assert analysis.parts.cells
    assert analysis.shares == {}


def test_named_variants_have_shares_with_parts(tmp_path: Path) -> None:
    from support.effects_material import Stored

    from ablate.registry import get_registry
    from ablate.report.statistics.analysis.analysis import Analysis

    value = interacting()
    parts: dict[str, Any] = {"neither": [], "x": ["x"], "y": ["y"], "both": ["x", "y"]}
    values = {name: value(("x" in own, "y" in own)) for name, own in parts.items()}
    values["placebo"] = START + SMALL[-1]
    levels = {name: {"variants": name} for name in values}
    study = Stored(tmp_path, levels, {DISTANCE: values}).put(parts=parts, objective={"metric": "distance"})
    analysis = Analysis(study, get_registry())
    shares = analysis.shares[DISTANCE]
    assert [share.name for share in shares.shares] == ["x", "y"]
    assert shares.total["difference"] == pytest.approx((values["both"] - values["neither"]).mean(), abs=1e-12)
    assert analysis.of_kind("dependence")["comparison"].to_list() == ["x x y"]
