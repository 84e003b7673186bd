"""Grammar: only tokens are drawn that the tokenizer could write next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Grammar(ablate.Sampler):
    """A sampler that forbids the tokens that are impossible by :meth:`ablate.Tokenizer.grammar`.

    The grammar reads each column of the history once, including those of a primer. This sampler belongs before those
    that keep the best tokens: where these keep only impossible ones, no token is left, and the run fails.

    Args:
        enabled: whether the grammar applies, one for each row.
    """

    _follow: Callable[[ablate.IntArray], ablate.BoolArray]

    def __init__(self, enabled: Sequence[bool]) -> None:
        self._disabled_r1 = ~torch.tensor(enabled, dtype=torch.bool)[:, None]
        self._allowed_rv = torch.ones(len(enabled), 1, dtype=torch.bool)  # before the first token, any
        self._read = 0

    def prepare(self, tokenizer: ablate.Tokenizer) -> None:
        """Use the grammar of this tokenizer.

        Raises:
            ValueError: the tokenizer has no grammar.
        """
        follow = tokenizer.grammar(len(self._disabled_r1))
        if follow is None:
            raise ValueError("the tokenizer has no grammar (it offers no Tokenizer.grammar); remove sampler 'grammar'")
        self._follow = follow

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary] for a history that is longer than at the last call."""
        for column_r in history[:, self._read :].cpu().numpy().T:
            self._allowed_rv = torch.from_numpy(self._follow(column_r)) | self._disabled_r1
        self._read = history.shape[1]
        return logits.masked_fill(~self._allowed_rv.to(logits.device), float("-inf"))
