"""The contracts of metrics: of samples, of sets of samples, and of models."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import math
import typing
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import AblateError
from ablate.interfaces import Direction, Within
from ablate.music.performance import Performance
from ablate.specs import MetricSpec, ModelMetricSpec, SetMetricSpec
from ablate.testing import material
from ablate.testing.base import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import Array
    from ablate.interfaces import Histogram, Measurements


class _AnyMetricContract(Contract):
    """The common part of the contracts of metrics."""

    def performances(self) -> Sequence[Performance]:
        """Return new performances with a note each, to measure and as the reference; override it to give others."""
        return material.performances()

    def ensembles(self) -> Sequence[Performance]:
        """Return new performances of several instruments, and of drums alone; a metric may refuse them."""
        return material.ensembles()

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
                assert value.within in typing.get_args(Within), f"{value.feature}: unknown within {value.within!r}"
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


class _MusicMetricContract(_AnyMetricContract):
    """The common part of the contracts of metrics that measure music; see :class:`MetricContract`."""

    def cases(self) -> list[tuple[Any, Sequence[Performance]]]:
        """Return the arguments of ``measure`` for each case: what is measured, and the reference."""
        raise NotImplementedError

    def results(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the results of the cases that the metric does not refuse."""
        return [result for _, result in self._measured(settings)]

    def _measured(self, settings: Mapping[str, Any]) -> list[tuple[int, Measurements]]:
        """Return the results of the cases that the metric does not refuse, each with the index of its case."""
        metric, measured, reasons = self.build(settings), [], []
        for index, case in enumerate(self.cases()):
            try:
                measured.append((index, metric.measure(*case)))
            except (AblateError, ValueError) as error:
                reasons.append(f"{type(error).__name__}: {error}")
        assert measured, f"the metric refuses all test performances ({reasons[0]}); override performances()"
        return measured

    def test_same_again(self, settings: Mapping[str, Any]) -> None:
        """Check that measuring again gives the same result, and that neither sample nor reference is changed."""
        index, _ = self._measured(settings)[0]
        case, metric = self.cases()[index], self.build(settings)
        first = metric.measure(*case)
        assert metric.measure(*case) == first, "measuring again gave other numbers"
        assert self.build(settings).measure(*case) == first, "a new metric gave other numbers"
        before = map(_pieces, self.cases()[index])
        unchanged = all(all(map(material.equal_performances, _pieces(a), b)) for a, b in zip(case, before, strict=True))
        assert unchanged, "sample or reference was changed in place"


def _pieces(music: Performance | Sequence[Performance]) -> Sequence[Performance]:
    return [music] if isinstance(music, Performance) else music


class MetricContract(_MusicMetricContract):
    """A metric returns finite numbers, always with the same features, for any sample with a note.

    Samples and references of several instruments and of drums alone are among them. It may refuse a sample that it
    cannot measure with ValueError or an AblateError, but not all of them. A metric that
    needs other music than the test performances gets its own from a method ``performances`` of the subclass.
    """

    record = MetricSpec

    def cases(self) -> list[tuple[Any, Sequence[Performance]]]:
        """Return each test performance with all of them as the reference; then the same with several instruments."""
        pieces, ensembles = self.performances(), self.ensembles()
        cases = [(sample, self.performances()) for sample in (*pieces, *ensembles)]
        return [
            *cases,
            *((sample, self.ensembles()) for sample in (*pieces[:1], *ensembles)),
            (pieces[0], ensembles[-1:]),
        ]

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


class SetMetricContract(_MusicMetricContract):
    """A metric of sets returns finite numbers, always with the same features, whatever the order of the samples.

    It may refuse a set that it cannot measure (one sample, say) with ValueError or an AblateError, but not all of them.
    A metric that needs other music than the test performances gets its own from a method ``performances``.
    """

    record = SetMetricSpec

    def cases(self) -> list[tuple[Any, Sequence[Performance]]]:
        """Return all performances against themselves, each half against the other, and sets of one performance.

        Then come sets of several instruments, and of drums alone.
        """
        pieces, ensembles = self.performances(), self.ensembles()
        some, rest, drums = pieces[::2], pieces[1::2], [*ensembles[-1:], *self.ensembles()[-1:]]
        small = [(pieces, pieces), (some, rest), (rest, some), (pieces[:1], pieces), (pieces, pieces[:1])]
        both = [*pieces, *ensembles]
        return [*small, (both, pieces), (pieces, both), (both, both), (drums, both), (both, drums)]

    def test_order_does_not_matter(self, settings: Mapping[str, Any]) -> None:
        """Check that the order of samples and of reference pieces changes values by rounding at most."""
        index, first = self._measured(settings)[0]
        generated, reference = self.cases()[index]
        again = self.build(settings).measure(generated[::-1], reference[::-1])
        for one, other in zip(first.values, again.values, strict=True):
            equal = math.isclose(one.value, other.value, rel_tol=1e-6, abs_tol=1e-9)
            assert equal, f"{one.feature} is {one.value}, and {other.value} for the same set in another order"


class ModelMetricContract(_AnyMetricContract):
    """A metric of models returns finite numbers, always the same for the same likelihoods."""

    record = ModelMetricSpec

    def results(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the results for a model with equal likelihoods and for one with different likelihoods."""
        metric, pieces = self.build(settings), [*self.performances(), *self.ensembles()]
        return [metric.measure(score, pieces[:2], pieces[2:4], pieces[4:]) for score in (_equal_score, _uneven_score)]

    def test_nothing_held_out(self, settings: Mapping[str, Any]) -> None:
        """Check that there are values without held-out pieces too."""
        values = self.build(settings).measure(_equal_score, self.performances(), [], []).values
        assert values, "without held-out pieces the metric returns no value"

    def test_main(self, settings: Mapping[str, Any]) -> None:
        """Check that the metric has the features that its record calls the main ones, if their pieces exist."""
        pieces = self.performances()
        for part, feature in self.spec.main.items():
            split = [pieces if name in ("train", part) else [] for name in ("train", "validation", "test")]
            features = [value.feature for value in self.build(settings).measure(_equal_score, *split).values]
            assert feature in features, f"main is '{feature}' with {part} pieces, but the metric has no such feature"

    def test_same_again(self, settings: Mapping[str, Any]) -> None:
        """Check that measuring again gives the same result."""
        assert self.results(settings) == self.results(settings), "measuring again gave other numbers"


def _equal_score(performance: Performance) -> Array:
    return np.ones(2 * len(performance))


def _uneven_score(performance: Performance) -> Array:
    return np.linspace(0.0, 5.0, 2 * len(performance))
