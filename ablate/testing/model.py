"""The contract of models."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.interfaces import Steppable
from ablate.specs import ModelSpec
from ablate.testing.base import Contract, check_gradients
from ablate.testing.fusion import FusionTests
from ablate.testing.material import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from ablate.interfaces import Conditioner


class ModelContract(FusionTests, Contract):
    """A model is causal, resumable and trainable throughout, with independent rows and weights from torch's seed.

    Attributes:
        tolerance: largest difference of logits where only the order of additions differs.
        fusible: whether ablate must be able to fuse models of this kind.
        bf16_tolerance: largest difference between the logits of a stepper in bf16 and the model's.
    """

    record = ModelSpec
    tolerance: float = 1e-4
    bf16_tolerance: float = 0.05

    _vocabulary, _rows, _time = 11, 3, 6

    def model(self, settings: Mapping[str, Any], seed: int = 0, conditioners: Sequence[Conditioner] = ()) -> Any:
        """Return the network in evaluation mode, with weights drawn under ``seed``."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = self.spec.build(self.spec.parse(settings), self._vocabulary, list(conditioners))
        assert isinstance(model, torch.nn.Module), f"build returns a {type(model).__name__}, not a torch.nn.Module"
        return model.eval()

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Return the network without conditioners."""
        return self.model(settings)

    def _cases(self, settings: Mapping[str, Any]) -> Iterator[tuple[Any, torch.Tensor, list[torch.Tensor]]]:
        """Yield a model, tokens [rows, time] and conditions [rows, time, width], without and with conditioners."""
        import torch

        generator = torch.Generator().manual_seed(0)
        for conditioners in ([], [ClockConditioner(), ClockConditioner()]):
            tokens = torch.randint(self._vocabulary, (self._rows, self._time), generator=generator)
            conditions = [torch.randn(self._rows, self._time, c.width, generator=generator) for c in conditioners]
            yield self.model(settings, conditioners=conditioners), tokens, conditions

    def _equal(self, one: torch.Tensor, other: torch.Tensor) -> bool:
        return one.shape == other.shape and bool((one - other).abs().amax() <= self.tolerance)

    def test_logits(self, settings: Mapping[str, Any]) -> None:
        """Check that there is a finite logit for every row, time and token id, the same at every call."""
        for model, tokens, conditions in self._cases(settings):
            logits, _ = model(tokens, conditions)
            shape = (self._rows, self._time, self._vocabulary)
            assert logits.shape == shape, f"logits have shape {tuple(logits.shape)}, not {shape}"
            assert bool(logits.isfinite().all()), "a logit is not finite"
            assert self._equal(logits, model(tokens, conditions)[0]), "a second call gave other logits"

    def test_causal(self, settings: Mapping[str, Any]) -> None:
        """Check that tokens and conditions at time t do not change the logits before t."""
        for model, tokens, conditions in self._cases(settings):
            logits, _ = model(tokens, conditions)
            for t in range(1, self._time):
                new_tokens, new_conditions = tokens.clone(), [values.clone() for values in conditions]
                new_tokens[:, t:] = (new_tokens[:, t:] + 1) % self._vocabulary
                for values in new_conditions:
                    values[:, t:] += 1
                before = model(new_tokens, new_conditions)[0][:, :t]
                assert self._equal(before, logits[:, :t]), f"logits before time {t} depend on time {t} or later"

    def test_state_continues(self, settings: Mapping[str, Any]) -> None:
        """Check that two calls, the second with the state of the first, give the logits of a single call."""
        import torch

        for model, tokens, conditions in self._cases(settings):
            logits, _ = model(tokens, conditions)
            for t in range(1, self._time):
                first, state = model(tokens[:, :t], [values[:, :t] for values in conditions])
                second, _ = model(tokens[:, t:], [values[:, t:] for values in conditions], state)
                equal = self._equal(torch.cat([first, second], dim=1), logits)
                assert equal, f"two calls, split at time {t}, give other logits than one call"

    def test_rows_are_independent(self, settings: Mapping[str, Any]) -> None:
        """Check that a row's logits do not depend on other rows."""
        for model, tokens, conditions in self._cases(settings):
            logits, _ = model(tokens, conditions)
            for row in range(self._rows):
                alone, _ = model(tokens[row : row + 1], [values[row : row + 1] for values in conditions])
                assert self._equal(alone[0], logits[row]), f"row {row} depends on the other rows"

    def test_stepper(self, settings: Mapping[str, Any]) -> None:
        """Check that the stepper, if there is one, predicts as the model: in fp32 and, less exactly, in bf16."""
        import torch

        for model, tokens, conditions in self._cases(settings):
            is_steppable = isinstance(model, Steppable)
            if not is_steppable:
                return
            with torch.inference_mode():
                expected, _ = model(tokens, conditions)
                for precision, tolerance in (("fp32", self.tolerance), ("bf16", self.bf16_tolerance)):
                    logits = self._steps(model.stepper(precision), tokens, conditions)
                    assert logits.dtype == torch.float32, f"the stepper's logits are {logits.dtype}, not float32"
                    error = float((logits - expected).abs().amax())
                    assert error <= tolerance, f"in {precision} the stepper's logits are off by {error:.3g}"

    def _steps(self, stepper: Any, tokens: torch.Tensor, conditions: Sequence[torch.Tensor]) -> torch.Tensor:
        import torch

        state, logits = None, []
        for t in range(tokens.shape[1]):
            logits_rv, state = stepper(tokens[:, t], [values[:, t] for values in conditions], state)
            logits.append(logits_rv)
        return torch.stack(logits, dim=1)

    def test_gradients(self, settings: Mapping[str, Any]) -> None:
        """Check that a training step reaches every weight, including those of the conditioners' modules."""
        for model, tokens, conditions in self._cases(settings):
            logits, _ = model.train()(tokens, conditions)
            check_gradients(model, logits.log_softmax(-1)[..., 0].sum())

    def test_seed_decides(self, settings: Mapping[str, Any]) -> None:
        """Check that weights come from torch's global stream: equal for equal seeds, different for others."""
        import torch

        one, again, other = (self.model(settings, seed).state_dict() for seed in (0, 0, 1))
        assert all(torch.equal(one[name], again[name]) for name in one), "the same seed gave other weights"
        assert any(not torch.equal(one[name], other[name]) for name in one), "another seed gave the same weights"
