"""Have what is damaged made again: nothing that is good is deleted."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from ablate.errors import UnsafePath
from ablate.inside import remove_inside, without_links
from ablate.study.files.findings import incomplete_runs, row_findings
from ablate.study.files.home import PUT_ASIDE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.store.reading.problems import RowProblem
    from ablate.store.store import Store
    from ablate.study.files.findings import Finding

#: The tables of a stage, of which every row has its fingerprint, and those of its facts.
_OF_STAGES = ("ablate_stages", "ablate_measurements", "ablate_histograms")
_FACTS = ("ablate_environments", "ablate_sources")


@dataclasses.dataclass
class Repaired:
    """The account of a repair.

    Attributes:
        put_aside: damaged files that were renamed, relative to the home, so that they count as missing.
        removed: damaged checkpoints that were removed.
        forgotten: the number of stages that were forgotten: their rows cannot be used, their folder is outside the
            home, or files are lost that no study uses.
        reopened: the number of runs that count as not done any more.
        rows: the number of rows that belonged to nothing and were removed.
        left: what the repair could not or must not change.
    """

    put_aside: list[str] = dataclasses.field(default_factory=list)
    removed: list[str] = dataclasses.field(default_factory=list)
    forgotten: int = 0
    reopened: int = 0
    rows: int = 0
    left: list[Finding] = dataclasses.field(default_factory=list)


def repair(home: Path, store: Store, findings: Sequence[Finding], rows: Sequence[RowProblem] = ()) -> Repaired:
    """Prepare a home so that running its studies again makes everything that is lost.

    A damaged file gets another name, until its stage has been made again. Stages with rows that cannot be used are
    forgotten, and rows that belong to nothing are removed. What no study needs is left alone.

    Args:
        home: the folder with all files; nobody else may use it meanwhile.
        store: the open store.
        findings: what is wrong.
        rows: those that cannot be used or do not fit together; they are among the findings.
    """
    done = Repaired()
    lost = {str(row.key["fingerprint"]) for row in rows if _is_of_result(row)}
    for finding in findings:
        if finding.kind == "file":
            _put_aside(home, finding, done)
            if not finding.studies:
                lost.add(finding.fingerprint)
        elif finding.kind == "stage":
            lost.add(finding.fingerprint)
        elif finding.kind == "checkpoint" and finding.studies:
            remove_inside(home, finding.where)
            done.removed.append(finding.where)
        elif finding.kind not in ("run", "rows"):
            done.left.append(finding)
    done.forgotten = len(lost)
    store.forget_stages(lost)
    if rows:
        facts = [str(row.key["digest"]) for row in rows if row.table in _FACTS and "digest" in row.key]
        done.rows = store.remove_orphans(facts)
        done.left += row_findings(store.row_problems())
    done.reopened = _reopen(store)
    return done


def _is_of_result(row: RowProblem) -> bool:
    """Return whether a row with a problem makes the result of a stage useless."""
    # without its environment or its sources, a result is as good as it was
    return (
        row.table in _OF_STAGES and "fingerprint" in row.key and not row.problem.startswith(("environment", "sources"))
    )


def _put_aside(home: Path, finding: Finding, done: Repaired) -> None:
    """Rename a file that is there and damaged; the folder that a program has filled and what cannot be renamed stay."""
    if finding.where.endswith("/"):
        done.left.append(finding)
        return
    try:
        path = without_links(home, finding.where)
        if os.path.lexists(path):
            path.rename(_free_name(path))
            done.put_aside.append(finding.where)
    except (OSError, UnsafePath):
        done.left.append(finding)


def _free_name(path: Path) -> Path:
    """Return a name beside a file for when it is put aside."""
    numbers = ("", *(f".{number}" for number in range(2, 1000)))
    names = (path.with_name(f"{path.name}{number}{PUT_ASIDE}") for number in numbers)
    return next(name for name in names if not os.path.lexists(name))


def _reopen(store: Store) -> int:
    """Mark the runs that lack results as not done; return their number."""
    wrong = {run.key for run, _ in incomplete_runs(store.contents())}
    store.reopen_runs(wrong)
    return len(wrong)
