"""Piano rolls of the reference and of samples, for Markdown; the page draws its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import seaborn as sns
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Patch

from ablate.music import colours
from ablate.music.performance import DRUMS, pitched
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
_INSTRUMENTS = "Each instrument has a colour, brighter where it is louder; drums are in the strip below. "
#: The shortest drum note that is drawn, as a part of the time axis.
_DRUM = 1 / 400
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
    several = colours.shown(np.concatenate([roll.notes for roll in rolls.values()]))
    return Drawing(
        "piano-rolls",
        roll_figure(rolls),
        f"Piano rolls of the first {seconds} seconds of the reference and of a sample of each variant.",
        f"The first {seconds} seconds of the reference and of each variant's first sample in its first replicate. "
        f"{_INSTRUMENTS if several else ''}"
        f"These are single samples, and no evidence of a difference.{selection_note(analysis, names)}",
    )


def roll_figure(performances: Mapping[str, Performance]) -> Figure:
    """Draw piano rolls on one time axis of at most :data:`ROLL_SECONDS`, with velocity as colour.

    With several instruments, each has a colour (:mod:`ablate.music.colours`), and drums have a strip below the pitches.

    Args:
        performances: by title, in order; at least one.
    """
    notes = [performance.notes for performance in performances.values()]
    low, high = _range([pitched(part) for part in notes], "pitch", (21, 108))
    loudness = Normalize(*_range(notes, "velocity", (1, 127)))
    legend, strip = colours.shown(np.concatenate(notes)), _strip(notes, low - 2, high + 3)
    until = min(ROLL_SECONDS, max(1.0, *(performance.seconds for performance in performances.values())))
    with style.styled():
        figure = style.new_figure(0.6 + 1.3 * len(performances) + (0.3 if legend else 0))
        grid = figure.subplots(len(performances), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        bars: Any = None
        for axes, (title, performance) in zip(grid, performances.items(), strict=True):
            bars = _note_bars(performance.notes, loudness, strip, until)
            if legend:
                bars.set(array=None, color=_fills(performance.notes, loudness, legend))
            if len(strip.sounds):
                axes.axhline(strip.top, color=MUTED, linewidth=0.6)
            axes.add_collection(bars, autolim=False)
            axes.set_facecolor(_NIGHT)
            axes.grid(visible=False)
            axes.set_title(style.label(title, 60), loc="left", pad=3)
            axes.set_title(f"{len(performance):,} notes in {performance.seconds:,.0f} s", loc="right", pad=3, **_QUIET)
        grid[0].set_xlim(0, until)
        grid[0].set_ylim(strip.bottom - (0.5 if len(strip.sounds) else 0), high + 3)  # room for the lowest row
        ticks: dict[float, str] = {c: str(c) for c in range(0, 128, 24) if low - 2 <= c <= high + 3}
        ticks |= {(strip.top + strip.bottom) / 2: "drums"} if len(strip.sounds) else {}
        grid[0].set_yticks(list(ticks), list(ticks.values()))
        grid[-1].set_xlabel("seconds")
        figure.supylabel("MIDI pitch", fontsize=8, color=MUTED)
        if legend:
            marks = [Patch(color=each.colour.night, label=each.name) for each in legend]
            look: dict[str, Any] = {"facecolor": _NIGHT, "labelcolor": "w", "frameon": True, "framealpha": 1.0}
            figure.legend(handles=marks, loc="outside lower center", ncols=4, **look)
        else:
            scale = figure.colorbar(bars, ax=list(grid), aspect=40, fraction=0.02, pad=0.01)
            scale.set_label("velocity")
            scale.outline.set_visible(False)
    return figure


def _range(notes: Sequence[Array], field: str, default: tuple[int, int]) -> tuple[int, int]:
    values = np.concatenate([part[field] for part in notes])
    return (int(values.min()), int(values.max())) if len(values) else default


class _Strip(NamedTuple):
    """The place of drums below the pitches: a row for each sound, the highest one at the top; in semitones."""

    sounds: Array
    top: float
    row: float

    @property
    def bottom(self) -> float:
        return self.top - self.row * len(self.sounds)


def _strip(parts: Sequence[Array], low: int, high: int) -> _Strip:
    """Return the place of all drums below ``low``, at most a third as tall as the pitches from ``low`` to ``high``."""
    sounds = np.unique(np.concatenate([part["pitch"][part["instrument"] == DRUMS] for part in parts]))
    return _Strip(sounds, low, min(1.5, (high - low) / 3 / max(len(sounds), 1)))


def _fills(notes: Array, loudness: Normalize, legend: tuple[colours.Shown, ...]) -> Array:
    of_note = [legend[index].colour.night for index in colours.indices(notes, legend)]
    return colours.mixed(_NIGHT, of_note, np.asarray(loudness(notes["velocity"])))


def _note_bars(notes: Array, norm: Normalize, strip: _Strip, until: float) -> PolyCollection:
    """Return a bar for each note, a semitone high; an image inside an SVG, where thousands of shapes would be slow."""
    is_drum = notes["instrument"] == DRUMS
    from_top = len(strip.sounds) - 1 - np.searchsorted(strip.sounds, notes["pitch"])
    middle = np.where(is_drum, strip.top - (from_top + 0.5) * strip.row, notes["pitch"])
    half = np.where(is_drum, strip.row / 2, 0.5)
    start, end = notes["start"], np.maximum(notes["end"], np.where(is_drum, notes["start"] + _DRUM * until, 0.0))
    bottom, top = middle - half, middle + half
    corners = [(start, bottom), (end, bottom), (end, top), (start, top)]
    bars = PolyCollection(list(np.array(corners).transpose(2, 0, 1)), cmap=_VELOCITY, norm=norm, rasterized=True)
    bars.set(edgecolor="face", linewidth=0.6)  # makes the shortest notes visible
    bars.set_array(notes["velocity"].astype(float))
    return bars
