"""Makes ``<schema>.db`` beside this file: a small finished study in the schema of the ablate that runs it.

    python tests/data/db/make.py

Run it once in the commit that adds a schema, and keep the file as it is from then on: it stands for the databases
that people have. ``test_old_databases.py`` upgrades a copy of each and uses it. An existing file is not written again.
The file holds what a run leaves: our tables, Optuna's tables with one trial a variant, and a stage that two studies
share. No result has files, as after a home was moved without them.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.kinds import KINDS
from ablate.registry import get_registry
from ablate.store.database.schema import newest
from ablate.store.records import (
    FinishedStage,
    HistogramRecord,
    LookRecord,
    MeasurementRecord,
    RunRecord,
    StageRecord,
    StudyRecord,
    VariantRecord,
)
from ablate.store.store import Store
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import Layout, lay_out
from ablate.study.trials.objectives import measured_values, resolved_objectives
from ablate.study.trials.view import Trials

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDY = """
question = "Does tau matter?"
replicates = 2
seed = 1
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
[training]
precision = "fp32"
[generation]
samples = 2
[sampler.temperature]
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
"""
SOURCES = {
    "components": {"model.lstm": {"source": {"ablate_recurrent/network.py": "0123456789abcdef"}, "defaults": {}}},
    "files": {},
}
#: The digests of files that are gone with all others.
FILES = {"performances.npz": f"1234:{'0123456789abcdef' * 4}"}
ENVIRONMENT = {
    "packages": {"ablate": "0.1.0", "torch": "2.13.0"},
    "python": "3.11.7",
    "platform": "Linux",
    "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
}
#: The replicates that each study's only look was based on.
LOOKS = {"small": 2, "small@again": 1}
UNITS = {"distance.pitch": ("l1", "l2", "kl_pq", "kl_qp", "average")}


def value(variant: int, replicate: int, sample: int, feature: int) -> float:
    """The number that stands in the file for this place."""
    return 0.1 * (variant + 1) + 0.01 * replicate + 0.002 * sample + 0.0001 * feature


def make(path: Path) -> None:
    """Write the database."""
    file = path.with_name("small.toml")
    file.write_text(STUDY, encoding="utf-8")
    try:
        layout = lay_out(read_study(str(file)), get_registry(), "cpu")
    finally:
        file.unlink()
    url = f"sqlite:///{path}"
    with Store(url) as store:
        put_study(store, layout, "small")
        put_study(store, layout, "small@again", replicates=1)
        for name, replicates in LOOKS.items():
            prints = tuple(sorted(layout.fingerprints.values()))
            store.put_look(name, LookRecord(replicates, 1.0, {}, {}, prints))
        put_results(store, layout)
        objectives = resolved_objectives(layout.spec, store)
        assert objectives is not None
        trials = Trials(url, layout, objectives)
        for variant, values in measured_values(layout.spec, store, objectives).items():
            trials.report(variant, values, complete=True)
        trials.close()
    shrink(path)


def shrink(path: Path) -> None:
    """Write the file again with small pages: most of its tables hold a few rows."""
    connection = sqlite3.connect(path)
    for statement in ("journal_mode = DELETE", "page_size = 1024"):
        connection.execute(f"PRAGMA {statement}")
    connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def put_study(store: Store, layout: Layout, name: str, replicates: int = 2) -> None:
    """Record the study with its first replicates, all runs done."""
    spec = layout.spec
    prints = layout.fingerprints
    variants = [VariantRecord(v.name, prints[v.name], v.levels, v.baseline) for v in layout.variants]
    runs = [
        RunRecord(c.variant.name, c.replicate, c.stages.fingerprints(), c.configuration.plain(), "done")
        for c in layout.runs
        if c.replicate < replicates
    ]
    plain = {**spec.plain(), "source": "small.toml"}
    store.put_study(StudyRecord(name, plain, spec.profile, "bach-prelude", spec.seed), variants, runs)


def put_results(store: Store, layout: Layout) -> None:
    """Record every stage, the measured ones with numbers and histograms."""
    places = {
        run.stages.stages["measure distance.pitch"].fingerprint: (layout.variants.index(run.variant), run)
        for run in layout.runs
    }
    for fingerprint, stage in layout.stages().items():
        artifact = stage.artifact if KINDS[stage.kind].keeps_files else ""
        files = FILES if artifact else {}
        result = {"loss": 1.5, "steps": 600, "parameters": 1000, "tokens_seen": 10_000} if stage.kind == "train" else {}
        record = StageRecord(
            fingerprint,
            stage.kind,
            stage.plain(),
            result,
            artifact,
            "cpu",
            2.0,
            ENVIRONMENT,
            sources=SOURCES,
            files=files,
        )
        if fingerprint not in places:
            store.put_stages([FinishedStage(record, tuple(floors(stage.kind)))])
            continue
        variant, run = places[fingerprint]
        rows = [
            MeasurementRecord(s, metric, name, value(variant, run.replicate, s, f), "1", "lower", 90)
            for metric, features in UNITS.items()
            for s in range(2)
            for f, name in enumerate(features)
        ]
        edges, counts = (60.0, 61.0, 62.0), (3.0, 4.0)
        histograms = [
            HistogramRecord(s, "distance.pitch", "pitch", "MIDI pitch", edges, counts, counts) for s in range(2)
        ]
        store.put_stages([FinishedStage(record, tuple(rows), tuple(histograms))])


def floors(kind: str) -> Iterator[MeasurementRecord]:
    """The numbers of a floor's stage."""
    for floor in {"floor": ("copy", "round_trip", "shuffled"), "resample": ("resampling",)}.get(kind, ()):
        for sample in range(4):
            for place, feature in enumerate(UNITS["distance.pitch"]):
                number = 0.05 + 0.01 * sample + 0.0001 * place
                yield MeasurementRecord(sample, "distance.pitch", feature, number, "1", "lower", 90, floor)


if __name__ == "__main__":
    target = Path(__file__).parent / f"{newest()}.db"
    if target.exists():
        sys.exit(f"{target} exists; old databases stay as they are")
    make(target)
    print(f"{target}: {target.stat().st_size} bytes")  # noqa: T201 - a script
