"""The windows of fused models, cut on the GPU from token arrays that stay there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ablate.engine.training.windows import IGNORED, Batch, perturbs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array
    from ablate.engine.training.start import TrainingStart


class FusedWindows:
    """The windows of all models, batch by batch.

    The positions of the windows of several batches are loaded ahead; each batch is then found by a counter on the
    device, so a recorded step needs nothing from the host. Only conditions that a conditioner perturbs are computed on
    the host for every batch. Models with the same examples share them in memory.

    Args:
        starts: of the models' trainings, with equal numbers of rows and equal lengths of windows.
        device: a torch device.
        most_batches: the most batches that are loaded at once.

    Attributes:
        position: which of the loaded batches is next, int64 [1], on the device; the code that uses it increments it.
    """

    def __init__(self, starts: Sequence[TrainingStart], device: torch.device, most_batches: int) -> None:
        self._starts, self._device = starts, device
        models, rows, window = len(starts), starts[0].windows.rows, starts[0].job.settings.window
        sources = {_source(start): start.windows for start in starts}
        sizes = [len(windows.tokens) for windows in sources.values()]
        first = dict(zip(sources, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
        self._first_m1 = np.array([first[_source(start)] for start in starts])[:, None]
        self._tokens_n = self._join([windows.tokens.astype(np.int32) for windows in sources.values()])
        # the starts and the ends of the windows
        self._bounds_nsmr = torch.zeros(2, most_batches, models, rows, dtype=torch.int64, device=device)
        self._shares_nm = torch.zeros(most_batches, models, device=device)
        self._offsets_t = torch.arange(window + 1, device=device)
        self.position = torch.zeros(1, dtype=torch.int64, device=device)
        # for each conditioner either the numbers of all tokens, or those of the step's windows
        self._fixed_nf: list[torch.Tensor | None] = []
        self._perturbed_mrtf: list[torch.Tensor | None] = []
        for index, conditioner in enumerate(starts[0].job.conditioners):
            shape = (models, rows, window, conditioner.width)
            is_perturbed = any(perturbs(start.job.conditioners[index]) for start in starts)
            values = [windows.conditions[index].astype(np.float32) for windows in sources.values()]
            self._fixed_nf.append(None if is_perturbed else self._join(values))
            self._perturbed_mrtf.append(torch.zeros(shape, device=device) if is_perturbed else None)

    def _join(self, arrays: Sequence[Array]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(arrays)).to(self._device)

    def load(self, first: int, count: int) -> None:
        """Load the positions of the windows of ``count`` batches, from number ``first`` on, in whole steps."""
        batches = slice(first, first + count)
        for bounds_smr, name in zip(self._bounds_nsmr, ("starts", "ends"), strict=True):
            of_models = [getattr(start.windows, name)[batches] for start in self._starts]
            loaded_smr = np.stack(of_models, axis=1) + self._first_m1
            bounds_smr[:count].copy_(torch.from_numpy(loaded_smr))
        parts = self._starts[0].job.settings.accumulate
        if parts > 1:
            targets_nm = np.stack([start.windows.targets(batches) for start in self._starts], axis=1)
            targets_spm = targets_nm.reshape(-1, parts, len(self._starts))
            shares_spm = targets_spm / targets_spm.sum(1, keepdims=True)
            self._shares_nm[:count].copy_(torch.from_numpy(shares_spm.reshape(count, -1)))
        self.position.zero_()

    def shares(self) -> torch.Tensor:
        """Return the share of each model's targets of a step that are in the next batch, float32 [models]."""
        return self._shares_nm.index_select(0, self.position)[0]

    def load_perturbed(self, number: int) -> None:
        """Load the conditions of one batch that conditioners perturb."""
        for index, perturbed_mrtf in enumerate(self._perturbed_mrtf):
            if perturbed_mrtf is None:
                continue
            values = [
                start.windows.condition(number, index, start.job.conditioners[index], start.job.seeds.labels)
                for start in self._starts
            ]
            perturbed_mrtf.copy_(torch.from_numpy(np.stack(values)))

    def batch(self) -> Batch:
        """Return the windows of the next batch; tokens int64 [models, rows, time], conditions likewise."""
        starts_mr, ends_mr = self._bounds_nsmr.index_select(1, self.position)[:, 0]
        indices_mrt = starts_mr[..., None] + self._offsets_t
        inside_mrt = indices_mrt < ends_mr[..., None]
        indices_mrt = torch.where(inside_mrt, indices_mrt, ends_mr[..., None] - 1)
        tokens_mrt = self._tokens_n[indices_mrt].long()
        targets_mrt = torch.where(inside_mrt[..., 1:], tokens_mrt[..., 1:], IGNORED)
        inputs_mrt = indices_mrt[..., :-1]
        pairs = zip(self._fixed_nf, self._perturbed_mrtf, strict=True)
        conditions = [
            perturbed_mrtf if fixed_nf is None else fixed_nf[inputs_mrt] for fixed_nf, perturbed_mrtf in pairs
        ]
        return Batch(tokens_mrt[..., :-1].contiguous(), targets_mrt, [c for c in conditions if c is not None])


def _source(start: TrainingStart) -> tuple[int, ...]:
    """Return a key that is equal for jobs with the same arrays, none of which is released during the training."""
    windows = start.windows
    return id(windows.tokens), *map(id, windows.conditions)
