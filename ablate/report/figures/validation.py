"""The losses on the validation pieces over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.data.curves import validation_frame
from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import representatives, selection_note
from ablate.report.figures.losses import label_losses
from ablate.report.statistics.described import summary

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ablate.report.data.artifacts import Artifacts
    from ablate.report.statistics.analysis.analysis import Analysis


def validation_losses(analysis: Analysis, artifacts: Artifacts) -> Drawing | None:
    """Draw the validation loss of every training; None if no training of the study validates."""
    names = representatives(analysis)
    frame = validation_frame(analysis.study, artifacts)
    frame = frame[frame["variant"].astype(str).isin(names)].drop_duplicates(["training", "step"])
    if frame.empty:
        return None
    table = summary.trainings(analysis.study.run_frame).set_index("training")
    curves = frame.assign(shared_by=frame["training"].map(table["shared_by"]))
    count = curves["training"].nunique()
    return Drawing(
        "validation",
        validation_figure(curves),
        f"Line plot of the validation loss of {count} trainings over their steps; the table above has the numbers.",
        f"The loss of {count} distinct trainings on the validation pieces: thick the mean over replicates, with their "
        "range, as long as all of them train; thin each training up to its end. A dot marks the weights that are "
        f"measured.{selection_note(analysis, names)}{summary.tokens_note(analysis.study)}",
    )


def validation_figure(curves: pd.DataFrame) -> Figure:
    """Draw validation losses over the steps.

    Args:
        curves: columns ``training`` (identifies the replicate), ``shared_by`` (its group and colour), ``step`` (from
            0), ``loss`` (nats per token) and ``kept`` (whether the measured weights are those of this step).

    Returns:
        A thin line for each training with a dot at its kept weights; for each group a thick line, the mean, and the
        range over replicates, at the steps at which all trainings of the group were evaluated.
    """
    palette = style.colours(list(dict.fromkeys(curves["shared_by"])))
    dashes = style.dashes(list(palette))
    with style.styled():
        figure = style.new_figure(2.9)
        axes = figure.subplots()
        for group, part in curves.groupby("shared_by", sort=False):
            colour = palette[str(group)]
            over = part.groupby("step")["loss"].agg(["mean", "min", "max", "size"])
            over = over[over["size"] == part["training"].nunique()]
            axes.fill_between(over.index, over["min"], over["max"], color=colour, alpha=0.25, linewidth=0)
            axes.plot(over.index, over["mean"], color=colour, linewidth=1.4, linestyle=dashes[str(group)])
            for _, one in part.groupby("training", sort=False):
                axes.plot(one["step"], one["loss"], color=colour, linewidth=0.5, alpha=0.6)
            kept = part[part["kept"]]
            axes.plot(kept["step"], kept["loss"], "o", color=colour, markersize=3)
        label_losses(figure, axes, curves["loss"], palette)
        axes.set_ylabel("validation loss in nats per token")
    return figure
