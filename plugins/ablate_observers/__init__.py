"""Observers: write the runs of a study to TensorBoard, MLflow or Weights & Biases.

None of them contacts another machine unless a person names one. The libraries are extras; each is imported when its
observer is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_observers.options import MlflowOptions, TensorBoardOptions, WandbOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _tensorboard(options: TensorBoardOptions, folder: Path) -> object:
    from ablate_observers.tensorboard import TensorBoardWriter

    return TensorBoardWriter(options, folder)


def _mlflow(options: MlflowOptions, folder: Path) -> object:
    from ablate_observers.mlflow import MlflowWriter

    return MlflowWriter(options, folder)


def _wandb(options: WandbOptions, folder: Path) -> object:
    from ablate_observers.wandb import WandbWriter

    return WandbWriter(options, folder)


@ablate.hookimpl
def ablate_observers() -> Iterator[ablate.ObserverSpec]:
    """Offer the observers."""
    yield ablate.ObserverSpec(
        name="tensorboard",
        summary="Losses, levels and metrics of each run for TensorBoard.",
        options=TensorBoardOptions,
        build=_tensorboard,
        modules=("tensorboard",),
        install="pip install 'ablate-music[tensorboard]'",
        target="folder",
    )
    yield ablate.ObserverSpec(
        name="mlflow",
        summary="Each run as a run of MLflow.",
        options=MlflowOptions,
        build=_mlflow,
        modules=("mlflow",),
        install="pip install 'ablate-music[mlflow]'",
        target="store",
    )
    yield ablate.ObserverSpec(
        name="wandb",
        summary="Each run as an offline run of Weights & Biases.",
        options=WandbOptions,
        build=_wandb,
        modules=("wandb",),
        install="pip install 'ablate-music[wandb]'",
        target="folder",
    )
