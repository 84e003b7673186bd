"""The numbers of conditioners for rows: while they are generated, and where a network is only tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.blame import about, blame, blaming
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.interfaces import Conditioner

#: Seconds between two tokens of a row, and between the starts of two rows.
BETWEEN_TOKENS, BETWEEN_ROWS = 0.25, 1.0


def asked(conditioner: Conditioner, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
    """Return what a conditioner gives for rows at each step: a function from their clocks to numbers [rows, width].

    An error of the conditioner names it, and so does the function's StageError for numbers of another shape.

    Args:
        conditioner: of the network.
        labels: of each row; missing labels take the conditioner's default.
    """
    name, shape = about(conditioner), (len(labels), conditioner.width)
    with blaming(name):
        values_at = conditioner.from_labels_batched([{**conditioner.labels, **row} for row in labels])

    def values(times_r: FloatArray) -> FloatArray:
        try:
            values_rf = np.asarray(values_at(times_r), np.float32)
        except BaseException as error:
            blame(error, name)
            raise
        if values_rf.shape != shape:
            raise StageError(f"{name}: from_labels must return numbers {[*shape]}, not {[*values_rf.shape]}")
        return values_rf

    return values


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
        values_at = asked(conditioner, labels)
        conditions.append(np.stack([values_at(times_r) for times_r in times_tr], axis=1))
    return conditions
