"""Claims over blocks keep their level on simulated studies; a short form of tools/simulations/claims/blocks.py."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as sps
from simulations.claims import blocks
from support.rates import at_most

STUDIES = 150


@pytest.mark.parametrize("effects", [(0.0, 0.0, 0.0), (4.0, 4.0, 0.0), (2.0, 0.0, -2.0)])
def test_claims_over_blocks_keep_their_level(effects: tuple[float, ...]) -> None:
    rates = blocks.outcomes("normal", 4, effects, STUDIES, np.random.default_rng(1))
    falsely, _, too_many, _, varies, covered = rates
    level = [falsely, too_many, 1 - covered, *([varies] if len(set(effects)) == 1 else [])]
    for rate in level:
        assert at_most(rate, 0.05, STUDIES)


def test_shared_seeds_would_claim_too_much() -> None:
    rates = blocks.outcomes("seeds shared by the blocks", 4, (0.0, 0.0, 0.0), STUDIES, np.random.default_rng(2))
    assert sps.binomtest(round(rates[0] * STUDIES), STUDIES, 0.05, alternative="greater").pvalue < 0.01
