"""A causal transformer (Vaswani et al., *Attention is all you need*, 2017), shaped like GPT-2 (Radford et al., 2019).

Norms stand before attention and feedforward, GELU between the two maps of the latter. Positions are rotary (Su et al.,
*RoFormer*, 2021): attention sees how far apart two tokens are and not where they stand. Because it also looks back over
a fixed number of tokens only, a generation may be longer than any window that was trained on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate import Conditioner
    from ablate_transformer import TransformerOptions
    from ablate_transformer.stacked import StackedTransformer

    Turns = tuple[torch.Tensor, torch.Tensor]
    Part = tuple[torch.Tensor, torch.Tensor]
    Cache = tuple[Part, Part]
    State = tuple[torch.Tensor, tuple[Cache, ...]]

#: Standard deviation at the start of the weights, and of what comes into the first layer, as in GPT-2.
INITIAL_STD = 0.02
#: Sets how slowly the slowest pair of numbers in a head turns, as in RoFormer.
ROTARY_BASE = 10_000.0
#: Tokens read at once; for a whole piece of music, a square of its length of scores could fill the memory.
AT_ONCE = 512
#: Tokens of the near part of a cache before they move to the far part.
NEAR = 16


class Transformer(nn.Module):
    """A language model whose conditioners are added to the embedded tokens.

    Args:
        options: sizes, context and dropout.
        vocabulary: number of token ids.
        conditioners: each projects its features to the embedding's width.
    """

    def __init__(self, options: TransformerOptions, vocabulary: int, conditioners: Sequence[Conditioner]) -> None:
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
        """Predict the next token at every position; the state that was given stays as it is.

        Returns:
            logits [rows, time, vocabulary], and the state (position, caches): how many tokens each row has had,
            int64 [1, rows], and for each layer what :class:`Layer` keeps of the latest of them.
        """
        embedded_rte = self.embedding(tokens)
        for module, condition_rtf in zip(self.conditioners, conditions, strict=True):
            embedded_rte = embedded_rte + module(condition_rtf)
        if state is None:
            state = self._empty_state(embedded_rte)
        # Tokens come in as small as in GPT-2. Scaled after the sum, for conditioners would drown an embedding of 0.02.
        embedded_rte = self.dropout(INITIAL_STD * embedded_rte)
        pieces = []
        for piece_rte in embedded_rte.split(AT_ONCE, dim=1):
            read_rte, state = self._read(piece_rte, state)
            pieces.append(read_rte)
        return self.projection(self.norm(torch.cat(pieces, dim=1))), state

    @staticmethod
    def stack(models: Sequence[Transformer], precision: str) -> StackedTransformer | None:
        """Networks of equal shape as one, for training on a GPU; None if they look back differently far."""
        from ablate_transformer.stacked import StackedTransformer

        if len({(model.options.heads, model.options.context) for model in models}) > 1:
            return None
        return StackedTransformer(models, precision)

    def _empty_state(self, embedded_rte: torch.Tensor) -> State:
        rows, _, width = embedded_rte.shape
        position_1r = torch.zeros((1, rows), dtype=torch.int64, device=embedded_rte.device)
        nothing_hrks = embedded_rte.new_empty((self.options.heads, rows, 0, width // self.options.heads))
        nothing = (nothing_hrks, nothing_hrks)
        return position_1r, ((nothing, nothing),) * self.options.layers

    def _read(self, hidden_rte: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """What comes out of the last layer for tokens that are read at once, and the new state."""
        position_1r, caches = state
        time_t = torch.arange(hidden_rte.shape[1], device=hidden_rte.device)
        turns = rotary_turns(position_1r.T + time_t, self.options.embedding // self.options.heads)
        kept = []
        for layer, cache in zip(self.layers, caches, strict=True):
            hidden_rte, latest = layer(hidden_rte, turns, cache)
            kept.append(latest)
        return hidden_rte, (position_1r + len(time_t), tuple(kept))


class Layer(nn.Module):
    """Attention and a feedforward network, each added to what comes in.

    Its cache has two parts, (keys, values) each, both [heads, rows, time, size], the keys turned: the far one, up to
    ``context - 1`` tokens, and the near one, the few after them. A token is added to the near part and costs a copy of
    that alone; copying all that is kept at every step would make a generation noticeably longer.
    """

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
        """The layer's output, [rows, time, width] as its input, and its new cache.

        Args:
            hidden_rte: the layer's input.
            turns: of the tokens' positions, from :func:`rotary_turns`.
            cache: of the tokens before.
        """
        attended_rte, cache = self._attend(self.attention_norm(hidden_rte), turns, cache)
        hidden_rte = hidden_rte + self.dropout(self.gather(attended_rte))
        wide_rtw = functional.gelu(self.widen(self.feedforward_norm(hidden_rte)))
        return hidden_rte + self.dropout(self.narrow(wide_rtw)), cache

    def _attend(self, normed_rte: torch.Tensor, turns: Turns, cache: Cache) -> tuple[torch.Tensor, Cache]:
        spread_rt3hs = self.spread(normed_rte).unflatten(2, (3, self.heads, -1))
        query_hrts, key_hrts, value_hrts = spread_rt3hs.permute(2, 3, 0, 1, 4)
        far, near = cache
        near = joined(near, (turned(key_hrts, turns), value_hrts))
        attended_hrts = attention(turned(query_hrts, turns), far, near, self.context)
        return attended_hrts.permute(1, 2, 0, 3).flatten(2), kept(far, near, self.context)


def kept(far: Part, near: Part, context: int) -> Cache:
    """The parts without tokens that no later one attends to, joined where the near one has become long."""
    if near[0].shape[2] >= NEAR:
        far, near = joined(far, near), without(near, near[0].shape[2])
    return without(far, far[0].shape[2] + near[0].shape[2] - (context - 1)), near


def joined(part: Part, later: Part) -> Part:
    """Two parts of a cache as one."""
    return torch.cat([part[0], later[0]], dim=2), torch.cat([part[1], later[1]], dim=2)


def without(part: Part, tokens: int) -> Part:
    """A part of a cache without its oldest tokens; all of it for a negative number of them."""
    return part[0][:, :, max(0, tokens) :], part[1][:, :, max(0, tokens) :]


def attention(query_hrts: torch.Tensor, far: Part, near: Part, context: int) -> torch.Tensor:
    """Scaled dot-product attention to the tokens of both parts, each to itself and the ``context - 1`` before it.

    Written out, because torch's own function takes its keys in one piece, and because on a GPU some of the kernels
    behind it do not give the same gradients at every run.

    Args:
        query_hrts: turned queries of the last tokens of ``near``, [heads, rows, time, size].
        far: turned keys and values, [heads, rows, time, size] both.
        near: those of the tokens right after.
        context: how many tokens each attends to.
    """
    time, size = query_hrts.shape[2:]
    length = far[0].shape[2]
    query_hrts = query_hrts * size**-0.5
    scores_hrtk = torch.cat([query_hrts @ far[0].mT, query_hrts @ near[0].mT], dim=-1)
    seen_tk = band(time, scores_hrtk.shape[3], context, query_hrts.device)
    weights_hrtk = scores_hrtk.masked_fill(~seen_tk, float("-inf")).softmax(-1)
    return weights_hrtk[..., :length] @ far[1] + weights_hrtk[..., length:] @ near[1]


def band(time: int, keys: int, context: int, device: torch.device) -> torch.Tensor:
    """Which of ``keys`` tokens each of the last ``time`` of them attends to, bool [time, keys]."""
    key_k = torch.arange(keys, device=device)
    back_tk = key_k[keys - time :, None] - key_k
    return (back_tk >= 0) & (back_tk < context)


def rotary_turns(position_rt: torch.Tensor, size: int) -> Turns:
    """Cosine and sine of the angles by which the pairs of a head are turned, float32 [rows, time, size / 2] both.

    The angles are in double precision, because in single precision they blur far into a piece.
    """
    pair_p = torch.arange(0, size, 2, dtype=torch.float64, device=position_rt.device)
    angle_rtp = position_rt[..., None] * ROTARY_BASE ** (-pair_p / size)
    return angle_rtp.cos().float(), angle_rtp.sin().float()


def turned(heads_hrts: torch.Tensor, turns: Turns) -> torch.Tensor:
    """Queries or keys with their pairs, each number and the one size / 2 after it, turned by the pair's angle."""
    cos_rtp, sin_rtp = turns
    x_hrtp, y_hrtp = heads_hrts.chunk(2, dim=-1)
    return torch.cat([x_hrtp * cos_rtp - y_hrtp * sin_rtp, x_hrtp * sin_rtp + y_hrtp * cos_rtp], dim=-1)
