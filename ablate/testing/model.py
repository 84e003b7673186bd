"""The contract of models."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.interfaces import Steppable
from ablate.specs import ModelSpec
from ablate.testing.base import Contract
from ablate.testing.fusion import FusionTests
from ablate.testing.network import check_gradients
from ablate.testing.samples import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from ablate.interfaces import Conditioner


class ModelContract(FusionTests, Contract):
    """A model is causal, independent for each row, resumable, trainable in all weights, and determined by torch's seed.

    Attributes:
        tolerance: the largest difference of logits where only the order of additions differs.
        fusible: whether ablate must be able to fuse models of this kind.
        bf16_tolerance: the largest difference between the logits of a stepper in bf16 and the model's.
    """

    record = ModelSpec
    tolerance: float = 1e-4
    bf16_tolerance: float = 0.05

    _vocabulary, _rows, _time = 11, 3, 6

    def model(self, settings: Mapping[str, Any], seed: int = 0, conditioners: Sequence[Conditioner] = ()) -> Any:
        """Build the network in evaluation mode, with weights drawn under ``seed``."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = self.spec.build(self.spec.parse(settings), self._vocabulary, list(conditioners))
        assert isinstance(model, torch.nn.Module), f"build gives a {type(model).__name__}, no torch.nn.Module"
        return model.eval()

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Build the network without conditioners."""
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
            assert logits.shape == shape, f"logits are {tuple(logits.shape)}, not {shape}"
            assert bool(logits.isfinite().all()), "a logit is not finite"
            assert self._equal(logits, model(tokens, conditions)[0]), "a second call gave other logits"

    def test_causal(self, settings: Mapping[str, Any]) -> None:
        """Check that the tokens and conditions from time t on do not change the logits before t."""
        for model, tokens, conditions in self._cases(settings):
            logits, _ = model(tokens, conditions)
            for t in range(1, self._time):
                changed, moved = tokens.clone(), [values.clone() for values in conditions]
                changed[:, t:] = (changed[:, t:] + 1) % self._vocabulary
                for values in moved:
                    values[:, t:] += 1
                assert self._equal(model(changed, moved)[0][:, :t], logits[:, :t]), f"time {t} is seen before it comes"

    def test_state_continues(self, settings: Mapping[str, Any]) -> None:
        """Check that two passes, the second with the state of the first, give the logits of one pass."""
        import torch

        for model, tokens, conditions in self._cases(settings):
            logits, _ = model(tokens, conditions)
            for t in range(1, self._time):
                first, state = model(tokens[:, :t], [values[:, :t] for values in conditions])
                second, _ = model(tokens[:, t:], [values[:, t:] for values in conditions], state)
                assert self._equal(torch.cat([first, second], dim=1), logits), f"split at {t}, the logits differ"

    def test_rows_do_not_meet(self, settings: Mapping[str, Any]) -> None:
        """Check that a row's logits do not depend on the other rows."""
        for model, tokens, conditions in self._cases(settings):
            logits, _ = model(tokens, conditions)
            for row in range(self._rows):
                alone, _ = model(tokens[row : row + 1], [values[row : row + 1] for values in conditions])
                assert self._equal(alone[0], logits[row]), f"row {row} depends on the rows beside it"

    def test_stepper(self, settings: Mapping[str, Any]) -> None:
        """Check that a stepper predicts as the model does, within the tolerance of each precision."""
        import torch

        for model, tokens, conditions in self._cases(settings):
            is_steppable = isinstance(model, Steppable)
            if not is_steppable:
                return
            with torch.inference_mode():
                expected, _ = model(tokens, conditions)
                for precision, tolerance in (("fp32", self.tolerance), ("bf16", self.bf16_tolerance)):
                    found = self._stepped(model.stepper(precision), tokens, conditions)
                    assert found.dtype == torch.float32, f"the stepper's logits are {found.dtype}, not float32"
                    off = float((found - expected).abs().amax())
                    assert off <= tolerance, f"in {precision} the stepper's logits are off by {off:.3g}"

    def _stepped(self, stepper: Any, tokens: torch.Tensor, conditions: Sequence[torch.Tensor]) -> torch.Tensor:
        import torch

        state, logits = None, []
        for t in range(tokens.shape[1]):
            logits_rv, state = stepper(tokens[:, t], [values[:, t] for values in conditions], state)
            logits.append(logits_rv)
        return torch.stack(logits, dim=1)

    def test_gradients(self, settings: Mapping[str, Any]) -> None:
        """Check that a training step changes every weight, also those of the conditioners' modules."""
        for model, tokens, conditions in self._cases(settings):
            logits, _ = model.train()(tokens, conditions)
            check_gradients(model, logits.log_softmax(-1)[..., 0].sum())

    def test_seed_decides(self, settings: Mapping[str, Any]) -> None:
        """Check that weights come from torch's global random stream: equal for equal seeds, different for others."""
        import torch

        one, again, other = (self.model(settings, seed).state_dict() for seed in (0, 0, 1))
        assert all(torch.equal(one[name], again[name]) for name in one), "the same seed gave other weights"
        assert any(not torch.equal(one[name], other[name]) for name in one), "another seed gave the same weights"
