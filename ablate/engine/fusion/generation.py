"""Generation with fused models: the rows of all models share each step, as [models, rows] with equal numbers of rows.

If a model has fewer rows than another, its unused positions are filled with any row, and their results are ignored.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ablate.engine.fusion.cuda_graph import RecordedStep
from ablate.engine.fusion.eligibility import fusible_subsets, shape_key, step_obstacle, weights_obstacle
from ablate.engine.memory import is_out_of_memory
from ablate.fusion import fused_weights
from ablate.interfaces import FusedModels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ablate.engine.devices import Compute
    from ablate.interfaces import Conditioner, FusedStepper, Stepper

    class RowOfModel(Protocol):
        """A row of generation, as far as this module uses it."""

        @property
        def model(self) -> int:
            """The index of its model."""
            ...


_log = logging.getLogger(__name__)

#: The most positions [models, rows] of a step; beyond, the time of a step grows linearly.
MOST_ROWS = 16384
_TOO_LARGE = "the weights of %d models do not fit into the memory of %s a second time; these models generate one by one"


@dataclasses.dataclass(frozen=True)
class GenerationGroup:
    """Models whose rows share steps.

    Attributes:
        models: by their indices.
        fused_stepper: of all of them.
    """

    models: Sequence[int]
    fused_stepper: FusedStepper

    def split(self, rows: Sequence[RowOfModel]) -> Iterator[list[int]]:
        """Return the indices of the rows of these models, in lists of at most :data:`MOST_ROWS` positions each."""
        models = set(self.models)
        own = [index for index, row in enumerate(rows) if row.model in models]
        return in_parts(rows, own, max(1, MOST_ROWS // len(self.models)))

    def stepper(self, rows: Sequence[RowOfModel], device: torch.device) -> Stepper:
        """Return a stepper for these rows of these models."""
        return _RecordedStepper(_RowStepper(self, [row.model for row in rows], device), device)


def in_parts(rows: Sequence[RowOfModel], indices: Iterable[int], each: int) -> Iterator[list[int]]:
    """Return these indices of rows in lists that have at most ``each`` rows of every model."""
    rows_of: dict[int, list[int]] = {}
    for index in indices:
        rows_of.setdefault(rows[index].model, []).append(index)
    for start in range(0, max(map(len, rows_of.values())), each):
        yield [index for own in rows_of.values() for index in own[start : start + each]]


def generation_groups(
    models: Sequence[Any], rows: Sequence[RowOfModel], compute: Compute, conditioners: Sequence[Conditioner]
) -> list[GenerationGroup]:
    """Return the groups of models with rows that can be fused for generation.

    Args:
        models: in evaluation mode.
        rows: what to generate.
        compute: device and precision.
        conditioners: of the models.
    """
    alike: dict[Any, list[int]] = {}
    obstacles: dict[Any, str] = {}
    for index in sorted({row.model for row in rows}):
        model = models[index]
        if weights_obstacle(model):
            continue
        # a step of each model on the CPU would take longer than hundreds of tokens on a GPU
        kind = (*shape_key(model), *map(type, model.modules()))
        if kind not in obstacles:
            obstacles[kind] = step_obstacle(model, compute.precision, conditioners)
        if not obstacles[kind]:
            alike.setdefault(shape_key(model), []).append(index)
    groups = []
    for indices in alike.values():
        for positions in fusible_subsets([models[index] for index in indices], compute.precision):
            subset = [indices[position] for position in positions]
            networks = [models[index] for index in subset]
            stepper = _fused_stepper(networks, compute)
            if stepper is not None:
                groups.append(GenerationGroup(subset, stepper))
    return groups


def _fused_stepper(networks: Sequence[Any], compute: Compute) -> FusedStepper | None:
    """Return the stepper of networks that can be fused; None if they have none, or do not fit into the memory."""
    network = networks[0].fuse(networks, compute.precision)
    if network is None or type(network).stepper is FusedModels.stepper:
        return None  # an option forbids it, or it has none: no second copy of the weights on the device
    try:
        weights = fused_weights(networks, torch.device(compute.device))
        stepper: FusedStepper | None = network.stepper({name: weight.detach() for name, weight in weights.items()})
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        _log.warning(_TOO_LARGE, len(networks), compute.device)
        return None
    return stepper


class _RowStepper:
    """A stepper for rows in any order, which moves them to [models, rows] and back.

    Args:
        group: of fused models.
        models: the index of each row's model.
        device: a torch device.
    """

    def __init__(self, group: GenerationGroup, models: Sequence[int], device: torch.device) -> None:
        self._fused_stepper = group.fused_stepper
        rows_of: dict[int, list[int]] = {model: [] for model in group.models}
        for row, model in enumerate(models):
            rows_of[model].append(row)
        self._shape = (len(rows_of), max(map(len, rows_of.values())))
        filled = [(rows + [0] * self._shape[1])[: self._shape[1]] for rows in rows_of.values()]
        positions = {
            row: m * self._shape[1] + position
            for m, rows in enumerate(rows_of.values())
            for position, row in enumerate(rows)
        }
        # the row at each position of [models, rows], and the position of each row
        self._row_n = torch.tensor(filled).flatten().to(device)
        self._position_r = torch.tensor([positions[row] for row in range(len(models))]).to(device)

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        conditions_mrf = [values_rf[self._row_n].view(*self._shape, -1) for values_rf in conditions]
        logits_mrv, state = self._fused_stepper(tokens[self._row_n].view(self._shape), conditions_mrf, state)
        return logits_mrv.flatten(0, 1)[self._position_r], state


class _RecordedStepper:
    """A stepper that reads and writes the same memory at every step, so that a GPU can record it."""

    def __init__(self, step: Stepper, device: torch.device) -> None:
        self._step = step
        self._recorded_step = RecordedStep(device)

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        if state is None:
            # new memory by contract, so no copy: that of a cache would need half of the memory
            logits_rv, self._state = self._step(tokens, conditions)
            self._inputs = [tokens.clone(), *(values.clone() for values in conditions)]
            self._logits_rv = logits_rv.clone()
            return logits_rv, self._state
        for memory, values in zip(self._inputs, [tokens, *conditions], strict=True):
            memory.copy_(values)
        self._recorded_step(self._run_step)
        return self._logits_rv.clone(), self._state

    def _run_step(self) -> None:
        logits_rv, state = self._step(self._inputs[0], self._inputs[1:], self._state)
        self._logits_rv.copy_(logits_rv)
        for memory, values in zip(self._state, state, strict=True):
            if values is not memory:  # else the stepper has changed it in place: a cache is too large to be copied
                memory.copy_(values)
