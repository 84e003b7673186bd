"""Records that a plugin may not offer: each is refused with the component that it is about."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import ablate
from ablate.errors import PluginError
from ablate.registry.records import check_record


class Odd:
    """An object that can be neither printed nor compared."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]


def with_default(value: Any) -> type:
    """Return options whose only one has this default."""
    return dataclasses.make_dataclass("Options", [("x", Any, dataclasses.field(default_factory=lambda: value))])


def raising() -> type:
    def factory() -> Any:
        raise OSError("no default")

    return dataclasses.make_dataclass("Options", [("x", Any, dataclasses.field(default_factory=factory))])


GOOD: dict[str, Any] = {"name": "m", "summary": "Fine.", "build": print}


@pytest.mark.parametrize(
    ("record", "changes", "problem"),
    [
        (ablate.MetricSpec, {"summary": None}, "summary must be text, not NoneType"),
        (ablate.MetricSpec, {"version": None}, "version must be text, not NoneType"),
        (ablate.MetricSpec, {"version": 2}, "version must be text, not int"),
        (ablate.MetricSpec, {"summary": "a" * 20_000}, "summary has 20,000 characters, more than 10,000"),
        (ablate.MetricSpec, {"build": None}, "build must be a function, not NoneType"),
        (ablate.MetricSpec, {"cite": "a text"}, "cite must be a tuple of texts"),
        (ablate.MetricSpec, {"cite": (1,)}, "cite must be a tuple of texts"),
        (ablate.MetricSpec, {"reference": "all"}, "reference must be None or one of train, validation, test"),
        (ablate.SetMetricSpec, {"fewest": 3}, "fewest must be a function, not int"),
        (ablate.ModelMetricSpec, {"main": None}, "main must have the name of a feature for each part of the split"),
        (ablate.MetricSpec, {"modules": "ray"}, "modules must be a tuple of texts"),
        (ablate.MetricSpec, {"install": 1}, "install must be text, not int"),
        (ablate.MetricSpec, {"features": {"l1": 2}}, "features must have a sentence for each name of a feature"),
        (ablate.SetMetricSpec, {"features": ("l1",)}, "features must have a sentence for each name of a feature"),
        (ablate.TokenizerSpec, {"fitted": "yes"}, "fitted must be true or false, not str"),
        (ablate.CorpusSpec, {"path_option": "path"}, "path_option names no option: 'path'"),
        (ablate.MetricSpec, {"options": with_default(Odd())}, "the default of option 'x' cannot be used: RuntimeError"),
        (ablate.MetricSpec, {"options": with_default(object())}, "the default of option 'x' cannot be used: TypeError"),
        (ablate.MetricSpec, {"options": with_default(10**5000)}, "the default of option 'x' cannot be used: ValueErr"),
        (ablate.MetricSpec, {"options": with_default(float("nan"))}, "the default of option 'x' cannot be used"),
        (ablate.MetricSpec, {"options": raising()}, "the default of option 'x' cannot be used: OSError: no default"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused(record: Any, changes: dict[str, Any], problem: str) -> None:
    spec = record(**{**GOOD, **changes})
    with pytest.raises(PluginError) as refused:
        check_record(spec)
    assert str(refused.value).startswith(f"{spec.kind} 'm': {problem}")
    check_record(record(**GOOD))
