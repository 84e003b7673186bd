"""Rows of the members of a stack, which step together: a grid of [members, rows], the same number for each member.

Where a member has fewer rows than another, its places in the grid are filled with any row and nobody looks at what
comes of them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ablate.engine.fusion.cuda_graph import Recorded
from ablate.engine.fusion.eligibility import apart, model_key, why_alone
from ablate.fusion import fused_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.engine.devices import Compute
    from ablate.interfaces import FusedStepper, Stepper

    class OfMember(Protocol):
        """A row, as far as it matters here."""

        @property
        def member(self) -> int:
            """Which member it belongs to."""
            ...


#: Places in a grid at most; beyond, a step takes longer by as much as there are more of them.
MOST_ROWS = 16384


@dataclasses.dataclass(frozen=True)
class Group:
    """Members whose rows step together.

    Attributes:
        members: by their numbers.
        fused: a stepper of their networks.
    """

    members: Sequence[int]
    fused: FusedStepper

    def shares(self, rows: Sequence[OfMember]) -> Iterator[list[int]]:
        """The places of the members' rows among all, in as many lists as make grids of no more than the largest."""
        of_member: dict[int, list[int]] = {member: [] for member in self.members}
        for index, row in enumerate(rows):
            if row.member in of_member:
                of_member[row.member].append(index)
        each = max(1, MOST_ROWS // len(self.members))
        for start in range(0, max(map(len, of_member.values())), each):
            yield [index for indices in of_member.values() for index in indices[start : start + each]]

    def stepper(self, members: Sequence[int], device: torch.device) -> Stepper:
        """For rows of these members, one for each row."""
        return _RecordedStepper(_FusedRowStepper(self, members, device), device)


def fused_groups(
    models: Sequence[Any], rows: Sequence[OfMember], compute: Compute, widths: Sequence[int]
) -> list[Group]:
    """Members with rows whose networks can be stepped as one; ``widths`` are those of their conditioners."""
    alike: dict[Any, list[int]] = {}
    for member in sorted({row.member for row in rows}):
        if not why_alone(models[member], compute.precision, widths):
            alike.setdefault(model_key(models[member]), []).append(member)
    groups = []
    for members in alike.values():
        for places in apart([models[member] for member in members], compute.precision):
            some = [members[place] for place in places]
            own = [models[member] for member in some]
            network = own[0].fuse(own, compute.precision)
            weights = fused_weights(own, torch.device(compute.device))
            stepper = network.stepper({name: weight.detach() for name, weight in weights.items()})
            if stepper is not None:
                groups.append(Group(some, stepper))
    return groups


class _FusedRowStepper:
    """A stepper for rows in any order."""

    def __init__(self, group: Group, members: Sequence[int], device: torch.device) -> None:
        self._fused = group.fused
        of_member: dict[int, list[int]] = {member: [] for member in group.members}
        for row, member in enumerate(members):
            of_member[member].append(row)
        self._shape = (len(of_member), max(map(len, of_member.values())))
        fill = [(rows + [0] * self._shape[1])[: self._shape[1]] for rows in of_member.values()]
        place = {row: v * self._shape[1] + r for v, rows in enumerate(of_member.values()) for r, row in enumerate(rows)}
        self._fill = torch.tensor(fill).flatten().to(device)
        self._places = torch.tensor([place[row] for row in range(len(members))]).to(device)

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        on_grid = [values[self._fill].view(*self._shape, -1) for values in conditions]
        logits_vrw, state = self._fused(tokens[self._fill].view(self._shape), on_grid, state)
        return logits_vrw.flatten(0, 1)[self._places], state


class _RecordedStepper:
    """A stepper that reads and writes the same memory at every step, so that a GPU can record it."""

    def __init__(self, step: Stepper, device: torch.device) -> None:
        self._step = step
        self._recorded = Recorded(device)

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        if state is None:
            logits, first = self._step(tokens, conditions)
            self._read = [tokens.clone(), *(values.clone() for values in conditions)]
            self._logits, self._state = logits.clone(), tuple(each.clone() for each in first)
            return logits, self._state
        for own, given in zip(self._read, [tokens, *conditions], strict=True):
            own.copy_(given)
        self._recorded(self._one_step)
        return self._logits.clone(), self._state

    def _one_step(self) -> None:
        logits, state = self._step(self._read[0], self._read[1:], self._state)
        self._logits.copy_(logits)
        for own, after in zip(self._state, state, strict=True):
            own.copy_(after)
