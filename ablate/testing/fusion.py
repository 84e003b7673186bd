"""The part of a model's contract about fusion; a model that cannot be fused passes."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.interfaces import Fusible
from ablate.testing.meta import only_on_meta
from ablate.testing.samples import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from ablate.engine.fusion.random import FusedStreams
    from ablate.interfaces import Conditioner, RandomStreams

_MODELS = 3
#: A gradient's error is relative to its largest number, but at least to this share of the largest of all gradients.
_SMALL = 1e-3


class FusionTests:
    """Tests of a model's ``fuse``; part of :class:`~ablate.testing.ModelContract`.

    Attributes:
        fusible: whether the model has to be fusible; otherwise it may be.
    """

    fusible: bool = False
    tolerance: float
    bf16_tolerance: float
    _vocabulary: int
    _rows: int
    _time: int

    def model(self, settings: Mapping[str, Any], seed: int = 0, conditioners: Sequence[Conditioner] = ()) -> Any:
        """Build a model, see :class:`~ablate.testing.ModelContract`."""
        raise NotImplementedError

    def _fused_models(
        self, settings: Mapping[str, Any], precision: str = "fp32"
    ) -> Iterator[tuple[list[Any], Any, torch.Tensor, list[torch.Tensor]]]:
        """Yield models, their fused form, tokens [models, rows, time] and conditions, without and with conditioners."""
        import torch

        generator, shape = torch.Generator().manual_seed(0), (_MODELS, self._rows, self._time)
        for conditioners in ([], [ClockConditioner(), ClockConditioner()]):
            models = [self.model(settings, seed, conditioners) for seed in range(_MODELS)]
            fused = models[0].fuse(models, precision) if isinstance(models[0], Fusible) else None
            if fused is not None:
                tokens = torch.randint(self._vocabulary, shape, generator=generator)
                conditions = [torch.randn(*shape, each.width, generator=generator) for each in conditioners]
                yield models, fused, tokens, conditions

    def _off(self, one: torch.Tensor, other: torch.Tensor, floor: float = 1.0) -> float:
        """Return the largest difference, relative to the largest number of ``other`` or to ``floor``."""
        one, other = one.detach(), other.detach()
        return float((one - other).abs().amax() / other.abs().amax().clamp(min=floor))

    def test_fusible(self, settings: Mapping[str, Any]) -> None:
        """Check that a model that has to be fusible has nothing that stops ablate from fusing it."""
        if not self.fusible:
            return
        model = self.model(settings)
        is_fusible = isinstance(model, Fusible)
        assert is_fusible, "the model's class is not a subclass of ablate.Fusible"
        assert model.fuse([model], "fp32") is not None, "fuse() returns None"
        weights = dict(model.named_parameters())
        assert next(model.buffers(), None) is None, "a network with buffers is not fused"
        assert weights.keys() == model.state_dict().keys(), "a network with shared weights is not fused"
        frozen = [name for name, weight in weights.items() if not weight.requires_grad]
        assert not frozen, f"a network with weights that are not trained is not fused: {', '.join(frozen)}"

    def test_fused(self, settings: Mapping[str, Any]) -> None:
        """Check that every model, without random numbers, predicts and learns when fused as it does alone."""
        for models, fused, tokens, conditions in self._fused_models(settings):
            weights = _weights(models)
            logits = fused(weights, tokens, conditions, _no_randomness())
            expected = (*tokens.shape, self._vocabulary)
            assert logits.shape == expected, f"the fused logits are {tuple(logits.shape)}, not {expected}"
            logits.float().log_softmax(-1)[..., 0].sum().backward()
            for m, model in enumerate(models):
                own, _ = model(tokens[m], [values[m] for values in conditions])
                off = self._off(logits[m], own)
                assert off <= self.tolerance, f"when fused, model {m}'s logits are off by {off:.3g}"
                own.log_softmax(-1)[..., 0].sum().backward()
                largest = max(float(weight.grad.abs().amax()) for weight in model.parameters())
                for name, weight in model.named_parameters():
                    grad = weights[name].grad
                    assert grad is not None, f"when fused, no gradient reaches {name}"
                    off = self._off(grad[m], weight.grad, max(_SMALL * largest, 1e-30))
                    assert off <= self.tolerance, f"when fused, model {m}'s gradient of {name} is off by {off:.3g}"

    def test_fused_in_bf16(self, settings: Mapping[str, Any]) -> None:
        """Check that in bf16 fused models predict nearly as each model does, and that gradients are float32."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings, "bf16"):
            weights = _weights(models)
            logits = fused(weights, tokens, conditions, _no_randomness())
            logits.float().sum().backward()
            kinds = {weight.grad.dtype for weight in weights.values() if weight.grad is not None}
            assert kinds == {torch.float32}, "gradients of the weights are not float32"
            for m, model in enumerate(models):
                own, _ = model(tokens[m], [values[m] for values in conditions])
                off = self._off(logits[m].float(), own)
                assert off <= self.bf16_tolerance, f"in bf16 model {m}'s logits are off by {off:.3g} when fused"

    def test_fused_random(self, settings: Mapping[str, Any]) -> None:
        """Check that fused models draw random numbers where a model alone does, and only from ``random``."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings):
            for model in models:
                model.train()
            random = _streams(range(_MODELS))
            before = torch.get_rng_state()
            fused(_weights(models), tokens, conditions, random)
            assert torch.get_rng_state().equal(before), "fused models draw from torch's own stream, not from random"
            with torch.random.fork_rng(devices=[]):
                before = torch.get_rng_state()
                models[0].train()(tokens[0], [values[0] for values in conditions])
                alone = not torch.get_rng_state().equal(before)
            missing = "draws random numbers in training, but none when fused"
            assert alone <= random.used, f"the network {missing}"

    def test_fused_models_are_independent(self, settings: Mapping[str, Any]) -> None:
        """Check that a model's results do not depend on the other models, even if one of them is NaN."""
        for models, fused, tokens, conditions in self._fused_models(settings):
            together = fused(_weights(models), tokens, conditions, _streams(range(_MODELS)))
            broken = _weights(models)
            for weight in broken.values():
                weight.data[0] = float("nan")
            beside = fused(broken, tokens, conditions, _streams(range(_MODELS)))
            beside[1:].sum().backward()
            for m in range(1, _MODELS):
                one = slice(m, m + 1)
                alone = models[m].fuse([models[m]], "fp32")
                own = alone(_weights(models[one]), tokens[one], [c[one] for c in conditions], _streams([m]))[0]
                off = self._off(together[m], own)
                assert off <= self.tolerance, f"model {m} depends on the other fused models: off by {off:.3g}"
                assert bool(beside[m].isfinite().all()), (
                    f"beside a model that is NaN, model {m} is too: something is added up over models"
                )
                for name, weight in broken.items():
                    assert weight.grad is not None, f"when fused, no gradient reaches {name}"
                    assert bool(weight.grad[m].isfinite().all()), (
                        f"beside a model that is NaN, model {m}'s gradient of {name} is too: "
                        "something is added up over models"
                    )

    def test_fused_stays_on_its_device(self, settings: Mapping[str, Any]) -> None:
        """Check that fused models neither wait for the device nor use a tensor of the host: a GPU records them."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings):
            weights = _weights(models, "meta")
            there = [tokens.to("meta"), *(values.to("meta") for values in conditions)]
            random = _no_randomness("meta")
            fused(weights, there[0], there[1:], random)  # the first call may make tensors that are kept
            with only_on_meta():
                logits = fused(weights, there[0], there[1:], random)
                torch.autograd.grad(logits.sum(), list(weights.values()), allow_unused=True)

    def test_fused_stepper(self, settings: Mapping[str, Any]) -> None:
        """Check that a stepper of fused models predicts as each model does, and that its state keeps its shape."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings):
            if fused.stepper(_weights(models)) is None:
                continue
            with torch.inference_mode():
                expected = [model(tokens[m], [values[m] for values in conditions])[0] for m, model in enumerate(models)]
                step, state, shapes = fused.stepper(_weights(models)), None, set()
                for t in range(self._time):
                    logits, state = step(tokens[..., t], [values[:, :, t] for values in conditions], state)
                    assert logits.dtype == torch.float32, f"the stepper's logits are {logits.dtype}, not float32"
                    kind = type(state).__name__
                    assert isinstance(state, tuple), f"the stepper's state is a {kind}, not a tuple of tensors"
                    shapes.add(tuple(tuple(each.shape) for each in state))
                    for m, own in enumerate(expected):
                        off = self._off(logits[m], own[:, t])
                        assert off <= self.tolerance, f"at time {t} model {m}'s logits are off by {off:.3g}"
            assert len(shapes) == 1, "the stepper's state changes its shape from step to step"


def _weights(models: Sequence[Any], device: str = "cpu") -> dict[str, torch.Tensor]:
    """Return the models' weights by name, [models, ...]."""
    from ablate.fusion import fused_weights

    return fused_weights(models, device)


def _no_randomness(device: str = "cpu") -> RandomStreams:
    from ablate.fusion import NoRandomness

    return NoRandomness(device)


def _streams(seeds: Sequence[int]) -> FusedStreams:
    """Return the engine's random streams, one for each of these seeds."""
    import torch

    from ablate.engine.fusion.random import FusedStreams

    random = FusedStreams(len(seeds), torch.device("cpu"))
    random.seed(seeds)
    return random
