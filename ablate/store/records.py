"""What the store takes and gives: frozen records without a trace of the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

RunState = Literal["pending", "done", "failed", "interrupted", "pruned"]
JSON = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class StudyRecord:
    """A study as it was last run.

    Attributes:
        name: unique in the database (``"tau_sweep"``, ``"tau_sweep@smoke"``).
        spec: the study file with profile and overrides applied, as plain data.
        profile: the profile's name; ``"default"`` without one.
        corpus: the corpus, for people.
        seed: the study seed.
        created: when it was first run (UTC).
        updated: when it was last run (UTC).
    """

    name: str
    spec: JSON
    profile: str
    corpus: str
    seed: int
    created: datetime | None = None
    updated: datetime | None = None


@dataclasses.dataclass(frozen=True)
class VariantRecord:
    """One assignment of a level to every axis; ``levels`` maps axis to level."""

    name: str
    fingerprint: str
    levels: JSON
    baseline: bool


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """One variant in one replicate.

    Attributes:
        variant: the variant's name.
        replicate: from 0.
        stages: fingerprint of each stage by its name (``"train"``, ``"measure distance.pitch"``).
        config: the full resolved configuration, component versions included.
        state: see :data:`RunState`; ``pending`` before it has run.
        error_class: of a failed run (``"TrainingDiverged"``).
        error: its message; of a pruned run the reason.
    """

    variant: str
    replicate: int
    stages: Mapping[str, str]
    config: JSON
    state: RunState = "pending"
    error_class: str = ""
    error: str = ""


@dataclasses.dataclass(frozen=True)
class StageRecord:
    """The result of one stage; equal fingerprint means equal result.

    Attributes:
        fingerprint: SHA-256 of everything that decides the result, in hex.
        kind: ``prepare``, ``train``, ``generate`` or ``measure``.
        config: what was hashed.
        result: what came out, as plain data (final loss, tokens seen, parameters).
        artifact: folder of its files, relative to the home; empty without files.
        device: what it ran on.
        seconds: how long it took.
        environment: package versions, Python, platform and git state.
        finished: when (UTC).
    """

    fingerprint: str
    kind: str
    config: JSON
    result: JSON
    artifact: str
    device: str
    seconds: float
    environment: JSON
    finished: datetime | None = None


@dataclasses.dataclass(frozen=True)
class MeasurementRecord:
    """One number: see the word list in the architecture.

    ``floor`` is empty for a sample of a model; otherwise it says which floor was measured (``"round_trip"``), and
    ``sample`` counts what stood in for a sample.
    """

    sample: int
    metric: str
    feature: str
    value: float
    unit: str
    direction: str
    n: int
    floor: str = ""


@dataclasses.dataclass(frozen=True)
class HistogramRecord:
    """The histogram behind a metric for one sample; counts for each bin between ``edges``; ``floor`` as above."""

    sample: int
    metric: str
    feature: str
    unit: str
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    generated: tuple[float, ...]
    floor: str = ""


class FinishedStage(NamedTuple):
    """A stage's result with what it measured."""

    stage: StageRecord
    measurements: tuple[MeasurementRecord, ...] = ()
    histograms: tuple[HistogramRecord, ...] = ()


class MeasurementRow(NamedTuple):
    """A measurement of a run, flat; see :class:`MeasurementRecord`."""

    variant: str
    replicate: int
    sample: int
    metric: str
    feature: str
    value: float
    unit: str
    direction: str
    n: int


@dataclasses.dataclass(frozen=True)
class RunMeasurement:
    """A measurement with the run it belongs to."""

    variant: str
    replicate: int
    measurement: MeasurementRecord


@dataclasses.dataclass(frozen=True)
class RunHistogram:
    """A histogram with the run it belongs to."""

    variant: str
    replicate: int
    histogram: HistogramRecord
