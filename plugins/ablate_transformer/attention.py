"""Attention over a fixed number of tokens, with rotary positions, and the cache of keys and values.

A cache has two parts, (keys, values) each, both [heads, rows, time, size], the keys rotated: the far one, up to
``context - 1`` tokens, and the near one, the few after them. A token is added to the near part and costs a copy of
that alone; copying the whole cache at every step would make a generation noticeably slower.

Tensor suffixes beside those of ablate: b heads of all rows, k tokens attended to, p pairs of numbers in a head,
n numbers in a head.
"""

from __future__ import annotations

import torch
from torch.nn import functional

#: Cosine and sine of rotation angles.
Turns = tuple[torch.Tensor, torch.Tensor]
#: Keys and values.
Part = tuple[torch.Tensor, torch.Tensor]
#: The far and the near part.
Cache = tuple[Part, Part]

#: Standard deviation of the initial weights, and of the input of the first layer, as in GPT-2.
INITIAL_STD = 0.02
#: Determines how slowly the slowest pair of numbers in a head rotates, as in RoFormer.
ROTARY_BASE = 10_000.0
#: Number of tokens read at once; for a whole piece of music, the square matrix of scores could fill the memory.
AT_ONCE = 512
#: Number of tokens in the near part of a cache from which on they move to the far part.
NEAR = 16


def trimmed(far: Part, near: Part, context: int) -> Cache:
    """Return the parts without tokens that no later token attends to, joined where the near one is long."""
    if near[0].shape[2] >= NEAR:
        far, near = joined(far, near), without(near, near[0].shape[2])
    return without(far, far[0].shape[2] + near[0].shape[2] - (context - 1)), near


def joined(part: Part, later: Part) -> Part:
    """Return two parts of a cache as one."""
    if not part[0].shape[2]:
        return later
    return torch.cat([part[0], later[0]], dim=2), torch.cat([part[1], later[1]], dim=2)


def without(part: Part, tokens: int) -> Part:
    """Return a part of a cache without its oldest tokens; the whole part for a negative number of tokens."""
    return part[0][:, :, max(0, tokens) :], part[1][:, :, max(0, tokens) :]


def attention(query_artn: torch.Tensor, far: Part, near: Part, context: int) -> torch.Tensor:
    """Compute scaled dot-product attention to the tokens of both parts.

    Each token attends to itself and the ``context - 1`` tokens before it.

    On a CPU and in float32, torch's own function does this for the start of a sequence, 1.3 to 2.7 times as fast. It is
    written out for all else: torch's function takes its keys in one piece, in bfloat16 on a CPU it takes up to 4 times
    as long, and on a GPU some of the kernels behind it do not give the same gradients at every run.

    Args:
        query_artn: rotated queries of the last tokens of ``near``, [heads, rows, time, size].
        far: rotated keys and values, [heads, rows, time, size] both.
        near: those of the tokens right after.
        context: number of tokens that each token attends to.
    """
    heads, _, time, size = query_artn.shape
    length = far[0].shape[2]
    is_start = not length and near[0].shape[2] == time <= context
    if is_start and query_artn.device.type == "cpu" and _product_dtype(query_artn) == torch.float32:
        return functional.scaled_dot_product_attention(query_artn, *near, is_causal=True)
    query_btn = (query_artn * size**-0.5).flatten(0, 1)
    visible_tk = band(time, length + near[0].shape[2], context, query_artn.device)
    hidden_tk = query_btn.new_zeros(visible_tk.shape).masked_fill(~visible_tk, float("-inf"))
    scores_btk = _scores(query_btn, near[0], hidden_tk[:, length:])
    if length:  # a copy of the scores and another product, which a start is spared
        scores_btk = torch.cat([_scores(query_btn, far[0], hidden_tk[:, :length]), scores_btk], dim=-1)
    weights_btk = scores_btk.softmax(-1)
    context_btn = _context(weights_btk[..., length:], near[1])
    if length:
        context_btn = context_btn + _context(weights_btk[..., :length], far[1])
    return context_btn.view(heads, -1, time, size)


def _scores(query_btn: torch.Tensor, key_arkn: torch.Tensor, hidden_tk: torch.Tensor) -> torch.Tensor:
    """Return the products with the keys, [heads x rows, time, keys], plus what hides some of them."""
    return torch.baddbmm(hidden_tk[None], query_btn, key_arkn.flatten(0, 1).mT)


def _context(weights_btk: torch.Tensor, value_arkn: torch.Tensor) -> torch.Tensor:
    """Return the weighted sums of values, [heads x rows, time, size]; a cache from autocast may be of another type."""
    return weights_btk @ value_arkn.flatten(0, 1).to(weights_btk.dtype)


def _product_dtype(values: torch.Tensor) -> torch.dtype:
    """Return the type in which products of these values are computed: another one than theirs under autocast."""
    device = values.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else values.dtype


def band(time: int, keys: int, context: int, device: torch.device) -> torch.Tensor:
    """Return which of ``keys`` tokens each of the last ``time`` of them attends to, bool [time, keys]."""
    key_k = torch.arange(keys, device=device)
    back_tk = key_k[keys - time :, None] - key_k
    return (back_tk >= 0) & (back_tk < context)


def rotary_angles(size: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Return the angles by which a head's pairs rotate from one position to the next, float64 [size / 2]."""
    pair_p = torch.arange(0, size, 2, dtype=torch.float64, device=device)
    return ROTARY_BASE ** (-pair_p / size)


def rotary_turns(position_rt: torch.Tensor, size: int) -> Turns:
    """Return cosine and sine of the rotation angles of a head's pairs, float32 [rows, time, size / 2] both.

    The angles are in double precision, because single precision is too coarse far into a piece.
    """
    angle_rtp = position_rt[..., None] * rotary_angles(size, position_rt.device)
    return angle_rtp.cos().float(), angle_rtp.sin().float()


def rotated(heads_artn: torch.Tensor, turns: Turns) -> torch.Tensor:
    """Return queries or keys with their pairs, each number and the one size / 2 after it, rotated by their angles."""
    cos_rtp, sin_rtp = turns
    x_artp, y_artp = heads_artn.chunk(2, dim=-1)
    return torch.cat([x_artp * cos_rtp - y_artp * sin_rtp, x_artp * sin_rtp + y_artp * cos_rtp], dim=-1)
