"""The part of the contract of models that concerns fusion; a model that cannot be fused passes."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.interfaces import FusedModels, Fusible
from ablate.testing.material import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import torch

    from ablate.engine.fusion.random import FusedStreams
    from ablate.interfaces import Conditioner, RandomStreams

_MODELS = 3
#: The error of a gradient is relative to its largest entry, but at least to this share of the largest of all gradients.
_SMALL = 1e-3


class FusionTests:
    """Tests of a model's ``fuse``; part of :class:`~ablate.testing.ModelContract`.

    Attributes:
        fusible: whether ablate must be able to fuse models of this kind; otherwise it may be.
    """

    fusible: bool = False
    tolerance: float
    bf16_tolerance: float
    _vocabulary: int
    _rows: int
    _time: int

    def model(self, settings: Mapping[str, Any], seed: int = 0, conditioners: Sequence[Conditioner] = ()) -> Any:
        """Return a model; see the contract."""
        raise NotImplementedError

    def _groups(
        self, settings: Mapping[str, Any], precision: str = "fp32"
    ) -> Iterator[tuple[list[Any], Any, torch.Tensor, list[torch.Tensor]]]:
        """Yield models, the fused models, tokens [models, rows, time] and conditions, without and with conditioners."""
        import torch

        generator, shape = torch.Generator().manual_seed(0), (_MODELS, self._rows, self._time)
        for conditioners in ([], [ClockConditioner(), ClockConditioner()]):
            models = [self.model(settings, seed, conditioners) for seed in range(_MODELS)]
            fused = models[0].fuse(models, precision) if isinstance(models[0], Fusible) else None
            if fused is not None:
                kind = type(fused).__name__
                assert isinstance(fused, FusedModels), f"fuse() returns a {kind}, not ablate.FusedModels"
                tokens = torch.randint(self._vocabulary, shape, generator=generator)
                conditions = [torch.randn(*shape, each.width, generator=generator) for each in conditioners]
                yield models, fused, tokens, conditions

    def _error(self, one: torch.Tensor, other: torch.Tensor, least: float = 1.0) -> float:
        """Return the largest difference, relative to the largest of the other numbers or to ``least``."""
        one, other = one.detach(), other.detach()
        return float((one - other).abs().amax() / other.abs().amax().clamp(min=least))

    def test_fusible(self, settings: Mapping[str, Any]) -> None:
        """Check, if models of this kind must be fusible, that nothing in a model prevents it."""
        if not self.fusible:
            return
        model = self.model(settings)
        is_fusible = isinstance(model, Fusible)
        assert is_fusible, "the model's class is not a subclass of ablate.Fusible"
        assert model.fuse([model], "fp32") is not None, "fuse() returns None"
        weights = dict(model.named_parameters())
        assert next(model.buffers(), None) is None, "a network with buffers cannot be fused"
        assert weights.keys() == model.state_dict().keys(), "a network with shared weights cannot be fused"
        frozen = [name for name, weight in weights.items() if not weight.requires_grad]
        assert not frozen, f"a network with frozen weights cannot be fused: {', '.join(frozen)}"

    def test_fuse(self, settings: Mapping[str, Any]) -> None:
        """Check that without randomness every fused model predicts and learns as it does alone."""
        for models, fused, tokens, conditions in self._groups(settings):
            weights = _weights(models)
            logits = fused(weights, tokens, conditions, _no_randomness())
            shape = (*tokens.shape, self._vocabulary)
            assert logits.shape == shape, f"the logits of fused models have shape {tuple(logits.shape)}, not {shape}"
            logits.float().log_softmax(-1)[..., 0].sum().backward()
            for m, model in enumerate(models):
                alone, _ = model(tokens[m], [values[m] for values in conditions])
                error = self._error(logits[m], alone)
                assert error <= self.tolerance, f"fused, the logits of model {m} are off by {error:.3g}"
                alone.log_softmax(-1)[..., 0].sum().backward()
                self._compare_gradients(m, model, weights)

    def _compare_gradients(self, m: int, model: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
        gradients = {name: weight.grad for name, weight in model.named_parameters()}
        largest = max(float(grad.abs().amax()) for grad in gradients.values() if grad is not None)
        for name, alone in gradients.items():
            grad = weights[name].grad
            assert grad is not None, f"fused, no gradient reaches {name}"
            assert alone is not None, f"no gradient reaches {name}"
            error = self._error(grad[m], alone, max(_SMALL * largest, 1e-30))
            assert error <= self.tolerance, f"fused, the gradient of {name} of model {m} is off by {error:.3g}"

    def test_fuse_in_bf16(self, settings: Mapping[str, Any]) -> None:
        """Check that in bf16 fused models predict nearly as alone, and that gradients are float32."""
        import torch

        for models, fused, tokens, conditions in self._groups(settings, "bf16"):
            weights = _weights(models)
            logits = fused(weights, tokens, conditions, _no_randomness())
            logits.float().sum().backward()
            types = {weight.grad.dtype for weight in weights.values() if weight.grad is not None}
            assert types == {torch.float32}, f"gradients of the weights are {types}, not float32"
            for m, model in enumerate(models):
                alone, _ = model(tokens[m], [values[m] for values in conditions])
                error = self._error(logits[m].float(), alone)
                assert error <= self.bf16_tolerance, f"fused in bf16, the logits of model {m} are off by {error:.3g}"

    def test_fused_randomness(self, settings: Mapping[str, Any]) -> None:
        """Check that fused models draw random numbers if a single model does, and only from ``random``."""
        import torch

        for models, fused, tokens, conditions in self._groups(settings):
            for model in models:
                model.train()
            random = _random(range(_MODELS))
            before = torch.get_rng_state()
            fused(_weights(models), tokens, conditions, random)
            unchanged = torch.get_rng_state().equal(before)
            assert unchanged, "fused models draw from torch's own stream; they must draw from random"
            with torch.random.fork_rng(devices=[]):
                before = torch.get_rng_state()
                models[0].train()(tokens[0], [values[0] for values in conditions])
                draws = not torch.get_rng_state().equal(before)
            assert draws <= random.used, "the model draws random numbers in training, but not when it is fused"

    def test_fused_models_are_independent(self, settings: Mapping[str, Any]) -> None:
        """Check that a model does not depend on the others of its group, even if the weights of one are NaN."""
        for models, fused, tokens, conditions in self._groups(settings):
            together = fused(_weights(models), tokens, conditions, _random(range(_MODELS)))
            broken = _weights(models)
            for weight in broken.values():
                weight.data[0] = float("nan")
            with_nan = fused(broken, tokens, conditions, _random(range(_MODELS)))
            with_nan[1:].sum().backward()
            for m in range(1, _MODELS):
                one = slice(m, m + 1)
                single = models[m].fuse([models[m]], "fp32")
                alone = single(_weights(models[one]), tokens[one], [c[one] for c in conditions], _random([m]))[0]
                error = self._error(together[m], alone)
                assert error <= self.tolerance, f"model {m} depends on the others of its group: off by {error:.3g}"
                cause = "some operation adds numbers of several models"
                assert bool(with_nan[m].isfinite().all()), f"a NaN in model 0 reaches the logits of model {m}: {cause}"
                for name, weight in broken.items():
                    assert weight.grad is not None, f"fused, no gradient reaches {name}"
                    finite = bool(weight.grad[m].isfinite().all())
                    assert finite, f"a NaN in model 0 reaches the gradient of {name} of model {m}: {cause}"

    def test_fused_models_stay_on_their_device(self, settings: Mapping[str, Any]) -> None:
        """Check that no operation waits for a number or uses a tensor of the host, which a CUDA graph cannot record."""
        import torch

        for models, fused, tokens, conditions in self._groups(settings):
            weights = _weights(models, "meta")
            inputs = tokens.to("meta"), [values.to("meta") for values in conditions]
            random = _no_randomness("meta")
            fused(weights, *inputs, random)  # tensors that are created only once are allowed
            with only_on_meta():
                logits = fused(weights, *inputs, random)
                torch.autograd.grad(logits.sum(), list(weights.values()), allow_unused=True)

    def test_fused_stepper(self, settings: Mapping[str, Any]) -> None:
        """Check that the fused stepper, if there is one, predicts as each model, with a state of fixed shape.

        As on a GPU, the state stays in the memory of the first one, so a tensor may be changed in place and not moved.
        """
        import torch

        for models, fused, tokens, conditions in self._groups(settings):
            weights = _weights(models)
            step = fused.stepper(weights)
            if step is None:
                continue
            with torch.inference_mode():
                self._check_first_state(step, weights, tokens[..., 0], [values[:, :, 0] for values in conditions])
                expected = [model(tokens[m], [values[m] for values in conditions])[0] for m, model in enumerate(models)]
                memory = None
                for t in range(self._time):
                    logits, state = step(tokens[..., t], [values[:, :, t] for values in conditions], memory)
                    assert logits.dtype == torch.float32, f"the fused stepper's logits are {logits.dtype}, not float32"
                    kind = type(state).__name__
                    assert isinstance(state, tuple), f"the fused stepper's state is a {kind}, not a tuple of tensors"
                    for m, alone in enumerate(expected):
                        error = self._error(logits[m], alone[:, t])
                        assert error <= self.tolerance, f"at time {t} the logits of model {m} are off by {error:.3g}"
                    memory = _kept(state, memory)

    def _check_first_state(
        self, step: Any, weights: Mapping[str, torch.Tensor], tokens: torch.Tensor, conditions: Sequence[torch.Tensor]
    ) -> None:
        """Check that a generation's first state is new: the engine keeps it and writes into it."""
        (_, earlier), (_, state) = (step(tokens, conditions, None) for _ in range(2))
        foreign = {each.untyped_storage().data_ptr() for each in (*weights.values(), tokens, *conditions, *earlier)}
        for index, each in enumerate(state):
            is_new = each.untyped_storage().data_ptr() not in foreign
            problem = "is not new memory: another generation, the weights or the input share it"
            assert is_new, f"tensor {index} of the fused stepper's first state {problem}"


def only_on_meta() -> AbstractContextManager[Any]:
    """Return a context in which an operation on a tensor of the host fails; single numbers are allowed.

    On torch's device ``meta`` there are shapes and no numbers, so any operation that needs a number fails too.
    """
    import torch
    from torch.utils import _pytree as pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    class OnlyOnMeta(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            del types
            result = func(*args, **(kwargs or {}))
            for value in pytree.tree_leaves((args, kwargs, result)):
                if isinstance(value, torch.Tensor) and value.dim():
                    assert value.device.type == "meta", f"{func} uses a tensor on the {value.device.type}"
            return result

    return OnlyOnMeta()  # type: ignore[no-untyped-call]


def _kept(state: tuple[torch.Tensor, ...], memory: tuple[torch.Tensor, ...] | None) -> tuple[torch.Tensor, ...]:
    """Return the memory of a generation's state, with the values of this one."""
    if memory is None:
        return state
    shapes = [each.shape for each in state], [each.shape for each in memory]
    assert shapes[0] == shapes[1], "the fused stepper's state changes its shape from step to step"
    for own, values in zip(memory, state, strict=True):
        if values is not own:
            own.copy_(values)
    return memory


def _weights(models: Sequence[Any], device: str = "cpu") -> dict[str, torch.Tensor]:
    """Return the models' weights by name, [models, ...]."""
    from ablate.fusion import fused_weights

    return fused_weights(models, device)


def _no_randomness(device: str = "cpu") -> RandomStreams:
    from ablate.fusion import NoRandomness

    return NoRandomness(device)


def _random(seeds: Sequence[int]) -> FusedStreams:
    """Return the random streams of the engine, each with its seed."""
    import torch

    from ablate.engine.fusion.random import FusedStreams

    streams = FusedStreams(len(seeds), torch.device("cpu"))
    streams.seed(seeds)
    return streams
