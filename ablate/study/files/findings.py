"""Find everything in which a home and its database do not agree: every file is read."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING

from ablate.digests import MISSING, Damage, damages, digests
from ablate.errors import UnsafePath
from ablate.inside import inside
from ablate.kinds import KINDS, MEASURE, kind_of
from ablate.sealed import seal_problem
from ablate.study.files.home import PUT_ASIDE, checkpoints, result_folders
from ablate.study.files.lost import unexpected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ablate.store.reading.contents import Contents, StoredRun, StoredStage
    from ablate.store.reading.problems import RowProblem

_CLEAN = "ablate clean removes it"
_BY_HAND = "nothing reads it, and it can be removed by hand"
#: The most rows of a table that are listed.
MOST_ROWS = 3
_AGAIN = "it is made again by running the study"


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that is wrong with a home.

    Attributes:
        kind: ``file``, ``stage``, ``extra``, ``folder``, ``checkpoint``, ``run``, ``rows`` or ``database``.
        where: the file or folder relative to the home, the run, or the table.
        problem: what is wrong, as the end of a sentence.
        advice: what to do about it.
        fingerprint: of the stage that it belongs to; empty for none.
        studies: that use this stage.
    """

    kind: str
    where: str
    problem: str
    advice: str
    fingerprint: str = ""
    studies: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        findings: what is wrong.
        stages: the number of finished stages.
        files: the number of files that were read and compared.
        bytes: their size.
        without_digests: the number of stages with files of which no digest is recorded.
        unfinished: the number of trainings and programs that have begun and will be continued.
        unfinished_of: their studies.
        elsewhere: the number of stages without any file here, where other homes use the database too.
    """

    findings: tuple[Finding, ...]
    stages: int = 0
    files: int = 0
    bytes: int = 0
    without_digests: int = 0
    unfinished: int = 0
    unfinished_of: tuple[str, ...] = ()
    elsewhere: int = 0


def check_home(home: Path, contents: Contents, rows: Iterable[RowProblem] = (), *, is_shared: bool = False) -> Checked:
    """Read every file of a home, and compare it with the database.

    Args:
        home: the folder with all files.
        contents: of the database.
        rows: those that ablate cannot use, or that do not fit together.
        is_shared: whether other homes use the database too, so that the files of a stage may be in one of these.
    """
    if contents.broken:
        advice = "restore the file from a copy, or delete it and run the studies again"
        broken = (f"is damaged: {text}" for text in contents.broken)
        return Checked(tuple(Finding("database", "database", problem, advice) for problem in broken))
    users = _users(contents.runs)
    stages = {stage.fingerprint: stage for stage in contents.stages}
    elsewhere = {stage.fingerprint for stage in contents.stages if is_shared and _is_elsewhere(home, stage)}
    here = [stage for stage in contents.stages if stage.fingerprint not in elsewhere]
    found = [finding for stage in here for finding in _of_stage(home, stage, users)]
    found += _strangers(home, stages, users)
    kept = list(_checkpoints(home, stages, users))
    found += [finding for finding, _ in kept if finding]
    found += _runs(contents)
    found += row_findings(rows)
    recorded = [digest for stage in here for digest in stage.files.values()]
    sizes = [int(size) for digest in recorded if (size := str(digest).partition(":")[0]).isdecimal()]
    return Checked(
        tuple(found),
        len(stages),
        len(recorded),
        sum(sizes),
        sum(bool(stage.artifact) and not stage.files for stage in contents.stages),
        sum(bool(studies) for _, studies in kept),
        tuple(dict.fromkeys(study for _, studies in kept for study in studies)),
        len(elsewhere),
    )


def _is_elsewhere(home: Path, stage: StoredStage) -> bool:
    """Return whether nothing of the files of a stage is in a home."""
    try:
        return bool(stage.files) and not inside(home, stage.artifact).exists()
    except UnsafePath:
        return False


def _users(runs: Iterable[StoredRun]) -> dict[str, tuple[str, ...]]:
    """Return the studies that use each stage."""
    users: dict[str, dict[str, None]] = collections.defaultdict(dict)
    for run in runs:
        for fingerprint in run.stages.values():
            users[fingerprint][run.study] = None
    return {fingerprint: tuple(studies) for fingerprint, studies in users.items()}


def _of_stage(home: Path, stage: StoredStage, users: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Yield what is wrong with the files of a stage."""
    own = stage.fingerprint, users.get(stage.fingerprint, ())
    if not stage.artifact:
        return
    try:
        folder = inside(home, stage.artifact)
    except UnsafePath as error:
        advice = "a repair forgets it, so that it is made again"
        yield Finding("stage", f"stage {stage.fingerprint}", f"has a folder outside the home: {error}", advice, *own)
        return
    if not stage.files:
        return
    advice = _AGAIN if own[1] else "no study uses it: a repair forgets it, and ablate clean removes what is left"
    if folder.is_symlink():
        yield Finding("file", stage.artifact, "is a link and no folder", advice, *own)
        return
    for damage in _all_damages(home, stage, folder):
        yield Finding("file", damage.file, damage.problem, advice, *own)
    if not folder.is_dir():
        return
    names = {f"{path.name}/" if path.is_dir() else path.name for path in folder.iterdir()}
    wrong = {damage.file.rpartition("/")[2] for damage in unexpected(home, stage.artifact, stage.files)}
    for name in sorted(names - stage.files.keys() - wrong):
        if not name.removesuffix("/").endswith(PUT_ASIDE) and name.removesuffix("/") not in stage.files:
            yield Finding("extra", f"{stage.artifact}/{name}", "was not written by ablate", "nothing reads it", *own)


def _all_damages(home: Path, stage: StoredStage, folder: Path) -> Iterator[Damage]:
    yield from damages(home, stage.artifact, stage.files)
    yield from unexpected(home, stage.artifact, stage.files)
    folders = [name for name in stage.files if name.endswith("/")]
    # what a program has written for itself may be removed, to save space
    if any((folder / name).is_dir() for name in folders):
        found = digests(folder)
        for name in folders:
            if found.get(name, stage.files[name]) != stage.files[name]:
                yield Damage(f"{stage.artifact}/{name}", "has other files than the program has written")


def _strangers(home: Path, stages: dict[str, StoredStage], users: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Yield what is in the place of the results and belongs to no finished stage."""
    known = {stage.artifact for stage in stages.values()}
    for name, is_stage in result_folders(home):
        if name in known:
            continue
        if not is_stage:
            yield Finding("folder", name, "was not written by ablate", _BY_HAND)
            continue
        fingerprint = name.rpartition("/")[2]
        if fingerprint not in users:  # otherwise a command was killed, and the next one writes it again
            yield Finding("folder", name, "belongs to no finished result and to no study", _CLEAN, fingerprint)


def _checkpoints(
    home: Path, stages: dict[str, StoredStage], users: dict[str, tuple[str, ...]]
) -> Iterator[tuple[Finding | None, tuple[str, ...]]]:
    """Yield what is wrong with each checkpoint, and the studies of its training if that will be continued."""
    for path, fingerprint in checkpoints(home):
        name = path.relative_to(home).as_posix()
        if fingerprint in stages or fingerprint not in users:
            advice = _CLEAN if fingerprint and fingerprint not in users else _BY_HAND
            yield Finding("checkpoint", name, "belongs to no unfinished training", advice, fingerprint), ()
            continue
        problem = seal_problem(path) if path.suffix == ".safetensors" else ""
        advice = "the training begins again at its first step"
        finding = Finding("checkpoint", name, problem, advice, fingerprint, users[fingerprint]) if problem else None
        yield finding, () if path.suffix == ".json" else users[fingerprint]


def incomplete_runs(contents: Contents) -> Iterator[tuple[StoredRun, str]]:
    """Yield the runs that are done and lack results, each with what it lacks."""
    known = {stage.fingerprint for stage in contents.stages}
    for run in contents.runs:
        problems = (_lacking(name, f, known, contents.measured) for name, f in run.stages.items())
        lacking = next(filter(None, problems), "") if run.state == "done" else ""
        if lacking:
            yield run, lacking


def _runs(contents: Contents) -> Iterator[Finding]:
    for run, lacking in incomplete_runs(contents):
        where = f"{run.study}: {run.variant}, replicate {run.replicate}"
        yield Finding("run", where, f"is done, but {lacking}", _AGAIN, "", (run.study,))


def row_findings(rows: Iterable[RowProblem]) -> Iterator[Finding]:
    """Yield the first rows of each table that have problems, and the number of the others."""
    by_table: dict[str, list[RowProblem]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append(row)
    advice = "a repair drops it if it is of a result or of nothing; otherwise put it right, or delete its study"
    for table, found in by_table.items():
        for row in found[:MOST_ROWS]:
            where, _, problem = str(row).partition(": ")
            yield Finding("rows", where, problem, advice, "", (row.study,) if row.study else ())
        if len(found) > MOST_ROWS:
            yield Finding("rows", f"table {table}", f"has {len(found) - MOST_ROWS:,} more such rows", advice)


def _lacking(name: str, fingerprint: str, known: set[str], measured: frozenset[str]) -> str:
    """Return what a finished run lacks of a stage; empty if nothing."""
    kind = KINDS.get(kind_of(name))
    if kind is None or not kind.required:
        return ""
    if fingerprint not in known:
        return f"its result '{name}' is not in the database"
    return f"its result '{name}' has no measurement" if kind.name == MEASURE and fingerprint not in measured else ""


def commands(findings: Sequence[Finding]) -> list[str]:
    """Return the studies to run again, each once."""
    return list(dict.fromkeys(study for finding in _lost(findings) for study in finding.studies))


def needs_repair(findings: Sequence[Finding]) -> bool:
    """Return whether a repair changes anything for the studies to run again: a run notices itself what is missing."""
    return any((finding.kind, finding.problem) != ("file", MISSING) for finding in _lost(findings))


def _lost(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of results that studies have lost; a file too many is none."""
    return [finding for finding in findings if finding.studies and finding.kind != "extra"]
