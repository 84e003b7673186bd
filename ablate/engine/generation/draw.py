"""Draw the next token of each row from its logits."""

from __future__ import annotations

import math

import torch

from ablate.errors import NoTokenPossible


def draw_tokens(
    logits_rv: torch.Tensor,
    uniforms_r1: torch.Tensor,
    active_r: torch.Tensor | None = None,
    deferred_check: torch.Tensor | None = None,
) -> torch.Tensor:
    """Draw one token for each row by inverse CDF: the first whose cumulated probability exceeds u.

    Args:
        logits_rv: the model's prediction after the samplers; the cumulated probabilities are in double precision.
        uniforms_r1: u of each row, float64, at least 0 and less than 1.
        active_r: the rows whose token is used; the others (still in their primer, or finished) get any token. None
            stands for all rows.
        deferred_check: a float64 number of shape [], to which a step adds. It is NaN or infinite once an active row had
            no possible token, for a check later on: this function then does not wait for the device, and such a row
            gets any token. Without it, this function checks at once.

    Returns:
        int64 [rows].

    Raises:
        NoTokenPossible: an active row has no possible token, and ``deferred_check`` is None.
    """
    cumulated_rv = torch.softmax(logits_rv.double(), -1).cumsum(-1)
    total_r1 = cumulated_rv[:, -1:]
    # without a possible token a row's total is NaN, and so is any sum with it: one number shows this for all rows
    if deferred_check is not None:
        deferred_check += (total_r1 if active_r is None else torch.where(active_r[:, None], total_r1, 0.0)).sum()
    elif not math.isfinite(float((total_r1 if active_r is None else total_r1[active_r]).sum())):
        raise no_token_possible()
    # u * total is less than total, so the drawn token has raised the sum: it never has probability 0
    tokens_r1 = torch.searchsorted(cumulated_rv, uniforms_r1 * total_r1, right=True)
    may_be_invalid = active_r is not None or deferred_check is not None
    return tokens_r1[:, 0].clamp(max=logits_rv.shape[1] - 1) if may_be_invalid else tokens_r1[:, 0]


def no_token_possible() -> NoTokenPossible:
    """Return the error for a row without a possible token."""
    return NoTokenPossible("cannot sample: the logits are NaN, or the samplers have excluded every token")
