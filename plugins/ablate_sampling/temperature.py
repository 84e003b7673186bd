"""Temperature: a sharper or flatter distribution of the next token, in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Temperatures below this count as 0: the distribution is then greedy to the precision of its logits, and division by
#: a smaller number could overflow.
GREEDY_BELOW = 1e-6


class Temperature(ablate.Sampler):
    """A sampler that computes ``softmax(logits / tau)``, with one ``tau`` for each row.

    Args:
        taus: one temperature for each row, not negative. At 1 a row's logits do not change, to the bit;
            at 0 only its largest logit remains, the first one of several.
    """

    def __init__(self, taus: Sequence[float]) -> None:
        self._tau_r1 = torch.tensor(taus, dtype=torch.float32)[:, None]
        self._greedy = any(tau < GREEDY_BELOW for tau in taus)

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary]; the history is ignored."""
        del history
        self._tau_r1 = self._tau_r1.to(logits.device)  # moves once: every call of a generation is on one device
        if not self._greedy:
            return logits / self._tau_r1
        greedy_r1 = self._tau_r1 < GREEDY_BELOW
        scaled_rv = logits / torch.where(greedy_r1, 1.0, self._tau_r1)
        ids_v = torch.arange(logits.shape[-1], device=logits.device)
        worse_rv = ids_v != logits.argmax(dim=-1, keepdim=True)
        return scaled_rv.masked_fill(greedy_r1 & worse_rv, float("-inf"))
