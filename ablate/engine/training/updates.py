"""Update weights with torch's optimizers, at the learning rate of each step; save and load their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ablate.blame import about, blame, blaming
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.interfaces import Optimizer, WeightGroup

#: The state of one weight: tensors, and plain numbers or None.
WeightState = dict[str, Any]


class Updates:
    """The torch optimizers that an :class:`ablate.Optimizer` builds for groups of weights.

    Args:
        optimizer: the component.
        groups: of the weights, all with the same learning rate: a number, or one tensor.
    """

    def __init__(self, optimizer: Optimizer, groups: Sequence[WeightGroup]) -> None:
        given = groups[0]["lr"]
        self._about = about(optimizer)
        with blaming(self._about):
            built = optimizer.build(groups)
            self._optimizers = [built] if isinstance(built, torch.optim.Optimizer) else list(built)
        if not all(isinstance(each, torch.optim.Optimizer) for each in self._optimizers):
            raise StageError(f"{self._about}: build must return torch's optimizers")
        self._groups: list[dict[str, Any]] = [g for each in self._optimizers for g in each.param_groups]
        self._ratios = [1.0 if g["lr"] is given else float(g["lr"]) / float(given) for g in self._groups]
        self._rate = float("nan")
        _check_complete(optimizer, groups, self._groups)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        if rate == self._rate:
            return
        self._rate = rate
        for group, ratio in zip(self._groups, self._ratios, strict=True):
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio

    def zero_gradients(self) -> None:
        """Drop the gradients of the step before."""
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Update the weights with their gradients."""
        try:
            for optimizer in self._optimizers:
                optimizer.step()
        except BaseException as error:
            blame(error, self._about)
            raise

    def state(self, weights: Sequence[torch.Tensor]) -> dict[int, WeightState]:
        """Return the state of each of these weights by its index; weights that were never updated have none."""
        states: dict[torch.Tensor, WeightState] = {w: s for each in self._optimizers for w, s in each.state.items()}
        return {index: dict(states[weight]) for index, weight in enumerate(weights) if weight in states}

    def load(self, states: Mapping[torch.Tensor, Mapping[str, Any]]) -> None:
        """Load the states of weights, as :meth:`state` returned them; the values are copied."""
        for optimizer in self._optimizers:
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            numbered = {index: _copied(states[weight]) for index, weight in enumerate(weights) if weight in states}
            optimizer.load_state_dict({**optimizer.state_dict(), "state": numbered})
        # loading replaces the groups
        self._groups = [group for each in self._optimizers for group in each.param_groups]


def _copied(state: Mapping[str, Any]) -> WeightState:
    return {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in state.items()}


def _check_complete(optimizer: Optimizer, groups: Sequence[WeightGroup], built: Sequence[Mapping[str, Any]]) -> None:
    """Check that each weight is updated once."""
    wanted = sorted(id(weight) for group in groups for weight in group["params"])
    if sorted(id(weight) for group in built for weight in group["params"]) != wanted:
        raise StageError(f"{about(optimizer)}: build does not return each weight of its groups exactly once")


def packed_state(states: Mapping[int, WeightState]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return states as named tensors (``"0.exp_avg"``) and named plain values, for a checkpoint.

    Raises:
        StageError: a value is neither a tensor, nor a number, nor None.
    """
    named = {f"{index}.{key}": value for index, state in states.items() for key, value in state.items()}
    tensors = {name: value for name, value in named.items() if isinstance(value, torch.Tensor)}
    values = {name: value for name, value in named.items() if name not in tensors}
    for name, value in values.items():
        if not (value is None or isinstance(value, bool | int | float)):
            kind = type(value).__name__
            raise StageError(f"the optimizer's state '{name.partition('.')[2]}' is a {kind}, which cannot be saved")
    return tensors, values


def unpacked_state(tensors: Mapping[str, torch.Tensor], values: Mapping[str, Any]) -> dict[int, WeightState]:
    """Return the states that :func:`packed_state` packed.

    Raises:
        ValueError: a name does not begin with an index.
    """
    states: dict[int, WeightState] = {}
    for name, value in {**tensors, **values}.items():
        index, key = name.split(".", 1)
        states.setdefault(int(index), {})[key] = value
    return states
