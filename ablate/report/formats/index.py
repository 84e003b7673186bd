"""The page that lists all reports of a home."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ablate.errors import UnsafePath
from ablate.files import write_whole
from ablate.inside import inside
from ablate.printable import escaped_json
from ablate.report.formats.content import template
from ablate.writing import only_writer

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.report.data.study import Study
    from ablate.report.text.sentences import Answer

#: The file in which each report describes itself.
SUMMARY = "summary.json"
#: The most sentences of an answer in the list.
MOST_LINES = 3


@dataclasses.dataclass(frozen=True)
class Entry:
    """A report in the list; a fact that its version of the software did not write is an empty text.

    Attributes:
        link: to its page.
        name: of the study.
        question: of the study.
        corpus: of the study.
        profile: of the study.
        runs: how many are done, as text.
        updated: date and time (UTC) of the last execution.
        hypothesis: its answer; empty if the study file states no predictions.
        answer: the first sentences; a caveat about copies is part of its sentence.
        warnings: the number of reasons for caution; 0 if unknown.
    """

    link: str
    name: str
    question: str
    corpus: str
    profile: str
    runs: str
    updated: str
    hypothesis: str
    answer: tuple[str, ...]
    warnings: int


def summary_json(study: Study, answer: Answer) -> str:
    """Return the content of a report's ``summary.json``: the facts of :class:`Entry` without the link."""
    done = sum(run.state == "done" for run in study.runs)
    facts = {
        "name": study.record.name,
        "question": study.spec.get("question", ""),
        "corpus": study.record.corpus,
        "profile": study.record.profile,
        "runs": f"{done} of {len(study.runs)}",
        "updated": f"{study.record.updated:%Y-%m-%d %H:%M}" if study.record.updated else "",
        "hypothesis": answer.hypothesis.heading if answer.hypothesis else "",
        "predictions": [line.text for line in answer.hypothesis.lines] if answer.hypothesis else [],
        "answer": _first_sentences(answer),
        "warnings": list(answer.warnings),
    }
    return escaped_json(json.dumps(facts, indent=1, ensure_ascii=False))


def _first_sentences(answer: Answer) -> list[str]:
    """Return the sentence about the best variant, then the first verdicts."""
    lines = answer.blocks[0].lines if answer.blocks else ()
    best = [line for line in lines if line.best]
    return [line.text for line in [*best, *(line for line in lines if not line.best)][:MOST_LINES]]


def write_index(reports: Path) -> Path:
    """Write ``index.html``, which lists the reports in a folder by their ``summary.json``.

    Reports of older versions are listed with the facts that they have; folders that cannot be listed are counted.
    """
    shown = (path for path in sorted(reports.iterdir()) if not path.name.startswith("."))
    folders = [path for path in shown if path.is_dir() and not path.is_symlink()]
    entries = [entry for folder in folders if (entry := _entry(folder))]
    unlisted = len(folders) - len(entries)
    entries.sort(key=lambda entry: entry.updated, reverse=True)
    page = reports / "index.html"
    with only_writer(page):
        write_whole(page, template("index.html.j2").render(reports=entries, unlisted=unlisted).encode())
    return page


def _entry(folder: Path) -> Entry | None:
    """Return the entry of a report; None if the folder has no page, or no ``summary.json`` with a name."""
    if not (folder / "index.html").is_file():
        return None
    try:
        facts: Any = json.loads(inside(folder, SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, UnsafePath):
        return None
    if not isinstance(facts, dict) or not facts.get("name"):
        return None
    answer, warnings = facts.get("answer"), facts.get("warnings")
    texts = ("name", "question", "corpus", "profile", "runs", "updated", "hypothesis")
    return Entry(
        link=f"{quote(folder.name)}/index.html",
        answer=tuple(map(str, answer)) if isinstance(answer, list) else (),
        warnings=len(warnings) if isinstance(warnings, list) else 0,
        **{key: str(facts.get(key) or "") for key in texts},
    )
