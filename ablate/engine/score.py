"""How likely a model finds given music."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray, IntArray

#: Tokens in one pass; the state goes on from pass to pass.
CHUNK = 512


@torch.inference_mode()
def negative_log_likelihood(
    model: Any, tokens: IntArray, conditions: Sequence[FloatArray], device: str = "cpu"
) -> FloatArray:
    """Minus the log-probability of each token but the first, given all before it, in nats, float64 [time - 1].

    Args:
        model: a ``LanguageModel`` on ``device`` and in evaluation mode.
        tokens: int64 [time], at least two.
        conditions: for each conditioner, float32 [time, width].
        device: a torch device.

    Raises:
        StageError: the model finds a token impossible, or its logits are not numbers.
    """
    tokens_bt = torch.from_numpy(tokens)[None].to(device)
    conditions_btf = [torch.from_numpy(np.asarray(c, np.float32))[None].to(device) for c in conditions]
    state: Any = None
    costs = []
    for begin in range(0, len(tokens) - 1, CHUNK):
        end = min(begin + CHUNK, len(tokens) - 1)
        logits_btv, state = model(tokens_bt[:, begin:end], [c[:, begin:end] for c in conditions_btf], state)
        targets_t = tokens_bt[0, begin + 1 : end + 1]
        costs.append(functional.cross_entropy(logits_btv[0].double(), targets_t, reduction="none"))
    cost_t = torch.cat(costs)
    if not bool(torch.isfinite(cost_t).all()):
        raise StageError("the model's logits are not numbers, or make a token of this music impossible")
    return np.asarray(cost_t.cpu().numpy())
