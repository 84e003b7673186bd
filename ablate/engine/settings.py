"""The settings of training and generation, as a study file gives them. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.options import option


@dataclass(frozen=True)
class TrainingSettings:
    """Section ``[training]`` of a study file."""

    steps: int = option(600, ge=1, doc="Optimiser steps.")
    batch: int = option(16, ge=1, doc="Windows in one step.")
    batch_counts: Literal["step", "example"] = option(
        "step",
        doc="Whether batch counts the windows of a step, or those of each example in it, as in the original "
        "experiments, where an augmenter's five copies are five times the tokens.",
    )
    window: int = option(128, ge=1, doc="Tokens in one window.")
    learning_rate: float = option(3e-3, gt=0, doc="Adam's step size at the start.")
    decay: float = option(1.0, gt=0, le=1, doc="Factor on the learning rate every decay_every steps.")
    decay_every: int = option(1000, ge=1, doc="Steps between two decays.")
    clip: float = option(1.0, ge=0, doc="Largest gradient norm of a step; 0 is no clipping.")
    precision: Literal["auto", "fp32", "bf16"] = option(
        "auto", doc="bf16 autocast, full fp32, or auto: bf16 where the device has units for it."
    )


@dataclass(frozen=True)
class GenerationSettings:
    """Section ``[generation]`` of a study file."""

    samples: int = option(4, ge=1, doc="Samples generated for each cell; nested in it, never replicates.")
    tokens: int = option(2000, ge=1, doc="Tokens in one sample.")
