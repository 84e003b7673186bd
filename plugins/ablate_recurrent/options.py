"""Options of both models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class RecurrentOptions:
    """Options of ``lstm`` and of ``gru``."""

    embedding: int = ablate.option(128, ge=1, doc="Width of a token's embedding.")
    hidden: int = ablate.option(256, ge=1, doc="Hidden units of each layer.")
    layers: int = ablate.option(1, ge=1, doc="Recurrent layers.")
    dropout: float = ablate.option(
        0.0, ge=0, lt=1, doc="Share of units dropped in training, after the embedding and each layer."
    )
    initial_state: Literal["zeros", "random"] = ablate.option(
        "zeros", doc="State before a training window: zeros, or standard normal as in the original experiments."
    )
