"""Numbers for conditioners where a network is only tried, and no music or sample is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.interfaces import Conditioner

#: Seconds between two tokens of a row, and between the starts of two rows.
BETWEEN_TOKENS, BETWEEN_ROWS = 0.25, 1.0


def trial_conditions(
    conditioners: Sequence[Conditioner], labels: Sequence[Mapping[str, float]], tokens: int
) -> list[FloatArray]:
    """Return what each conditioner gives while rows are generated, float32 [rows, tokens, width].

    Any other numbers may be impossible ones: a conditioner with an embedding takes its own positions only.

    Args:
        conditioners: of the network.
        labels: of each row; missing labels take the conditioner's default.
        tokens: of each row; the clocks of rows and tokens differ.
    """
    times_tr = BETWEEN_TOKENS * np.arange(tokens)[:, None] + BETWEEN_ROWS * np.arange(len(labels))
    conditions = []
    for conditioner in conditioners:
        values_at = conditioner.from_labels_batched([{**conditioner.labels, **row} for row in labels])
        conditions.append(np.stack([values_at(times_r) for times_r in times_tr], axis=1))
    return conditions
