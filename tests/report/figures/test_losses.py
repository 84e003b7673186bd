"""The training losses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ablate.report.data.artifacts import thin_losses
from ablate.report.figures.losses import loss_figure


def test_losses_are_a_mean_with_the_range_over_replicates() -> None:
    losses = [4.0, 2.0, 2.0, 1.0, 9.0, 8.0]
    names = ["a", "a", "a", "a", "b", "b"]
    curves = pd.DataFrame({"training": list("xxyyzz"), "shared_by": names, "step": [1, 2] * 3, "loss": losses})
    axes = loss_figure(curves).axes[0]
    assert [line.get_ydata().tolist() for line in axes.get_lines()] == [[3.0, 1.5], [9.0, 8.0]]
    corners = axes.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(1.0, 2.0), (1.0, 4.0), (2.0, 1.0), (2.0, 2.0)}


def test_the_mean_ends_with_the_first_training_of_a_group_and_the_others_go_on_as_lines() -> None:
    curves = pd.DataFrame(
        {"training": list("xxxyy"), "shared_by": "a", "step": [1, 2, 3, 1, 2], "loss": [4.0, 2.0, 1.0, 2.0, 1.0]}
    )
    axes = loss_figure(curves).axes[0]
    lines = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axes.get_lines()]
    assert lines == [([1, 2], [3.0, 1.5]), ([3], [1.0])]


def test_curves_of_one_figure_have_the_same_blocks() -> None:
    step, loss = thin_losses(np.arange(10.0), points=5, longest=20)
    assert step.tolist() == [4.0, 8.0, 10.0]
    assert loss.tolist() == [1.5, 5.5, 8.5]
