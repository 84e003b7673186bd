"""Grammar: no token is drawn that the tokenizer would not write in that place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence


class Grammar(ablate.Sampler):
    """Forbids the tokens that :meth:`ablate.Tokenizer.grammar` calls impossible.

    The grammar reads each column of the history once, those of a primer among them. This sampler belongs before those
    that keep the best tokens: where they left only impossible ones, no token is left, which makes the cell fail.

    Args:
        enabled: whether the grammar holds, one answer a row.
        tokenizer: whose grammar it is.

    Raises:
        ValueError: the tokenizer has no grammar.
    """

    def __init__(self, enabled: Sequence[bool], tokenizer: ablate.Tokenizer) -> None:
        follow = tokenizer.grammar(len(enabled))
        if follow is None:
            raise ValueError("the tokenizer has no grammar (it offers no Tokenizer.grammar); remove sampler 'grammar'")
        self._follow = follow
        self._disabled_r1 = ~torch.tensor(enabled, dtype=torch.bool)[:, None]
        self._allowed_rv = torch.ones(len(enabled), 1, dtype=torch.bool)  # before the first token, any
        self._read = 0

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """New logits of the same shape, [rows, vocabulary], for a history that has grown since the last call."""
        for column_r in history[:, self._read :].cpu().numpy().T:
            self._allowed_rv = torch.from_numpy(self._follow(column_r)) | self._disabled_r1
        self._read = history.shape[1]
        return logits.masked_fill(~self._allowed_rv.to(logits.device), float("-inf"))
