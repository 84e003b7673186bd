"""The likelihood of music under a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray, IntArray

#: Tokens in one pass; the state continues from pass to pass.
CHUNK = 512


@torch.inference_mode()
def negative_log_likelihood(
    model: Any, tokens: IntArray, conditions: Sequence[FloatArray], device: str = "cpu"
) -> FloatArray:
    """Return minus the log-probability of each token but the first, given all before it.

    Args:
        model: a ``LanguageModel`` on ``device`` and in evaluation mode.
        tokens: int64 [time], at least two.
        conditions: for each conditioner, float32 [time, width].
        device: a torch device.

    Returns:
        In nats, float64 [time - 1].

    Raises:
        StageError: the logits are NaN, or a token of the music has probability 0.
    """
    tokens_rt = torch.from_numpy(tokens)[None].to(device)
    conditions_rtf = [torch.from_numpy(np.asarray(values, np.float32))[None].to(device) for values in conditions]
    state: Any = None
    losses = []
    for begin in range(0, len(tokens) - 1, CHUNK):
        end = min(begin + CHUNK, len(tokens) - 1)
        logits_rtv, state = model(
            tokens_rt[:, begin:end], [values_rtf[:, begin:end] for values_rtf in conditions_rtf], state
        )
        targets_t = tokens_rt[0, begin + 1 : end + 1]
        losses.append(functional.cross_entropy(logits_rtv[0].double(), targets_t, reduction="none"))
    losses_t = torch.cat(losses)
    if not bool(torch.isfinite(losses_t).all()):
        raise StageError("cannot score: the model's logits are NaN, or a token of this music has probability 0")
    return np.asarray(losses_t.cpu().numpy())
