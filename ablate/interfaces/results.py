"""Metrics, and the numbers that they return."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.arrays import FloatArray
    from ablate.music.performance import Performance

Direction = Literal["lower", "higher", "none"]
#: What two variants must share so that a value of both can be compared: nothing, or the tokenizer.
Within = Literal["", "tokenizer"]


@dataclasses.dataclass(frozen=True)
class Value:
    """One number of a metric for one sample.

    Attributes:
        value: the number itself; finite, and at most 1e100 from 0.
        n: number of observations behind it (for a histogram distance: the sample's notes), 0 to 2^63 - 1.
        feature: the name of the value within its metric (``"l1"``); ``"value"`` suits a metric with a single one. It
            has 1 to 200 printable characters, and each feature is given once.
        unit: ``"1"`` for a pure number, otherwise as printed (``"s"``, ``"notes/s"``); printable, and the same for all
            samples.
        direction: whether ``"lower"`` or ``"higher"`` is better, or ``"none"``.
        within: ``"tokenizer"`` for a quantity that only models with equal tokenizers share, such as nats per token.
            Reports give no verdict between variants with other tokenizers. Empty for all other quantities.
        detail: whether the value is a detail of another one of the same metric. Reports show it among all features of
            the metric, without a verdict of its own.
        share: whether the value lies between 0 and 1 by its definition, as the share of something does; a difference of
            shares does not. Reports keep its intervals, curves and axes within this range.
    """

    value: float
    _: dataclasses.KW_ONLY
    n: int
    feature: str = "value"
    unit: str = "1"
    direction: Direction = "none"
    within: Within = ""
    detail: bool = False
    share: bool = False


@dataclasses.dataclass(frozen=True)
class Histogram:
    """A histogram behind a metric, stored so that reports need not compute it again.

    Attributes:
        feature: the name of the quantity that is counted (``"pitch"``).
        unit: of the edges (``"MIDI pitch"``, ``"s"``).
        edges: bin edges, increasing, one more than there are bins; the same for all samples.
        reference: counts in each bin for the reference, 0 to 1e15.
        generated: counts in each bin for the sample, 0 to 1e15.
    """

    feature: str
    unit: str
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    generated: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Measurements:
    """The result of a metric: its values, and histograms behind them."""

    values: tuple[Value, ...]
    histograms: tuple[Histogram, ...] = ()


class Metric(ABC):
    """A measurement of a generated sample, compared with the reference performances."""

    @abstractmethod
    def measure(self, generated: Performance, reference: Sequence[Performance]) -> Measurements:
        """Measure one sample with at least one note, compared with pieces of the corpus before any augmenter.

        The sample comes without its primer, with the first new token at time 0, unless the study sets
        ``measure.primer = true``. Its labels are those of its generation. The reference are the training pieces, unless
        ``measure.reference`` of the study or the metric's record asks for the validation or test pieces.

        Raises:
            ValueError, AblateError: the metric cannot measure this sample. It is left out of the metric's values, and
                counted; if all samples of a run are refused, the run fails.
        """


class SetMetric(ABC):
    """A measurement of all samples of a run as one set, compared with a set of reference performances.

    For quantities that a single sample does not have: a distance between distributions of features, the diversity of
    the samples.
    """

    @abstractmethod
    def measure(self, generated: Sequence[Performance], reference: Sequence[Performance]) -> Measurements:
        """Measure a set of samples with at least one note each, compared with pieces of the corpus.

        The samples come in their order, and samples and reference are those of :meth:`Metric.measure`. The number of
        samples is ``generation.samples`` of the study, so it may be 1; the reference may have one piece only. The
        values belong to the run, not to a sample.

        Raises:
            ValueError, AblateError: the metric cannot measure this set, because it has too few samples, say; the run
                fails.
        """


class ModelMetric(ABC):
    """A measurement of a trained model itself, without generating anything."""

    @abstractmethod
    def measure(
        self,
        score: Callable[[Performance], FloatArray],
        train: Sequence[Performance],
        validation: Sequence[Performance],
        test: Sequence[Performance],
    ) -> Measurements:
        """Measure one trained model.

        Args:
            score: returns the negative log-likelihood in nats of each token of a performance except the first, under
                the tokens before it, float64 [time - 1]; conditioners get the performance as in training.
            train: the training pieces, before any augmenter.
            validation: the validation pieces; empty where the study has none.
            test: the test pieces; empty where the study has none.
        """
