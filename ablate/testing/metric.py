"""The contracts of metrics, of samples and of models."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import math
import typing
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.interfaces import Direction
from ablate.specs import MetricSpec, ModelMetricSpec
from ablate.testing.base import Contract
from ablate.testing.material import equal_performances, performances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import Array
    from ablate.interfaces import Histogram, Measurements
    from ablate.music.performance import Performance


class _AnyMetricContract(Contract):
    """The common part of both contracts of metrics."""

    def results(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the results of the metric in a few comparable cases."""
        raise NotImplementedError

    def test_values(self, settings: Mapping[str, Any]) -> None:
        """Check that values are finite and have a feature, a unit, a direction and a count, even for a single note."""
        for result in self.results(settings):
            assert result.values, "the metric returns no value"
            features = [value.feature for value in result.values]
            assert len(set(features)) == len(features), "two values have the same feature"
            for value in result.values:
                assert value.feature.strip(), "a value has an empty feature"
                assert math.isfinite(value.value), f"{value.feature} is {value.value}"
                assert value.direction in typing.get_args(Direction), f"unknown direction {value.direction!r}"
                assert value.unit.strip(), f"{value.feature} has no unit; that of a pure number is '1'"
                assert value.n >= 0, f"{value.feature} has n = {value.n}"

    def test_features_are_fixed(self, settings: Mapping[str, Any]) -> None:
        """Check that features, units and directions do not depend on the sample: they are columns of one table."""
        columns = {tuple((v.feature, v.unit, v.direction) for v in m.values) for m in self.results(settings)}
        assert len(columns) == 1, "features, units or directions differ between samples"

    def test_histograms(self, settings: Mapping[str, Any]) -> None:
        """Check that histograms have increasing edges and one finite count, not negative, in each bin."""
        for result in self.results(settings):
            for histogram in result.histograms:
                self._check_histogram(histogram)

    def _check_histogram(self, histogram: Histogram) -> None:
        assert (np.diff(histogram.edges) > 0).all(), f"edges of {histogram.feature} do not increase"
        for counts in (histogram.reference, histogram.generated):
            bins = len(histogram.edges) - 1
            assert len(counts) == bins, f"{histogram.feature} has {len(counts)} counts for {bins} bins"
            assert all(math.isfinite(c) and c >= 0 for c in counts), f"{histogram.feature} has a negative count"


class MetricContract(_AnyMetricContract):
    """A metric returns finite numbers, always with the same features, for any sample with a note."""

    record = MetricSpec

    def results(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the results for each test performance, with all of them as the reference."""
        metric = self.build(settings)
        return [metric.measure(sample, performances()) for sample in performances()]

    def test_copied_share(self, settings: Mapping[str, Any]) -> None:
        """Check that the feature that the record names as the copied share exists and is a share."""
        feature = self.spec.copied_share
        if not feature:
            return
        for result in self.results(settings):
            shares = [value for value in result.values if value.feature == feature]
            assert shares, f"copied_share is '{feature}', but the metric has no such feature"
            is_share = shares[0].unit == "1" and 0 <= shares[0].value <= 1
            assert is_share, f"'{feature}' is {shares[0].value} {shares[0].unit}; a share is from 0 to 1, in unit '1'"

    def test_same_again(self, settings: Mapping[str, Any]) -> None:
        """Check that measuring again gives the same result, and that neither sample nor reference is changed."""
        metric, sample, reference = self.build(settings), performances()[0], performances()
        first = metric.measure(sample, reference)
        assert metric.measure(sample, reference) == first, "measuring again gave other numbers"
        assert self.build(settings).measure(sample, reference) == first, "a new metric gave other numbers"
        assert self._unchanged((sample, *reference)), "sample or reference was changed in place"

    def _unchanged(self, music: Sequence[Performance]) -> bool:
        return all(map(equal_performances, music, (performances()[0], *performances())))


class ModelMetricContract(_AnyMetricContract):
    """A metric of models returns finite numbers, always the same for the same likelihoods."""

    record = ModelMetricSpec

    def results(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the results for a model with equal likelihoods and for one with different likelihoods."""
        metric, pieces = self.build(settings), performances()
        return [metric.measure(score, pieces[:2], pieces[2:]) for score in (_equal_score, _uneven_score)]

    def test_nothing_held_out(self, settings: Mapping[str, Any]) -> None:
        """Check that there are values without held-out pieces too."""
        values = self.build(settings).measure(_equal_score, performances(), []).values
        assert values, "without held-out pieces the metric returns no value"

    def test_same_again(self, settings: Mapping[str, Any]) -> None:
        """Check that measuring again gives the same result."""
        assert self.results(settings) == self.results(settings), "measuring again gave other numbers"


def _equal_score(performance: Performance) -> Array:
    return np.ones(2 * len(performance))


def _uneven_score(performance: Performance) -> Array:
    return np.linspace(0.0, 5.0, 2 * len(performance))
