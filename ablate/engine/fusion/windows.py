"""The windows of a stack of members, cut on the device from token arrays that stay there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ablate.engine.training.windows import IGNORED, Batch, perturbs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array
    from ablate.engine.training.job import Start


class FusedWindows:
    """What the members of a stack learn from, step by step.

    Where the windows of some steps begin is loaded ahead; each step then reads its own by a counter on the device, so
    that a recording of it needs nothing from the host. Only conditions that a conditioner perturbs are made on the host
    at every step. Members that learn from the same examples share them.

    Args:
        starts: the members', with equal numbers of rows and equal windows.
        device: where.
        ahead: the most steps that are loaded at once.

    Attributes:
        at: which of the steps loaded is next, int64 [1], on the device; whoever runs a step counts it up.
    """

    def __init__(self, starts: Sequence[Start], device: torch.device, ahead: int) -> None:
        self._starts, self._device = starts, device
        members, rows, window = len(starts), starts[0].windows.rows, starts[0].member.settings.window
        distinct = {_source(each): each.windows for each in starts}
        sizes = [len(windows.tokens) for windows in distinct.values()]
        first = dict(zip(distinct, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
        self._first = np.array([first[_source(each)] for each in starts])[:, None]
        self._tokens = self._joined([windows.tokens.astype(np.int32) for windows in distinct.values()])
        self._places = torch.zeros(2, ahead, members, rows, dtype=torch.int64, device=device)
        self._reach = torch.arange(window + 1, device=device)
        self.at = torch.zeros(1, dtype=torch.int64, device=device)
        self._known: list[torch.Tensor | None] = []
        self._given: list[torch.Tensor | None] = []
        for index, conditioner in enumerate(starts[0].member.conditioners):
            shape = (members, rows, window, conditioner.width)
            perturbed = any(perturbs(each.member.conditioners[index]) for each in starts)
            told = [each.conditions[index].astype(np.float32) for each in distinct.values()]
            self._known.append(None if perturbed else self._joined(told))
            self._given.append(torch.zeros(shape, device=device) if perturbed else None)

    def _joined(self, arrays: Sequence[Array]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(arrays)).to(self._device)

    def load(self, step: int, count: int) -> None:
        """Have the windows of so many steps ready, from ``step`` on."""
        some = slice(step, step + count)
        for place, kind in enumerate(("starts", "ends")):
            of_members = [getattr(each.windows, kind)[some] for each in self._starts]
            places_nvr = np.stack(of_members, axis=1) + self._first
            self._places[place, :count].copy_(torch.from_numpy(places_nvr))
        self.at.zero_()

    def give(self, step: int) -> None:
        """Have ready what conditioners disturb in one step."""
        for index, given in enumerate(self._given):
            if given is None:
                continue
            told = [
                each.windows.condition(step, index, each.member.conditioners[index], each.member.seeds.labels)
                for each in self._starts
            ]
            given.copy_(torch.from_numpy(np.stack(told)))

    def cut(self) -> Batch:
        """The windows of the step that is next, the members in front: int64 [members, rows, time]."""
        starts_vr, ends_vr = self._places.index_select(1, self.at)[:, 0]
        places_vrt = starts_vr[..., None] + self._reach
        inside_vrt = places_vrt < ends_vr[..., None]
        places_vrt = torch.where(inside_vrt, places_vrt, ends_vr[..., None] - 1)
        tokens_vrt = self._tokens[places_vrt].long()
        targets_vrt = torch.where(inside_vrt[..., 1:], tokens_vrt[..., 1:], IGNORED)
        before_vrt = places_vrt[..., :-1]
        pairs = zip(self._known, self._given, strict=True)
        conditions = [given if known is None else known[before_vrt] for known, given in pairs]
        return Batch(tokens_vrt[..., :-1].contiguous(), targets_vrt, [c for c in conditions if c is not None])


def _source(begun: Start) -> tuple[int, ...]:
    """What members have in common that learn from the same arrays, none of which is released meanwhile."""
    windows = begun.windows
    return id(windows.tokens), *map(id, windows.conditions)
