"""Each number that a report can show is explained by the metric that measures it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate.registry import get_registry
from ablate.specs import AnyMetricSpec, MetricSpec, SetMetricSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate import Performance

METRICS = get_registry().names("metric")


@pytest.fixture(scope="module")
def pieces() -> Sequence[Performance]:
    """Band music with drums, several times: a distance of sets needs more pieces than it has features."""
    spec = get_registry().spec("corpus", "folk-tunes")
    found: Sequence[Performance] = spec.build(spec.parse({})).load()
    return [*found] * 4


def measured(spec: AnyMetricSpec, pieces: Sequence[Performance]) -> set[str]:
    """Return the features that a metric measures."""
    metric = spec.build(spec.parse({}))  # type: ignore[attr-defined]
    if isinstance(spec, MetricSpec):
        found = metric.measure(pieces[0], pieces)
    elif isinstance(spec, SetMetricSpec):
        found = metric.measure(pieces, pieces)
    else:
        found = [metric.measure(lambda piece: np.ones(len(piece)), *parts) for parts in _splits(pieces)]
        return {value.feature for each in found for value in each.values}
    return {value.feature for value in found.values}


def _splits(pieces: Sequence[Performance]) -> list[tuple[Sequence[Performance], ...]]:
    return [(pieces, pieces, pieces), (pieces, [], [])]


@pytest.mark.parametrize("name", METRICS)
def test_every_feature_of_every_metric_has_one_sentence(name: str, pieces: Sequence[Performance]) -> None:
    spec = get_registry().spec("metric", name)
    assert set(spec.features) == measured(spec, pieces)
    for sentence in spec.features.values():
        assert re.fullmatch(r"[A-Z][^.]{15,140}\.", sentence), sentence
    assert len(set(spec.features.values())) == len(spec.features), "each has its own"
