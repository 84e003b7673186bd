"""Repetition penalty: tokens that were there before become less likely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence


class RepetitionPenalty(ablate.Sampler):
    """Divides the logits of tokens that are in the history, if positive, and multiplies them otherwise.

    Source: Keskar et al. 2019, "CTRL: A Conditional Transformer Language Model for Controllable Generation", which
    divides all of them. Where a logit is negative this would make the token likelier, so it is multiplied here, as
    became usual later.

    The history is counted on from call to call, one or more new tokens of each row at each, so that a call takes as
    long after thousands of steps as at the first.

    Args:
        penalties: the factor, one number a row, at least 1; 1 changes nothing.
        windows: how many of the latest tokens of the history count, one number a row, not negative; 0 means all.
            A primer and the start token are part of the history.
    """

    def __init__(self, penalties: Sequence[float], windows: Sequence[int]) -> None:
        self._penalty_r1 = torch.tensor(penalties, dtype=torch.float32)[:, None]
        self._window_r1 = torch.tensor(windows, dtype=torch.int64)[:, None]
        self._count_rv = torch.empty(0, dtype=torch.int64)
        self._read = 0

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """New logits of the same shape, [rows, vocabulary], for a history that has grown since the last call."""
        if not self._count_rv.numel():  # the first call tells the vocabulary and the device
            self._penalty_r1 = self._penalty_r1.to(logits.device)
            self._window_r1 = self._window_r1.to(logits.device)
            self._count_rv = torch.zeros_like(logits, dtype=torch.int64)
        while self._read < history.shape[1]:
            self._count(history)
        penalised_rv = torch.where(logits > 0, logits / self._penalty_r1, logits * self._penalty_r1)
        return torch.where(self._count_rv > 0, penalised_rv, logits)

    def _count(self, history_rt: torch.Tensor) -> None:
        """Count the next column of the history in, and the one that falls out of each row's window out."""
        oldest_r1 = self._read - self._window_r1
        falls_out_r1 = ((self._window_r1 > 0) & (oldest_r1 >= 0)).long()
        self._count_rv.scatter_add_(-1, history_rt.gather(-1, oldest_r1.clamp(min=0)), -falls_out_r1)
        self._count_rv.scatter_add_(-1, history_rt[:, self._read, None], torch.ones_like(falls_out_r1))
        self._read += 1
