"""Embedding, recurrent layers, projection to the vocabulary (Simon and Oore, *Performance RNN*, 2017).

The layers are LSTMs (Hochreiter and Schmidhuber, *Long short-term memory*, 1997, with the forget gate of Gers,
Schmidhuber and Cummins, *Learning to forget*, 2000) or GRUs (Cho et al., *Learning phrase representations using RNN
encoder-decoder*, 2014, with the reset gate behind the matrix product, as torch has it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate import Conditioner
    from ablate_recurrent import RecurrentOptions
    from ablate_recurrent.packed import Packed
    from ablate_recurrent.stacked import StackedRecurrent

    State = torch.Tensor | tuple[torch.Tensor, torch.Tensor]

_CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
#: Hidden units from which on, and rows up to which, :mod:`ablate_recurrent.unrolled` trains faster than torch's layer.
UNROLLED_FROM, UNROLLED_TO = 512, 32


class Recurrent(nn.Module):
    """A language model whose conditioners are added to the embedded tokens.

    Args:
        cell: of its layers.
        options: sizes and dropout.
        vocabulary: number of token ids.
        conditioners: each projects its features to the embedding's width.
    """

    def __init__(
        self,
        cell: Literal["lstm", "gru"],
        options: RecurrentOptions,
        vocabulary: int,
        conditioners: Sequence[Conditioner],
    ) -> None:
        super().__init__()
        self.cell, self.options = cell, options
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        # torch drops between layers only and warns where there is one; the outer two are ours
        between = options.dropout if options.layers > 1 else 0.0
        layers = _CELLS[cell](options.embedding, options.hidden, options.layers, batch_first=True, dropout=between)
        # under the cell's own name, by which kept weights of an lstm are read
        self.add_module(cell, layers)
        self.dropout = nn.Dropout(options.dropout)
        self.projection = nn.Linear(options.hidden, vocabulary)
        # last, so that the weights above are the same draws with and without conditioners
        self.conditioners = nn.ModuleList(conditioner.module(options.embedding) for conditioner in conditioners)

    def forward(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Logits [rows, time, vocabulary] and the state: (h, c) of an LSTM, h of a GRU, each [layers, rows, hidden]."""
        embedded_rte = self.embedding(tokens)
        for module, condition_rtf in zip(self.conditioners, conditions, strict=True):
            embedded_rte = embedded_rte + module(condition_rtf)
        if state is None and self.training and self.options.initial_state == "random":
            state = self._random_state(embedded_rte)
        hidden_rth, state = self._layers(self.dropout(embedded_rte), state)
        return self.projection(self.dropout(hidden_rth)), state

    def _layers(self, inputs_rte: torch.Tensor, state: State | None) -> tuple[torch.Tensor, State]:
        layers = self.get_submodule(self.cell)
        if isinstance(layers, nn.LSTM) and self._large_in_bf16(inputs_rte):
            from ablate_recurrent.unrolled import unrolled

            return unrolled(layers, inputs_rte, state)  # type: ignore[arg-type]
        found: tuple[torch.Tensor, State] = layers(inputs_rte, state)
        return found

    def _large_in_bf16(self, inputs_rte: torch.Tensor) -> bool:
        """Whether this is a training step on a CPU in bf16, of layers for which torch's own backward pass is slow."""
        trains = self.training and torch.is_grad_enabled() and inputs_rte.device.type == "cpu"
        in_bf16 = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16
        return trains and in_bf16 and self.options.hidden >= UNROLLED_FROM and len(inputs_rte) <= UNROLLED_TO

    def stepper(self, precision: str) -> Packed:
        """Ready to generate, a token of every row at a time; on the CPU."""
        from ablate_recurrent.packed import Packed

        return Packed(self, precision)

    @staticmethod
    def stack(models: Sequence[Recurrent], precision: str) -> StackedRecurrent:
        """Networks of equal shape as one, for training and generation on a GPU; see :class:`ablate.Stacked`."""
        from ablate_recurrent.stacked import StackedRecurrent

        return StackedRecurrent(models, precision)

    def _random_state(self, embedded_rte: torch.Tensor) -> State:
        shape = (self.options.layers, len(embedded_rte), self.options.hidden)
        hidden_lrh = torch.randn(shape, device=embedded_rte.device)
        if self.cell == "gru":
            return hidden_lrh
        return hidden_lrh, torch.randn(shape, device=embedded_rte.device)
