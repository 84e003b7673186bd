"""The training losses."""

from __future__ import annotations

import pandas as pd

from ablate.report.figures.losses import loss_figure


def test_losses_are_a_mean_with_the_range_over_replicates() -> None:
    losses = [4.0, 2.0, 2.0, 1.0, 9.0, 8.0]
    names = ["a", "a", "a", "a", "b", "b"]
    curves = pd.DataFrame({"training": list("xxyyzz"), "shared_by": names, "step": [1, 2] * 3, "loss": losses})
    axes = loss_figure(curves).axes[0]
    assert [line.get_ydata().tolist() for line in axes.get_lines()] == [[3.0, 1.5], [9.0, 8.0]]
    corners = axes.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(1.0, 2.0), (1.0, 4.0), (2.0, 1.0), (2.0, 2.0)}
