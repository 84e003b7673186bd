"""Corpora, augmenters and metrics: one that keeps its contract, and many that break it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import ablate

counter = itertools.count()


def notes(*starts: float) -> ablate.Performance:
    return ablate.Performance.from_notes([(60, 64, start, start + 0.5) for start in starts])


class Scale(ablate.Corpus):
    def identity(self) -> str:
        return "scale"

    def load(self) -> list[ablate.Performance]:
        return [notes(0, 1, 2)]


class BlankIdentity(Scale):
    def identity(self) -> str:
        return " "


class NumberAsIdentity(Scale):
    def identity(self) -> Any:
        return 1


class RestlessIdentity(Scale):
    def identity(self) -> str:
        return str(next(counter))


class Empty(Scale):
    def load(self) -> list[ablate.Performance]:
        return []


class Silent(Scale):
    def load(self) -> list[ablate.Performance]:
        return [notes()]


class Backwards(Scale):
    def load(self) -> list[ablate.Performance]:
        return [ablate.Performance.from_notes([(60, 64, 1.0, 0.5)])]


class RestlessMusic(Scale):
    def load(self) -> list[ablate.Performance]:
        return [notes(next(counter))]


class RestlessSize(Scale):
    def load(self) -> list[ablate.Performance]:
        return [notes(0)] * next(counter)


class Louder(ablate.Augmenter):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        louder = performance.notes.copy()
        louder["velocity"] = (louder["velocity"] + rng.integers(10)).clip(1, 127)
        return [performance, performance.replace(notes=louder).labelled(louder=1.0)]


class Nothing(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        return []


class Silencing(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        return [performance.replace(notes=performance.notes[:0])]


class TooLoud(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        louder = performance.notes.copy()
        louder["velocity"] += 100
        return [performance.replace(notes=louder)]


class TextLabel(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        text: Any = "loud"
        return [performance.labelled(louder=text)]


class EndlessLabel(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        return [performance.labelled(louder=float("inf"))]


class InPlace(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        performance.notes["velocity"] = 100
        return [performance]


class OwnRandomness(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        return super().augment(performance, np.random.default_rng(next(counter)))


class OwnNumber(Louder):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> list[ablate.Performance]:
        return [performance] * (1 + next(counter) % 2)


class MeanPitch(ablate.Metric):
    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        histogram = ablate.Histogram("pitch", "MIDI pitch", (0, 60, 128), (1, 1), (0, 2))
        return ablate.Measurements((self.value(generated),), (histogram,))

    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(float(generated.notes["pitch"].mean()), unit="MIDI pitch", n=len(generated))


class NoValue(MeanPitch):
    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        return ablate.Measurements(())


class SpreadOfOne(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        value = float("nan") if len(generated) == 1 else 1.0
        return ablate.Value(value, n=len(generated))


class Sideways(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        direction: Any = "sideways"
        return ablate.Value(1.0, direction=direction, n=1)


class NoUnit(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(1.0, unit="", n=1)


class NoFeature(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(1.0, feature="", n=1)


class NegativeCount(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(1.0, n=-1)


class Twice(MeanPitch):
    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        return ablate.Measurements((self.value(generated),) * 2)


class FeatureByPitch(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(1.0, feature=f"pitch {generated.notes['pitch'][0]}", n=1)


class Drawing(MeanPitch):
    """Draws the histogram it is given."""

    def __init__(self, edges: tuple[float, ...], counts: tuple[float, ...]) -> None:
        self.histogram = ablate.Histogram("pitch", "1", edges, counts, counts)

    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        return ablate.Measurements((self.value(generated),), (self.histogram,))


class RestlessValue(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(next(counter), n=1)


class Ageing(MeanPitch):
    age = 0

    def value(self, generated: ablate.Performance) -> ablate.Value:
        self.age += 1
        return ablate.Value(self.age, n=1)


class RewritesReference(MeanPitch):
    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        reference[-1].notes["velocity"] = 1
        return super().measure(generated, reference)


class Refusing(MeanPitch):
    """Refuses every sample, as a metric of drums does with a piano."""

    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        raise ValueError("no drums")


class Crashing(MeanPitch):
    """Ends in an error that is no refusal."""

    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        return ablate.Measurements((ablate.Value([1.0, 2.0][len(generated)], n=1),))


class Spread(ablate.SetMetric):
    """The spread of the mean pitches of a set, which needs two samples."""

    def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
        if len(generated) < 2:
            raise ValueError("one sample has no spread")
        means = [piece.notes["pitch"].mean() for piece in generated]
        return ablate.Measurements((self.value(means),))

    def value(self, means: Any) -> ablate.Value:
        return ablate.Value(float(np.std(means)), feature="spread", unit="MIDI pitch", n=len(means))


class NoSpread(Spread):
    def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
        return ablate.Measurements(())


class SpreadOfAll(Spread):
    """Takes the spread of a single sample too, with the divisor 0."""

    def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
        means = np.array([piece.notes["pitch"].mean() for piece in generated])
        with np.errstate(invalid="ignore"):
            variance = float(((means - means.mean()) ** 2).sum() / np.float64(len(means) - 1))
        return ablate.Measurements((ablate.Value(variance, feature="spread", n=len(means)),))


class FeatureBySize(Spread):
    def value(self, means: Any) -> ablate.Value:
        return ablate.Value(1.0, feature="odd" if len(means) % 2 else "even", n=1)


class SpreadInBins(Spread):
    def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
        histogram = ablate.Histogram("pitch", "MIDI pitch", (0.0, 64.0, 64.0), (1, 1), (1, 1))
        return ablate.Measurements(super().measure(generated, reference).values, (histogram,))


class FirstOfSet(Spread):
    def value(self, means: Any) -> ablate.Value:
        return ablate.Value(float(means[0]), feature="spread", n=1)


class RestlessSpread(Spread):
    def value(self, means: Any) -> ablate.Value:
        return ablate.Value(next(counter), feature="spread", n=1)


class SortsSamples(Spread):
    def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
        generated[0].notes["velocity"] = 1
        return super().measure(generated, reference)


class Nats(ablate.ModelMetric):
    def measure(self, score: Any, train: Any, validation: Any, test: Any) -> ablate.Measurements:
        return ablate.Measurements((self.value(score(train[0])),))

    def value(self, nats: Any) -> ablate.Value:
        return ablate.Value(float(nats.mean()), feature="train", unit="nat/token", direction="lower", n=len(nats))


class NoNats(Nats):
    def measure(self, score: Any, train: Any, validation: Any, test: Any) -> ablate.Measurements:
        return ablate.Measurements(())


class LogOfNats(Nats):
    def value(self, nats: Any) -> ablate.Value:
        return ablate.Value(float("-inf") if nats.min() == 0 else 0.0, feature="train", n=len(nats))


class FeatureByCost(Nats):
    def value(self, nats: Any) -> ablate.Value:
        return ablate.Value(1.0, feature="dear" if nats.max() > 1 else "cheap", n=1)


class EmptyHistogram(Nats):
    def measure(self, score: Any, train: Any, validation: Any, test: Any) -> ablate.Measurements:
        histogram = ablate.Histogram("cost", "nat", (0.0, 1.0), (1,), ())
        return ablate.Measurements((self.value(score(train[0])),), (histogram,))


class NeedsHeldOut(Nats):
    def measure(self, score: Any, train: Any, validation: Any, test: Any) -> ablate.Measurements:
        return ablate.Measurements(tuple(self.value(score(piece)) for piece in test[:1]))


class RestlessNats(Nats):
    def value(self, nats: Any) -> ablate.Value:
        return ablate.Value(next(counter), feature="train", n=1)


class Everywhere(MeanPitch):
    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(1.0, n=1, within="everywhere")  # type: ignore[arg-type]


KEEPS = {
    "CorpusContract": Scale,
    "AugmenterContract": Louder,
    "MetricContract": MeanPitch,
    "SetMetricContract": Spread,
    "ModelMetricContract": Nats,
}
#: The contract, its test that must fail, the component, and what the message must say.
BREAKS: list[tuple[str, str, Any, str]] = [
    ("CorpusContract", "test_identity", BlankIdentity, "identity is empty"),
    ("CorpusContract", "test_identity", NumberAsIdentity, "not a string"),
    ("CorpusContract", "test_identity", RestlessIdentity, "changed"),
    ("CorpusContract", "test_load", Empty, "no performance"),
    ("CorpusContract", "test_load", Silent, "no notes"),
    ("CorpusContract", "test_load", Backwards, "not valid"),
    ("CorpusContract", "test_load", RestlessMusic, "other music"),
    ("CorpusContract", "test_load", RestlessSize, "another number"),
    ("AugmenterContract", "test_results_are_valid", Nothing, "there is no result"),
    ("AugmenterContract", "test_results_are_valid", Silencing, "no notes"),
    ("AugmenterContract", "test_results_are_valid", TooLoud, "not valid"),
    ("AugmenterContract", "test_results_are_valid", TextLabel, "not a number"),
    ("AugmenterContract", "test_results_are_valid", EndlessLabel, "is inf"),
    ("AugmenterContract", "test_input_is_unchanged", InPlace, "changed in place"),
    ("AugmenterContract", "test_seed_decides", OwnRandomness, "other results"),
    ("AugmenterContract", "test_seed_decides", OwnNumber, "another number"),
    ("MetricContract", "test_values", NoValue, "no value"),
    ("MetricContract", "test_values", SpreadOfOne, "is nan"),
    ("MetricContract", "test_values", Sideways, "sideways"),
    ("MetricContract", "test_values", NoUnit, "no unit"),
    ("MetricContract", "test_values", NoFeature, "empty feature"),
    ("MetricContract", "test_values", NegativeCount, "n = -1"),
    ("MetricContract", "test_values", Twice, "same feature"),
    ("MetricContract", "test_values", Everywhere, "unknown within 'everywhere'"),
    ("MetricContract", "test_values", Refusing, "refuses all test performances .ValueError: no drums."),
    ("MetricContract", "test_values", Crashing, "list index out of range"),
    ("SetMetricContract", "test_values", NoSpread, "no value"),
    ("SetMetricContract", "test_values", SpreadOfAll, "is nan"),
    ("SetMetricContract", "test_features_are_fixed", FeatureBySize, "differ between samples"),
    ("SetMetricContract", "test_histograms", SpreadInBins, "do not increase"),
    ("SetMetricContract", "test_order_does_not_matter", FirstOfSet, "for the same set in another order"),
    ("SetMetricContract", "test_same_again", RestlessSpread, "other numbers"),
    ("SetMetricContract", "test_same_again", SortsSamples, "changed in place"),
    ("MetricContract", "test_features_are_fixed", FeatureByPitch, "differ between samples"),
    ("MetricContract", "test_histograms", lambda: Drawing((0, 0, 1), (1, 1)), "do not increase"),
    ("MetricContract", "test_histograms", lambda: Drawing((0, 1), (1, 1)), "counts for"),
    ("MetricContract", "test_histograms", lambda: Drawing((0, 1), (-1,)), "negative"),
    ("MetricContract", "test_same_again", RestlessValue, "other numbers"),
    ("MetricContract", "test_same_again", Ageing, "other numbers"),
    ("MetricContract", "test_same_again", RewritesReference, "changed in place"),
    ("ModelMetricContract", "test_values", NoNats, "no value"),
    ("ModelMetricContract", "test_values", LogOfNats, "is -inf"),
    ("ModelMetricContract", "test_features_are_fixed", FeatureByCost, "differ between samples"),
    ("ModelMetricContract", "test_histograms", EmptyHistogram, "counts for"),
    ("ModelMetricContract", "test_nothing_held_out", NeedsHeldOut, "no value"),
    ("ModelMetricContract", "test_same_again", RestlessNats, "other numbers"),
]
