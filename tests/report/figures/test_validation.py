"""The figure of validation losses."""

from __future__ import annotations

import pandas as pd

from ablate.report.figures.validation import validation_figure


def test_the_mean_ends_where_the_first_training_of_its_group_ends() -> None:
    curves = pd.DataFrame(
        {
            "training": list("xxxyy"),
            "shared_by": "a",
            "step": [10, 20, 30, 10, 20],
            "loss": [4.0, 2.0, 3.0, 2.0, 1.0],
            "kept": [False, True, False, False, True],
        }
    )
    axes = validation_figure(curves).axes[0]
    mean, *trainings, kept = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axes.get_lines()]
    assert mean == ([10, 20], [3.0, 1.5])
    assert trainings == [([10, 20, 30], [4.0, 2.0, 3.0]), ([10, 20], [2.0, 1.0])]
    assert kept == ([20, 20], [2.0, 1.0])
    corners = axes.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(10.0, 2.0), (10.0, 4.0), (20.0, 1.0), (20.0, 2.0)}
