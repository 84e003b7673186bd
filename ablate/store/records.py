"""The records of the store, independent of the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ablate.printable import printable

if TYPE_CHECKING:
    from datetime import datetime

RunState = Literal["pending", "done", "failed", "interrupted", "pruned"]
JSON = Mapping[str, Any]
#: The most characters of :attr:`StudyRecord.settings`.
LONGEST_SETTINGS = 100


@dataclasses.dataclass(frozen=True)
class StudyRecord:
    """A study as the last command ran it.

    Attributes:
        name: unique in the database (``"tau_sweep"``, ``"tau_sweep@smoke"``).
        spec: the study file with profile and overrides applied, as plain data.
        profile: the profile's name; ``"default"`` without one.
        corpus: the corpus, for people.
        seed: the study seed.
        created: the time of the first command (UTC).
        updated: the time of the last command (UTC).
    """

    name: str
    spec: JSON
    profile: str
    corpus: str
    seed: int
    created: datetime | None = None
    updated: datetime | None = None

    @property
    def settings(self) -> str:
        """The settings that ``--set`` changed (``"training.steps=5, seed=3"``), shortened; empty without any."""
        given = [text for text in self.spec.get("overrides") or () if text.startswith("--set ")]
        text = printable(", ".join(text.removeprefix("--set ") for text in given))
        return text if len(text) <= LONGEST_SETTINGS else f"{text[: LONGEST_SETTINGS - 1]}…"


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
        state: see :data:`RunState`; ``pending`` before its stages have run.
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


class StageFacts(NamedTuple):
    """The facts of a finished stage that progress is made of.

    Attributes:
        kind: as in :class:`StageRecord`.
        seconds: how long it took.
        finished: the time when it finished (UTC).
    """

    kind: str
    seconds: float
    finished: datetime


class StudyProgress(NamedTuple):
    """The progress of a study; it is read often, so it has no configurations and no results.

    Attributes:
        variants: their names in order, each with whether it is the baseline.
        runs: by variant and replicate, each with an empty ``config``.
        stages: the finished stages of these runs, by fingerprint.
        looked: the numbers of replicates whose verdicts have been shown, in the order of the looks.
    """

    variants: tuple[tuple[str, bool], ...]
    runs: tuple[RunRecord, ...]
    stages: Mapping[str, StageFacts]
    looked: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class LookRecord:
    """A look at the verdicts of a study; the looks of a study are kept in the order in which they were made.

    Attributes:
        replicates: how many replicates the verdicts were based on.
        share: the share of alpha that may be spent up to this look; None for a look that was not declared.
        states: of each primary comparison, by its name (see :mod:`ablate.report.statistics.looks`).
        p: of each primary comparison, by its name, adjusted for its family and for the looks; None if it has none.
        variants: the fingerprints of the variants that were compared.
        made: the time of the look (UTC).
    """

    replicates: int
    share: float | None
    states: Mapping[str, str]
    p: Mapping[str, float | None]
    variants: tuple[str, ...]
    made: datetime | None = None


@dataclasses.dataclass(frozen=True)
class StageRecord:
    """The result of one stage; equal fingerprint means equal result.

    Attributes:
        fingerprint: SHA-256 of everything that decides the result, in hex.
        kind: a key of :data:`ablate.kinds.KINDS`.
        config: the data of the fingerprint.
        result: the result as plain data (final loss, tokens seen, parameters).
        artifact: the folder of its files, relative to the home; empty without files.
        device: the device that it ran on.
        seconds: how long it took.
        environment: package versions, Python, platform and git state.
        finished: the time when it finished (UTC).
        sources: digests of the components and files that it used (:mod:`ablate.study.sources`); empty if unknown.
        files: the digest of each file in the folder, by its name (:mod:`ablate.digests`); empty if unknown.
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
    sources: JSON = dataclasses.field(default_factory=dict)
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class MeasurementRecord:
    """One number: see the word list in the architecture.

    ``floor`` is empty for a sample of a model; otherwise it is the name of the floor (``"round_trip"``), and
    ``sample`` is the index within the floor.
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


class RemovedStage(NamedTuple):
    """A stage that was deleted, or could be: enough to find its files. No value is checked.

    Attributes:
        fingerprint: of the stage.
        kind: as in :class:`StageRecord`.
        artifact: as in :class:`StageRecord`.
    """

    fingerprint: str
    kind: str
    artifact: str


class FinishedStage(NamedTuple):
    """A stage's result with its measurements."""

    stage: StageRecord
    measurements: tuple[MeasurementRecord, ...] = ()
    histograms: tuple[HistogramRecord, ...] = ()


@dataclasses.dataclass(frozen=True)
class FeatureMean:
    """The mean of a feature over the samples of a run."""

    metric: str
    feature: str
    value: float
    unit: str
    direction: str
    samples: int


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
class RunHistogram:
    """A histogram with the run that it belongs to."""

    variant: str
    replicate: int
    histogram: HistogramRecord
