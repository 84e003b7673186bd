"""The network side of the performer."""

from __future__ import annotations

import torch
from torch import nn


class PositionEmbedding(nn.Module):
    """An embedding for each position in a list.

    Args:
        count: number of positions.
        embedding: its width.
    """

    def __init__(self, count: int, embedding: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, embedding)

    def forward(self, position_rtf: torch.Tensor) -> torch.Tensor:
        """Return the embeddings, [rows, time, embedding], of positions, whole numbers as float32 [rows, time, 1]."""
        result_rte: torch.Tensor = self.embedding(position_rtf[..., 0].long())
        return result_rte
