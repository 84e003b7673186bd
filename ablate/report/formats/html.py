"""The report of a study: a folder that needs nothing but itself: page, figures, music, data, and a paper's table."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from ablate.errors import AblateError, HomeError
from ablate.files import file_name
from ablate.report.data.artifacts import Artifacts
from ablate.report.data.study import Study
from ablate.report.figures.gallery import Drawing, Gallery, Picture
from ablate.report.formats import audio, clips, csv, latex
from ablate.report.formats.index import write_index
from ablate.report.statistics import summary
from ablate.report.statistics.analysis import Analysis
from ablate.report.text import sentences, setup, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.store.store import Store

#: What a report can be written as, and the file to look at of each.
FORMATS = {"html": "index.html", "md": "report.md", "tex": "paper/table.tex", "csv": "data/effects.csv"}
TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    store: Store, home: Path, name: str, formats: Sequence[str] = ("html",), *, sound: bool = True
) -> Path:
    """Write the report of a study to ``home/reports/<name>/``, whole or not at all, and the index over all reports.

    The folder holds, as far as is asked for, ``index.html`` with ``midi/`` and ``audio/``, ``report.md``; ``figures/``
    for both (SVG; with Markdown PNG too); ``paper/`` (``table.tex``, ``references.bib``) and ``data/`` (CSV), which
    the page links to. A new page takes the place of all that was there, so that nothing beside it is older than it;
    other formats join what is there. The same results give the same bytes.
    A name that cannot be a folder's is spelt so that it can.

    Args:
        store: what knows the study.
        home: where its files are.
        name: the study's.
        formats: keys of :data:`FORMATS`.
        sound: whether to render audio, if the extra for that is installed.

    Returns:
        The path of the first format's file.

    Raises:
        UnknownName: no such study.
        AblateError: nothing has been measured yet.
        HomeError: the folder cannot be written.
    """
    study = Study.read(store, name)
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements yet, so there is nothing to report; run it first")
    target = home / "reports" / file_name(name)
    with _written_whole(target, keep="html" not in formats) as folder:
        _Writer(study, home, folder, sound=sound).write(formats)
    write_index(home / "reports")
    return target / FORMATS[formats[0]]


@contextlib.contextmanager
def _written_whole(target: Path, *, keep: bool) -> Iterator[Path]:
    """A new folder that takes the place of ``target`` once it is filled; with ``keep`` it begins with what is there."""
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    old = fresh.with_name(f"{fresh.name}.old")
    try:
        if keep and target.exists():
            shutil.copytree(target, fresh)
        fresh.mkdir(parents=True, exist_ok=True)
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


class _Writer:
    """Writes the parts of one report."""

    def __init__(self, study: Study, home: Path, folder: Path, *, sound: bool) -> None:
        self.study, self.analysis, self.artifacts = study, Analysis(study), Artifacts(home)
        self.home, self.folder, self.sound = home, folder, sound

    def write(self, formats: Sequence[str]) -> None:
        """The files of each format."""
        page, markdown = "html" in formats, "md" in formats
        if page or "csv" in formats:
            self._files("data", csv.csv_files(self.analysis))
        if page or "tex" in formats:
            table, sources = latex.latex_table(self.analysis), latex.bibliography(self.study)
            self._files("paper", {"table.tex": table, "references.bib": sources})
        if page or markdown:
            shutil.rmtree(self.folder / "figures", ignore_errors=True)
            pictures = self._pictures(png=markdown)
            if page:
                self._files("", {"index.html": self._page(pictures), "summary.json": self._summary()})
            if markdown:
                self._files("", {"report.md": self._markdown(pictures)})

    def _files(self, folder: str, files: dict[str, str]) -> None:
        (self.folder / folder).mkdir(exist_ok=True)
        for name, text in files.items():
            (self.folder / folder / name).write_text(text, encoding="utf-8")

    def _pictures(self, *, png: bool) -> dict[str, Any]:
        gallery, folder = Gallery(self.analysis, self.artifacts), self.folder / "figures"
        folder.mkdir()

        def kept(drawing: Drawing | None) -> Picture | None:
            return drawing.kept(folder, png=png) if drawing else None

        metrics = dict.fromkeys(self.study.frame["metric"])
        return {
            "forest": kept(gallery.forest()),
            "contrasts": kept(gallery.contrasts()),
            "crossed": kept(gallery.crossed()),
            "curves": [kept(curve) for curve in gallery.curves()],
            "interactions": kept(gallery.interactions()),
            "comparison": kept(gallery.comparison()),
            "distributions": kept(gallery.distributions()),
            "tradeoff": kept(gallery.tradeoff()),
            "rolls": kept(gallery.rolls()) if png else None,  # the page draws its own
            "losses": kept(gallery.losses()),
            "metrics": {metric: kept(gallery.metric(metric)) for metric in metrics},
            "representatives": gallery.representatives(),
        }

    def _grids(self) -> dict[str, Any]:
        analysis, study = self.analysis, self.study
        metrics = dict.fromkeys(study.frame["metric"])
        contrasts = tables.comparison_grid(analysis, analysis.contrasts, "The study's contrasts", "contrast")
        crossed = tables.comparison_grid(analysis, analysis.crossed, "Main effects and interactions", "effect")
        return {
            "verdicts": tables.verdict_grid(analysis),
            "contrasts": contrasts,
            "crossed": crossed,
            "estimates": tables.estimate_grid(analysis),
            "metrics": {metric: tables.metric_grid(analysis, metric) for metric in metrics},
            "responses": tables.response_grid(study),
            "confounds": tables.confound_grid(analysis),
            "costs": tables.cost_grid(study),
            "trainings": tables.training_grid(study),
            "reported": [tables.reported_grid(analysis, averages=averages) for averages in (True, False)],
            "missing": tables.missing_grid(study),
        }

    def _common(self, pictures: dict[str, Any]) -> dict[str, Any]:
        study = self.study
        return {
            "study": study,
            "spec": study.spec,
            "answer": sentences.answer(self.analysis),
            "top_facts": setup.top_facts(study),
            "facts": setup.facts(study),
            "axes": setup.axes(study),
            "named": setup.named(study),
            "unfinished": sum(run.state not in ("done", "pruned") for run in study.runs),
            "environments": setup.environments(study),
            "command": setup.command(study),
            "grids": self._grids(),
            "pictures": pictures,
            "nothing": summary.NOTHING,
        }

    def _page(self, pictures: dict[str, Any]) -> str:
        downloads = clips.downloads(self.study, self.artifacts, self.folder)
        cache = self.home / "audio"
        heard = clips.Listening(self.study, self.artifacts, self.folder, cache, downloads, sound=self.sound)
        recordings = heard.clips(pictures["representatives"])
        script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
        values = {
            **self._common(pictures),
            "downloads": downloads,
            "clips": recordings,
            "clips_json": csv.for_script([{"id": c.id, "notes": c.notes, "primer": c.primer_ms} for c in recordings]),
            "measurements_json": csv.measurements_json(self.analysis),
            "configurations": setup.configurations(self.study),
            "table_tex": (self.folder / "paper" / "table.tex").read_text(encoding="utf-8"),
            "no_sound": "" if any(clip.audio for clip in recordings) else _no_sound(asked=self.sound),
            "seconds": round(clips.SECONDS),
            "script": script,
            "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        }
        return _environment().get_template("page.html.j2").render(**values, missing=self.artifacts.missing)

    def _markdown(self, pictures: dict[str, Any]) -> str:
        return _environment().get_template("report.md.j2").render(**self._common(pictures))

    def _summary(self) -> str:
        """What the index over all reports says of this one."""
        record, found = self.study.record, sentences.answer(self.analysis)
        lines = [line.text for line in found.blocks[0].lines] if found.blocks else []
        done = sum(run.state == "done" for run in self.study.runs)
        summary = {
            "name": record.name,
            "question": self.study.spec.get("question", ""),
            "corpus": record.corpus,
            "profile": record.profile,
            "runs": f"{done} of {len(self.study.runs)}",
            "updated": f"{record.updated:%Y-%m-%d %H:%M}" if record.updated else "",
            "answer": lines[:3],
        }
        return json.dumps(summary, indent=1, ensure_ascii=False)


def _no_sound(*, asked: bool) -> str:
    if not asked:
        return "This report was written without sound (--no-audio)."
    if audio.available():
        return "No sample of this study could be read, so there is nothing to hear."
    return f"To hear them, install the renderer ({audio.INSTALL}) and write the report again."


def _markdown_cell(text: str) -> str:
    """Text for a cell of a Markdown table, or for a line."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>|#~&" else char for char in " ".join(str(text).splitlines()))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(("html.j2",), default_for_string=True, default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["md"] = _markdown_cell
    return environment
