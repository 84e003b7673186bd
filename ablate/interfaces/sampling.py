"""Samplers, which change the distribution of the next token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ablate.interfaces.music import Tokenizer


class Sampler(ABC):
    """A change to the distribution from which the next token of each row is drawn.

    One object serves all rows of a generation. It is called once for each step and may have a state.
    """

    def prepare(self, tokenizer: Tokenizer) -> None:
        """Prepare for this tokenizer, once, before the first call; the default does nothing.

        Raises:
            ValueError: the sampler cannot work with the tokenizer.
        """
        del tokenizer

    @abstractmethod
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary]; ``-inf`` forbids a token, and at least one must stay possible.

        Args:
            logits: float32 [rows, vocabulary], from the model or from the sampler before this one.
            history: int64 [rows, time], the tokens of each row so far (may be empty).
        """
