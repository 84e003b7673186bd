"""A figure of a report with its texts, and the same figure in the page."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.report.figures.common import style

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Attributes:
        stem: the name of its files without suffix.
        figure: the figure.
        alt: a description for people who do not see it.
        caption: how to read it.
    """

    stem: str
    figure: Figure
    alt: str
    caption: str

    def save(self, folder: Path, *, png: bool) -> Picture:
        """Write the figure into ``folder`` as SVG, and as PNG on request."""
        style.save(self.figure, folder, self.stem, png=png)
        svg = (folder / f"{self.stem}.svg").read_text(encoding="utf-8")
        return Picture(self.stem, style.for_page(svg, self.stem), self.alt, self.caption)


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure in the page: the stem of its files, an SVG element that is safe in HTML, and the texts."""

    stem: str
    drawing: str
    alt: str
    caption: str
