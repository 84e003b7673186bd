"""The time that is left, from what has been finished so far. Nothing is tried out, so it costs nothing."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, NamedTuple

from ablate.kinds import TRAIN, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.store.records import StudyProgress
    from ablate.watch.live import Live, LiveJob

#: Seconds of work, and the part of a training, that must be done before they allow an estimate.
_ENOUGH_SECONDS, _ENOUGH_OF_TRAINING = 5.0, 0.05


class Remaining(NamedTuple):
    """An estimate.

    Attributes:
        seconds: that are left.
        at_least: whether there is work of a sort of which nothing is finished yet, so that it is not counted.
    """

    seconds: float
    at_least: bool


def remaining(progress: StudyProgress, live: Live, now: float) -> Remaining | None:
    """Return the time that is left; None as long as too little is finished.

    A missing stage is expected to take as long as the finished ones of its name (each metric has its own). The work
    that the command has finished since it began, divided by the time that has passed, is its speed: it contains
    everything, the number of workers and what waits.

    Args:
        progress: of the study.
        live: of the command.
        now: in seconds since 1970.
    """
    names = _names(progress)
    means = _means(progress, names, live, now)
    lacking = names.keys() - progress.stages.keys()
    missing = {fingerprint: means.get(names[fingerprint]) for fingerprint in lacking}
    left, unknown = sum(seconds or 0.0 for seconds in missing.values()), None in missing.values()
    begun = sum((missing.get(fingerprint) or 0.0) * part for fingerprint, part in _parts(live).items())
    finished = sum(
        facts.seconds
        for fingerprint, facts in progress.stages.items()
        if fingerprint in names and facts.finished.timestamp() >= live.since
    )
    passed = now - live.since
    if passed < _ENOUGH_SECONDS or finished + begun <= 0 or not left:
        return None
    return Remaining((left - begun) * passed / (finished + begun), unknown)


def _names(progress: StudyProgress) -> dict[str, str]:
    """Return the name in its runs of each stage that is finished or will be, by fingerprint."""
    return {
        fingerprint: name
        for run in progress.runs
        for name, fingerprint in run.stages.items()
        if run.state not in ("failed", "pruned") or fingerprint in progress.stages
    }


def _means(progress: StudyProgress, names: Mapping[str, str], live: Live, now: float) -> dict[str, float]:
    """Return the mean seconds of a stage by name; of trainings without a finished one, those that are running count."""
    seconds: dict[str, list[float]] = collections.defaultdict(list)
    for fingerprint, facts in progress.stages.items():
        if fingerprint in names:
            seconds[names[fingerprint]].append(facts.seconds)
    trained = {name for name in seconds if kind_of(name) == TRAIN}
    for job in live.jobs if not trained else ():
        if job.kind == TRAIN and job.fraction >= _ENOUGH_OF_TRAINING:
            each = (now - job.since) / job.fraction / max(len(job.stages), 1)
            for fingerprint in job.stages:
                if fingerprint in names:
                    seconds[names[fingerprint]].append(each)
    return {name: sum(each) / len(each) for name, each in seconds.items()}


def _parts(live: Live) -> dict[str, float]:
    """Return the finished part of each stage that is worked on."""
    return {fingerprint: _part(live, job, fingerprint) for job in live.jobs for fingerprint in job.stages}


def _part(live: Live, job: LiveJob, fingerprint: str) -> float:
    training = live.trainings.get(fingerprint)
    if training:
        return min(training.step / training.steps, 1.0)
    return job.fraction if fingerprint == job.at else 0.0
