"""How figures look, and how they get into files and into the page.

Colours tell variants apart, also for colour-blind eyes; the reference is always ink. In the page, ink and paper
become the page's own colours, so that one figure serves its light and its dark form.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

INK = "#1c2126"
MUTED = "#69717a"
LINES = "#d9dde2"
PAPER = "#fefefe"
ACCENT = "#0173b2"
#: What a verdict looks like, in every figure; in the page the same colours stand behind its words.
VERDICTS = {
    "better": "#0173b2",
    "worse": "#d55e00",
    "higher": "#a55194",
    "lower": "#a55194",
    "no difference that matters": MUTED,
    "cannot tell": MUTED,
}
#: Of every figure, in inches.
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
    """Matplotlib's settings while a figure is made or saved; those of the caller come back afterwards."""
    settings: dict[Any, Any] = {**sns.axes_style("white"), **_RC}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # a name in another script: the page's fonts know it, and in a PNG it is a box
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def new_figure(height: float) -> Figure:
    """An empty figure of :data:`WIDTH` by ``height`` inches that pyplot does not know of."""
    return Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(w_pad=0.08, wspace=0.02))


def colours(variants: Sequence[str]) -> dict[str, str]:
    """A colour for each variant: the same for the same place in the study, whatever the figure."""
    if len(variants) <= len(_PALETTE):
        return dict(zip(variants, _PALETTE, strict=False))
    shades = sns.color_palette("viridis", round(len(variants) * 1.1))  # the last tenth is too pale on paper
    return dict(itertools.islice(zip(variants, shades.as_hex(), strict=False), len(variants)))


def label(text: str, longest: int = 28) -> str:
    """A name fit for a figure: printable characters, a line for each axis if it is long, shortened in the middle."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    lines = clean.split(", ") if len(clean) > longest else [clean]
    return ",\n".join(_shortened(line, longest) for line in lines)


def _shortened(line: str, longest: int) -> str:
    half = (longest - 1) // 2
    return line if len(line) <= longest else f"{line[:half]}…{line[-half:]}"


def save(figure: Figure, folder: Path, stem: str, *, png: bool) -> None:
    """Write ``stem.svg``, and ``stem.png`` if asked for; the same figure gives the same bytes."""
    nameless: dict[str, Any] = {"Date": None, "Creator": None}
    with styled():
        engine = figure.get_layout_engine()
        if engine:  # laid out here and then no more, or every file would draw the figure twice
            engine.execute(figure)
            figure.set_layout_engine("none")
        figure.set_dpi(150)
        # not savefig, which draws a figure once more to find out how large it is
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(folder / f"{stem}.svg", metadata=nameless)
        if png:
            figure.savefig(folder / f"{stem}.png", dpi=150, metadata={"Software": None})


def for_page(svg: str, prefix: str) -> str:
    """An SVG file's text as an element of an HTML page.

    Without prolog, metadata and namespaces, in the page's colours, and with ids that no other figure has.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, count=1, flags=re.DOTALL)
    opening, rest = svg.split(">", 1)
    view_box = re.search(r'viewBox="[^"]*"', opening)
    opening = f'<svg {view_box[0] if view_box else ""} aria-hidden="true"'
    rest = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{prefix}-", rest)
    for colour, variable in _THEME.items():
        rest = rest.replace(colour, variable)
    return f"{opening}>{rest}"
