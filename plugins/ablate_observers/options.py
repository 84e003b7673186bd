"""Options of the observers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class TensorBoardOptions:
    """Options of ``tensorboard``."""

    folder: str = ablate.option("", doc="Folder to write to; empty: `observers/tensorboard` in the home.")


@dataclass(frozen=True)
class MlflowOptions:
    """Options of ``mlflow``."""

    store: str = ablate.option(
        "",
        doc="Tracking store: a URI (`sqlite:///mlflow.db`, `http://localhost:5000`), a `.db` file or a folder for one; "
        "empty: `observers/mlflow/mlflow.db` in the home.",
    )
    experiment: str = ablate.option("", doc="Name of the experiment; empty: that of the study.")


@dataclass(frozen=True)
class WandbOptions:
    """Options of ``wandb``."""

    folder: str = ablate.option("", doc="Folder to write to; empty: `observers/wandb` in the home.")
    project: str = ablate.option("", doc="Name of the project; empty: that of the study.")
    mode: Literal["offline", "online"] = ablate.option(
        "offline", doc='"offline" contacts no network; `wandb sync` uploads the runs later. "online" uploads at once.'
    )
