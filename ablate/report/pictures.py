"""The pictures of the page: which figures a study gets, and what each shows in words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from ablate.report import figures, stats, style
from ablate.report.artifacts import Artifacts, file_name, thinned

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from ablate.music.performance import Performance
    from ablate.report.content import Study

#: More variants than this are not drawn one under another; tables always show them all.
MOST_PANELS = 40


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure in the page.

    Attributes:
        stem: of its PNG and SVG files.
        drawing: an SVG element that may stand in HTML as it is.
        alt: what it shows, for those who do not see it.
        caption: how to read it.
    """

    stem: str
    drawing: str
    alt: str
    caption: str


class Gallery:
    """Draws the figures of a study and keeps each as PNG and SVG.

    Args:
        study: what to draw.
        artifacts: where losses and performances are read from.
        folder: a new folder for the files.
    """

    def __init__(self, study: Study, artifacts: Artifacts, folder: Path) -> None:
        self.study, self.artifacts, self.folder = study, artifacts, folder
        folder.mkdir()

    def comparison(self) -> Picture:
        """Every metric's headline feature."""
        return self._dots("comparison", stats.headline(self.study.frame), "every metric")

    def metric(self, metric: str) -> Picture | None:
        """Every feature of one metric; None where :meth:`comparison` shows all there is."""
        frame = self.study.frame[self.study.frame["metric"] == metric]
        if len(stats.headline(frame)) == len(frame):
            return None
        return self._dots(f"metric-{file_name(metric)}", frame, f"every feature of {metric}")

    def distributions(self) -> Picture | None:
        """The histograms behind the metrics; None where they keep none."""
        histograms = self.study.histograms
        histograms = histograms[histograms["variant"].isin(self.study.names[:MOST_PANELS])]
        if histograms.empty:
            return None
        pooled = stats.distinct_histograms(stats.pooled_histograms(histograms))
        return self._picture(
            "distributions",
            figures.distribution_figure(pooled, self.study.names),
            "Normalised histograms of the generated notes of each variant, with the reference outlined in each.",
            "Share of notes in each bin, all samples of all replicates together; the bar in a bin is one standard "
            f"deviation, up and down, of the replicates' own shares. The outline is the reference.{self._left_out()}",
        )

    def rolls(self) -> Picture | None:
        """The reference and a sample of each variant; None where neither can be read."""
        shown = self._references()
        for variant, stage in self.study.first("generate")[:MOST_PANELS]:
            samples = self.artifacts.performances(stage)
            if samples:
                shown[variant] = samples[0]
        if not shown:
            return None
        seconds = f"{figures.ROLL_SECONDS:.0f}"
        return self._picture(
            "piano-rolls",
            figures.roll_figure(shown),
            f"Piano rolls of the first {seconds} seconds of the reference and of a sample of each variant.",
            f"The first {seconds} seconds of the reference and of each variant's first sample in its first replicate. "
            f"One sample each, to look at: no evidence of a difference.{self._left_out()}",
        )

    def losses(self) -> Picture | None:
        """The loss of every training; None where none can be read."""
        table = stats.trainings(self.study.cell_frame)
        curves = []
        for training, shared_by in zip(table["training"], table["shared_by"], strict=True):
            stage = self.study.stages.get(training)
            losses = self.artifacts.losses(stage) if stage else None
            if losses is not None and len(losses):
                step, loss = thinned(losses)
                curves.append(pd.DataFrame({"training": training, "shared_by": shared_by, "step": step, "loss": loss}))
        if not curves:
            return None
        return self._picture(
            "losses",
            figures.loss_figure(pd.concat(curves, ignore_index=True)),
            f"Line plot of the training loss of {len(curves)} trainings over their steps.",
            f"One line for each of {len(curves)} distinct trainings, each point the mean of neighbouring steps.",
        )

    def _dots(self, stem: str, frame: pd.DataFrame, what: str) -> Picture:
        reported = self.study.reported.merge(frame[["metric", "feature"]].drop_duplicates())
        caption = "A dot is one replicate (the mean of its samples), a diamond the mean of them, its bar one sd."
        if not reported.empty:
            caption += " A cross is the value reported originally."
        alt = f"Dot plot of {what} by variant, {len(self.study.variants)} variants; the table has the numbers."
        return self._picture(stem, figures.comparison_figure(frame, reported), alt, caption)

    def _references(self) -> dict[str, Performance]:
        """The first performance of the corpus, or of each corpus where the corpus is an axis."""
        loads = {stage.fingerprint: (variant, stage) for variant, stage in reversed(self.study.first("load"))}
        found = {}
        for variant, stage in reversed(loads.values()):
            performances = self.artifacts.performances(stage)
            if performances:
                title = "reference" if len(loads) == 1 else f"reference of {variant}"
                found[": ".join(filter(None, (title, performances[0].name)))] = performances[0]
        return found

    def _left_out(self) -> str:
        total = len(self.study.variants)
        return f" The first {MOST_PANELS} of {total} variants are shown." if total > MOST_PANELS else ""

    def _picture(self, stem: str, figure: Figure, alt: str, caption: str) -> Picture:
        style.save(figure, self.folder, stem)
        svg = (self.folder / f"{stem}.svg").read_text(encoding="utf-8")
        return Picture(stem, style.for_page(svg, stem), alt, caption)
