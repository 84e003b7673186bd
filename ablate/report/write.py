"""Write the report of a study: a folder with a page, figures, music, data, and the table of a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import AblateError, HomeError, UsageError, one_line
from ablate.files import file_name, remove, replaced_folder
from ablate.inside import without_links
from ablate.registry import get_registry
from ablate.report.data.artifacts import Artifacts
from ablate.report.data.study import Study
from ablate.report.figures.common.selection import representatives
from ablate.report.figures.gallery import save_figures
from ablate.report.formats import bibliography, csv, html, index, markdown
from ablate.report.formats.content import report_content
from ablate.report.formats.latex.table import latex_table
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.writing import lock_of, only_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.store.store import Store

#: The formats of a report, with the main file of each.
FORMATS = {"html": "index.html", "md": "report.md", "tex": "paper/table.tex", "csv": "data/effects.csv"}


def write_report(
    store: Store,
    home: Path,
    name: str,
    formats: Sequence[str] = ("html",),
    *,
    sound: bool = True,
    registry: Registry | None = None,
    say: Callable[[str], None] = lambda line: None,
    out: Path | None = None,
) -> Path:
    """Write the report of a study to ``home/reports/<name>/``, complete or not at all, and the index of all reports.

    Depending on the formats, the folder contains ``index.html`` with ``midi/`` and ``audio/``; ``report.md``;
    ``figures/`` for both (SVG; with Markdown PNG too); ``paper/`` (``table.tex``, ``references.bib``) and ``data/``
    (CSV), which the page links to. A new page replaces the whole folder, so no file in it is older than the page; the
    other formats are added to the folder. The same results give the same bytes. A name that is not safe for a folder
    is changed.

    Args:
        store: the database with the study.
        home: the folder with its files.
        name: the name of the study.
        formats: keys of :data:`FORMATS`.
        sound: whether to render sound, if the renderer is installed.
        registry: the components; default those that are installed.
        say: called with a line if files are damaged, so that the report lacks what is in them.
        out: a new or empty folder to write it to instead of ``home/reports/<name>/``; then the home is only read, and
            the page has no link to other reports.

    Returns:
        The path of the first format's file.

    Raises:
        UnknownName: no such study.
        AblateError: the study has no measurements yet.
        UsageError: ``out`` is a file, or not empty.
        HomeError: the folder cannot be written, leads out of the home through a link, or another command writes it.
    """
    study = Study.read(store, name)
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements yet, so there is nothing to report; run it first")
    target = _new_folder(out) if out else without_links(home, f"reports/{file_name(name)}")
    registry = registry or get_registry()
    try:
        artifacts = Artifacts(home)
        with only_writer(target), replaced_folder(target, keep="html" not in formats) as folder:
            _write_formats(
                Analysis(study, registry), artifacts, folder, formats, registry, sound=sound, alone=bool(out)
            )
        if out:
            remove(lock_of(target))  # it is in somebody's own folder
        else:
            index.write_index(home / "reports")
    except OSError as error:
        raise HomeError(
            f"the report cannot be written to {target}: {error.strerror or error}; name another folder with --output"
        ) from error
    if artifacts.damaged:
        say(f"the report lacks what is in damaged files: {artifacts.damage_line()}")
    return target / FORMATS[formats[0]]


def _new_folder(out: Path) -> Path:
    """Return the folder; raises :class:`UsageError` if something else has its name."""
    if out.is_symlink() or (out.exists() and not out.is_dir()) or (out.is_dir() and any(out.iterdir())):
        raise UsageError(f"--output {out} exists already, and a report replaces its folder; name a new or empty one")
    return out.absolute()


def write_page(
    store: Store, home: Path, name: str, folder: Path, *, sound: bool = True, registry: Registry | None = None
) -> None:
    """Write the page of a study with everything that it links to into a folder of its own, to be given away.

    The arguments are those of :func:`write_report`, and the page is the same, but without a link to other reports.

    Raises:
        UnknownName: no such study.
        AblateError: the study has no measurements yet.
    """
    study = Study.read(store, name)
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements yet, so there is nothing to report; run it first")
    registry = registry or get_registry()
    _write_formats(Analysis(study, registry), Artifacts(home), folder, ("html",), registry, sound=sound, alone=True)


def _write_formats(
    analysis: Analysis,
    artifacts: Artifacts,
    folder: Path,
    formats: Sequence[str],
    registry: Registry,
    *,
    sound: bool,
    alone: bool = False,
) -> None:
    page, as_markdown = "html" in formats, "md" in formats
    if page or "csv" in formats:
        remove(folder / "data")  # files that are not written any more
        _write_files(folder / "data", csv.csv_files(analysis, artifacts))
    if page or "tex" in formats:
        table, sources = _table(analysis, in_page=page), bibliography.bibliography(analysis.study, registry)
        _write_files(folder / "paper", {"table.tex": table, "references.bib": sources})
    if not (page or as_markdown):
        return
    figures = folder / "figures"
    remove(figures)
    figures.mkdir()
    pictures = save_figures(analysis, artifacts, figures, png=as_markdown)
    shared = report_content(analysis, artifacts, pictures)
    if page:
        variants = representatives(analysis)
        music = html.write_music(analysis, artifacts, folder, variants, registry, sound=sound)
        text, facts = (
            html.html_page({**shared, "alone": alone}, analysis, music, table),
            index.summary_json(analysis.study, shared["answer"]),
        )
        _write_files(folder, {"index.html": text, "summary.json": facts})
    if as_markdown:
        _write_files(folder, {"report.md": markdown.markdown_report(shared)})


def _table(analysis: Analysis, *, in_page: bool) -> str:
    """Return the table for a paper; in a whole report, a comment with the reason where it fits into none."""
    try:
        return latex_table(analysis).tex
    except UsageError as error:
        if not in_page:
            raise
        return f"% there is no table: {one_line(error)}\n"


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
