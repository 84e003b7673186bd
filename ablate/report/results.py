"""The results of a study in Python and in notebooks."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import HomeError, UnknownName
from ablate.report.data.artifacts import Artifacts
from ablate.report.data.study import Study
from ablate.report.figures.gallery import Drawing, Gallery
from ablate.report.statistics.analysis import Analysis
from ablate.report.text.sentences import Answer, answer
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure


#: The figures that :meth:`StudyResults.figure` draws, where a study has them.
FIGURES: dict[str, Callable[[Gallery], Drawing | None]] = {
    "forest": Gallery.forest,
    "contrasts": Gallery.contrasts,
    "effects": Gallery.crossed,
    "curve": lambda gallery: next(iter(gallery.curves()), None),
    "interactions": Gallery.interactions,
    "values": Gallery.comparison,
    "distributions": Gallery.distributions,
    "trade-off": Gallery.tradeoff,
    "losses": Gallery.losses,
}


def load_results(name: str, home: str | os.PathLike[str] | None = None, store: str | None = None) -> StudyResults:
    """The results of a study that has been run.

    Args:
        name: as ``ablate study list`` says it (``"tau_sweep"``, ``"tau_sweep@smoke"``).
        home: the folder with the results; default ``$ABLATE_HOME``, or else ``.ablate``.
        store: the SQLAlchemy URL of another database than the home's own.

    Raises:
        HomeError: nothing has been run there.
        UnknownName: no such study in it, with a suggestion.
        StoreError: the database cannot be opened.
    """
    folder = Path(home if home is not None else os.environ.get("ABLATE_HOME", ".ablate")).resolve()
    if store is None and not (folder / "ablate.db").is_file():
        raise HomeError(f"no studies have been run in {folder}; run one, or give another home")
    with Store(store or f"sqlite:///{folder / 'ablate.db'}") as opened:
        return StudyResults(Study.read(opened, name), folder)


class StudyResults:
    """What a study measured and shows; read once, as it was then.

    In Jupyter it shows itself as its question and verdicts. Everything else is asked for:

        results = ablate.load_results("tau_sweep")
        results.frame()             # one row for each measurement
        results.effects()           # one row for each comparison, with interval, p and verdict
        results.figure("forest")    # a matplotlib figure
    """

    def __init__(self, study: Study, home: Path) -> None:
        self._study, self._home = study, home
        self._analysis = Analysis(study)

    @property
    def name(self) -> str:
        """The study's."""
        return self._study.record.name

    @property
    def variants(self) -> list[str]:
        """The variants' names, in order."""
        return self._study.names

    def frame(self) -> pd.DataFrame:
        """Every measurement, tidy: one row for each sample, metric and feature.

        Columns: ``study``, ``variant``, one for each axis, ``baseline``, ``replicate``, ``sample``, ``metric``,
        ``feature``, ``value``, ``unit``, ``direction``, ``n``.
        """
        return self._study.frame.copy()

    def estimates(self) -> pd.DataFrame:
        """Every variant by itself: mean over replicates with its 95 % interval, for each metric and feature."""
        return self._analysis.estimates.copy()

    def effects(self) -> pd.DataFrame:
        """Every comparison: ``kind``, ``comparison``, ``versus``, quantity, ``difference`` with its interval, verdict.

        See docs/statistics.md for what each column is.
        """
        return self._analysis.everything.drop(columns="values")

    def floors(self) -> pd.DataFrame:
        """What each metric says where no model is at fault: mean and spread by variant, metric, feature and floor."""
        return self._analysis.floors.copy()

    def runs(self) -> pd.DataFrame:
        """Every run: state, training loss, tokens seen, seconds, notes in a sample."""
        return self._study.run_frame.copy()

    def verdicts(self) -> Answer:
        """What the top of the report says: sentences with their verdicts, and warnings."""
        return answer(self._analysis)

    def figure(self, kind: str = "forest") -> Figure:
        """A figure of the report, to show, change or save.

        Args:
            kind: one of :data:`FIGURES`.

        Raises:
            UnknownName: no such figure, or this study has none of that kind.
        """
        if kind not in FIGURES:
            raise UnknownName("figure", kind, FIGURES)
        gallery = Gallery(self._analysis, Artifacts(self._home))
        drawing = FIGURES[kind](gallery)
        if drawing is None:
            figures = [name for name, draw in FIGURES.items() if draw(gallery)]
            raise UnknownName("figure", kind, figures, where="of this study")
        return drawing.figure

    def __repr__(self) -> str:
        done = sum(run.state == "done" for run in self._study.runs)
        return f"<results of {self.name}: {len(self.variants)} variants, {done} of {len(self._study.runs)} runs done>"

    def _repr_html_(self) -> str:
        """What Jupyter shows: the question, the verdicts, what to know before believing them."""
        found, question = self.verdicts(), html.escape(str(self._study.spec.get("question", "")))
        parts = [f"<h3>{html.escape(self.name)}</h3><p>{question}</p>"]
        for block in found.blocks:
            lines = "".join(f"<li>{html.escape(line.text)}</li>" for line in block.lines)
            parts.append(f"<p><strong>{html.escape(block.heading)}</strong></p><ul>{lines}</ul>")
        if found.warnings:
            lines = "".join(f"<li>{html.escape(warning)}</li>" for warning in found.warnings)
            parts.append(f"<p><strong>Before you believe a difference</strong></p><ul>{lines}</ul>")
        return "".join(parts)
