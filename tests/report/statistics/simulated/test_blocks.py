"""Claims over blocks keep their level on simulated studies; a short form of tools/simulations/claims/blocks.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats as sps
from support.checkout import ROOT

if TYPE_CHECKING:
    from types import ModuleType

STUDIES = 150


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from simulations.claims import blocks
    finally:
        sys.path.pop(0)
    return blocks


@pytest.mark.parametrize("effects", [(0.0, 0.0, 0.0), (4.0, 4.0, 0.0), (2.0, 0.0, -2.0)])
def test_claims_over_blocks_keep_their_level(simulation: ModuleType, effects: tuple[float, ...]) -> None:
    rates = simulation.outcomes("normal", 4, effects, STUDIES, np.random.default_rng(1))
    falsely, _, too_many, _, varies, covered = rates
    level = [falsely, too_many, 1 - covered, *([varies] if len(set(effects)) == 1 else [])]
    for rate in level:
        assert sps.binomtest(round(rate * STUDIES), STUDIES, 0.05, alternative="greater").pvalue > 1e-5


def test_shared_seeds_would_claim_too_much(simulation: ModuleType) -> None:
    rates = simulation.outcomes("seeds shared by the blocks", 4, (0.0, 0.0, 0.0), STUDIES, np.random.default_rng(2))
    assert sps.binomtest(round(rates[0] * STUDIES), STUDIES, 0.05, alternative="greater").pvalue < 0.01
