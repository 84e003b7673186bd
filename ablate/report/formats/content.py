"""The content that the page and Markdown share: answer, facts, tables and figures."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from ablate.printable import printable_lines
from ablate.report.data.left_out import MOST_PROBLEMS
from ablate.report.statistics.described import summary
from ablate.report.text import glossary, looks, sentences, setup
from ablate.report.text.tables import (
    blocks,
    comparisons,
    confounds,
    estimates,
    path,
    reported,
    responses,
    runs,
    shares,
    validation,
    variance,
)

if TYPE_CHECKING:
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.figures.gallery import Pictures
    from ablate.report.statistics.analysis.analysis import Analysis

TEMPLATES = Path(__file__).parent / "templates"
#: From this number of columns on, a table of the page has a row of labelled values for each variant on a tablet too.
MANY_COLUMNS = 6
#: From this number of columns on, it has one on every screen: side by side they would be wider than the page.
MOST_COLUMNS = 9


def report_content(analysis: Analysis, artifacts: Artifacts, pictures: Pictures) -> dict[str, Any]:
    """Return the values that both templates use.

    Args:
        analysis: the statistics of the study.
        artifacts: the reader that the figures were drawn with; the files that it could not read are listed.
        pictures: the figures.
    """
    study = analysis.study
    return {
        "study": study,
        "spec": study.spec,
        "answer": sentences.answer(analysis),
        "unanswered": "The study file states no predictions, so the report does not answer it.",
        "top_facts": [*setup.top_facts(study), *looks.facts(analysis)],
        "facts": setup.facts(study),
        "glossary": glossary.glossary(analysis),
        "axes": setup.axes(study),
        "named_variants": setup.named_variants(study),
        "judged": study.judged,
        "without_floors": study.floors.empty,
        "unfinished": sum(run.state not in ("done", "pruned") for run in study.runs),
        "most_problems": MOST_PROBLEMS,
        "environments": setup.environments(study),
        "command": setup.command(study),
        "not_reported": reported.left_out(study),
        "grids": _grids(analysis, artifacts),
        "pictures": pictures,
        "nothing": summary.NOTHING,
        "missing": artifacts.missing,
    }


def _grids(analysis: Analysis, artifacts: Artifacts) -> dict[str, Any]:
    study = analysis.study
    metrics = dict.fromkeys(study.frame["metric"])
    return {
        "verdicts": comparisons.verdict_grid(analysis),
        "contrasts": comparisons.contrast_grid(analysis),
        "effects": comparisons.factorial_grid(analysis),
        "path": [path.path_grid(analysis), path.round_grid(analysis)],
        "shares": shares.share_grid(analysis),
        "share_details": shares.detail_grids(analysis),
        "blocks": blocks.block_grids(analysis),
        "estimates": estimates.estimate_grid(analysis),
        "metrics": {metric: estimates.metric_grid(analysis, metric) for metric in metrics},
        "responses": responses.response_grid(study),
        # of numbers alone nothing else is known
        "confounds": confounds.confound_grid(analysis) if analysis.confounds or not study.judged else None,
        "variance": variance.variance_grid(analysis),
        "costs": runs.cost_grid(study) if any(stage.seconds for stage in study.stages.values()) else None,
        "trainings": runs.training_grid(study),
        "validation": validation.validation_grid(study, artifacts),
        "reported": [reported.reported_grid(study, averages=averages) for averages in (True, False)],
        "missing": runs.missing_grid(study),
    }


def template(name: str) -> jinja2.Template:
    """Return a template; HTML is escaped automatically, and Markdown by the filter ``md``."""
    return _environment().get_template(name)


@functools.cache
def _environment() -> jinja2.Environment:
    """Return what has compiled the templates, once for all reports of this process."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(("html.j2",), default_for_string=True, default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_without_codes,
    )
    environment.filters["md"] = _markdown_text
    environment.globals.update(many=MANY_COLUMNS, most=MOST_COLUMNS)
    return environment


def _without_codes(value: Any) -> Any:
    """Return a text without the characters that are not printable, as a page is read in terminals, too."""
    # what is marked as safe was made here, with every name in it escaped
    return printable_lines(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _markdown_text(text: str) -> str:
    """Escape text for a cell of a Markdown table, or for a line."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>|#~&" else char for char in " ".join(str(text).splitlines()))
