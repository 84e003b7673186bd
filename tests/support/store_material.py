"""Records for the tests of the store: studies of two variants and two replicates that share their stages."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.store.database.address import home_url
from ablate.store.records import (
    FinishedStage,
    HistogramRecord,
    MeasurementRecord,
    RunRecord,
    StageRecord,
    StudyRecord,
    VariantRecord,
)
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def new_store(home: Path) -> Store:
    """Return an open store in a folder, its tables copied from another new one: migrations take a fifth of a second."""
    (home / "ablate.db").write_bytes(_empty_database())
    return Store(home_url(home))


@functools.cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ablate.db"
        Store(f"sqlite:///{path}").__exit__(None, None, None)
        return path.read_bytes()


def study(name: str = "one", **changes: Any) -> StudyRecord:
    plain: dict[str, Any] = {"spec": {"question": "Why?"}, "profile": "default", "corpus": "bach", "seed": 3}
    return StudyRecord(name, **plain | changes)


def variants(*names: str) -> list[VariantRecord]:
    return [VariantRecord(name, f"fingerprint of {name}", {"tau": name}, name == names[0]) for name in names]


def stages(variant: str, replicate: int) -> dict[str, str]:
    """Return the fingerprints of a run's stages; the train stage belongs to a replicate, the others to a run."""
    own = {kind: f"{kind} {variant} {replicate}" for kind in ("generate", "measure pitch")}
    return {"train": f"train {replicate}", **own}


def runs(names: Sequence[str], replicates: int = 2) -> list[RunRecord]:
    return [RunRecord(name, r, stages(name, r), {"config of": name}) for name in names for r in range(replicates)]


def put(store: Store, names: Sequence[str] = ("a", "b"), replicates: int = 2, name: str = "one") -> None:
    store.put_study(study(name), variants(*names), runs(names, replicates))


def stage(fingerprint: str, **changes: Any) -> StageRecord:
    plain: dict[str, Any] = {
        "kind": fingerprint.partition(" ")[0],
        "config": {"hashed": fingerprint},
        "result": {"loss": 0.5},
        "artifact": "" if fingerprint.startswith("measure") else f"artifacts/{fingerprint}",
        "device": "cpu",
        "seconds": 1.25,
        "environment": {"python": "3.11"},
    }
    return StageRecord(fingerprint, **plain | changes)


def measured(fingerprint: str, *values: float) -> tuple[StageRecord, list[MeasurementRecord], list[HistogramRecord]]:
    """Return a finished stage with one value and one histogram for each sample."""
    rows = [MeasurementRecord(i, "pitch", "l1", v, "1", "lower", 10 + i) for i, v in enumerate(values)]
    bins = [HistogramRecord(i, "pitch", "l1", "s", (0.0, 0.5, 2.0), (1.0, 2.0), (v, 0.0)) for i, v in enumerate(values)]
    return stage(fingerprint), rows, bins


@dataclasses.dataclass(frozen=True)
class RunMeasurement:
    """A measurement with the run it belongs to."""

    variant: str
    replicate: int
    measurement: MeasurementRecord


def put_stage(
    store: Store,
    record: StageRecord,
    measurements: Iterable[MeasurementRecord] = (),
    histograms: Iterable[HistogramRecord] = (),
) -> None:
    """Record one finished stage."""
    store.put_stages([FinishedStage(record, tuple(measurements), tuple(histograms))])


def measurements(store: Store, name: str) -> list[RunMeasurement]:
    """Every measurement of a study's runs without floors, in the store's order."""
    rows = store.measurement_rows(name)
    return [RunMeasurement(row.variant, row.replicate, MeasurementRecord(*row[2:])) for row in rows]


def fill(store: Store, names: Sequence[str] = ("a", "b"), replicates: int = 2) -> None:
    """Finish every stage of a study."""
    for replicate in range(replicates):
        put_stage(store, stage(f"train {replicate}"))
        for number, name in enumerate(names):
            put_stage(store, stage(f"generate {name} {replicate}"))
            values = [number + replicate / 10 + sample / 100 for sample in range(2)]
            put_stage(store, *measured(f"measure pitch {name} {replicate}", *values))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as any other program may."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def ask(path: Path, question: str) -> list[tuple[Any, ...]]:
    with opened(path) as connection:
        return connection.execute(question).fetchall()


def described(path: Path) -> dict[str, list[str]]:
    """Everything in a database by its name, as the sorted parts of its SQL: migrations add parts in their own order."""
    found = {}
    for name, sql in ask(path, "SELECT name, sql FROM sqlite_master"):
        plain = re.sub(r'["\s]+', " ", sql or "").replace("( ", "(").replace(" )", ")").strip()
        found[name] = sorted(re.split(r", (?![^(]*\))", plain.replace("(", ", ", 1).removesuffix(")")))
    return found | {"version": ask(path, "SELECT version_num FROM ablate_alembic_version")}
