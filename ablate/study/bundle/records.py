"""A study's records as lines of JSON: written from a database, and checked before they enter another one.

A bundle has no database file: SQLite would have to trust it.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from ablate.errors import BundleError
from ablate.store.records import FinishedStage, LookRecord, RunRecord, StudyRecord, VariantRecord
from ablate.store.transfer import from_plain, stage_from_plain, stage_to_plain, to_plain
from ablate.study.bundle.archive import name_problem
from ablate.study.file.as_run import UNBUNDLED
from ablate.study.foreign import stage_problem
from ablate.study.records import StudyRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from ablate.store.records import StageRecord
    from ablate.store.store import Store

STUDY, RUNS, STAGES, TRIALS = "results/study.jsonl", "results/runs.jsonl", "results/stages.jsonl", "results/trials.json"


def as_run_here(records: StudyRecords) -> StudyRecords:
    """Return the records without the mark of a study from a bundle."""
    spec = records.study.spec
    if UNBUNDLED not in spec.get("file", {}):
        return records
    file = {key: value for key, value in spec["file"].items() if key != UNBUNDLED}
    return dataclasses.replace(records, study=dataclasses.replace(records.study, spec={**spec, "file": file}))


def facts(records: StudyRecords) -> list[dict[str, Any]]:
    """Return the study with its variants and looks as JSON-ready data: one table for each record."""
    variants = ({"variant": to_plain(each)} for each in records.variants)
    looks = ({"look": to_plain(each)} for each in records.looks)
    return [{"study": to_plain(records.study)}, *variants, *looks]


def lines(data: Iterable[Any]) -> Iterator[bytes]:
    """Yield data as lines of JSON."""
    for each in data:
        yield json.dumps(each, ensure_ascii=False).encode() + b"\n"


def run_lines(records: StudyRecords) -> Iterator[bytes]:
    """Yield the runs of a study as lines of JSON."""
    yield from lines(to_plain(run) for run in records.runs)


def stage_lines(
    store: Store, records: StudyRecords, packed: Callable[[StageRecord], Mapping[str, str]]
) -> Iterator[bytes]:
    """Yield the finished stages of a study as lines of JSON, sorted by fingerprint.

    Args:
        store: the database with the study.
        records: of the study.
        packed: returns the digests of those files of a stage that are packed.
    """
    for each in store.finished_stages(records.fingerprints):
        stage = dataclasses.replace(each.stage, files=dict(packed(each.stage)))
        yield from lines([stage_to_plain(each._replace(stage=stage))])


def read_records(folder: Path, shown: str) -> StudyRecords:
    """Return the records in the files that were unpacked to ``folder``.

    Args:
        folder: the unpacked bundle.
        shown: the path of the bundle, for messages.

    Raises:
        BundleError: a file has something else than records of one study.
    """
    facts = list(_read(folder / STUDY, shown, STUDY, _fact))
    runs = tuple(_read(folder / RUNS, shown, RUNS, lambda data: from_plain(RunRecord, data)))
    by_kind: dict[str, list[Any]] = {kind: [] for kind in _FACTS}
    for kind, record in facts:
        by_kind[kind].append(record)
    variants, looks = tuple(by_kind["variant"]), tuple(by_kind["look"])
    names = {variant.name for variant in variants}
    if len(by_kind["study"]) != 1 or len(names) < len(variants) or not {run.variant for run in runs} <= names:
        raise BundleError(f"{shown}: {STUDY} and {RUNS} do not fit together, so nothing was unpacked; get it again")
    return StudyRecords(by_kind["study"][0], variants, runs, looks)


_FACTS: dict[str, type[Any]] = {"study": StudyRecord, "variant": VariantRecord, "look": LookRecord}


def _fact(data: Any) -> tuple[str, Any]:
    if not isinstance(data, dict) or len(data) != 1 or not data.keys() <= _FACTS.keys():
        raise ValueError(f"is not one of {', '.join(_FACTS)}")
    ((kind, record),) = data.items()
    return kind, from_plain(_FACTS[kind], record)


def read_stages(folder: Path, shown: str, wanted: set[str]) -> Iterator[FinishedStage]:
    """Yield the finished stages in an unpacked bundle, each checked.

    Args:
        folder: the unpacked bundle.
        shown: the path of the bundle, for messages.
        wanted: the fingerprints of the study's runs.

    Raises:
        BundleError: a line is no stage of this study.
    """
    seen: set[str] = set()

    def checked(data: Any) -> FinishedStage:
        finished = stage_from_plain(data)
        _check_stage(finished.stage, wanted - seen)
        seen.add(finished.stage.fingerprint)
        return finished

    yield from _read(folder / STAGES, shown, STAGES, checked)


def _check_stage(stage: StageRecord, wanted: set[str]) -> None:
    if stage.fingerprint not in wanted:
        raise ValueError(f"stage {stage.fingerprint[:80]!r} belongs to no run, or is a duplicate")
    problem = stage_problem(stage, _is_file_name)
    if problem:
        raise ValueError(problem)


def _is_file_name(name: str) -> bool:
    return "/" not in name and not name_problem(name)


def _read(path: Path, shown: str, name: str, parse: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield what a function makes of each line of JSON in a file."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                record = parse(json.loads(line))
            except (ValueError, RecursionError) as error:
                reason = "is nested too deeply" if isinstance(error, RecursionError) else error
                raise BundleError(f"{shown}: {name}, line {number}: {reason}; nothing was unpacked") from error
            yield record
