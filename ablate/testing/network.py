"""The contracts of conditioners and samplers."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.specs import ConditionerSpec, SamplerSpec
from ablate.testing.base import Contract
from ablate.testing.samples import PitchTokenizer, performances, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from ablate.arrays import FloatArray
    from ablate.interfaces import Conditioner, Sampler, Tokenizer

_TIMES = np.array([0.0, 0.0, 0.25, 0.25, 1.5, 7.0])


class ConditionerContract(Contract):
    """A conditioner gives float32 numbers for every token, and a module that makes them as wide as the embedding."""

    record = ConditionerSpec

    def test_labels(self, settings: Mapping[str, Any]) -> None:
        """Check that the width is at least 1, and that every label has a finite default."""
        conditioner = self.build(settings)
        assert conditioner.width >= 1, f"width is {conditioner.width}; it must be at least 1"
        for label, default in conditioner.labels.items():
            assert isinstance(label, str), f"label {label!r} is no text"
            assert math.isfinite(default), f"the default of {label} is {default}"
        conditioner.check_labels(dict(conditioner.labels))
        strange = set(conditioner.categories) - set(conditioner.labels)
        assert not strange, f"categories of unknown labels: {', '.join(strange)}"

    def test_from_performance(self, settings: Mapping[str, Any]) -> None:
        """Check that any performance, with labels or without, has numbers, and is not changed."""
        conditioner = self.build(settings)
        for given, untouched in zip(performances(), performances(), strict=True):
            for performance in (given, given.labelled(**conditioner.labels)):
                for times in (_TIMES, _TIMES[:1], _TIMES[:0]):
                    values = conditioner.from_performance(performance, times)
                    self._check(conditioner, values, len(times))
                    again = self.build(settings).from_performance(performance, times.copy())
                    assert np.array_equal(values, again), "observing again gave other numbers"
            assert same(given, untouched), f"'{given.name}' was changed in place"

    def test_from_labels(self, settings: Mapping[str, Any]) -> None:
        """Check that the default labels have numbers, and that those of a token do not depend on the other tokens."""
        conditioner = self.build(settings)
        values = conditioner.from_labels(dict(conditioner.labels), _TIMES)
        self._check(conditioner, values, len(_TIMES))
        single = [conditioner.from_labels(dict(conditioner.labels), _TIMES[i : i + 1]) for i in range(len(_TIMES))]
        assert np.array_equal(values, np.concatenate(single)), "token by token it gives other numbers than at once"

    def test_from_labels_batched(self, settings: Mapping[str, Any]) -> None:
        """Check that many rows at once, each at its own time, have the numbers of one row after another."""
        conditioner = self.build(settings)
        labels, times = dict(conditioner.labels), np.stack([_TIMES, _TIMES[::-1], _TIMES / 2])
        asked = conditioner.from_labels_batched([labels] * len(times))
        for now in times.T:
            values = asked(now)
            assert values.dtype == np.float32, f"numbers are {values.dtype}, not float32"
            each = np.concatenate([conditioner.from_labels(labels, now[i : i + 1]) for i in range(len(now))])
            assert np.array_equal(values, each), "asked for many rows, it gives other numbers than row by row"

    def test_perturb(self, settings: Mapping[str, Any]) -> None:
        """Check that ``perturb`` keeps shape and type, draws from ``rng`` only, and does not change its input."""
        conditioner = self.build(settings)
        observed = self._windows(conditioner)
        before = observed.copy()
        others = np.roll(observed, 1, axis=0)
        one, other = (conditioner.perturb(observed.copy(), others.copy(), np.random.default_rng(1)) for _ in range(2))
        assert one.shape == observed.shape, f"{observed.shape} became {one.shape}"
        assert one.dtype == np.float32, f"numbers are {one.dtype}, not float32"
        assert np.isfinite(one).all(), "a number is not finite"
        assert np.array_equal(one, other), "the same seed gave other numbers"
        assert np.array_equal(observed, before), "observed numbers were changed"

    def test_module(self, settings: Mapping[str, Any]) -> None:
        """Check that the module returns finite numbers of the embedding's width, and gradients reach its weights."""
        import torch

        conditioner, width = self.build(settings), 5
        values_rtf = torch.from_numpy(self._windows(conditioner))
        module = conditioner.module(width)
        assert isinstance(module, torch.nn.Module), f"module() gives a {type(module).__name__}"
        result_rte = module(values_rtf)
        assert result_rte.shape == (*values_rtf.shape[:2], width), f"the module's shape is {tuple(result_rte.shape)}"
        assert bool(torch.isfinite(result_rte).all()), "the module gives a number that is not finite"
        check_gradients(module, result_rte.square().sum())

    def _windows(self, conditioner: Conditioner) -> FloatArray:
        return np.stack([conditioner.from_performance(performance, _TIMES) for performance in performances()])

    def _check(self, conditioner: Conditioner, values: FloatArray, time: int) -> None:
        assert values.shape == (time, conditioner.width), f"{values.shape} for {time} tokens"
        assert values.dtype == np.float32, f"numbers are {values.dtype}, not float32"
        assert np.isfinite(values).all(), "a number is not finite"


class SamplerContract(Contract):
    """A sampler changes each row's logits independently of the others, and leaves a possible token.

    Attributes:
        identity: settings with which it changes nothing, bit for bit; None if there are none.
        tokenizer: for samplers that read the vocabulary.
    """

    record = SamplerSpec
    identity: Mapping[str, Any] | None = None
    tokenizer: Tokenizer = PitchTokenizer()

    def sampler(self, rows: Sequence[Mapping[str, Any]]) -> Sampler:
        """Build a sampler for rows with these settings."""
        built: Sampler = self.spec.build([self.spec.parse(row) for row in rows], self.tokenizer)
        return built

    def build(self, settings: Mapping[str, Any]) -> Sampler:
        """Build a sampler for four rows of the same settings."""
        return self.sampler([settings] * 4)

    def steps(self, rows: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield logits [rows, vocabulary] and history [rows, time] of a few steps, with ties and forbidden tokens."""
        import torch

        generator, vocabulary = torch.Generator().manual_seed(0), len(self.tokenizer.vocabulary)
        history = torch.randint(vocabulary, (rows, 5), generator=generator)
        for step in range(history.shape[1] + 1):
            logits = 5 * torch.randn(rows, vocabulary, generator=generator)
            logits[:, 3] = logits[:, 1] = logits.amax(-1)
            logits[:, 2] = float("-inf")
            yield logits, history[:, :step]

    def test_something_is_possible(self, settings: Mapping[str, Any]) -> None:
        """Check that shape and type stay, every row has a possible token, and forbidden tokens stay forbidden."""
        import torch

        sampler = self.build(settings)
        for logits, history in self.steps(4):
            result = sampler(logits.clone(), history)
            assert result.shape == logits.shape, f"{tuple(logits.shape)} became {tuple(result.shape)}"
            assert result.dtype == torch.float32, f"logits are {result.dtype}, not float32"
            assert not bool(result.isnan().any() or result.isposinf().any()), "a logit is NaN or infinite"
            assert bool(result.isfinite().any(-1).all()), "a row has no possible token"
            assert bool(result[logits.isneginf()].isneginf().all()), "a forbidden token became possible"

    def test_input_is_left_alone(self, settings: Mapping[str, Any]) -> None:
        """Check that the sampler changes neither the logits nor the history in place."""
        sampler = self.build(settings)
        for logits, history in self.steps(4):
            before = logits.clone(), history.clone()
            sampler(logits, history)
            assert before[0].equal(logits), "the logits were changed in place"
            assert before[1].equal(history), "the history was changed in place"

    def test_rows_do_not_meet(self) -> None:
        """Check that a row's logits do not depend on the other rows, bit for bit."""
        rows = [*self.options, *self.options]
        together, alone = self.sampler(rows), [self.sampler([row]) for row in rows]
        for logits, history in self.steps(len(rows)):
            result = together(logits.clone(), history)
            for i, sampler in enumerate(alone):
                own = sampler(logits[i : i + 1].clone(), history[i : i + 1])
                assert own[0].equal(result[i]), f"row {i} depends on the rows beside it"

    def test_identity(self) -> None:
        """Check that the identity settings change nothing."""
        if self.identity is None:
            return
        sampler = self.build(self.identity)
        for logits, history in self.steps(4):
            assert sampler(logits.clone(), history).equal(logits), "the identity settings change the logits"


def check_gradients(module: torch.nn.Module, loss: torch.Tensor) -> None:
    """Check that gradients of the loss reach all of the module's weights, and are finite."""
    weights = dict(module.named_parameters())
    if weights:
        loss.backward()  # type: ignore[no-untyped-call]
    unreached = [name for name, weight in weights.items() if weight.requires_grad and weight.grad is None]
    assert not unreached, f"no gradient reaches {', '.join(unreached)}"
    wrong = [name for name, weight in weights.items() if weight.grad is not None and not weight.grad.isfinite().all()]
    assert not wrong, f"the gradient is not finite in {', '.join(wrong)}"
