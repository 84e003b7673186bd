"""Claims about steps keep their level, whatever the order: short form of tools/simulations/claims/path.py."""

from __future__ import annotations

import numpy as np
import pytest
from simulations.claims import path
from support.rates import at_most

STUDIES = 40


def test_a_path_of_six_changes_two_of_which_matter() -> None:
    found = path.outcomes(8, 2, 2.0, "configurations", STUDIES, 1, racing=True)
    assert at_most(found.any_false, 0.05, STUDIES, chance=1e-4)
    assert found.falsely_better <= found.any_false
    assert found.exactly > 0.6
    assert 0.15 < found.spared < 0.35
    assert found.first_null < 0


def test_without_racing_nothing_is_spared() -> None:
    assert path.outcomes(8, 2, 2.0, "changes", 2, 1, racing=False).spared == 0


def test_the_order_changes_no_difference_where_scatter_belongs_to_changes() -> None:
    """The steps of any order are the same set of differences, so the choice of the order costs nothing."""
    rng = np.random.default_rng(3)
    world = path.World([0.0] * path.CHANGES, 8, "changes", rng)
    spec = path.study(8, racing=True)
    progress, _ = path.walk(spec, world)
    chosen = np.diff([world.values(variant) for variant in progress.taken], axis=0)
    singles = [variant for variant in progress.variants if sum(variant.levels.values()) == 1]
    base = world.values(progress.taken[0])
    alone = np.array([world.values(variant) - base for variant in singles])
    order = [np.argsort(rows[:, 0]) for rows in (chosen, alone)]
    assert chosen[order[0]] == pytest.approx(alone[order[1]])
