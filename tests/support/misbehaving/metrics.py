"""Metrics that misbehave: of samples, of sets and of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import ablate
from support.misbehaving.common import FEW, RAISING, Unprintable, disturb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def value(number: Any = 1.0, **changes: Any) -> ablate.Value:
    return ablate.Value(number, **{"n": 1, **changes})


def some(*values: Any, histograms: Any = ()) -> ablate.Measurements:
    return ablate.Measurements(values, histograms)


def histogram(**changes: Any) -> ablate.Histogram:
    good = {"feature": "f", "unit": "1", "edges": (0, 1, 2), "reference": (1, 2), "generated": (3, 4)}
    return ablate.Histogram(**{**good, **changes})  # type: ignore[arg-type]


class _Number(float):
    def __float__(self) -> float:
        raise RuntimeError("no number")


#: What a metric returns, by name.
RETURNS: dict[str, Callable[[], Any]] = {
    **RAISING,
    "returns-none": lambda: None,
    "returns-a-number": lambda: 1.0,
    "returns-a-class": lambda: ablate.Measurements,
    "no-values": some,
    "values-none": lambda: ablate.Measurements(None),  # type: ignore[arg-type]
    "values-of-numbers": lambda: some(1.0),
    "value-nan": lambda: some(value(float("nan"))),
    "value-inf": lambda: some(value(float("inf"))),
    "value-none": lambda: some(value(None)),
    "value-text": lambda: some(value("1.0")),
    "value-huge-int": lambda: some(value(10**400)),
    "value-huge": lambda: some(value(1e200)),
    "value-complex": lambda: some(value(1j)),
    "value-array": lambda: some(value(np.ones(3))),
    "value-no-number": lambda: some(value(_Number(1))),
    "value-unprintable": lambda: some(value(Unprintable())),
    "n-none": lambda: some(value(n=None)),
    "n-huge": lambda: some(value(n=10**30)),
    "n-negative": lambda: some(value(n=-1)),
    "n-nan": lambda: some(value(n=float("nan"))),
    "n-half": lambda: some(value(n=0.5)),
    "n-unprintable": lambda: some(value(n=Unprintable())),
    "unit-none": lambda: some(value(unit=None)),
    "unit-number": lambda: some(value(unit=1)),
    "unit-control": lambda: some(value(unit="\x1b[31m")),
    "feature-none": lambda: some(value(feature=None)),
    "feature-empty": lambda: some(value(feature="")),
    "feature-list": lambda: some(value(feature=["a"])),
    "feature-control": lambda: some(value(feature="a\nb")),
    "feature-nul": lambda: some(value(feature="a\0b")),
    "feature-surrogate": lambda: some(value(feature="a\udcff")),
    "feature-long": lambda: some(value(feature="a" * 100_000)),
    "feature-unprintable": lambda: some(value(feature=Unprintable())),
    "features-twice": lambda: some(value(), value()),
    "features-many": lambda: some(*(value(feature=f"f{i}") for i in range(20_000))),
    "direction-none": lambda: some(value(direction=None)),
    "direction-list": lambda: some(value(direction=["lower"])),
    "within-none": lambda: some(value(within=None)),
    "share-2": lambda: some(value(2.0, share=True)),
    "detail-unprintable": lambda: some(value(), histograms=Unprintable()),
    "histograms-none": lambda: some(value(), histograms=None),
    "histograms-of-numbers": lambda: some(value(), histograms=(1,)),
    "histogram-few-counts": lambda: some(value(), histograms=(histogram(generated=(1,)),)),
    "histogram-many-counts": lambda: some(value(), histograms=(histogram(reference=(1, 2, 3)),)),
    "histogram-edges-fall": lambda: some(value(), histograms=(histogram(edges=(0, 2, 1)),)),
    "histogram-edges-equal": lambda: some(value(), histograms=(histogram(edges=(0, 0, 1)),)),
    "histogram-no-bins": lambda: some(value(), histograms=(histogram(edges=(0,), reference=(), generated=()),)),
    "histogram-nan": lambda: some(value(), histograms=(histogram(edges=(0, float("nan"), 1)),)),
    "histogram-count-nan": lambda: some(value(), histograms=(histogram(generated=(1, float("nan"))),)),
    "histogram-count-negative": lambda: some(value(), histograms=(histogram(generated=(1, -1)),)),
    "histogram-count-huge": lambda: some(value(), histograms=(histogram(generated=(1, 10**30)),)),
    "histogram-edges-none": lambda: some(value(), histograms=(histogram(edges=None),)),
    "histogram-edges-text": lambda: some(value(), histograms=(histogram(edges="abc"),)),
    "histogram-feature-none": lambda: some(value(), histograms=(histogram(feature=None),)),
    "histogram-unit-none": lambda: some(value(), histograms=(histogram(unit=None),)),
    "histograms-twice": lambda: some(value(), histograms=(histogram(), histogram())),
}
#: Metrics that differ between the samples of a run.
CHANGING: dict[str, Callable[[int], Any]] = {
    "units-change": lambda call: some(value(unit=f"u{call}")),
    "directions-change": lambda call: some(value(direction=("lower", "higher")[call % 2])),
    "edges-change": lambda call: some(value(), histograms=(histogram(edges=(0, 1, 2 + call)),)),
}


class Wild(ablate.Metric):
    def __init__(self, returns: Callable[[], Any]) -> None:
        self._returns = returns

    def measure(self, *_: Any) -> Any:
        return self._returns()


class WildOfSets(ablate.SetMetric):
    def __init__(self, returns: Callable[[], Any]) -> None:
        self._returns = returns

    def measure(self, *_: Any) -> Any:
        return self._returns()


class Changing(ablate.Metric):
    def __init__(self, returns: Callable[[int], Any]) -> None:
        self._returns, self._calls = returns, 0

    def measure(self, *_: Any) -> Any:
        self._calls += 1
        return self._returns(self._calls)


class Disturbing(ablate.Metric):
    def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
        del generated, reference
        disturb()
        return some(value(feature="fine"))


def specs() -> Iterator[Any]:
    """Yield the records."""
    for name, returns in RETURNS.items():
        yield ablate.MetricSpec(name=f"wild.{name}", summary=name, build=lambda options, r=returns: Wild(r))
    for name, call in CHANGING.items():
        yield ablate.MetricSpec(name=f"wild.{name}", summary=name, build=lambda options, r=call: Changing(r))
    for name, returns in FEW.items():
        yield ablate.MetricSpec(name=f"wild.build-{name}", summary=name, build=lambda options, r=returns: r())
        yield ablate.SetMetricSpec(
            name=f"wild.set-{name}", summary=name, build=lambda options, r=returns: WildOfSets(r)
        )
        yield ablate.ModelMetricSpec(name=f"wild.model-{name}", summary=name, build=lambda options, r=returns: Wild(r))
    yield ablate.MetricSpec(name="wild.build-none", summary=".", build=lambda options: None)  # type: ignore[arg-type, return-value]
    yield ablate.MetricSpec(name="wild.a-set", summary=".", build=lambda options: WildOfSets(some))  # type: ignore[arg-type, return-value]
    yield ablate.MetricSpec(name="wild.disturbing", summary="Fine.", build=lambda options: Disturbing())
