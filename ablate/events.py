"""The events of a running study, as observers receive them: plain records, complete in themselves.

A run is one variant in one replicate. Runs may share a training; its steps are then events of each run that waits for
it. Losses are in nats per token.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The end of a run, with all results, with an error, or because the study was stopped.
Ending = Literal["done", "failed", "interrupted"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunStarted:
    """A run has started, or all of its results exist already.

    Attributes:
        study: the name of the study (``"tau_sweep@smoke"``).
        variant: the name of the variant (``"tau=0.8"``).
        replicate: from 0.
        levels: the level of each axis of the study, by its path.
        baseline: whether the other variants are compared with this one.
        config: the complete configuration as JSON-ready data, with the versions of all components.
        fingerprint: differs between two runs if anything differs that decides their results, in hex.
        reused: all results existed when the command began; no step follows, and :class:`RunFinished` follows at once.
    """

    study: str
    variant: str
    replicate: int
    levels: Mapping[str, Any]
    baseline: bool
    config: Mapping[str, Any]
    fingerprint: str
    reused: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepLogged:
    """A step of the training of a run: at most one each second, and the last one.

    Attributes:
        study: the name of the study.
        variant: the name of the variant.
        replicate: from 0.
        step: steps done.
        steps: steps of the whole training.
        loss: of this step.
        tokens_seen: positions in all windows so far, padding included.
        seconds: since this command started the training.
        validation: the latest validation as (steps done, loss); None before the first.
    """

    study: str
    variant: str
    replicate: int
    step: int
    steps: int
    loss: float
    tokens_seen: int
    seconds: float
    validation: tuple[int, float] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """A feature of a metric, as the mean over the samples of a run.

    Attributes:
        metric: the name of the metric (``"distance.pitch"``).
        feature: the name of the feature (``"average"``); ``"value"`` where a metric has one without a name.
        value: the mean.
        unit: of the value; may be empty.
        direction: ``"lower"`` or ``"higher"`` values are better, or ``"none"``.
        samples: how many samples were measured; 1 for a metric of all samples or of the model.
    """

    metric: str
    feature: str
    value: float
    unit: str
    direction: str
    samples: int

    @property
    def name(self) -> str:
        """The metric and its feature, joined by a point; the metric alone for the feature ``value``."""
        return self.metric if self.feature == "value" else f"{self.metric}.{self.feature}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunFinished:
    """A run has ended.

    Attributes:
        study: the name of the study.
        variant: the name of the variant.
        replicate: from 0.
        state: ``"done"``, ``"failed"`` or ``"interrupted"``; an interrupted run starts again with the next command.
        error: of a failed run, the class of the error and its message.
        measurements: the features of every metric, in the order of measuring.
        training: facts of the finished training as numbers: ``loss`` (the mean over its last steps),
            ``validation_loss`` (if it validates), ``steps``, ``tokens_seen``, ``parameters``; empty without a training.
        seconds: how long the training, generation and measuring of this run took, those that are shared or reused
            included.
        reused: see :class:`RunStarted`.
    """

    study: str
    variant: str
    replicate: int
    state: Ending
    error: str = ""
    measurements: tuple[Measured, ...] = ()
    training: Mapping[str, float] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    reused: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyFinished:
    """The command on the study ends; this is the last event.

    Attributes:
        study: the name of the study.
        stopped: the study was stopped, or ended with an error, before everything was done.
        runs: the number of runs that ended in each state, those that were reused included.
        seconds: how long the command took.
        verdicts: the sentences that answer the study's question, in the order of the report; empty if it was stopped.
        report: the path of the report's page; empty without one.
    """

    study: str
    stopped: bool
    runs: Mapping[Ending, int]
    seconds: float
    verdicts: tuple[str, ...] = ()
    report: str = ""
