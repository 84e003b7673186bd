"""What a model's contract asks of a model that can be stacked; one that cannot passes."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.testing.samples import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from ablate.interfaces import Conditioner

_MEMBERS = 3


class NoDraws:
    """Draws that change nothing: no dropout, and zeros."""

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Zeros, [members, *shape]."""
        import torch

        return torch.zeros(len(scales), *shape)

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """The values as they are."""
        del shares
        return values


class SeededDraws:
    """Draws from a stream for each member, which begins at its seed."""

    def __init__(self, seeds: Sequence[int]) -> None:
        import torch

        self._streams = [torch.Generator().manual_seed(seed) for seed in seeds]

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Normal numbers, [members, *shape]."""
        import torch

        pairs = zip(self._streams, scales, strict=True)
        return torch.stack([scale * torch.randn(*shape, generator=stream) for stream, scale in pairs])

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """Values with each member's share dropped."""
        import torch

        triples = zip(values, self._streams, shares, strict=True)
        kept = [
            own * (torch.rand(own.shape, generator=stream) >= share) / (1 - share) for own, stream, share in triples
        ]
        return torch.stack(kept)


class StackTests:
    """Tests of a model's ``stack``; part of :class:`~ablate.testing.ModelContract`."""

    tolerance: float
    _vocabulary: int
    _rows: int
    _time: int

    def model(self, settings: Mapping[str, Any], seed: int = 0, conditioners: Sequence[Conditioner] = ()) -> Any:
        """See the contract."""
        raise NotImplementedError

    def _stacks(self, settings: Mapping[str, Any]) -> Iterator[tuple[list[Any], Any, torch.Tensor, list[torch.Tensor]]]:
        """Models, their stack, tokens [members, rows, time] and conditions, without and with conditioners."""
        import torch

        generator, shape = torch.Generator().manual_seed(0), (_MEMBERS, self._rows, self._time)
        for conditioners in ([], [ClockConditioner(), ClockConditioner()]):
            models = [self.model(settings, seed, conditioners) for seed in range(_MEMBERS)]
            stacked = models[0].stack(models, "fp32") if hasattr(models[0], "stack") else None
            if stacked is not None:
                tokens = torch.randint(self._vocabulary, shape, generator=generator)
                conditions = [torch.randn(*shape, each.features, generator=generator) for each in conditioners]
                yield models, stacked, tokens, conditions

    def _off(self, one: torch.Tensor, other: torch.Tensor) -> float:
        """How far numbers are from others, relative to the largest of these where that is more than 1."""
        one, other = one.detach(), other.detach()
        return float((one - other).abs().amax() / other.abs().amax().clamp(min=1))

    def test_stack(self, settings: Mapping[str, Any]) -> None:
        """Every member predicts and learns in a stack as it does alone, where nothing is drawn at random."""
        for models, stacked, tokens, conditions in self._stacks(settings):
            weights = _stacked(models)
            logits = stacked(weights, tokens, conditions, NoDraws())
            expected = (*tokens.shape, self._vocabulary)
            assert logits.shape == expected, f"a stack's logits are {tuple(logits.shape)}, not {expected}"
            logits.float().log_softmax(-1)[..., 0].sum().backward()
            for v, model in enumerate(models):
                own, _ = model(tokens[v], [values[v] for values in conditions])
                off = self._off(logits[v], own)
                assert off <= self.tolerance, f"in a stack member {v}'s logits are off by {off:.3g}"
                own.log_softmax(-1)[..., 0].sum().backward()
                for name, weight in model.named_parameters():
                    grad = weights[name].grad
                    assert grad is not None, f"in a stack no gradient reaches {name}"
                    off = self._off(grad[v], weight.grad)
                    assert off <= self.tolerance, f"in a stack member {v}'s gradient of {name} is off by {off:.3g}"

    def test_stack_keeps_members_apart(self, settings: Mapping[str, Any]) -> None:
        """What a member draws does not depend on the others, and one whose weights are NaN spoils no other."""
        for models, stacked, tokens, conditions in self._stacks(settings):
            together = stacked(_stacked(models), tokens, conditions, SeededDraws(range(_MEMBERS)))
            broken = _stacked(models)
            for weight in broken.values():
                weight.data[0] = float("nan")
            beside = stacked(broken, tokens, conditions, SeededDraws(range(_MEMBERS)))
            beside[1:].sum().backward()
            for v in range(1, _MEMBERS):
                alone = models[v].stack([models[v]], "fp32")
                one = slice(v, v + 1)
                own = alone(_stacked(models[one]), tokens[one], [c[one] for c in conditions], SeededDraws([v]))[0]
                off = self._off(together[v], own)
                assert off <= self.tolerance, f"member {v} depends on the others of its stack: off by {off:.3g}"
                off = self._off(beside[v], own)
                assert off <= self.tolerance, f"member {v} is off by {off:.3g} beside one that is NaN"
                for name, weight in broken.items():
                    finite = weight.grad is not None and bool(weight.grad[v].isfinite().all())
                    assert finite, f"beside a member that is NaN, member {v}'s gradient of {name} is not finite"

    def test_stacked_stepper(self, settings: Mapping[str, Any]) -> None:
        """If a stack offers a stepper, it predicts as each network does, and its state keeps its shape."""
        import torch

        for models, stacked, tokens, conditions in self._stacks(settings):
            if not hasattr(stacked, "stepper"):
                continue
            with torch.inference_mode():
                expected = [model(tokens[v], [values[v] for values in conditions])[0] for v, model in enumerate(models)]
                step, state, shapes = stacked.stepper(_stacked(models)), None, set()
                for t in range(self._time):
                    logits, state = step(tokens[..., t], [values[:, :, t] for values in conditions], state)
                    assert logits.dtype == torch.float32, f"the stepper's logits are {logits.dtype}, not float32"
                    shapes.add(tuple(tuple(each.shape) for each in state))
                    for v, own in enumerate(expected):
                        off = self._off(logits[v], own[:, t])
                        assert off <= self.tolerance, f"at time {t} member {v}'s logits are off by {off:.3g}"
            assert len(shapes) == 1, "the stepper's state changes its shape from step to step"


def _stacked(models: Sequence[Any]) -> dict[str, torch.Tensor]:
    """The models' weights by name, [members, ...]."""
    import torch

    own = [dict(model.named_parameters()) for model in models]
    return {name: torch.stack([each[name].detach() for each in own]).requires_grad_() for name in own[0]}
