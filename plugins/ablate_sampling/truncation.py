"""Truncation: four ways to say which tokens are too unlikely to be drawn at all.

Each of them forbids tokens and leaves the logits of the others as they are, bit for bit. Where a method goes by rank,
tokens that are equally good are taken in the order of their ids, so that nothing depends on how a device sorts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

INF = float("inf")


class TopK(ablate.Sampler):
    """Keeps the ``k`` likeliest tokens of each row.

    Source: Fan, Lewis & Dauphin 2018, "Hierarchical Neural Story Generation".

    Args:
        ks: how many tokens to keep, one number a row, not negative; 0 keeps all.
    """

    def __init__(self, ks: Sequence[int]) -> None:
        self._k_r1 = torch.tensor(ks, dtype=torch.int64)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """New logits of the same shape, [rows, vocabulary]; the history plays no part."""
        del history
        self._k_r1 = self._k_r1.to(logits.device)  # moves once: every call of a generation is on one device
        order_rv = _best_first(logits)
        rank_v = torch.arange(logits.shape[-1], device=logits.device)
        return _kept(logits, order_rv, (rank_v < self._k_r1) | (self._k_r1 == 0))


class TopP(ablate.Sampler):
    """Nucleus sampling: keeps the likeliest tokens of each row, as few as hold the probability ``p``.

    Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".

    Args:
        ps: the probability to keep, one number a row, from 0 to 1. 1 keeps all tokens; the likeliest is always kept.
    """

    def __init__(self, ps: Sequence[float]) -> None:
        self._p_r1 = torch.tensor(ps, dtype=torch.float32)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """New logits of the same shape, [rows, vocabulary]; the history plays no part."""
        del history
        self._p_r1 = self._p_r1.to(logits.device)
        order_rv = _best_first(logits)
        return _kept(logits, order_rv, _within_mass(logits.softmax(-1), order_rv, self._p_r1))


class MinP(ablate.Sampler):
    """Keeps the tokens whose probability is at least ``share`` times that of the row's likeliest token.

    Equally likely tokens are kept or forbidden together.

    Source: Nguyen et al. 2025, "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs".

    Args:
        shares: the share, one number a row, from 0 to 1. 0 keeps all tokens, 1 only the likeliest ones.
    """

    def __init__(self, shares: Sequence[float]) -> None:
        self._share_r1 = torch.tensor(shares, dtype=torch.float32)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """New logits of the same shape, [rows, vocabulary]; the history plays no part."""
        del history
        self._share_r1 = self._share_r1.to(logits.device)
        # a ratio of probabilities is a difference of logits, so no softmax is needed
        smallest_r1 = logits.amax(-1, keepdim=True) + self._share_r1.log()
        return logits.masked_fill(logits < smallest_r1, -INF)


class Typical(ablate.Sampler):
    """Locally typical sampling: keeps the tokens whose information is nearest to what is expected.

    Tokens are ordered by how far their information, ``-log p(token)``, is from the entropy of the row, both in nats;
    of the nearest ones as few are kept as hold the probability ``p``. So the likeliest token may be forbidden.

    Source: Meister et al. 2023, "Locally Typical Sampling".

    Args:
        ps: the probability to keep, one number a row, from 0 to 1. 1 keeps all tokens; the most typical is always kept.
    """

    def __init__(self, ps: Sequence[float]) -> None:
        self._p_r1 = torch.tensor(ps, dtype=torch.float32)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """New logits of the same shape, [rows, vocabulary]; the history plays no part."""
        del history
        self._p_r1 = self._p_r1.to(logits.device)
        logp_rv = logits.log_softmax(-1)
        p_rv = logp_rv.exp()
        entropy_r1 = torch.special.entr(p_rv).sum(-1, keepdim=True)
        order_rv = _best_first(-(logp_rv + entropy_r1).abs())
        return _kept(logits, order_rv, _within_mass(p_rv, order_rv, self._p_r1))


def _best_first(scores_rv: torch.Tensor) -> torch.Tensor:
    """Token ids from the highest score to the lowest, those of equal score by id; int64 [rows, vocabulary]."""
    # Each score and its id become one integer, the score in the upper bits, because sorting integers alone is about
    # four times as fast as sorting scores stably with their places, which took a quarter of the time of a model's step.
    bits_rv = (scores_rv + 0.0).view(torch.int32)  # the sum makes -0.0 equal to 0.0
    rising_rv = bits_rv ^ ((bits_rv >> 31) & 0x7FFFFFFF)  # integers in the order of the floats
    ids_v = torch.arange(scores_rv.shape[-1], device=scores_rv.device)
    return _sorted((~rising_rv).long() << 32 | ids_v) & 0xFFFFFFFF


def _sorted(keys_rv: torch.Tensor) -> torch.Tensor:
    """Each row's integers from the least to the greatest."""
    if keys_rv.device.type == "cpu":
        return torch.from_numpy(np.sort(keys_rv.numpy()))  # torch always carries places along
    return keys_rv.sort(dim=-1).values


def _within_mass(p_rv: torch.Tensor, order_rv: torch.Tensor, mass_r1: torch.Tensor) -> torch.Tensor:
    """Which places of the order are needed to hold the probability ``mass``; bool [rows, vocabulary].

    Args:
        p_rv: probabilities by token id.
        order_rv: token ids, the first to keep first.
        mass_r1: from 0 to 1; the first place is needed whatever the mass, and all of them are for 1.
    """
    held_rv = p_rv.gather(-1, order_rv).cumsum(-1)
    before_rv = torch.nn.functional.pad(held_rv[:, :-1], (1, 0))
    needed_rv = (before_rv < mass_r1) | (mass_r1 >= 1)  # sums are rounded and may reach 1 before the last token
    needed_rv[:, 0] = True
    return needed_rv


def _kept(logits_rv: torch.Tensor, order_rv: torch.Tensor, keep_rv: torch.Tensor) -> torch.Tensor:
    """The logits with every token forbidden whose place in the order is not to be kept."""
    keep_by_id_rv = torch.empty_like(keep_rv).scatter_(-1, order_rv, keep_rv)
    return logits_rv.masked_fill(~keep_by_id_rv, -INF)
