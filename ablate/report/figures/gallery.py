"""All figures of a study: by name for notebooks, and as files for the page and Markdown."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.report.figures import (
    along_axis,
    blocks,
    distributions,
    forest,
    interactions,
    losses,
    path,
    piano_roll,
    shares,
    tradeoff,
    validation,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.report.data.artifacts import Artifacts
    from ablate.report.figures.common.drawing import Drawing, Picture
    from ablate.report.statistics.analysis.analysis import Analysis

#: The figures that :meth:`ablate.report.results.StudyResults.figure` draws, by name; None if a study has none.
FIGURES: dict[str, Callable[[Analysis, Artifacts], Drawing | None]] = {
    "forest": lambda analysis, _: forest.baseline_forest(analysis),
    "contrasts": lambda analysis, _: forest.contrast_forest(analysis),
    "effects": lambda analysis, _: forest.factorial_forest(analysis),
    "shares": lambda analysis, _: shares.share_chart(analysis),
    "path": lambda analysis, _: path.path_chart(analysis),
    "blocks": lambda analysis, _: blocks.block_forest(analysis),
    "curve": lambda analysis, _: next(iter(along_axis.axis_charts(analysis)), None),
    "interactions": lambda analysis, _: interactions.interaction_plot(analysis),
    "values": lambda analysis, _: values.headline_dots(analysis),
    "distributions": lambda analysis, _: distributions.note_histograms(analysis),
    "trade-off": lambda analysis, _: tradeoff.tradeoff_plot(analysis),
    "losses": losses.training_losses,
    "validation": validation.validation_losses,
}


@dataclasses.dataclass(frozen=True)
class Pictures:
    """The figures of a report; None where a study has none.

    Attributes:
        forest: each variant against the baseline.
        contrasts: the contrasts of the study file.
        effects: main effects and interactions.
        shares: the share of each part in the total difference.
        path: the steps of a path.
        blocks: the comparisons of the first objective in each block.
        along_axis: a line chart for each numeric axis.
        interactions: means over two axes.
        values: every replicate, the headline quantities.
        metrics: the same for every feature of a metric, by metric.
        distributions: histograms of the notes.
        tradeoff: two quantities against each other.
        piano_rolls: the reference and samples.
        losses: training losses.
        validation: validation losses.
    """

    forest: Picture | None
    contrasts: Picture | None
    effects: Picture | None
    shares: Picture | None
    path: Picture | None
    blocks: Picture | None
    along_axis: list[Picture]
    interactions: Picture | None
    values: Picture | None
    metrics: dict[str, Picture | None]
    distributions: Picture | None
    tradeoff: Picture | None
    piano_rolls: Picture | None
    losses: Picture | None
    validation: Picture | None


def save_figures(analysis: Analysis, artifacts: Artifacts, folder: Path, *, png: bool) -> Pictures:
    """Draw all figures of a study and write them into ``folder``: as SVG, and for Markdown as PNG too.

    Args:
        analysis: the statistics of the study.
        artifacts: the files of the study.
        folder: an existing folder.
        png: for Markdown, which also has piano rolls.
    """

    def save(drawing: Drawing | None) -> Picture | None:
        return drawing.save(folder, png=png) if drawing else None

    metrics = dict.fromkeys(analysis.study.frame["metric"])
    return Pictures(
        forest=save(forest.baseline_forest(analysis)),
        contrasts=save(forest.contrast_forest(analysis)),
        effects=save(forest.factorial_forest(analysis)),
        shares=save(shares.share_chart(analysis)),
        path=save(path.path_chart(analysis)),
        blocks=save(blocks.block_forest(analysis)),
        along_axis=[chart.save(folder, png=png) for chart in along_axis.axis_charts(analysis)],
        interactions=save(interactions.interaction_plot(analysis)),
        values=save(values.headline_dots(analysis)),
        metrics={metric: save(values.metric_dots(analysis, metric)) for metric in metrics},
        distributions=save(distributions.note_histograms(analysis)),
        tradeoff=save(tradeoff.tradeoff_plot(analysis)),
        piano_rolls=save(piano_roll.piano_rolls(analysis, artifacts)) if png else None,
        losses=save(losses.training_losses(analysis, artifacts)),
        validation=save(validation.validation_losses(analysis, artifacts)),
    )
