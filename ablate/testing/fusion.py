"""What a model's contract asks of a model that can be fused; one that cannot passes."""

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

_MEMBERS = 3
#: A gradient counts as what it is relative to its own largest, but no less than this share of the largest of all.
_SMALL = 1e-3


class FusionTests:
    """Tests of a model's ``stack``; part of :class:`~ablate.testing.ModelContract`.

    Attributes:
        fusible: whether the model has to be one that can be fused; otherwise it may be.
    """

    fusible: bool = False
    tolerance: float
    bf16_tolerance: float
    _vocabulary: int
    _rows: int
    _time: int

    def model(self, settings: Mapping[str, Any], seed: int = 0, conditioners: Sequence[Conditioner] = ()) -> Any:
        """See the contract."""
        raise NotImplementedError

    def _fused_models(
        self, settings: Mapping[str, Any], precision: str = "fp32"
    ) -> Iterator[tuple[list[Any], Any, torch.Tensor, list[torch.Tensor]]]:
        """Models, their stack, tokens [members, rows, time] and conditions, without and with conditioners."""
        import torch

        generator, shape = torch.Generator().manual_seed(0), (_MEMBERS, self._rows, self._time)
        for conditioners in ([], [ClockConditioner(), ClockConditioner()]):
            models = [self.model(settings, seed, conditioners) for seed in range(_MEMBERS)]
            fused = models[0].fuse(models, precision) if isinstance(models[0], Fusible) else None
            if fused is not None:
                tokens = torch.randint(self._vocabulary, shape, generator=generator)
                conditions = [torch.randn(*shape, each.width, generator=generator) for each in conditioners]
                yield models, fused, tokens, conditions

    def _off(self, one: torch.Tensor, other: torch.Tensor, floor: float = 1.0) -> float:
        """How far numbers are from others, relative to the largest of these or to ``floor``."""
        one, other = one.detach(), other.detach()
        return float((one - other).abs().amax() / other.abs().amax().clamp(min=floor))

    def test_fusible(self, settings: Mapping[str, Any]) -> None:
        """If it has to be fusible, nothing in it makes ablate train it by itself."""
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

    def test_stack(self, settings: Mapping[str, Any]) -> None:
        """Every member predicts and learns in a stack as it does alone, where nothing is drawn at random."""
        for models, fused, tokens, conditions in self._fused_models(settings):
            weights = _fused(models)
            logits = fused(weights, tokens, conditions, _no_draws())
            expected = (*tokens.shape, self._vocabulary)
            assert logits.shape == expected, f"a stack's logits are {tuple(logits.shape)}, not {expected}"
            logits.float().log_softmax(-1)[..., 0].sum().backward()
            for v, model in enumerate(models):
                own, _ = model(tokens[v], [values[v] for values in conditions])
                off = self._off(logits[v], own)
                assert off <= self.tolerance, f"in a stack member {v}'s logits are off by {off:.3g}"
                own.log_softmax(-1)[..., 0].sum().backward()
                largest = max(float(weight.grad.abs().amax()) for weight in model.parameters())
                for name, weight in model.named_parameters():
                    grad = weights[name].grad
                    assert grad is not None, f"in a stack no gradient reaches {name}"
                    off = self._off(grad[v], weight.grad, max(_SMALL * largest, 1e-30))
                    assert off <= self.tolerance, f"in a stack member {v}'s gradient of {name} is off by {off:.3g}"

    def test_stack_in_bf16(self, settings: Mapping[str, Any]) -> None:
        """In bf16 a stack predicts nearly as each network does, and gradients come back in float32."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings, "bf16"):
            weights = _fused(models)
            logits = fused(weights, tokens, conditions, _no_draws())
            logits.float().sum().backward()
            kinds = {weight.grad.dtype for weight in weights.values() if weight.grad is not None}
            assert kinds == {torch.float32}, "gradients of the weights are not float32"
            for v, model in enumerate(models):
                own, _ = model(tokens[v], [values[v] for values in conditions])
                off = self._off(logits[v].float(), own)
                assert off <= self.bf16_tolerance, f"in bf16 member {v}'s logits are off by {off:.3g} in a stack"

    def test_stack_draws(self, settings: Mapping[str, Any]) -> None:
        """A stack draws where a network alone does, and from what it is given to draw from alone."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings):
            for model in models:
                model.train()
            draws = _draws(range(_MEMBERS))
            before = torch.get_rng_state()
            fused(_fused(models), tokens, conditions, draws)
            assert torch.get_rng_state().equal(before), "a stack draws from torch's own stream, not from draws"
            with torch.random.fork_rng(devices=[]):
                before = torch.get_rng_state()
                models[0].train()(tokens[0], [values[0] for values in conditions])
                alone = not torch.get_rng_state().equal(before)
            missing = "draws random numbers in training, and in a stack it draws none"
            assert alone <= draws.used, f"the network {missing}"

    def test_stack_keeps_members_apart(self, settings: Mapping[str, Any]) -> None:
        """What a member draws does not depend on the others, and one whose weights are NaN spoils no other."""
        for models, fused, tokens, conditions in self._fused_models(settings):
            together = fused(_fused(models), tokens, conditions, _draws(range(_MEMBERS)))
            broken = _fused(models)
            for weight in broken.values():
                weight.data[0] = float("nan")
            beside = fused(broken, tokens, conditions, _draws(range(_MEMBERS)))
            beside[1:].sum().backward()
            for v in range(1, _MEMBERS):
                one = slice(v, v + 1)
                alone = models[v].fuse([models[v]], "fp32")
                own = alone(_fused(models[one]), tokens[one], [c[one] for c in conditions], _draws([v]))[0]
                off = self._off(together[v], own)
                assert off <= self.tolerance, f"member {v} depends on the others of its stack: off by {off:.3g}"
                assert bool(beside[v].isfinite().all()), (
                    f"beside a member that is NaN, member {v} is too: something is added up over members"
                )
                for name, weight in broken.items():
                    assert weight.grad is not None, f"in a stack no gradient reaches {name}"
                    assert bool(weight.grad[v].isfinite().all()), (
                        f"beside a member that is NaN, member {v}'s gradient of {name} is too: "
                        "something is added up over members"
                    )

    def test_stack_stays_on_its_device(self, settings: Mapping[str, Any]) -> None:
        """A stack waits for no number and touches no tensor of the host; otherwise a GPU could not record it."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings):
            weights = _fused(models, "meta")
            there = [tokens.to("meta"), *(values.to("meta") for values in conditions)]
            draws = _no_draws("meta")
            fused(weights, there[0], there[1:], draws)  # what is made once may be made
            with only_on_meta():
                logits = fused(weights, there[0], there[1:], draws)
                torch.autograd.grad(logits.sum(), list(weights.values()), allow_unused=True)

    def test_fused_stepper(self, settings: Mapping[str, Any]) -> None:
        """If a stack offers a stepper, it predicts as each network does, and its state keeps its shape."""
        import torch

        for models, fused, tokens, conditions in self._fused_models(settings):
            if fused.stepper(_fused(models)) is None:
                continue
            with torch.inference_mode():
                expected = [model(tokens[v], [values[v] for values in conditions])[0] for v, model in enumerate(models)]
                step, state, shapes = fused.stepper(_fused(models)), None, set()
                for t in range(self._time):
                    logits, state = step(tokens[..., t], [values[:, :, t] for values in conditions], state)
                    assert logits.dtype == torch.float32, f"the stepper's logits are {logits.dtype}, not float32"
                    kind = type(state).__name__
                    assert isinstance(state, tuple), f"the stepper's state is a {kind}, not a tuple of tensors"
                    shapes.add(tuple(tuple(each.shape) for each in state))
                    for v, own in enumerate(expected):
                        off = self._off(logits[v], own[:, t])
                        assert off <= self.tolerance, f"at time {t} member {v}'s logits are off by {off:.3g}"
            assert len(shapes) == 1, "the stepper's state changes its shape from step to step"


def _fused(models: Sequence[Any], device: str = "cpu") -> dict[str, torch.Tensor]:
    """The models' weights by name, [members, ...]."""
    from ablate.fusion import fused_weights

    return fused_weights(models, device)


def _no_draws(device: str = "cpu") -> RandomStreams:
    from ablate.fusion import NoRandomness

    return NoRandomness(device)


def _draws(seeds: Sequence[int]) -> FusedStreams:
    """The engine's own, every stream at its seed."""
    import torch

    from ablate.engine.fusion.random import FusedStreams

    draws = FusedStreams(len(seeds), torch.device("cpu"))
    draws.seed(seeds)
    return draws
