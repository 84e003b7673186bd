"""Repetition penalty: tokens that are already in the history become less likely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence


class RepetitionPenalty(ablate.Sampler):
    """A sampler that divides the logits of tokens in the history if positive, and multiplies them otherwise.

    Source: Keskar et al. 2019, "CTRL: A Conditional Transformer Language Model for Controllable Generation", which
    divides all of them. That would make a token with a negative logit likelier, so here it is multiplied, as became
    usual later.

    Counts are updated from call to call, by one or more new tokens of each row, so that the time of a call does not
    grow with the number of steps.

    Args:
        penalties: the factor, one number for each row, at least 1; 1 changes nothing.
        windows: number of latest tokens that count, one number for each row, not negative; 0 means all.
            A primer and the start token are part of the history.
    """

    def __init__(self, penalties: Sequence[float], windows: Sequence[int]) -> None:
        self._penalty_r1 = torch.tensor(penalties, dtype=torch.float32)[:, None]
        self._window_r1 = torch.tensor(windows, dtype=torch.int64)[:, None]
        self._count_rv = torch.empty(0, dtype=torch.int64)
        self._read = 0

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary] for a history that is longer than at the last call."""
        if not self._count_rv.numel():  # vocabulary and device are known at the first call
            self._penalty_r1 = self._penalty_r1.to(logits.device)
            self._window_r1 = self._window_r1.to(logits.device)
            self._count_rv = torch.zeros_like(logits, dtype=torch.int64)
        while self._read < history.shape[1]:
            self._count(history)
        penalised_rv = torch.where(logits > 0, logits / self._penalty_r1, logits * self._penalty_r1)
        return torch.where(self._count_rv > 0, penalised_rv, logits)

    def _count(self, history_rt: torch.Tensor) -> None:
        """Add the next column of the history to the counts, and subtract the one that leaves each row's window."""
        oldest_r1 = self._read - self._window_r1
        leaves_r1 = ((self._window_r1 > 0) & (oldest_r1 >= 0)).long()
        self._count_rv.scatter_add_(-1, history_rt.gather(-1, oldest_r1.clamp(min=0)), -leaves_r1)
        self._count_rv.scatter_add_(-1, history_rt[:, self._read, None], torch.ones_like(leaves_r1))
        self._read += 1
