"""The report as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.report.formats.content import template

if TYPE_CHECKING:
    from collections.abc import Mapping


def markdown_report(shared: Mapping[str, Any]) -> str:
    """Return the text of ``report.md``; ``shared`` is from :func:`ablate.report.formats.content.report_content`."""
    return template("report.md.j2").render(shared)
