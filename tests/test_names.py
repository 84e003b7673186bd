"""The names of axes, levels and features."""

from __future__ import annotations

import pytest

from ablate.names import headline_features


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (["l1", "average", "l2"], ["average"]),
        (["share", "notes", "share"], ["share", "notes"]),
        (["value"], ["value"]),
        ([], []),
    ],
)
def test_the_average_stands_for_its_metric_or_every_feature(features: list[str], expected: list[str]) -> None:
    assert headline_features(features) == expected
