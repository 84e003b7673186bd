"""The page over all reports of a home."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

#: What a report says of itself.
FACTS = {"name", "question", "corpus", "profile", "runs", "updated", "answer"}
TEMPLATES = Path(__file__).parent / "templates"


def write_index(reports: Path) -> Path:
    """Write ``index.html`` over the reports in a folder, from what each has left of itself in ``summary.json``."""
    found = [summary for folder in sorted(reports.iterdir()) if (summary := _summary(folder))]
    found.sort(key=lambda summary: summary["updated"], reverse=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = reports / "index.html"
    fresh = page.with_name(f".index.{os.getpid()}")
    fresh.write_text(environment.get_template("index.html.j2").render(reports=found), encoding="utf-8")
    fresh.rename(page)
    return page


def _summary(folder: Path) -> dict[str, Any] | None:
    """What a report says of itself; None for a folder that holds none."""
    if folder.name.startswith(".") or not (folder / "index.html").is_file():
        return None
    try:
        facts: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or not facts.keys() >= FACTS:
        return None
    return {**facts, "link": f"{quote(folder.name)}/index.html"}
