"""The place of a study's report in its home, and whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.files import file_name

if TYPE_CHECKING:
    from pathlib import Path

#: The file in the folder of a report that could not be drawn again.
OUTDATED = "outdated.txt"


def report_page(home: Path, study: str) -> Path:
    """Return the path of the page of a study's report, which need not exist."""
    return home / "reports" / file_name(study) / "index.html"


def has_report(home: Path, study: str) -> bool:
    """Return whether a study has a report that was drawn at the last try."""
    page = report_page(home, study)
    return page.is_file() and not page.with_name(OUTDATED).exists()
