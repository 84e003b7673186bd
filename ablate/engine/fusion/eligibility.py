"""Which members can be trained as one: those whose networks have equal shapes, say how, and are shown to mean it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ablate.engine.fusion.random import FusedStreams
from ablate.fusion import NoRandomness, fused_weights
from ablate.interfaces import Fusible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.engine.training.job import Start
    from ablate.interfaces import FusedModels

_log = logging.getLogger(__name__)

_CPU = torch.device("cpu")
#: How far a member's logits may be in a stack from what they are alone, in fp32, relative to the largest.
TOLERANCE = 1e-3
#: Tokens of a window that a stack is tried with.
TRIED = 8
_OTHERWISE = (
    "%s predicts otherwise in a stack than alone (logits off by %.2g): its fuse() ignores an option, "
    "so %d members are trained one by one"
)


class Group(NamedTuple):
    """Members by their places, and whether they can be trained as one."""

    indices: list[int]
    fusible: bool


def fusion_groups(starts: Mapping[int, Start]) -> list[Group]:
    """Members in groups that can be trained as one, in order; who cannot be fused is in a group by itself."""
    groups: dict[Any, list[int]] = {}
    for index, begun in starts.items():
        widths = [conditioner.width for conditioner in begun.member.conditioners]
        reason = why_alone(begun.model, begun.member.settings.precision, widths)
        if reason:
            _log.info("%s is trained by itself: %s", type(begun.model).__name__, reason)
        groups.setdefault(index if reason else (_key(begun), *widths), []).append(index)
    found = []
    for key, indices in groups.items():
        if key == indices[0]:
            found.append(Group(indices, fusible=False))
            continue
        models, precision = [starts[index].model for index in indices], starts[indices[0]].member.settings.precision
        for places in apart(models, precision):
            some = [indices[place] for place in places]
            as_one = _predict_alike([starts[index] for index in some])
            found += [Group(some, fusible=True)] if as_one else [Group([i], fusible=False) for i in some]
    return found


def apart(models: Sequence[Any], precision: str) -> list[list[int]]:
    """Networks of equal shape, by their places, in as few lists as their ``stack`` allows."""
    if models[0].fuse(models, precision) is not None:
        return [list(range(len(models)))]
    found: list[list[int]] = []
    for place, model in enumerate(models):
        for places in found:
            if models[places[0]].fuse([*(models[i] for i in places), model], precision) is not None:
                places.append(place)
                break
        else:
            found.append([place])
    return found


def _key(begun: Start) -> tuple[Any, ...]:
    """What members have in common that can be trained as one."""
    settings = begun.member.settings
    return (
        *model_key(begun.model),
        *(begun.windows.rows, settings.window, settings.steps, settings.precision, begun.step),
    )


def model_key(model: torch.nn.Module) -> tuple[Any, ...]:
    """What networks have in common that can be fused: their class, and the names and shapes of their weights."""
    return type(model), tuple((name, tuple(weight.shape)) for name, weight in model.named_parameters())


def why_alone(model: Any, precision: str, widths: Sequence[int]) -> str:
    """Why a network cannot be fused; empty if it can.

    Buffers and shared weights have no place in a stack, and what a module gives that draws from torch's global stream,
    such as a dropout in a conditioner's own network, would depend on the other members.

    Args:
        model: in training or evaluation mode, as it is to be used.
        precision: ``"bf16"`` or ``"fp32"``.
        widths: of each conditioner.
    """
    is_fusible = isinstance(model, Fusible)
    if not is_fusible:
        return "its class is not a subclass of ablate.Fusible"
    weights, named = dict(model.named_parameters()), model.state_dict()
    against = {
        "it has buffers": next(model.buffers(), None) is not None,
        "some of its weights are shared": weights.keys() != named.keys(),
        "some of its weights are not trained": not all(weight.requires_grad for weight in weights.values()),
    }
    found = next((reason for reason, holds in against.items() if holds), "")
    if found:
        return found
    network = model.fuse([model], precision)
    if network is None:
        return "its fuse() returns None"
    if not _keeps_to_its_draws(model, network, widths):
        return "something in it, a conditioner's module perhaps, draws random numbers from torch's own stream"
    return ""


def _keeps_to_its_draws(model: Any, network: FusedModels, widths: Sequence[int]) -> bool:
    """Whether one step of the network, on the CPU, leaves torch's global stream alone."""
    tokens = torch.zeros(1, 1, 2, dtype=torch.int64)
    conditions = [torch.zeros(1, 1, 2, each) for each in widths]
    before = torch.default_generator.get_state()
    with torch.no_grad():
        network(fused_weights([model], _CPU), tokens, conditions, FusedStreams(1, _CPU))
    return torch.default_generator.get_state().equal(before)


def _predict_alike(starts: Sequence[Start]) -> bool:
    """Whether, without any randomness, every member predicts the start of a window in a stack as it does alone.

    A model whose stack overlooks an option would otherwise train every member as the first one, and nobody would know.
    """
    models = [begun.model for begun in starts]
    network = models[0].fuse(models, "fp32")
    windows = [_first_window(begun) for begun in starts]
    tokens = torch.stack([own for own, _ in windows])
    conditions = [torch.stack(values) for values in zip(*(own for _, own in windows), strict=True)]
    with torch.no_grad():
        together = network(fused_weights(models, _CPU), tokens, conditions, NoRandomness())
        for v, model in enumerate(models):
            alone, _ = model.eval()(tokens[v], [values[v] for values in conditions])
            model.train()
            off = float((together[v] - alone).abs().max() / alone.abs().max().clamp(min=1))
            if off > TOLERANCE:  # not where either is NaN: that is the training's to say
                _log.warning(_OTHERWISE, type(model).__name__, off, len(models))
                return False
    return True


def _first_window(begun: Start) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Tokens [1, time] and conditions [1, time, width] of one window that the member learns from, some of it."""
    member = begun.member
    step = min(begun.step, member.settings.steps - 1)
    batch = begun.windows.batch(step, member.conditioners, member.seeds.labels)
    return batch.tokens[:1, :TRIED], [values[:1, :TRIED] for values in batch.conditions]
