"""The report as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.formats.content import report_content, template

if TYPE_CHECKING:
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.figures.gallery import Pictures
    from ablate.report.statistics.analysis import Analysis


def markdown_report(analysis: Analysis, artifacts: Artifacts, pictures: Pictures) -> str:
    """Return the text of ``report.md``; see :func:`ablate.report.formats.content.report_content`."""
    return template("report.md.j2").render(report_content(analysis, artifacts, pictures))
