"""The page of a study: one HTML file that needs nothing but itself, beside its figures and MIDI files."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2

from ablate.errors import AblateError, HomeError
from ablate.report import content, stats
from ablate.report.artifacts import Artifacts, file_name
from ablate.report.content import Study
from ablate.report.pictures import Gallery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.store.store import Store


@dataclasses.dataclass(frozen=True)
class Download:
    """MIDI files of a variant: links into the report, and the folders (in the home) of its other replicates."""

    variant: str
    replicate: int
    links: tuple[str, ...]
    elsewhere: tuple[tuple[int, str], ...]


def write_report(store: Store, home: Path, name: str) -> Path:
    """Write the report of a study to ``home/reports/<name>/``, whole or not at all.

    The folder holds ``index.html``, ``figures/`` (each as PNG and SVG) and ``midi/``; a report that is there already
    is replaced. The same results give the same bytes. A name that cannot be a folder's is spelt so that it can.

    Returns:
        The path of ``index.html``.

    Raises:
        UnknownName: no such study.
        AblateError: nothing has been measured yet.
        HomeError: the folder cannot be written.
    """
    study = Study.read(store, name)
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements yet, so there is nothing to report; run it first")
    target = home / "reports" / file_name(name)
    with _written_whole(target) as folder:
        (folder / "index.html").write_text(_render(study, Artifacts(home), folder), encoding="utf-8")
    return target / "index.html"


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


def _render(study: Study, artifacts: Artifacts, folder: Path) -> str:
    """The page as HTML, its figures and MIDI files written into ``folder``."""
    summary = stats.comparison(study.frame)
    gallery = Gallery(study, artifacts, folder / "figures")
    metrics = []
    for metric in dict.fromkeys(study.frame["metric"]):
        grid = content.grid(study, summary[summary["metric"] == metric], one_metric=True)
        metrics.append((metric, grid, gallery.metric(metric)))
    reported = content.reported_rows(study, summary)
    values: dict[str, Any] = {
        "study": study,
        "spec": study.record.spec,
        "facts": content.facts(study),
        "axes": content.axes(study),
        "named": content.named(study),
        "unfinished": content.unfinished(study),
        "headline": content.grid(study, stats.headline(summary)),
        "responses": stats.response_table(stats.responses(study.frame)),
        "comparison": gallery.comparison(),
        "metrics": metrics,
        "distributions": gallery.distributions(),
        "reported_averages": [row for row in reported if row.feature == stats.AVERAGE],
        "reported_rest": [row for row in reported if row.feature != stats.AVERAGE],
        "rolls": gallery.rolls(),
        "downloads": _downloads(study, artifacts, folder),
        "trainings": content.training_rows(study),
        "losses": gallery.losses(),
        "environments": content.environments(study),
        "config": content.baseline_config(study),
        "nothing": stats.NOTHING,
    }
    return _template().render(**values, missing=artifacts.missing)


def _downloads(study: Study, artifacts: Artifacts, folder: Path) -> list[Download]:
    """Copy the MIDI files of every variant's first replicate, and note where the others are."""
    (folder / "midi").mkdir()
    found = []
    for variant in study.names:
        cells = [cell for cell in study.cells if cell.variant == variant]
        stages = [(cell.replicate, stage) for cell in cells if (stage := study.stage(cell, "generate"))]
        if not stages:
            continue
        (replicate, first), *others = stages
        links = []
        for source in artifacts.midi_files(first):
            copy = f"midi/{file_name(variant)}.{source.name}"
            shutil.copyfile(source, folder / copy)
            links.append(quote(copy))
        elsewhere = tuple((number, stage.artifact) for number, stage in others)
        found.append(Download(variant, replicate, tuple(links), elsewhere))
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
