"""Decide which models can be fused: equal parameter shapes, a ``fuse`` method, and matching outputs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ablate.engine.conditions import trial_conditions
from ablate.engine.fusion.random import FusedStreams
from ablate.fusion import NoRandomness, fused_weights
from ablate.interfaces import Fusible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.engine.training.start import TrainingStart
    from ablate.interfaces import Conditioner, FusedModels, Optimizer

_log = logging.getLogger(__name__)

_CPU = torch.device("cpu")
#: The largest difference between a model's logits when fused and when alone, in fp32, relative to the largest logit.
TOLERANCE = 1e-3
#: Tokens of a window with which fused models are compared with the models alone.
TRIAL_TOKENS = 8
_MISMATCH = (
    "%s predicts otherwise when fused than alone (logits off by %.2g): its fuse() ignores an option, "
    "so %d models are trained one by one"
)


class FusionGroup(NamedTuple):
    """Jobs by their indices, and whether their models can be fused."""

    indices: list[int]
    fusible: bool


def fusion_groups(starts: Mapping[int, TrainingStart]) -> list[FusionGroup]:
    """Return jobs in groups that can be trained as one, in order; a model that cannot be fused is a group of one.

    Args:
        starts: by the index of the job.
    """
    candidates: dict[Any, list[int]] = {}
    separate: set[int] = set()
    for index, start in starts.items():
        conditioners = start.job.conditioners
        widths = [conditioner.width for conditioner in conditioners]
        reason = optimizer_obstacle(start.job.recipe.optimizer)
        reason = reason or why_not_fusible(start.model, start.job.settings.precision, conditioners)
        if reason:
            _log.info("%s is trained by itself: %s", type(start.model).__name__, reason)
            separate.add(index)
        candidates.setdefault(index if reason else (_job_key(start), *widths), []).append(index)
    groups: list[FusionGroup] = []
    for indices in candidates.values():
        if indices[0] in separate:
            groups.append(FusionGroup(indices, fusible=False))
        else:
            groups += _groups_of_equal_shape(indices, starts)
    return groups


def _groups_of_equal_shape(indices: Sequence[int], starts: Mapping[int, TrainingStart]) -> list[FusionGroup]:
    """Return fused groups of these jobs; jobs whose models fail the comparison with the models alone are separate."""
    models, precision = [starts[index].model for index in indices], starts[indices[0]].job.settings.precision
    groups: list[FusionGroup] = []
    for positions in fusible_subsets(models, precision):
        subset = [indices[position] for position in positions]
        if _outputs_match([starts[index] for index in subset]):
            groups.append(FusionGroup(subset, fusible=True))
        else:
            groups += [FusionGroup([index], fusible=False) for index in subset]
    return groups


def fusible_subsets(models: Sequence[Any], precision: str) -> list[list[int]]:
    """Return models of equal shape, by their positions, in as few lists as their ``fuse`` allows."""
    if models[0].fuse(models, precision) is not None:
        return [list(range(len(models)))]
    subsets: list[list[int]] = []
    for position, model in enumerate(models):
        for subset in subsets:
            if models[subset[0]].fuse([*(models[i] for i in subset), model], precision) is not None:
                subset.append(position)
                break
        else:
            subsets.append([position])
    return subsets


def _job_key(start: TrainingStart) -> tuple[Any, ...]:
    """Return a key that is equal for jobs that can be trained as one, except for the widths of their conditioners."""
    settings = start.job.settings
    return (
        *shape_key(start.model),
        *(start.windows.rows, settings.window, settings.steps, settings.precision, start.step),
        *(settings.accumulate, settings.validate_every),
    )


def shape_key(model: torch.nn.Module) -> tuple[Any, ...]:
    """Return a network's class, and the names and shapes of its weights: equal for networks that can be fused."""
    return type(model), tuple((name, tuple(weight.shape)) for name, weight in model.named_parameters())


def optimizer_obstacle(optimizer: Optimizer) -> str:
    """Return the reason why models with this optimizer cannot be fused, or an empty string if they can."""
    return "" if optimizer.fusible else f"its optimizer {type(optimizer).__name__} is not fusible"


def why_not_fusible(model: Any, precision: str, conditioners: Sequence[Conditioner]) -> str:
    """Return the reason why a network cannot be fused, or an empty string if it can.

    Buffers and shared weights have no fused form. A module that draws from torch's global random stream, such as a
    dropout in a conditioner's network, would depend on the other models.

    Args:
        model: in training or evaluation mode, as it will be used.
        precision: ``"bf16"`` or ``"fp32"``.
        conditioners: of the model.
    """
    return weights_obstacle(model) or step_obstacle(model, precision, conditioners)


def weights_obstacle(model: Any) -> str:
    """Return the part of :func:`why_not_fusible` that class and weights show, at no cost."""
    is_fusible = isinstance(model, Fusible)
    if not is_fusible:
        return "its class is not a subclass of ablate.Fusible"
    weights, named = dict(model.named_parameters()), model.state_dict()
    obstacles = {
        "it has buffers": next(model.buffers(), None) is not None,
        "some of its weights are shared": weights.keys() != named.keys(),
        "some of its weights are not trained": not all(weight.requires_grad for weight in weights.values()),
    }
    return next((reason for reason, is_present in obstacles.items() if is_present), "")


def step_obstacle(model: Any, precision: str, conditioners: Sequence[Conditioner]) -> str:
    """Return the part of :func:`why_not_fusible` that takes a step on the CPU, tens of milliseconds."""
    network = model.fuse([model], precision)
    if network is None:
        return "its fuse() returns None"
    if not _uses_only_its_streams(model, network, conditioners):
        return "something in it, a conditioner's module perhaps, draws random numbers from torch's own stream"
    return ""


def _uses_only_its_streams(model: Any, network: FusedModels, conditioners: Sequence[Conditioner]) -> bool:
    """Check, with one step on the CPU, that a fused network does not use torch's global random stream."""
    tokens_mrt = torch.zeros(1, 1, 2, dtype=torch.int64)
    conditions_mrtf = [torch.from_numpy(each)[None].float() for each in trial_conditions(conditioners, [{}], 2)]
    before = torch.default_generator.get_state()
    with torch.no_grad():
        network(fused_weights([model], _CPU), tokens_mrt, conditions_mrtf, FusedStreams(1, _CPU))
    return torch.default_generator.get_state().equal(before)


def _outputs_match(starts: Sequence[TrainingStart]) -> bool:
    """Check that every model, without dropout, predicts the start of a window when fused as it does alone.

    If ``fuse`` ignored an option, all models would silently be trained with the option of the first one.
    """
    models = [start.model for start in starts]
    network = models[0].fuse(models, "fp32")
    windows = [_first_window(start) for start in starts]
    tokens_mrt = torch.stack([tokens_rt for tokens_rt, _ in windows])
    conditions_mrtf = [torch.stack(values) for values in zip(*(conditions for _, conditions in windows), strict=True)]
    with torch.no_grad():
        fused_mrtv = network(fused_weights(models, _CPU), tokens_mrt, conditions_mrtf, NoRandomness())
        for m, model in enumerate(models):
            alone_rtv, _ = model.eval()(tokens_mrt[m], [values_mrtf[m] for values_mrtf in conditions_mrtf])
            model.train()
            difference = float((fused_mrtv[m] - alone_rtv).abs().max() / alone_rtv.abs().max().clamp(min=1))
            if difference > TOLERANCE:  # false if either is NaN: the training reports that
                _log.warning(_MISMATCH, type(model).__name__, difference, len(models))
                return False
    return True


def _first_window(start: TrainingStart) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the first tokens [1, time] of one of the job's windows, and their conditions [1, time, width]."""
    job = start.job
    number = min(start.step, job.settings.steps - 1) * job.settings.accumulate
    batch = start.windows.batch(number, job.conditioners, job.seeds.labels)
    return batch.tokens[:1, :TRIAL_TOKENS], [values_rtf[:1, :TRIAL_TOKENS] for values_rtf in batch.conditions]
