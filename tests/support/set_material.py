"""Random pieces, and a metric of sets measured on pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ablate import Performance
from ablate_setdistances import ablate_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECS = {spec.name.removeprefix("setdistance."): spec for spec in ablate_metrics()}


def random_pieces(count: int, seed: int = 0, notes: int = 40) -> list[Performance]:
    """Return pieces that differ in every feature."""
    rng, pieces = np.random.default_rng(seed), []
    for _ in range(count):
        size = int(rng.integers(notes, 2 * notes))
        starts = np.cumsum(rng.exponential(rng.uniform(0.1, 0.4), size))
        pitches = np.clip(rng.normal(rng.uniform(50, 70), rng.uniform(3, 12), size), 0, 127)
        velocities = np.clip(rng.normal(64, rng.uniform(4, 20), size), 1, 127)
        ends = starts + rng.exponential(0.4, size)
        pieces.append(Performance.from_notes(zip(pitches, velocities, starts, ends, strict=True)))
    return pieces


def measure(
    name: str, generated: Sequence[Performance], reference: Sequence[Performance], **options: Any
) -> dict[str, float]:
    spec = SPECS[name]
    measured = spec.build(spec.parse(options)).measure(generated, reference)
    return {value.feature: value.value for value in measured.values}
