"""A causal transformer (Vaswani et al., *Attention is all you need*, 2017), shaped like GPT-2 (Radford et al., 2019).

Norms stand before attention and feedforward, GELU between the two maps of the latter. Positions are rotary (Su et al.,
*RoFormer*, 2021): attention depends on the distance of two tokens and not on their positions. Because it also covers
a fixed number of tokens only, a generation may be longer than the training windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

import ablate
from ablate_transformer.attention import AT_ONCE, INITIAL_STD, attention, joined, rotary_turns, rotated, trimmed
from ablate_transformer.fused import FusedTransformer
from ablate_transformer.packed import Packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_transformer.attention import Cache, Turns
    from ablate_transformer.options import TransformerOptions

    State = tuple[torch.Tensor, tuple[Cache, ...]]


class Transformer(nn.Module, ablate.Steppable, ablate.Fusible):
    """A language model whose conditioners are added to the embedded tokens.

    Args:
        options: sizes, context and dropout.
        vocabulary: number of token ids.
        conditioners: each maps its numbers to the width of the embedding.
    """

    def __init__(
        self, options: TransformerOptions, vocabulary: int, conditioners: Sequence[ablate.Conditioner]
    ) -> None:
        super().__init__()
        self.options = options
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        self.dropout = nn.Dropout(options.dropout)
        self.layers = nn.ModuleList(Layer(options) for _ in range(options.layers))
        self.norm = nn.LayerNorm(options.embedding)
        self.projection = nn.Linear(options.embedding, vocabulary)
        self._draw_weights()
        # last, so that the weights above are the same draws with and without conditioners
        self.conditioners = nn.ModuleList(conditioner.module(options.embedding) for conditioner in conditioners)

    def _draw_weights(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                # every layer adds two maps' outputs to its input, each of them smaller the more layers there are
                additions = 2 * self.options.layers if name.endswith(("gather", "narrow")) else 1
                nn.init.normal_(module.weight, std=INITIAL_STD / additions**0.5)
                nn.init.zeros_(module.bias)

    def forward(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Predict the next token at every position; ``state`` is not changed.

        Returns:
            logits [rows, time, vocabulary], and the state (position, caches): the number of tokens of each row so far,
            int64 [1, rows], and the cache of each layer.
        """
        embedding_rte = self.embedding(tokens)
        for module, condition_rtf in zip(self.conditioners, conditions, strict=True):
            embedding_rte = embedding_rte + module(condition_rtf)
        if state is None:
            state = self._empty_state(embedding_rte)
        # As small as in GPT-2, but scaled after the sum: conditioners would drown an embedding of 0.02.
        embedding_rte = self.dropout(INITIAL_STD * embedding_rte)
        pieces = []
        for piece_rte in embedding_rte.split(AT_ONCE, dim=1):
            hidden_rte, state = self._read(piece_rte, state)
            pieces.append(hidden_rte)
        return self.projection(self.norm(torch.cat(pieces, dim=1))), state

    def stepper(self, precision: str) -> Packed:
        """Return a stepper that generates a token of every row at a time, on the CPU."""
        return Packed(self.options, dict(self.named_parameters()), self.conditioners, precision)

    @staticmethod
    def fuse(models: Sequence[Transformer], precision: str) -> FusedTransformer | None:
        """Return networks of equal shape as one, for training on a GPU; None if their heads or contexts differ."""
        options, modules = [model.options for model in models], [model.conditioners for model in models]
        if len({(each.heads, each.context) for each in options}) > 1:
            return None
        return FusedTransformer(options, modules, precision)

    def _empty_state(self, embedding_rte: torch.Tensor) -> State:
        rows, _, width = embedding_rte.shape
        position_1r = torch.zeros((1, rows), dtype=torch.int64, device=embedding_rte.device)
        empty_artn = embedding_rte.new_empty((self.options.heads, rows, 0, width // self.options.heads))
        empty = (empty_artn, empty_artn)
        return position_1r, ((empty, empty),) * self.options.layers

    def _read(self, hidden_rte: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the output of the last layer for tokens that are read at once, and the new state."""
        position_1r, caches = state
        time_t = torch.arange(hidden_rte.shape[1], device=hidden_rte.device)
        turns = rotary_turns(position_1r.T + time_t, self.options.embedding // self.options.heads)
        new_caches = []
        for layer, cache in zip(self.layers, caches, strict=True):
            hidden_rte, new_cache = layer(hidden_rte, turns, cache)
            new_caches.append(new_cache)
        return hidden_rte, (position_1r + len(time_t), tuple(new_caches))


class Layer(nn.Module):
    """Attention and a feedforward network, each added to its own input."""

    def __init__(self, options: TransformerOptions) -> None:
        super().__init__()
        width = options.embedding
        self.heads, self.context = options.heads, options.context
        self.attention_norm = nn.LayerNorm(width)
        self.spread = nn.Linear(width, 3 * width)  # to queries, keys and values of all heads
        self.gather = nn.Linear(width, width)
        self.feedforward_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, options.feedforward * width)
        self.narrow = nn.Linear(options.feedforward * width, width)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, hidden_rte: torch.Tensor, turns: Turns, cache: Cache) -> tuple[torch.Tensor, Cache]:
        """Return the layer's output, [rows, time, width] as its input, and its new cache.

        Args:
            hidden_rte: the layer's input.
            turns: of the tokens' positions, from :func:`rotary_turns`.
            cache: of the tokens before.
        """
        context_rte, cache = self._attend(self.attention_norm(hidden_rte), turns, cache)
        hidden_rte = hidden_rte + self.dropout(self.gather(context_rte))
        wide_rth = functional.gelu(self.widen(self.feedforward_norm(hidden_rte)))
        return hidden_rte + self.dropout(self.narrow(wide_rth)), cache

    def _attend(self, normed_rte: torch.Tensor, turns: Turns, cache: Cache) -> tuple[torch.Tensor, Cache]:
        spread_rt3an = self.spread(normed_rte).unflatten(2, (3, self.heads, -1))
        query_artn, key_artn, value_artn = spread_rt3an.permute(2, 3, 0, 1, 4)
        far, near = cache
        near = joined(near, (rotated(key_artn, turns), value_artn))
        context_artn = attention(rotated(query_artn, turns), far, near, self.context)
        return context_artn.permute(1, 2, 0, 3).flatten(2), trimmed(far, near, self.context)
