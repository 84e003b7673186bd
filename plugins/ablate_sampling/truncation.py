"""Truncation: four rules for which tokens are too unlikely to be drawn.

Each rule forbids tokens and does not change the logits of the others. Where a rule uses ranks, equal tokens are ranked
by their ids, so that the result does not depend on the sorting algorithm of a device.
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
    """A sampler that keeps the ``k`` likeliest tokens of each row.

    Source: Fan, Lewis & Dauphin 2018, "Hierarchical Neural Story Generation".

    Args:
        ks: number of tokens to keep, one for each row, not negative; 0 keeps all.
    """

    def __init__(self, ks: Sequence[int]) -> None:
        self._k_r1 = torch.tensor(ks, dtype=torch.int64)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary]; the history is ignored."""
        del history
        self._k_r1 = self._k_r1.to(logits.device)  # moves once: every call of a generation is on one device
        order_rv = _best_first(logits)
        rank_v = torch.arange(logits.shape[-1], device=logits.device)
        return _masked(logits, order_rv, (rank_v < self._k_r1) | (self._k_r1 == 0))


class TopP(ablate.Sampler):
    """Nucleus sampling: keeps the smallest set of likeliest tokens of each row with total probability ``p``.

    Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".

    Args:
        ps: the probability to keep, one for each row, from 0 to 1. 1 keeps all tokens; the likeliest always remains.
    """

    def __init__(self, ps: Sequence[float]) -> None:
        self._p_r1 = torch.tensor(ps, dtype=torch.float32)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary]; the history is ignored."""
        del history
        self._p_r1 = self._p_r1.to(logits.device)
        order_rv = _best_first(logits)
        return _masked(logits, order_rv, _within_mass(logits.softmax(-1), order_rv, self._p_r1))


class MinP(ablate.Sampler):
    """A sampler that keeps tokens whose probability is at least ``share`` times that of the row's likeliest token.

    Equally likely tokens remain or are forbidden together.

    Source: Nguyen et al. 2025, "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs".

    Args:
        shares: the share, one for each row, from 0 to 1. 0 keeps all tokens, 1 only the likeliest ones.
    """

    def __init__(self, shares: Sequence[float]) -> None:
        self._share_r1 = torch.tensor(shares, dtype=torch.float32)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary]; the history is ignored."""
        del history
        self._share_r1 = self._share_r1.to(logits.device)
        # a ratio of probabilities is a difference of logits, so no softmax is needed
        smallest_r1 = logits.amax(-1, keepdim=True) + self._share_r1.log()
        return logits.masked_fill(logits < smallest_r1, -INF)


class Typical(ablate.Sampler):
    """Locally typical sampling: keeps the tokens whose information is nearest to its expected value.

    Tokens are ordered by the distance of their information, ``-log p(token)``, from the entropy of the row, both in
    nats. The smallest set of nearest tokens with total probability ``p`` remains; the likeliest may be forbidden.

    Source: Meister et al. 2023, "Locally Typical Sampling".

    Args:
        ps: the probability to keep, one for each row, from 0 to 1. 1 keeps all tokens; the most typical always remains.
    """

    def __init__(self, ps: Sequence[float]) -> None:
        self._p_r1 = torch.tensor(ps, dtype=torch.float32)[:, None]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return new logits [rows, vocabulary]; the history is ignored."""
        del history
        self._p_r1 = self._p_r1.to(logits.device)
        logp_rv = logits.log_softmax(-1)
        p_rv = logp_rv.exp()
        entropy_r1 = torch.special.entr(p_rv).sum(-1, keepdim=True)
        order_rv = _best_first(-(logp_rv + entropy_r1).abs())
        return _masked(logits, order_rv, _within_mass(p_rv, order_rv, self._p_r1))


def _best_first(scores_rv: torch.Tensor) -> torch.Tensor:
    """Return token ids from the highest score to the lowest, those of equal score by id; int64 [rows, vocabulary]."""
    # Each score and its id become one integer, the score in the upper bits, because sorting integers alone is about
    # four times as fast as sorting scores stably with their indices, which took a quarter of a model's step.
    bits_rv = (scores_rv + 0.0).view(torch.int32)  # the sum makes -0.0 equal to 0.0
    rising_rv = bits_rv ^ ((bits_rv >> 31) & 0x7FFFFFFF)  # integers in the order of the floats
    ids_v = torch.arange(scores_rv.shape[-1], device=scores_rv.device)
    return _sorted((~rising_rv).long() << 32 | ids_v) & 0xFFFFFFFF


def _sorted(keys_rv: torch.Tensor) -> torch.Tensor:
    """Sort each row's integers from the least to the greatest."""
    if keys_rv.device.type == "cpu":
        return torch.from_numpy(np.sort(keys_rv.numpy()))  # torch always computes indices too
    return keys_rv.sort(dim=-1).values


def _within_mass(p_rv: torch.Tensor, order_rv: torch.Tensor, mass_r1: torch.Tensor) -> torch.Tensor:
    """Return the ranks that are needed for a total probability of ``mass``; bool [rows, vocabulary].

    Args:
        p_rv: probabilities by token id.
        order_rv: token ids by rank, the best first.
        mass_r1: from 0 to 1; the first rank is always needed, and all ranks are for 1.
    """
    total_rv = p_rv.gather(-1, order_rv).cumsum(-1)
    before_rv = torch.nn.functional.pad(total_rv[:, :-1], (1, 0))
    needed_rv = (before_rv < mass_r1) | (mass_r1 >= 1)  # sums are rounded and may reach 1 before the last token
    needed_rv[:, 0] = True
    return needed_rv


def _masked(logits_rv: torch.Tensor, order_rv: torch.Tensor, keep_rv: torch.Tensor) -> torch.Tensor:
    """Return the logits with a token forbidden where ``keep_rv`` is false at its rank."""
    keep_by_id_rv = torch.empty_like(keep_rv).scatter_(-1, order_rv, keep_rv)
    return logits_rv.masked_fill(~keep_by_id_rv, -INF)
