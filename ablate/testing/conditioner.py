"""The contract of conditioners."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.specs import ConditionerSpec
from ablate.testing.base import Contract, check_gradients
from ablate.testing.material import PitchTokenizer, equal_performances, performances, small_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.arrays import FloatArray
    from ablate.interfaces import Conditioner

_TIMES = np.array([0.0, 0.0, 0.25, 0.25, 1.5, 7.0])
_GENERATED = 4


class ConditionerContract(Contract):
    """A conditioner returns float32 numbers for every token, and a module from them to the width of the embedding."""

    record = ConditionerSpec

    def test_labels(self, settings: Mapping[str, Any]) -> None:
        """Check that the width is at least 1, and that every label has a finite default."""
        conditioner = self.build(settings)
        assert conditioner.width >= 1, f"width is {conditioner.width}; it must be at least 1"
        for label, default in conditioner.labels.items():
            assert isinstance(label, str), f"label {label!r} is not a string"
            assert math.isfinite(default), f"the default of {label} is {default}"
        conditioner.check_labels(dict(conditioner.labels))
        unknown = set(conditioner.categories) - set(conditioner.labels)
        assert not unknown, f"categories of unknown labels: {', '.join(unknown)}"

    def test_from_performance(self, settings: Mapping[str, Any]) -> None:
        """Check the numbers of any performance, with labels and without, which must not be changed."""
        conditioner = self.build(settings)
        for music, original in zip(performances(), performances(), strict=True):
            for performance in (music, music.labelled(**conditioner.labels)):
                for times in (_TIMES, _TIMES[:1], _TIMES[:0]):
                    values = conditioner.from_performance(performance, times)
                    self._check(conditioner, values, len(times))
                    again = self.build(settings).from_performance(performance, times.copy())
                    assert np.array_equal(values, again), "a second call of from_performance gave other numbers"
            assert equal_performances(music, original), f"'{music.name}' was changed in place"

    def test_from_labels(self, settings: Mapping[str, Any]) -> None:
        """Check the numbers of the default labels; those of one token must not depend on other tokens."""
        conditioner = self.build(settings)
        values = conditioner.from_labels(dict(conditioner.labels), _TIMES)
        self._check(conditioner, values, len(_TIMES))
        single = [conditioner.from_labels(dict(conditioner.labels), _TIMES[i : i + 1]) for i in range(len(_TIMES))]
        equal = np.array_equal(values, np.concatenate(single))
        assert equal, "called token by token, from_labels gives other numbers than for all tokens at once"

    def test_from_labels_batched(self, settings: Mapping[str, Any]) -> None:
        """Check that many rows at once, each at its own time, have the numbers of one row after another."""
        conditioner = self.build(settings)
        labels, times = dict(conditioner.labels), np.stack([_TIMES, _TIMES[::-1], _TIMES / 2])
        at = conditioner.from_labels_batched([labels] * len(times))
        for now in times.T:
            values = at(now)
            assert values.dtype == np.float32, f"numbers are {values.dtype}, not float32"
            each = np.concatenate([conditioner.from_labels(labels, now[i : i + 1]) for i in range(len(now))])
            assert np.array_equal(values, each), "from_labels_batched gives other numbers than from_labels row by row"

    def test_perturb(self, settings: Mapping[str, Any]) -> None:
        """Check that ``perturb`` keeps shape and type, draws only from ``rng``, and is the same for a seed."""
        conditioner = self.build(settings)
        values = self._windows(conditioner)
        others = np.roll(values, 1, axis=0)
        one, other = (conditioner.perturb(values.copy(), others.copy(), np.random.default_rng(1)) for _ in range(2))
        assert one.shape == values.shape, f"perturb changed the shape {values.shape} to {one.shape}"
        assert one.dtype == np.float32, f"numbers are {one.dtype}, not float32"
        assert np.isfinite(one).all(), "a number is not finite"
        assert np.array_equal(one, other), "the same seed gave other numbers"

    def test_module(self, settings: Mapping[str, Any]) -> None:
        """Check that the module returns finite numbers of the embedding's width, and that all weights get gradients."""
        import torch

        conditioner, embedding = self.build(settings), 5
        values_rtf = torch.from_numpy(self._windows(conditioner))
        module = conditioner.module(embedding)
        kind = type(module).__name__
        assert isinstance(module, torch.nn.Module), f"module() returns a {kind}, not a torch.nn.Module"
        result_rte = module(values_rtf)
        shape = (*values_rtf.shape[:2], embedding)
        assert result_rte.shape == shape, f"the module's result has shape {tuple(result_rte.shape)}, not {shape}"
        assert bool(torch.isfinite(result_rte).all()), "a number from the module is not finite"
        check_gradients(module, result_rte.square().sum())

    def test_generates(self, settings: Mapping[str, Any]) -> None:
        """Check that a small model with this conditioner generates, with the defaults and with every category."""
        from ablate.engine.generation.generate import generate
        from ablate.engine.generation.row import Row

        conditioner, tokenizer = self.build(settings), PitchTokenizer()
        named = [{label: float(i)} for label, names in conditioner.categories.items() for i in range(len(names))]
        rows = [Row(0, (), _GENERATED, seed, labels=labels) for seed, labels in enumerate([{}, *named])]
        model = small_model(len(tokenizer.vocabulary), [conditioner])
        generated = generate([model], rows, tokenizer=tokenizer, conditioners=[conditioner])
        assert generated is not None
        assert [len(tokens) for tokens in generated] == [_GENERATED] * len(rows)

    def _windows(self, conditioner: Conditioner) -> FloatArray:
        return np.stack([conditioner.from_performance(performance, _TIMES) for performance in performances()])

    def _check(self, conditioner: Conditioner, values: FloatArray, time: int) -> None:
        shape = (time, conditioner.width)
        assert values.shape == shape, f"numbers for {time} tokens have shape {values.shape}, not {shape}"
        assert values.dtype == np.float32, f"numbers are {values.dtype}, not float32"
        assert np.isfinite(values).all(), "a number is not finite"
