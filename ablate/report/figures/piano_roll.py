"""Piano rolls of the reference and of samples, for Markdown; the page draws its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize

from ablate.report.figures.common import style
from ablate.report.figures.common.drawing import Drawing
from ablate.report.figures.common.selection import representatives, selection_note
from ablate.report.figures.common.style import MUTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from ablate.arrays import Array
    from ablate.music.performance import Performance
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.statistics.analysis.analysis import Analysis

#: The length of a piano roll in seconds.
ROLL_SECONDS = 30.0

_NIGHT = "#15181d"  # behind the notes, in light and dark pages alike
_VELOCITY = LinearSegmentedColormap.from_list("velocity", sns.color_palette("magma", 256)[70:250])
_QUIET: dict[str, Any] = {"fontsize": 8, "fontweight": "normal", "color": MUTED}


def piano_rolls(analysis: Analysis, artifacts: Artifacts) -> Drawing | None:
    """Draw the reference and a sample of each variant; None if no file can be read."""
    rolls = artifacts.references(analysis.study)
    names = representatives(analysis)
    for variant, stage in analysis.study.first_samples():
        samples = artifacts.performances(stage) if variant in names else None
        if samples:
            rolls[variant] = samples[0].whole()
    if not rolls:
        return None
    seconds = f"{ROLL_SECONDS:.0f}"
    return Drawing(
        "piano-rolls",
        roll_figure(rolls),
        f"Piano rolls of the first {seconds} seconds of the reference and of a sample of each variant.",
        f"The first {seconds} seconds of the reference and of each variant's first sample in its first replicate. "
        f"These are single samples, and no evidence of a difference.{selection_note(analysis, names)}",
    )


def roll_figure(performances: Mapping[str, Performance]) -> Figure:
    """Draw piano rolls on one time axis of at most :data:`ROLL_SECONDS`, with velocity as colour.

    Args:
        performances: by title, in order; at least one.
    """
    notes = [performance.notes for performance in performances.values()]
    (low, high), velocities = _range(notes, "pitch", (21, 108)), _range(notes, "velocity", (1, 127))
    until = min(ROLL_SECONDS, max(1.0, *(performance.seconds for performance in performances.values())))
    with style.styled():
        figure = style.new_figure(0.6 + 1.3 * len(performances))
        grid = figure.subplots(len(performances), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        bars: Any = None
        for axes, (title, performance) in zip(grid, performances.items(), strict=True):
            bars = _note_bars(performance.notes, Normalize(*velocities))
            axes.add_collection(bars, autolim=False)
            axes.set_facecolor(_NIGHT)
            axes.grid(visible=False)
            axes.set_title(style.label(title, 60), loc="left", pad=3)
            axes.set_title(f"{len(performance):,} notes in {performance.seconds:,.0f} s", loc="right", pad=3, **_QUIET)
        grid[0].set_xlim(0, until)
        grid[0].set_ylim(low - 2, high + 3)
        grid[0].set_yticks([c for c in range(0, 128, 24) if low - 2 <= c <= high + 3])
        grid[-1].set_xlabel("seconds")
        figure.supylabel("MIDI pitch", fontsize=8, color=MUTED)
        scale = figure.colorbar(bars, ax=list(grid), aspect=40, fraction=0.02, pad=0.01)
        scale.set_label("velocity")
        scale.outline.set_visible(False)
    return figure


def _range(notes: Sequence[Array], field: str, default: tuple[int, int]) -> tuple[int, int]:
    values = np.concatenate([part[field] for part in notes])
    return (int(values.min()), int(values.max())) if len(values) else default


def _note_bars(notes: Array, norm: Normalize) -> PolyCollection:
    """Return a bar for each note, a semitone high; an image inside an SVG, where thousands of shapes would be slow."""
    start, end, pitch = notes["start"], notes["end"], notes["pitch"]
    corners = [(start, pitch - 0.5), (end, pitch - 0.5), (end, pitch + 0.5), (start, pitch + 0.5)]
    bars = PolyCollection(list(np.array(corners).transpose(2, 0, 1)), cmap=_VELOCITY, norm=norm, rasterized=True)
    bars.set(edgecolor="face", linewidth=0.6)  # makes the shortest notes visible
    bars.set_array(notes["velocity"].astype(float))
    return bars
