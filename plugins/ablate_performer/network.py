"""The network side of the performer."""

from __future__ import annotations

import torch
from torch import nn


class PlaceEmbedding(nn.Module):
    """An embedding for each place in a list.

    Args:
        places: how many there are.
        width: of the embedding.
    """

    def __init__(self, places: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(places, width)

    def forward(self, place_rtf: torch.Tensor) -> torch.Tensor:
        """From places as float32 [rows, time, 1], whole numbers, to [rows, time, width]."""
        embedded_rtw: torch.Tensor = self.embedding(place_rtf[..., 0].long())
        return embedded_rtw
