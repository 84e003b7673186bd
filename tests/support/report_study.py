"""A small finished study in a real SQLite store, with the files that its stages would have written."""

from __future__ import annotations

import dataclasses
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.music.performance import Performance
from ablate.music.storage import pack_performances
from ablate.store.records import (
    HistogramRecord,
    MeasurementRecord,
    RunRecord,
    StageRecord,
    StudyRecord,
    VariantRecord,
)
from support.store_material import new_store, put_stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ablate.store.store import Store

STUDY = "tau_sweep@smoke"
METRICS = {"distance.pitch": ("l1", "l2", "average"), "notes.rate": ("value",)}
ENVIRONMENT = {
    "python": "3.11.7",
    "platform": "Linux-test",
    "packages": {"ablate": "0.1.0", "torch": "2.6.0"},
    "git": {"commit": "0123456789abcdef0123", "dirty": True},
}
#: The identity of the corpus: a digest of its files, and an option.
IDENTITY = f"{'0123456789abcdef' * 4} reader=symusic"
REPORTED = {
    "source": "A course report <1999>: one training, one sample.",
    "pieces": ["bach"],
    "values": {
        "tau=0.6": {"distance.pitch": {"l1": 0.0766, "average": 0.0295}},
        "tau=9": {"distance.pitch": {"l1": 1.0}},
    },
}


@dataclasses.dataclass(frozen=True)
class Home:
    """A home folder with its open store and the records in it."""

    path: Path
    store: Store
    numbers: dict[tuple[str, int, int, str, str], float]
    counts: dict[tuple[str, int, int], np.ndarray[Any, Any]]


class Builder:
    """A builder of a study, run by run; the variants of a replicate share a training.

    Attributes:
        measured: part of the configuration of each measurement.
        copies: the floor "copy" of each piece of the reference; its round trip is 0.15 more.
    """

    measured: dict[str, Any] = {}  # noqa: RUF012 - nothing changes it
    copies: tuple[float, ...] = (0.0,)

    def __init__(self, home: Path, names: tuple[str, ...], replicates: int, samples: int) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.names, self.replicates, self.samples = home, names, replicates, samples
        self.store = new_store(home)
        self.built = Home(home, self.store, {}, {})

    def plan(self, reported: dict[str, Any] | None = None, name: str = STUDY) -> None:
        levels = {variant: 0.6 + 0.2 * index for index, variant in enumerate(self.names)}
        spec: dict[str, Any] = {
            "question": "Does tau matter?",
            "hypothesis": "Yes & no.",
            "axes": {"sampler.temperature.tau": list(levels.values())},
            "baseline": {"sampler.temperature.tau": levels[self.names[0]]},
            "replicates": self.replicates,
            "seed": 7,
            "profile": "smoke",
            "objective": {"metric": "distance.pitch", "feature": "average"},
            "generation": {"samples": self.samples, "tokens": 300},
        }
        if reported:
            spec["reported"] = reported
        variants = [
            VariantRecord(v, f"variant {v}", {"sampler.temperature.tau": tau}, v == self.names[0])
            for v, tau in levels.items()
        ]
        runs = [
            RunRecord(v, r, self.stages(v, r), self.config(levels[v]))
            for v in self.names
            for r in range(self.replicates)
        ]
        self.store.put_study(StudyRecord(name, spec, "smoke", "bach", 7), variants, runs)

    def config(self, tau: float) -> dict[str, Any]:
        """Return the part of a resolved configuration that reports read."""
        return {
            "tokenizer": [{"name": "midilike", "version": "1", "options": {}}],
            "sampler": [{"name": "temperature", "version": "1", "options": {"tau": tau}}],
            "training": {"steps": 700},
        }

    def stages(self, variant: str, replicate: int) -> dict[str, str]:
        own = {f"measure {metric}": f"{metric} {variant} {replicate}" for metric in METRICS}
        own |= {f"resample {metric}": f"resampled {metric} {variant} {replicate}" for metric in METRICS}
        own |= {f"floor {metric}": f"floor {metric}" for metric in METRICS}
        shared = {"load": "load", "train": f"train {replicate}"}
        return {**shared, "generate": f"generate {variant} {replicate}", **own}

    def load(self, problems: Sequence[str] = ()) -> None:
        """Load the corpus; ``problems`` are those of its files."""
        config = {"corpus": {"name": "bach", "version": "1", "identity": IDENTITY}}
        result = {"performances": 1, "notes": 90, "pieces": ["bach"], "problems": list(problems)}
        folder = self._put("load", "load", result, config=config)
        (folder / "performances.npz").write_bytes(pack_performances([_performance(99, "prelude")]))

    def train(self, replicate: int) -> None:
        result = {
            "loss": 0.5 + 0.1 * replicate,
            "steps": 700,
            "tokens_seen": 89600,
            "parameters": 1234,
            "precision": "float32",
            "tokens_per_second": 1e4,
        }
        losses = self.validation(replicate)
        if len(losses):
            kept = int(losses[:, 1].argmin())
            facts = {"steps": int(losses[-1, 0]), "kept_step": int(losses[kept, 0])}
            result |= {**facts, "stopped_early": bool(losses[-1, 0] < 700), "validation_loss": float(losses[kept, 1])}
        folder = self._put("train", f"train {replicate}", result, seconds=20.0 + replicate)
        if len(losses):
            np.save(folder / "validation.npy", losses)
        np.save(folder / "losses.npy", np.geomspace(5, 0.5 + 0.1 * replicate, 700).astype(np.float32))

    def validation(self, replicate: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the validation losses of a training, as its file has them: [evaluations, 2]; none by default."""
        return np.empty((0, 2))

    def generate(self, variant: str, replicate: int) -> None:
        result = {"samples": self.samples, "notes": 90 * self.samples, "seconds": 70.0 * self.samples}
        folder = self._put("generate", f"generate {variant} {replicate}", result)
        seed = zlib.crc32(f"{variant} {replicate}".encode())
        performances = [_performance(seed + sample, f"sample {sample}") for sample in range(self.samples)]
        (folder / "performances.npz").write_bytes(pack_performances(performances))
        for sample in range(self.samples):
            (folder / f"sample-{sample:02}.mid").write_bytes(b"MThd" + f"{variant} {replicate} {sample}".encode())

    def measure(self, variant: str, replicate: int) -> None:
        rng = np.random.default_rng(zlib.crc32(f"{variant}/{replicate}".encode()))
        for metric, features in METRICS.items():
            unit, direction = ("1", "lower") if metric == "distance.pitch" else ("notes/s", "none")
            rows = []
            for sample in range(self.samples):
                for feature in features:
                    value = float(rng.uniform(0.1, 0.4))
                    self.built.numbers[variant, replicate, sample, metric, feature] = value
                    rows.append(MeasurementRecord(sample, metric, feature, value, unit, direction, 50 + sample))
            histograms = self._histograms(variant, replicate) if metric == "distance.pitch" else ()
            config = {"inputs": {"generated": f"generate {variant} {replicate}"}, **self.measured}
            stage = StageRecord(f"{metric} {variant} {replicate}", "measure", config, {}, "", "cpu", 0.1, ENVIRONMENT)
            put_stage(self.store, stage, rows, histograms)
            self._floors(metric, variant, replicate)

    def _floors(self, metric: str, variant: str, replicate: int) -> None:
        """Store the floors: copies, round trips, and five draws from 0.10 to 0.14 in every run."""
        unit, direction = ("1", "lower") if metric == "distance.pitch" else ("notes/s", "none")

        def rows(floor: str, values: Iterable[float]) -> list[MeasurementRecord]:
            return [
                MeasurementRecord(i, metric, feature, value, unit, direction, 50, floor)
                for i, value in enumerate(values)
                for feature in METRICS[metric]
            ]

        fixed = [*rows("copy", self.copies), *rows("round_trip", [each + 0.15 for each in self.copies])]
        drawn = rows("resampling", [0.10, 0.11, 0.12, 0.13, 0.14])
        for fingerprint, kind, found in (
            (f"floor {metric}", "floor", fixed),
            (f"resampled {metric} {variant} {replicate}", "resample", drawn),
        ):
            put_stage(
                self.store, StageRecord(fingerprint, kind, {}, {"skipped": {}}, "", "cpu", 0.1, ENVIRONMENT), found
            )

    def finish(self, name: str = STUDY) -> Home:
        self.load()
        for replicate in range(self.replicates):
            self.train(replicate)
            for variant in self.names:
                self.generate(variant, replicate)
                self.measure(variant, replicate)
                self.store.set_run(name, variant, replicate, "done")
        return self.built

    def _histograms(self, variant: str, replicate: int) -> list[HistogramRecord]:
        rng = np.random.default_rng(zlib.crc32(f"{variant}|{replicate}".encode()))
        found = []
        for sample in range(self.samples):
            counts = rng.integers(0, 20 * (sample + 1), 5).astype(float)
            self.built.counts[variant, replicate, sample] = counts
            edges, reference = (60.0, 61.0, 62.0, 63.0, 64.0, 65.0), (4.0, 3.0, 2.0, 1.0, 0.0)
            found.append(
                HistogramRecord(sample, "distance.pitch", "pitch", "MIDI pitch", edges, reference, tuple(counts))
            )
        return found

    def _put(
        self,
        kind: str,
        fingerprint: str,
        result: dict[str, Any],
        seconds: float = 1.0,
        config: dict[str, Any] | None = None,
    ) -> Path:
        artifact = f"artifacts/{kind}-{zlib.crc32(fingerprint.encode()):08x}"
        stage = StageRecord(fingerprint, kind, config or {}, result, artifact, "cpu", seconds, ENVIRONMENT)
        put_stage(self.store, stage)
        folder = self.home / artifact
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def troubled_study(home: Path, name: str, problems: Sequence[str] = ()) -> Builder:
    """A study that is half done, with names to escape and with files that are missing or damaged."""
    builder = Builder(home, ("plain", "<b>$x$</b>\n音"), 2, 1)
    builder.plan(name=name)
    builder.load(problems)
    for variant in builder.names:
        builder.train(0)
        builder.generate(variant, 0)
        builder.measure(variant, 0)
        builder.store.set_run(name, variant, 0, "done")
    builder.store.set_run(name, "plain", 1, "failed", "TrainingDiverged", "loss is <NaN> at step 3")
    for pattern in ("train-*/losses.npy", "load-*/performances.npz"):
        next((builder.home / "artifacts").glob(pattern)).unlink()
    next((builder.home / "artifacts").glob("generate-*/performances.npz")).write_bytes(b"no archive")
    return builder


def _performance(seed: int, name: str) -> Performance:
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.uniform(0, 70, 90))
    notes = zip(rng.integers(40, 90, 90), rng.integers(1, 128, 90), starts, starts + 0.5, strict=True)
    return Performance.from_notes(notes, name=name)
