"""Optimizers: rules that update the weights of a model from their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_optimizers.options import AdamOptions, MuonOptions, SgdOptions
from ablate_optimizers.sources import (
    JORDAN_2024,
    KINGMA_2015,
    LIU_2025,
    LOSHCHILOV_2019,
    POLYAK_1964,
    SUTSKEVER_2013,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def _adam(options: AdamOptions) -> ablate.Optimizer:
    from ablate_optimizers.optimizers import Adam

    return Adam(options)


def _adamw(options: AdamOptions) -> ablate.Optimizer:
    from ablate_optimizers.optimizers import AdamW

    return AdamW(options)


def _sgd(options: SgdOptions) -> ablate.Optimizer:
    from ablate_optimizers.optimizers import Sgd

    return Sgd(options)


def _muon(options: MuonOptions) -> ablate.Optimizer:
    from ablate_optimizers.muon import Muon

    return Muon(options)


@ablate.hookimpl
def ablate_optimizers() -> Iterable[ablate.OptimizerSpec]:
    """Offer the optimizers."""
    yield ablate.OptimizerSpec(
        name="adam",
        summary="Adam; weight decay is added to the gradients.",
        options=AdamOptions,
        build=_adam,
        default=True,
        cite=(KINGMA_2015,),
    )
    yield ablate.OptimizerSpec(
        name="adamw",
        summary="Adam with decoupled weight decay.",
        options=AdamOptions,
        build=_adamw,
        cite=(LOSHCHILOV_2019, KINGMA_2015),
    )
    yield ablate.OptimizerSpec(
        name="sgd",
        summary="Stochastic gradient descent with momentum; weight decay is added to the gradients.",
        options=SgdOptions,
        build=_sgd,
        cite=(POLYAK_1964, SUTSKEVER_2013),
    )
    yield ablate.OptimizerSpec(
        name="muon",
        summary="Orthogonalized momentum for matrices between hidden layers, AdamW for all other weights.",
        options=MuonOptions,
        build=_muon,
        cite=(JORDAN_2024, LIU_2025, LOSHCHILOV_2019),
    )
