"""The pictures of the page: which figures a study gets, and what each shows in words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.files import file_name
from ablate.kinds import GENERATE
from ablate.names import level_name
from ablate.report.data.artifacts import Artifacts, thinned
from ablate.report.figures import effects, style, values
from ablate.report.figures.effects import CurvePanel, InteractionPanel, Panel, Point
from ablate.report.statistics import inference, summary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from ablate.arrays import Array
    from ablate.report.statistics.analysis import Analysis, Quantity
    from ablate.report.statistics.trends import Trend

#: Variants with histograms and clips of their own, where all of them would be more than a screen holds.
MOST_HISTOGRAMS = 12
#: And where they are many.
SOME_HISTOGRAMS = 6
#: With more variants than this, features beside the headline are in tables alone.
MOST_DETAILED = 20
#: Panels of a figure that shows one for each headline quantity, with few variants and with many.
PANELS = (8, 3)


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Attributes:
        stem: what its files are called.
        figure: the figure.
        alt: what it shows, for those who do not see it.
        caption: how to read it.
    """

    stem: str
    figure: Figure
    alt: str
    caption: str

    def kept(self, folder: Path, *, png: bool) -> Picture:
        """Written into ``folder`` as SVG, and as PNG if asked for."""
        style.save(self.figure, folder, self.stem, png=png)
        svg = (folder / f"{self.stem}.svg").read_text(encoding="utf-8")
        return Picture(self.stem, style.for_page(svg, self.stem), self.alt, self.caption)


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure in the page: its files' stem, an SVG element that may stand in HTML as it is, and the texts."""

    stem: str
    drawing: str
    alt: str
    caption: str


class Gallery:
    """Draws the figures of a study.

    Args:
        analysis: what to draw.
        artifacts: where losses and performances are read from.
    """

    def __init__(self, analysis: Analysis, artifacts: Artifacts) -> None:
        self.analysis, self.study, self.artifacts = analysis, analysis.study, artifacts

    @property
    def _shown(self) -> list[Quantity]:
        """The quantities that have a panel of their own."""
        return self.analysis.in_order[: PANELS[len(self.study.names) > MOST_DETAILED]]

    def forest(self) -> Drawing | None:
        """Each variant's difference from the baseline; None where there is but one variant."""
        what = f"Difference of each variant from the baseline, {self.study.baseline}, with its 95 % interval."
        return self._forest("forest", self.analysis.against_baseline, what, self._reported_differences())

    def contrasts(self) -> Drawing | None:
        """The contrasts that the study names."""
        return self._forest(
            "contrasts", self.analysis.contrasts, "The study's contrasts, with their 95 % intervals.", {}
        )

    def crossed(self) -> Drawing | None:
        """Main effects and interactions."""
        what = (
            "Main effects, each level against the baseline's on average over the other axes, and interactions (x): by "
            "how much an effect changes with the level of another axis."
        )
        return self._forest("effects", self.analysis.crossed, what, {})

    def _forest(
        self, stem: str, frame: pd.DataFrame, what: str, reported: Mapping[Quantity, Mapping[str, float]]
    ) -> Drawing | None:
        panels = [
            Panel(self.analysis.label(quantity), rows, reported.get(quantity, {}))
            for quantity in self._shown
            if not (rows := self.analysis.of(frame, quantity)).empty
        ]
        if not panels:
            return None
        count = frame["comparison"].nunique()
        shown = ""
        if count > effects.MOST_ROWS:
            shown = f" The {effects.MOST_ROWS} of {count} that stand out most are drawn."
        notes = ""
        if panels[0].rows["margin"].notna().any():
            notes += " Shaded: what is too small to matter (the margin; see the floors below)."
        if reported:
            notes += " Hollow circles: differences of the values reported originally."
        return Drawing(
            stem,
            effects.forest_figure(panels),
            f"Forest plot of {count} comparisons; the table below has the numbers. {what}",
            f"{what}{notes}{shown}",
        )

    def _reported_differences(self) -> dict[Quantity, dict[str, float]]:
        """What was reported for each variant, less what was reported for the baseline."""
        found: dict[Quantity, dict[str, float]] = {}
        for key, rows in self.study.reported.groupby(["metric", "feature"], sort=False):
            values = dict(zip(rows["variant"], rows["value"], strict=True))
            base = values.pop(self.study.baseline, None)
            if base is not None and values:
                found[key] = {variant: value - base for variant, value in values.items()}  # type: ignore[index]
        return found

    def curves(self) -> list[Drawing]:
        """Each headline quantity along each numeric axis."""
        found = []
        for axis in dict.fromkeys(trend.axis for trend in self.analysis.trends):
            label = self.study.axis_labels[axis]
            found_trends = [trend for trend in self.analysis.trends if trend.axis == axis]
            panels = [
                self._curve(trend, label) for trend in found_trends if (trend.metric, trend.feature) in self._shown
            ]
            found.append(
                Drawing(
                    f"curve-{file_name(axis)}",
                    effects.curve_figure(panels),
                    f"Curves of {len(panels)} quantities along {label}.",
                    f"Along {label}: each dot is one replicate, the curve a parabola fitted to each replicate, their "
                    "mean with its 95 % interval.",
                )
            )
        return found

    def _curve(self, trend: Trend, label: str) -> CurvePanel:
        quantity = (trend.metric, trend.feature)
        baseline, of_baseline = self.study.baseline, self.analysis.of(self.analysis.floors, quantity)
        trip = of_baseline.loc[
            (of_baseline["floor"] == "round_trip") & (of_baseline["variant"].astype(str) == baseline), "mean"
        ]
        theirs = self.analysis.of(self.study.reported, quantity)
        reported = {
            float(self.study.crossed.levels[variant][trend.axis]): value
            for variant, value in zip(theirs["variant"], theirs["value"], strict=True)
            if trend.axis in self.study.crossed.levels[variant]
        }
        unit = self.analysis.of(self.analysis.replicates.quantities, quantity)["unit"].iloc[0]
        return CurvePanel(
            self.analysis.label(quantity),
            label,
            trend,
            self.analysis.bands.get((baseline, *quantity)),
            float(trip.iloc[0]) if len(trip) else None,
            reported,
            unit,
        )

    def interactions(self) -> Drawing | None:
        """Means over the first two axes of a crossed design, of the primary quantities."""
        axes = self.study.crossed.axes
        if self.analysis.crossed.empty or len(axes) < 2:
            return None
        shown = self.analysis.in_order[: 1 if len(self.study.names) > MOST_DETAILED else 3]
        panels = [self._lines(quantity, axes[0], axes[1]) for quantity in shown]
        one, other = (self.study.axis_labels[axis] for axis in axes[:2])
        return Drawing(
            "interactions",
            effects.interaction_figure(panels),
            f"Interaction plot of {one} and {other}.",
            f"Means over {one} and {other} with 95 % intervals"
            f"{', averaged over the other axes' if len(axes) > 2 else ''}. Parallel lines are effects that add up.",
        )

    def _lines(self, quantity: Quantity, one: str, other: str) -> InteractionPanel:
        crossed, labels = self.study.crossed, self.study.axis_labels
        table = self.analysis.replicates.table(*quantity)
        levels = crossed.of_axis(other)
        if all(isinstance(level, int | float) for level in levels):
            levels = sorted(levels)
        series = {}
        for level in crossed.of_axis(one):
            runs = np.stack([self._averaged(table, {one: level, other: along}) for along in levels])
            whole = runs[:, ~np.isnan(runs).any(0)]
            if whole.shape[1]:
                found = inference.interval(whole)
                series[level_name(level)] = (whole.mean(1), found.low, found.high)
        unit = self.analysis.of(self.analysis.replicates.quantities, quantity)["unit"].iloc[0]
        names = [level_name(level) for level in levels]
        return InteractionPanel(self.analysis.label(quantity), labels[other], names, series, labels[one], unit)

    def _averaged(self, table: pd.DataFrame, wanted: Mapping[str, Any]) -> Array:
        """In each replicate the mean over the variants that have these levels."""
        names = [
            name
            for name, levels in self.study.crossed.levels.items()
            if name in table.columns and all(levels.get(path) == level for path, level in wanted.items())
        ]
        return table[names].mean(axis=1).to_numpy() if names else np.full(len(table), np.nan)

    def comparison(self) -> Drawing | None:
        """Every metric's headline feature; None where nothing was measured."""
        parts = [self.analysis.of(self.study.frame, quantity) for quantity in self._shown]
        if not parts:
            return None
        return self._dots("comparison", pd.concat(parts), "the headline quantities")

    def metric(self, metric: str) -> Drawing | None:
        """Every feature of one metric; None where :meth:`comparison` shows all there is, or there are many variants."""
        frame = self.study.frame[self.study.frame["metric"] == metric]
        if len(summary.headline(frame)) == len(frame) or len(self.study.names) > MOST_DETAILED:
            return None
        return self._dots(f"metric-{file_name(metric)}", frame, f"every feature of {metric}")

    def distributions(self) -> Drawing | None:
        """The histograms behind the metrics; None where they keep none."""
        chosen = self.representatives()
        histograms = self.study.histograms[self.study.histograms["variant"].isin(chosen)]
        if histograms.empty:
            return None
        pooled = summary.distinct_histograms(summary.pooled_histograms(histograms))
        return Drawing(
            "distributions",
            values.distribution_figure(pooled, self.study.names, self._floor_histograms(pooled)),
            "Normalised histograms of the generated notes of each variant, with the reference outlined in each.",
            "Share of notes in each bin, all samples of all replicates together; the bar in a bin is one standard "
            "deviation, up and down, of the replicates' own shares. The outline is the reference; shaded, where the "
            f"shares of 95 % of replicates would lie that draw their notes from it.{self._left_out(chosen)}",
        )

    def _floor_histograms(self, pooled: pd.DataFrame) -> pd.DataFrame:
        """Those of the baseline's floors, for the histograms in ``pooled``."""
        own = self.study.floor_histograms
        own = own[(own["variant"].astype(str) == self.study.baseline) & (own["floor"] != "copy")]
        own = own.assign(variant=own["floor"]).drop(columns="floor")
        wanted = pooled[["metric", "feature"]].drop_duplicates()
        flat = summary.pooled_histograms(own.merge(wanted, on=["metric", "feature"]))
        return flat.drop(columns=["chance_low", "chance_high"])

    def representatives(self) -> list[str]:
        """The variants to draw where not all can be: the baseline, and those that differ most from it."""
        if len(self.study.names) <= MOST_HISTOGRAMS:
            return self.study.names
        rows = self.analysis.of(self.analysis.against_baseline, self.analysis.primary[0])
        order = rows.sort_values("effect", key=lambda e: -e.abs(), kind="stable")["comparison"]
        chosen = {self.study.baseline, *order[: SOME_HISTOGRAMS - 1]}
        return [name for name in self.study.names if name in chosen]

    def tradeoff(self) -> Drawing | None:
        """What a search weighs, or the first objective against how much is copied."""
        pair = self.tradeoff_pair()
        if pair is None:
            return None
        points = self.tradeoff_points(pair)
        labels = [f"{self.analysis.label(q)} ({d} is better)" for q, d in zip(pair, self._better(pair), strict=True)]
        floors = self._tradeoff_floors(pair)
        return Drawing(
            "trade-off",
            effects.tradeoff_figure(points, (labels[0], labels[1]), floors),
            f"Scatter plot of {len(points)} variants, {labels[1]} against {labels[0]}; "
            f"on the Pareto front: {', '.join(point.name for point in points if point.front)}.",
            "Means over replicates with 95 % intervals. On the dashed front are the variants that no other one beats "
            "in both; it is the front of the means, so who is on it is not sure where intervals overlap.",
        )

    def tradeoff_pair(self) -> tuple[Quantity, Quantity] | None:
        """The two quantities to set against each other, x first."""
        copying = self.analysis.copying()
        if len(self.analysis.primary) > 1:
            return self.analysis.primary[1], self.analysis.primary[0]
        if copying is None or copying == self.analysis.primary[0] or len(self.study.names) < 2:
            return None
        return copying, self.analysis.primary[0]

    def _better(self, pair: tuple[Quantity, Quantity]) -> list[str]:
        """The direction of each; copying less is better where nobody says otherwise."""
        directions = self.analysis.directions()
        return [directions[q] if directions[q] in ("lower", "higher") else "lower" for q in pair]

    def tradeoff_points(self, pair: tuple[Quantity, Quantity]) -> list[Point]:
        """The variants that have both, with who is on the front and who is closer only by copying."""
        columns = ["estimate", "low", "high"]
        parts = [self.analysis.of(self.analysis.estimates, q).set_index("variant")[columns] for q in pair]
        names = [name for name in self.study.names if all(name in part.index for part in parts)]
        values = np.array([[part.loc[name, "estimate"] for part in parts] for name in names], float)
        front = effects.on_front(values, [better == "higher" for better in self._better(pair)])
        by_copying = self.analysis.by_copying
        return [
            Point(name, _triple(parts[0], name), _triple(parts[1], name), bool(on), name in by_copying)
            for name, on in zip(names, front, strict=True)
        ]

    def _tradeoff_floors(self, pair: tuple[Quantity, Quantity]) -> dict[str, tuple[float, float]]:
        found = {}
        rows = self.analysis.floors
        rows = rows[rows["variant"].astype(str) == self.study.baseline]
        for floor in ("copy", "round_trip", "shuffled", "another_piece"):
            own = [self.analysis.of(rows, q) for q in pair]
            means = [part.loc[part["floor"] == floor, "mean"] for part in own]
            if all(len(mean) for mean in means):
                found[floor.replace("_", " ")] = (float(means[0].iloc[0]), float(means[1].iloc[0]))
        return found

    def rolls(self) -> Drawing | None:
        """The reference and a sample of each variant; None where neither can be read."""
        shown = self.artifacts.references(self.study)
        chosen = self.representatives()
        for variant, stage in self.study.first(GENERATE):
            samples = self.artifacts.performances(stage) if variant in chosen else None
            if samples:
                shown[variant] = samples[0].whole()
        if not shown:
            return None
        seconds = f"{values.ROLL_SECONDS:.0f}"
        return Drawing(
            "piano-rolls",
            values.roll_figure(shown),
            f"Piano rolls of the first {seconds} seconds of the reference and of a sample of each variant.",
            f"The first {seconds} seconds of the reference and of each variant's first sample in its first replicate. "
            f"One sample each, to look at: no evidence of a difference.{self._left_out(chosen)}",
        )

    def losses(self) -> Drawing | None:
        """The loss of every training; None where none can be read."""
        table = summary.trainings(self.study.run_frame)
        table = table[table["variant"].astype(str).isin(self.representatives())]
        curves = []
        for training, shared_by in zip(table["training"], table["shared_by"], strict=True):
            stage = self.study.stages.get(training)
            losses = self.artifacts.losses(stage) if stage else None
            if losses is not None and len(losses):
                step, loss = thinned(losses)
                curves.append(pd.DataFrame({"training": training, "shared_by": shared_by, "step": step, "loss": loss}))
        if not curves:
            return None
        groups = table["shared_by"].nunique()
        return Drawing(
            "losses",
            values.loss_figure(pd.concat(curves, ignore_index=True)),
            f"Line plot of the training loss of {len(curves)} trainings over their steps.",
            f"The mean of {len(curves)} distinct trainings{f' in {groups} groups' if groups > 1 else ''}, and their "
            "range over replicates; neighbouring steps are averaged.",
        )

    def _dots(self, stem: str, frame: pd.DataFrame, what: str) -> Drawing:
        wanted = frame[["metric", "feature"]].drop_duplicates()
        reported, estimates, floors = (
            part.merge(wanted, on=["metric", "feature"])
            for part in (self.study.reported, self.analysis.estimates, self.analysis.floors)
        )
        caption = "A dot is one replicate (the mean of its samples), a diamond the mean of them with its 95 % interval."
        if not floors.empty:
            caption += (
                " Shaded: where 95 % of the replicates would lie that draw their notes from the reference's own. "
                "Dotted: what encoding and decoding the reference costs."
            )
        caption += " A hollow circle is the value reported originally." if not reported.empty else ""
        alt = f"Dot plot of {what} by variant, {len(self.study.variants)} variants; the table has the numbers."
        figure = values.comparison_figure(frame, estimates, reported, floors)
        return Drawing(stem, figure, alt, caption + self._left_out(self.study.names[: values.MOST_ROWS]))

    def _left_out(self, shown: list[str]) -> str:
        total = len(self.study.variants)
        return f" {len(shown)} of {total} variants are shown." if total > len(shown) else ""


def _triple(estimates: pd.DataFrame, name: str) -> tuple[float, float, float]:
    """A variant's mean and the ends of its interval."""
    middle, low, high = estimates.loc[[name]].to_numpy(float)[0]
    return float(middle), float(low), float(high)
