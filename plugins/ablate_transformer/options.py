"""Options of the model."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class TransformerOptions:
    """Options of ``transformer``."""

    embedding: int = ablate.option(128, ge=2, doc="Width of a token's embedding and of every layer.")
    layers: int = ablate.option(2, ge=1, doc="Layers, each of attention and a feedforward network.")
    heads: int = ablate.option(4, ge=1, doc="Heads of attention; the width of each, embedding / heads, is even.")
    feedforward: int = ablate.option(4, ge=1, doc="Hidden units of a feedforward network, as a multiple of embedding.")
    context: int = ablate.option(
        128,
        ge=1,
        doc="Tokens that a layer attends to: the latest and those right before it. In training there are never "
        "more than training.window.",
    )
    dropout: float = ablate.option(
        0.0, ge=0, lt=1, doc="Share of units dropped in training, after the embedding, attention and feedforward."
    )

    def __post_init__(self) -> None:
        """Check that each head consists of pairs of numbers, which rotary embedding rotates."""
        if self.embedding % (2 * self.heads):
            raise ValueError(
                f"embedding = {self.embedding} does not give heads = {self.heads} an even width each; "
                f"choose an embedding that {2 * self.heads} divides"
            )
