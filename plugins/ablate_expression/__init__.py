"""Conditioners of expression: how loud, how detached and how dense the music is, or should be.

All three are measured from the notes of a performance, over the whole performance or around each token. For generated
music each can be set to a number that changes over time (a crescendo).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_expression.options import ArticulationOptions, DensityOptions, DynamicsOptions
from ablate_expression.sources import BRESIN_2000

if TYPE_CHECKING:
    from collections.abc import Iterable


def _dynamics(options: DynamicsOptions) -> ablate.Conditioner:
    from ablate_expression.quantities import Dynamics

    return Dynamics(options)


def _articulation(options: ArticulationOptions) -> ablate.Conditioner:
    from ablate_expression.quantities import Articulation

    return Articulation(options)


def _density(options: DensityOptions) -> ablate.Conditioner:
    from ablate_expression.quantities import Density

    return Density(options)


@ablate.hookimpl
def ablate_conditioners() -> Iterable[ablate.ConditionerSpec]:
    """Offer one conditioner for each quantity."""
    yield ablate.ConditionerSpec(
        name="dynamics",
        summary="Mean MIDI velocity, of the performance or around each token.",
        options=DynamicsOptions,
        build=_dynamics,
    )
    yield ablate.ConditionerSpec(
        name="articulation",
        summary="Mean ratio of each note's duration to the interval up to the next onset.",
        options=ArticulationOptions,
        build=_articulation,
        cite=(BRESIN_2000,),
    )
    yield ablate.ConditionerSpec(
        name="density",
        summary="Notes per second, of the performance or around each token.",
        options=DensityOptions,
        build=_density,
    )
