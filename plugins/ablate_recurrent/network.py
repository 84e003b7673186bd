"""Embedding, recurrent layers, projection to the vocabulary (Simon and Oore, *Performance RNN*, 2017).

The layers are LSTMs (Hochreiter and Schmidhuber, *Long short-term memory*, 1997, with the forget gate of Gers,
Schmidhuber and Cummins, *Learning to forget*, 2000) or GRUs (Cho et al., *Learning phrase representations using RNN
encoder-decoder*, 2014, with the reset gate behind the matrix product, as torch has it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

import ablate
from ablate_recurrent.fused import FusedRecurrent
from ablate_recurrent.packed import Packed
from ablate_recurrent.unrolled import unrolled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_recurrent.options import RecurrentOptions

    State = torch.Tensor | tuple[torch.Tensor, torch.Tensor]

_CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
#: Least hidden units and most rows for which :mod:`ablate_recurrent.unrolled` trains faster than torch's layer.
UNROLLED_FROM, UNROLLED_TO = 512, 32


class Recurrent(nn.Module, ablate.Steppable, ablate.Fusible):
    """A language model whose conditioners are added to the embedded tokens.

    Args:
        cell: of the layers.
        options: sizes and dropout.
        vocabulary: number of token ids.
        conditioners: each maps its numbers to the width of the embedding.
    """

    def __init__(
        self,
        cell: Literal["lstm", "gru"],
        options: RecurrentOptions,
        vocabulary: int,
        conditioners: Sequence[ablate.Conditioner],
    ) -> None:
        super().__init__()
        self.cell, self.options = cell, options
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        # torch drops between layers only and warns for a single layer; the outer two dropouts are ours
        between = options.dropout if options.layers > 1 else 0.0
        layers = _CELLS[cell](options.embedding, options.hidden, options.layers, batch_first=True, dropout=between)
        # under the name of the cell, which stored weights of an lstm have
        self.add_module(cell, layers)
        self.dropout = nn.Dropout(options.dropout)
        self.projection = nn.Linear(options.hidden, vocabulary)
        # last, so that the weights above are the same draws with and without conditioners
        self.conditioners = nn.ModuleList(conditioner.module(options.embedding) for conditioner in conditioners)

    def forward(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return logits [rows, time, vocabulary] and the state.

        The state is (h, c) of an LSTM and h of a GRU, each [layers, rows, hidden].
        """
        embedding_rte = self.embedding(tokens)
        for module, condition_rtf in zip(self.conditioners, conditions, strict=True):
            embedding_rte = embedding_rte + module(condition_rtf)
        if state is None and self.training and self.options.initial_state == "random":
            state = self._random_state(embedding_rte)
        hidden_rth, state = self._layers(self.dropout(embedding_rte), state)
        return self.projection(self.dropout(hidden_rth)), state

    def _layers(self, inputs_rte: torch.Tensor, state: State | None) -> tuple[torch.Tensor, State]:
        layers = self.get_submodule(self.cell)
        if isinstance(layers, nn.LSTM) and self._large_in_bf16(inputs_rte):
            return unrolled(layers, inputs_rte, state)  # type: ignore[arg-type]
        result: tuple[torch.Tensor, State] = layers(inputs_rte, state)
        return result

    def _large_in_bf16(self, inputs_rte: torch.Tensor) -> bool:
        """Check for a training step on a CPU in bf16, of layers for which torch's own backward pass is slow."""
        trains = self.training and torch.is_grad_enabled() and inputs_rte.device.type == "cpu"
        in_bf16 = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16
        return trains and in_bf16 and self.options.hidden >= UNROLLED_FROM and len(inputs_rte) <= UNROLLED_TO

    def stepper(self, precision: str) -> Packed:
        """Return a stepper that generates a token of every row at a time, on the CPU."""
        return Packed(self.cell, self.options, dict(self.named_parameters()), self.conditioners, precision)

    @staticmethod
    def fuse(models: Sequence[Recurrent], precision: str) -> FusedRecurrent:
        """Return networks of equal shape as one, for a GPU; see :class:`ablate.FusedModels`."""
        options, modules = [model.options for model in models], [model.conditioners for model in models]
        return FusedRecurrent(models[0].cell, options, modules, precision)

    def _random_state(self, embedding_rte: torch.Tensor) -> State:
        shape = (self.options.layers, len(embedding_rte), self.options.hidden)
        hidden_lrh = torch.randn(shape, device=embedding_rte.device)
        if self.cell == "gru":
            return hidden_lrh
        return hidden_lrh, torch.randn(shape, device=embedding_rte.device)
