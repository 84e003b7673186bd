"""Have what is damaged made again: nothing that is good is deleted."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.inside import inside
from ablate.study.files.home import PUT_ASIDE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.store.store import Store
    from ablate.study.files.findings import Finding


@dataclasses.dataclass
class Repaired:
    """What a repair has done.

    Attributes:
        put_aside: damaged files that were renamed, relative to the home, so that they count as missing.
        removed: damaged checkpoints that were removed.
        forgotten: the number of stages that no study uses and that were forgotten, because files of them are lost.
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


def repair(home: Path, store: Store, findings: Sequence[Finding]) -> Repaired:
    """Prepare a home so that running its studies again makes everything that is lost.

    A damaged file gets another name, until its stage has been made again. What no study needs is left alone.

    Args:
        home: the folder with all files; nobody else may use it meanwhile.
        store: the open store.
        findings: what is wrong.
    """
    done = Repaired()
    unused: set[str] = set()
    for finding in findings:
        if finding.kind == "file":
            _put_aside(home, finding, done)
            if not finding.studies:
                unused.add(finding.fingerprint)
        elif finding.kind == "checkpoint" and finding.studies:
            inside(home, finding.where).unlink()
            done.removed.append(finding.where)
        elif finding.kind not in ("run", "rows"):
            done.left.append(finding)
    done.forgotten = len(unused)
    store.forget_stages(unused)
    done.rows = store.remove_orphans() if any(finding.kind == "rows" for finding in findings) else 0
    done.left += [finding for finding in findings if finding.kind == "rows"] if any(store.row_problems()) else []
    done.reopened = _reopen(store, findings)
    return done


def _put_aside(home: Path, finding: Finding, done: Repaired) -> None:
    """Rename a file that is there and damaged; the folder that a program has filled stays."""
    path = home / finding.where
    if finding.where.endswith("/"):
        done.left.append(finding)
    elif path.is_symlink() or path.exists():
        inside(home, finding.where.rpartition("/")[0])
        aside = path.with_name(f"{path.name}{PUT_ASIDE}")
        number = 1
        while aside.exists() or aside.is_symlink():
            number += 1
            aside = path.with_name(f"{path.name}.{number}{PUT_ASIDE}")
        path.rename(aside)
        done.put_aside.append(finding.where)


def _reopen(store: Store, findings: Sequence[Finding]) -> int:
    """Mark the runs that lack results as not done; return their number."""
    wrong = {finding.where for finding in findings if finding.kind == "run"}
    count = 0
    for study in store.studies() if wrong else ():
        for run in store.runs(study.name):
            if f"{study.name}: {run.variant}, replicate {run.replicate}" in wrong:
                store.set_run(study.name, run.variant, run.replicate, "pending")
                count += 1
    return count
