"""Options of the optimizers."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

import ablate

#: The first version of torch with ``torch.optim.Muon``.
FIRST_WITH_MUON = (2, 9)


@dataclass(frozen=True)
class AdamOptions:
    """Options of ``adam`` and ``adamw``."""

    beta1: float = ablate.option(0.9, ge=0, lt=1, doc="Decay of the mean of the gradients.")
    beta2: float = ablate.option(0.999, ge=0, lt=1, doc="Decay of the mean of the squared gradients.")
    eps: float = ablate.option(1e-8, gt=0, doc="Added to the divisor, against division by zero.")


@dataclass(frozen=True)
class SgdOptions:
    """Options of ``sgd``."""

    momentum: float = ablate.option(0.9, ge=0, lt=1, doc="Decay of the sum of the gradients; 0 turns momentum off.")
    nesterov: bool = ablate.option(False, doc="Whether the gradient counts once more after the momentum (Nesterov).")

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")


@dataclass(frozen=True)
class MuonOptions:
    """Options of ``muon``."""

    momentum: float = ablate.option(0.95, ge=0, lt=1, doc="Decay of the sum of the gradients of the matrices.")
    nesterov: bool = ablate.option(True, doc="Whether the gradient counts once more after the momentum (Nesterov).")
    iterations: int = ablate.option(5, ge=1, lt=100, doc="Newton-Schulz iterations that orthogonalize an update.")
    beta1: float = ablate.option(0.9, ge=0, lt=1, doc="AdamW's decay of the mean of the gradients.")
    beta2: float = ablate.option(0.95, ge=0, lt=1, doc="AdamW's decay of the mean of the squared gradients.")
    adamw_rate: float = ablate.option(1.0, gt=0, doc="AdamW's learning rate, as a multiple of that of the matrices.")

    def __post_init__(self) -> None:
        installed = importlib.metadata.version("torch")
        if tuple(map(int, installed.split(".")[:2])) < FIRST_WITH_MUON:
            raise ValueError(f"needs torch 2.9 or newer, not {installed}: run pip install 'torch>=2.9'")
