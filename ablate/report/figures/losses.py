"""The training losses over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from ablate.report.data.artifacts import thin_losses
from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import representatives
from ablate.report.figures.common.style import LINES
from ablate.report.statistics.described import summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ablate.arrays import FloatArray
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.statistics.analysis.analysis import Analysis

#: The most entries of the legend.
MOST_LABELS = 9
_ENDS = " Thin lines are trainings that continued after others of their group had ended."


def training_losses(analysis: Analysis, artifacts: Artifacts) -> Drawing | None:
    """Draw the loss of every training; None if no file can be read."""
    study = analysis.study
    table = summary.trainings(study.run_frame)
    table = table[table["variant"].astype(str).isin(representatives(analysis))]
    stages = ((training, study.stages.get(training)) for training in table["training"])
    files = {training: artifacts.losses(stage) for training, stage in stages if stage}
    losses = {training: each for training, each in files.items() if each is not None and len(each)}
    if not losses:
        return None
    lengths = sorted(map(len, losses.values()))
    shared_by = table.set_index("training")["shared_by"]
    curves = [
        pd.DataFrame({"training": training, "shared_by": shared_by[training], "step": step, "loss": loss})
        for training, each in losses.items()
        for step, loss in [thin_losses(each, longest=lengths[-1])]
    ]
    ends = _ENDS if lengths[0] < lengths[-1] else ""
    groups = table["shared_by"].nunique()
    notes = f"{ends}{summary.tokens_note(study)}{summary.smoothing_note(study)}"
    return Drawing(
        "losses",
        loss_figure(pd.concat(curves, ignore_index=True)),
        f"Line plot of the training loss of {len(curves)} trainings over their steps: from "
        f"{_typical(losses, 0):.2g} to {_typical(losses, -1):.2g} nats per token.",
        f"The mean of {len(curves)} distinct trainings{f' in {groups} groups' if groups > 1 else ''}, and their "
        f"range over replicates; neighbouring steps are averaged.{notes}",
    )


def _typical(losses: Mapping[str, FloatArray], step: int) -> float:
    """Return the median over trainings of the loss at a step, counted from the end if negative."""
    return float(np.median([each[step] for each in losses.values()]))


def loss_figure(curves: pd.DataFrame) -> Figure:
    """Draw the training loss over the steps: for each group of trainings their mean, and the range over replicates.

    Args:
        curves: columns ``training`` (identifies the replicate), ``shared_by`` (its group and colour), ``step`` (from 1)
            and ``loss`` (nats per token).

    Returns:
        Mean and range at the steps that all trainings of a group have; thin lines for those that continue.
    """
    palette = style.colours(list(dict.fromkeys(curves["shared_by"])))
    dashes = style.dashes(list(palette))
    with style.styled():
        figure = style.new_figure(2.9)
        axes = figure.subplots()
        for group, part in curves.groupby("shared_by", sort=False):
            over = part.groupby("step")["loss"].agg(["mean", "min", "max", "size"])
            over = over[over["size"] == part["training"].nunique()]
            axes.fill_between(over.index, over["min"], over["max"], color=palette[str(group)], alpha=0.25, linewidth=0)
            axes.plot(over.index, over["mean"], color=palette[str(group)], linewidth=1.1, linestyle=dashes[str(group)])
            ended = over.index.max() if len(over) else 0
            for _, later in part[part["step"] > ended].groupby("training", sort=False):
                axes.plot(later["step"], later["loss"], color=palette[str(group)], linewidth=0.5, alpha=0.6)
        label_losses(figure, axes, curves["loss"], palette)
        axes.set_ylabel("loss in nats per token")
    return figure


def label_losses(figure: Figure, axes: Axes, losses: pd.Series, palette: Mapping[str, str]) -> None:
    """Add the scales and the legend to a figure of losses over steps.

    Args:
        figure: has these axes.
        axes: with the curves; the vertical one becomes logarithmic where all losses are above 0.
        losses: all that are drawn.
        palette: the colour of each group of trainings.
    """
    if (losses > 0).all():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("training step")
    axes.margins(x=0.01)
    dashes = style.dashes(list(palette))
    handles = [Line2D([], [], color=c, linestyle=dashes[g], label=style.label(g, 40)) for g, c in palette.items()]
    figure.legend(handles=handles[:MOST_LABELS], loc="outside upper left", ncols=3)
    axes.spines["bottom"].set_color(LINES)
