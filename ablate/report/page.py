"""The page of a study: one HTML file that needs nothing but itself, beside its figures and MIDI files."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2
import pandas as pd
from markupsafe import Markup

from ablate.errors import AblateError, HomeError
from ablate.report import content, figures, stats, style
from ablate.report.artifacts import Artifacts, thinned
from ablate.report.content import Study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from ablate.music.performance import Performance
    from ablate.store.records import CellRecord
    from ablate.store.store import Store

#: More variants than this are not drawn one under another; tables always show them all.
MOST_PANELS = 40


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure in the page: its files' stem, the drawing, and what it shows in words."""

    stem: str
    drawing: Markup
    alt: str
    caption: str


@dataclasses.dataclass(frozen=True)
class Download:
    """The MIDI files of a variant: links into the report, and the folders (in the home) of its other replicates."""

    variant: str
    replicate: int
    links: tuple[str, ...]
    elsewhere: tuple[str, ...]


def write_report(store: Store, home: Path, name: str) -> Path:
    """Write the report of a study to ``home/reports/<name>/``, whole or not at all.

    The folder holds ``index.html``, ``figures/`` (each as PNG and SVG) and ``midi/``; a report that is there
    already is replaced. The same results give the same bytes. A name that is no file name is spelt so that it is one.

    Returns:
        The path of ``index.html``.

    Raises:
        UnknownName: no such study.
        AblateError: nothing has been measured yet.
        HomeError: the folder cannot be written.
    """
    study = Study.read(store, name)
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements to report yet; see what happened with: ablate study run")
    target = home / "reports" / file_name(name)
    with _written_whole(target) as folder:
        (folder / "figures").mkdir()
        (folder / "midi").mkdir()
        page = _Page(study, Artifacts(home), folder).render()
        (folder / "index.html").write_text(page, encoding="utf-8")
    return target / "index.html"


def file_name(name: str) -> str:
    """``name`` where it can be a file's, otherwise something like it that no other name gives."""
    safe = re.sub(r"[^A-Za-z0-9@=,+_.-]", "_", name)[:80]
    safe = re.sub(r"^[.-]", "_", safe)
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def _written_whole(target: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``target`` once it is filled."""
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    old = fresh.with_name(f"{fresh.name}.old")
    try:
        fresh.mkdir(parents=True)
        yield fresh
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except OSError as error:
        if old.exists() and not target.exists():
            old.rename(target)
        raise HomeError(f"the report cannot be written to {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


class _Page:
    """Draws, copies and renders one report into ``folder``."""

    def __init__(self, study: Study, artifacts: Artifacts, folder: Path) -> None:
        self.study, self.artifacts, self.folder = study, artifacts, folder
        self.summary = stats.comparison(study.frame)

    def render(self) -> str:
        """The page as HTML."""
        study = self.study
        reported = content.reported_rows(study, self.summary)
        values: dict[str, Any] = {
            "study": study,
            "spec": study.record.spec,
            "facts": content.facts(study),
            "axes": content.axes(study),
            "unfinished": content.unfinished(study),
            "headline": content.grid(study, stats.headline(self.summary)),
            "comparison": self._comparison("comparison", stats.headline(study.frame), "every metric"),
            "metrics": [self._metric(metric) for metric in dict.fromkeys(study.frame["metric"])],
            "distributions": self._distributions(),
            "reported_averages": [row for row in reported if row.feature == stats.AVERAGE],
            "reported_rest": [row for row in reported if row.feature != stats.AVERAGE],
            "rolls": self._rolls(),
            "downloads": self._downloads(),
            "trainings": content.training_rows(study),
            "losses": self._losses(),
            "environments": content.environments(study),
            "config": content.baseline_config(study),
        }
        return _template().render(**values, missing=self.artifacts.missing)

    def _picture(self, stem: str, figure: Figure, alt: str, caption: str) -> Picture:
        folder = self.folder / "figures"
        style.save(figure, folder, stem)
        svg = (folder / f"{stem}.svg").read_text(encoding="utf-8")
        return Picture(stem, Markup(style.for_page(svg, stem)), alt, caption)  # noqa: S704 - matplotlib escapes names

    def _comparison(self, stem: str, frame: pd.DataFrame, what: str) -> Picture:
        reported = self.study.reported.merge(frame[["metric", "feature"]].drop_duplicates())
        alt = (
            f"Dot plot of {what} for each of {len(self.study.variants)} variants; the table before it has the numbers."
        )
        caption = "Each dot is one replicate (the mean of its samples), each diamond their mean, its bar one sd."
        if not reported.empty:
            caption += " A cross is the value reported originally."
        return self._picture(stem, figures.comparison_figure(frame, reported), alt, caption)

    def _metric(self, metric: str) -> tuple[str, content.Grid, Picture | None]:
        """A metric's table, and its figure unless the first one shows the same."""
        frame = self.study.frame[self.study.frame["metric"] == metric]
        grid = content.grid(self.study, self.summary[self.summary["metric"] == metric], one_metric=True)
        if len(grid.columns) == len(stats.headline(frame)["feature"].unique()):
            return metric, grid, None
        return metric, grid, self._comparison(f"metric-{file_name(metric)}", frame, f"every feature of {metric}")

    def _distributions(self) -> Picture | None:
        histograms = self.study.histograms
        histograms = histograms[histograms["variant"].isin(self.study.names[:MOST_PANELS])]
        if histograms.empty:
            return None
        figure = figures.distribution_figure(stats.pooled_histograms(histograms), self.study.names)
        alt = "Normalised histograms of the generated notes of each variant, with the reference outlined in each."
        caption = (
            "Shares of notes in each bin, all samples of all replicates together; the darker band is one standard "
            f"deviation of the replicates' own shares. The outline is the reference.{self._shown()}"
        )
        return self._picture("distributions", figure, alt, caption)

    def _shown(self) -> str:
        total = len(self.study.variants)
        return f" The first {MOST_PANELS} of {total} variants are shown." if total > MOST_PANELS else ""

    def _first(self, stage: str) -> dict[str, CellRecord]:
        """For each variant the cell of the first replicate in which ``stage`` has finished."""
        found: dict[str, CellRecord] = {}
        for cell in self.study.cells:
            if self.study.stage(cell, stage):
                found.setdefault(cell.variant, cell)
        return found

    def _rolls(self) -> Picture | None:
        shown = self._references()
        for variant, cell in list(self._first("generate").items())[:MOST_PANELS]:
            stage = self.study.stage(cell, "generate")
            samples = self.artifacts.performances(stage) if stage else None
            if samples:
                shown[variant] = samples[0]
        if not shown:
            return None
        seconds = f"{figures.ROLL_SECONDS:.0f}"
        return self._picture(
            "piano-rolls",
            figures.roll_figure(shown),
            f"Piano rolls of the first {seconds} seconds of the reference and of a sample of each variant.",
            f"The first {seconds} seconds of the reference and of each variant's first sample in its first replicate: "
            f"one sample each, so no evidence of a difference.{self._shown()}",
        )

    def _references(self) -> dict[str, Performance]:
        """The first performance of the corpus, or of each corpus where the corpus is an axis."""
        cells = self._first("load").values()
        loads = {load.fingerprint: (load, cell) for cell in cells if (load := self.study.stage(cell, "load"))}
        found = {}
        for load, cell in loads.values():
            performances = self.artifacts.performances(load)
            if performances:
                title = "reference" if len(loads) == 1 else f"reference of {cell.variant}"
                name = performances[0].name
                found[f"{title}: {name}" if name else title] = performances[0]
        return found

    def _losses(self) -> Picture | None:
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
        alt = f"Line plot of the training loss of {len(curves)} trainings over their steps."
        caption = f"One line for each of {len(curves)} trainings, averaged over neighbouring steps."
        return self._picture("losses", figures.loss_figure(pd.concat(curves, ignore_index=True)), alt, caption)

    def _downloads(self) -> list[Download]:
        """Copy the MIDI files of every variant's first replicate, and note where the others are."""
        found = []
        for variant, first in self._first("generate").items():
            stages = [
                (cell.replicate, stage)
                for cell in self.study.cells
                if cell.variant == variant and (stage := self.study.stage(cell, "generate"))
            ]
            links = []
            for source in self.artifacts.midi_files(stages[0][1]):
                copy = f"midi/{file_name(variant)}.{source.name}"
                shutil.copyfile(source, self.folder / copy)
                links.append(quote(copy))
            elsewhere = tuple(f"{stage.artifact} (replicate {replicate})" for replicate, stage in stages[1:])
            found.append(Download(variant, first.replicate, tuple(links), elsewhere))
        return found


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("page.html.j2")
