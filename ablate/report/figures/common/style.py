"""The style of all figures, and how they are written to files and into the page.

Variants have colours that colour-blind people can distinguish; the reference is always ink. In the page, ink and paper
become the colours of the page, so that the same figure works in light and dark mode.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

INK = "#1c2126"
MUTED = "#69717a"
LINES = "#d9dde2"
PAPER = "#fefefe"
ACCENT = "#0173b2"
#: The colour of each verdict in figures; the page uses the same colours.
VERDICTS = {
    "better": "#0173b2",
    "worse": "#d55e00",
    "higher": "#a55194",
    "lower": "#a55194",
    "equivalent": MUTED,
    "alike": MUTED,
    "inconclusive": MUTED,
    "": MUTED,
}
#: The mark of a value published elsewhere, in every figure; no verdict and no floor in the same figure has it.
REPORTED: dict[str, Any] = {"marker": "x", "color": INK}
#: The width of every figure, in inches.
WIDTH = 9.6

_THEME = {INK: "var(--ink)", MUTED: "var(--muted)", LINES: "var(--lines)", PAPER: "var(--paper)"}
# seaborn's "colorblind" without black, grey and yellow: those are for the reference, or too pale on paper
_PALETTE = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#56b4e9", "#ca9161")
_RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINES,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titley": 1.0,  # no axis is on top, so there is no need to compute this place
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "figure.facecolor": PAPER,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "grid.color": LINES,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "ablate",
    "text.color": INK,
    "text.parse_math": False,  # a variant's name may hold dollar signs
    "xtick.bottom": False,
    "xtick.color": LINES,
    "xtick.labelcolor": MUTED,
    "xtick.labelsize": 8,
    "ytick.color": LINES,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
    "ytick.left": False,
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Set matplotlib's settings inside the context; the caller's settings are restored afterwards."""
    settings: dict[Any, Any] = {**sns.axes_style("white"), **_RC}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # for names in another script: the browser has a font for them, and a PNG shows boxes
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


class ShownFigure(Figure):
    """A figure that Jupyter displays although it is not registered in pyplot."""

    def _repr_png_(self) -> bytes:
        """Return the figure as a picture."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def new_figure(height: float) -> Figure:
    """Return an empty figure of :data:`WIDTH` by ``height`` inches that is not registered in pyplot."""
    return ShownFigure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(w_pad=0.08, wspace=0.02))


def panel_grid(count: int, most_columns: int, *, top: float, row: float, **subplots: Any) -> tuple[Figure, list[Axes]]:
    """Return a new figure and the axes of its panels, in the rows that they need; call it inside :func:`styled`.

    Args:
        count: the number of panels, at least one.
        most_columns: the most panels side by side.
        top: inches above the panels.
        row: inches of a row of panels.
        subplots: options of ``Figure.subplots``.
    """
    columns = min(count, most_columns)
    rows = -(-count // columns)
    figure = new_figure(top + rows * row)
    grid = figure.subplots(rows, columns, squeeze=False, **subplots).ravel()
    for axes in grid[count:]:
        axes.set_axis_off()
    return figure, list(grid[:count])


def colours(variants: Sequence[str]) -> dict[str, str]:
    """Return a colour for each variant: it depends on the variant's position in the study only."""
    if len(variants) <= len(_PALETTE):
        return dict(zip(variants, _PALETTE, strict=False))
    shades = sns.color_palette("viridis", round(len(variants) * 1.1))  # the last tenth is too pale on paper
    return dict(itertools.islice(zip(variants, shades.as_hex(), strict=False), len(variants)))


def dashes(names: Sequence[str]) -> dict[str, Any]:
    """Return a style of line for each name, so that lines are known by more than their colour."""
    return dict(zip(names, itertools.cycle(("-", "--", "-.", ":"))))


def label(text: str, longest: int = 28) -> str:
    """Return a name for a figure: printable characters, a line for each axis if it is long, shortened in the middle."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    lines = clean.split(", ") if len(clean) > longest else [clean]
    return ",\n".join(_shorten(line, longest) for line in lines)


def title(text: str, longest: int = 21) -> str:
    """Return the name of a quantity above a panel: metric and feature on lines of their own if it is long."""
    return "\n".join(label(line, longest) for line in (text.split(" ", 1) if len(text) > longest else [text]))


def value_label(unit: str, better: str = "") -> str:
    """Return the label of an axis of values: the unit if there is one, and the better direction."""
    return " · ".join(filter(None, (unit if unit != "1" else "", better)))


def keep_shares(axes: Axes, axis: str) -> None:
    """Limit an axis of shares to the range 0 to 1; call it at the end, because a limit stops the axis from growing."""
    low, high = getattr(axes, f"get_{axis}lim")()
    getattr(axes, f"set_{axis}lim")(max(low, 0.0), min(high, 1.0))


def _shorten(line: str, longest: int) -> str:
    half = (longest - 1) // 2
    return line if len(line) <= longest else f"{line[:half]}…{line[-half:]}"


def save(figure: Figure, folder: Path, stem: str, *, png: bool) -> None:
    """Write ``stem.svg``, and ``stem.png`` on request; the same figure gives the same bytes."""
    metadata: dict[str, Any] = {"Date": None, "Creator": None}
    with styled():
        engine = figure.get_layout_engine()
        if engine:  # the layout is computed once, otherwise every file would draw the figure twice
            engine.execute(figure)
            figure.set_layout_engine("none")
        figure.set_dpi(150)
        # not savefig, which draws the figure a second time to find its size
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(folder / f"{stem}.svg", metadata=metadata)
        if png:
            figure.set_dpi(150)  # an SVG has its own
            canvas = FigureCanvasAgg(figure)
            canvas.print_png(folder / f"{stem}.png", metadata={"Software": None})


def for_page(svg: str, prefix: str) -> str:
    """Return the text of an SVG file as an element of an HTML page.

    It has no prolog, metadata and namespaces, the colours of the page, and ids that no other figure has.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, count=1, flags=re.DOTALL)
    opening, body = svg.split(">", 1)
    view_box = re.search(r'viewBox="[^"]*"', opening)
    opening = f'<svg {view_box[0] if view_box else ""} aria-hidden="true"'
    body = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{prefix}-", body)
    for colour, variable in _THEME.items():
        body = body.replace(colour, variable)
    return f"{opening}>{body}"
