"""The files of a study's stages."""

from __future__ import annotations

import numpy as np

from ablate.report.data.artifacts import thin_losses


def test_thinned_losses_are_block_means() -> None:
    step, loss = thin_losses(np.arange(10.0), points=4)
    assert step.tolist() == [3, 6, 9, 10]
    assert loss.tolist() == [1, 4, 7, 9]
    assert thin_losses(np.arange(3.0))[1].tolist() == [0, 1, 2]
