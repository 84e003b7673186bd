"""The database: writing what a study measures, and reading it for a report."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from harness import Case, Table, compare
from sqlalchemy.orm import Session

from ablate.report.data.frames import study_frame
from ablate.store.database import tables as rows
from ablate.store.records import FinishedStage, MeasurementRecord, RunRecord, StageRecord, StudyRecord, VariantRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIANTS, REPLICATES, METRICS, SAMPLES, FEATURES = 100, 10, 5, 4, 5
MILLION = 1_000_000


def finished(count: int, first: int = 0) -> list[FinishedStage]:
    """Measured stages of twenty values each."""
    values = [(s, f) for s in range(SAMPLES) for f in range(FEATURES)]
    return [
        FinishedStage(
            StageRecord(f"m{i}", "measure", {"metric": i}, {"samples": SAMPLES}, "", "cpu", 0.1, {"torch": "2.13"}),
            tuple(MeasurementRecord(s, "metric", f"f{f}", 0.5 * s + f, "1", "lower", 500) for s, f in values),
        )
        for i in range(first, first + count)
    ]


def write(folder: Path, measurements: int, job: int) -> float:
    """Write so many measurements, those of ``job`` stages at a time, as a run does."""
    url = f"sqlite:///{folder / f'{measurements}-{job}.db'}"
    Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)
    stages = finished(measurements // (SAMPLES * FEATURES))
    with Store(url) as store:
        for start in range(0, len(stages), job):
            store.put_stages(stages[start : start + job])
    return float(measurements)


def naively(folder: Path, measurements: int) -> float:
    """One object and one commit for each measurement, as a script with SQLAlchemy does."""
    engine = sa.create_engine(f"sqlite:///{folder / 'naive.db'}")
    rows.Base.metadata.drop_all(engine)
    rows.Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number in range(measurements):
            session.add(
                rows.Measurement(
                    fingerprint="m", sample=number, metric="m", feature="f", value=0.5, unit="1", direction="lower", n=5
                )
            )
            session.commit()
    engine.dispose()
    return float(measurements)


def study(folder: Path, variants: int) -> Path:
    """A home with a study of ``variants`` times ten runs, each with five metrics of twenty values."""
    home = folder / f"home-{variants}"
    home.mkdir()
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        runs, stages = [], iter(range(10**9))
        measured: list[FinishedStage] = []
        for variant in range(variants):
            for replicate in range(REPLICATES):
                own = finished(METRICS, first=next(stages) * METRICS)
                measured += [FinishedStage(e.stage, tuple(_named(e, f"metric {i}"))) for i, e in enumerate(own)]
                names = {"train": f"t{replicate}", "generate": f"g{variant}-{replicate}"}
                names |= {f"measure metric {i}": e.stage.fingerprint for i, e in enumerate(own)}
                runs.append(RunRecord(f"v{variant}", replicate, names, {"model": {"lstm": {}}}, "done"))
        record = StudyRecord("big", {"question": "Is it large?"}, "default", "made", 0)
        store.put_study(record, [VariantRecord(f"v{i}", f"f{i}", {"a": i}, i == 0) for i in range(variants)], runs)
        store.put_stages(measured)
    return home


def _named(stage: FinishedStage, metric: str) -> list[MeasurementRecord]:
    import dataclasses

    return [dataclasses.replace(each, metric=metric) for each in stage.measurements]


def framed(home: Path) -> float:
    """Read the frame of a report."""
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        return float(len(study_frame(store, "big")))


def shown(home: Path) -> float:
    """The whole command ``ablate study show``."""
    words = [str(Path(sys.executable).with_name("ablate")), "study", "show", "big", "--home", str(home)]
    subprocess.run(words, check=True, capture_output=True)
    return 1.0


def tables() -> Iterator[Table]:
    """The group's tables."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cases = [
            Case("naive: an object and a commit each, 2,000", lambda: naively(folder, 2000)),
            Case("ablate, 20,000, a stage at a time", lambda: write(folder, 20_000, 1)),
            Case("ablate, 20,000, jobs of 30 stages", lambda: write(folder, 20_000, 30)),
            Case("ablate, 200,000, jobs of 30 stages", lambda: write(folder, 200_000, 30)),
        ]
        yield compare("Writing measurements", "measurements", cases, rounds=3)
        once = [Case("ablate, 1,000,000, jobs of 30 stages", lambda: write(folder, MILLION, 30), most=20)]
        yield compare("Writing a million measurements", "measurements", once, rounds=1)
        homes = {variants: study(folder, variants) for variants in (10, 100)}
        cases = [
            Case(f"frame of {v * 1000:,} rows", lambda h=home: framed(h), most=1.0 if v == 100 else 0.0)
            for v, home in homes.items()
        ]
        yield compare("Reading a report's frame", "rows", cases)
        cases = [
            Case(f"ablate study show, {v * 10:,} runs", lambda h=home: shown(h), most=0.5 if v == 100 else 0.0)
            for v, home in homes.items()
        ]
        yield compare("Showing a study (whole command)", "commands", cases)
