"""The validation losses of a study's trainings, read from their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ablate.kinds import TRAIN

if TYPE_CHECKING:
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.data.study import Study


def validation_frame(study: Study, artifacts: Artifacts) -> pd.DataFrame:
    """Return the validation losses of every run.

    Returns:
        One row for each evaluation: ``variant`` (ordered categorical), ``replicate``, ``training`` (the fingerprint of
        the training, which runs may share), ``step`` (steps done before it), ``loss`` (nats per token of the validation
        pieces), ``kept`` (whether the measured weights are those of this step). Empty for trainings without validation.
    """
    curves = {}
    for fingerprint in dict.fromkeys(run.stages.get(TRAIN, "") for run in study.runs):
        stage = study.stages.get(fingerprint)
        # only trainings that validate have this result, so the others have no file to miss
        losses = artifacts.validation(stage) if stage and "validation_loss" in stage.result else None
        if stage and losses is not None:
            curves[fingerprint] = losses, stage.result.get("kept_step")
    rows = [
        (run.variant, run.replicate, run.stages[TRAIN], int(step), float(loss), int(step) == kept)
        for run in study.runs
        if run.stages.get(TRAIN) in curves
        for losses, kept in [curves[run.stages[TRAIN]]]
        for step, loss in losses
    ]
    frame = pd.DataFrame(rows, columns=["variant", "replicate", "training", "step", "loss", "kept"])
    names = pd.Categorical(frame["variant"], categories=study.names, ordered=True)
    return frame.assign(variant=names).astype(
        {"replicate": "int64", "step": "int64", "loss": "float64", "kept": "bool"}
    )
