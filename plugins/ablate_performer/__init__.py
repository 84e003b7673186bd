"""Conditioner: the performer, a category with an embedding, read from a label or from the performance's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_performer.options import PerformerOptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _build(options: PerformerOptions) -> ablate.Conditioner:
    from ablate_performer.conditioner import Performer

    return Performer(options)


@ablate.hookimpl
def ablate_conditioners() -> Iterable[ablate.ConditionerSpec]:
    """Offer the conditioner."""
    yield ablate.ConditionerSpec(
        name="performer",
        summary="The performer, as an embedding for each.",
        options=PerformerOptions,
        build=_build,
    )
