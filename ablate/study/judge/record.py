"""A judged study in the store: the records of an ordinary study, made from numbers that ablate did not compute."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import ablate
from ablate.errors import UsageError
from ablate.kinds import KINDS, MEASURE, stage_name
from ablate.names import shell_name
from ablate.store.records import FinishedStage, MeasurementRecord, RunRecord, StageRecord, StudyRecord, VariantRecord
from ablate.study.stage import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.store.store import Store
    from ablate.study.design import Variant
    from ablate.study.judge.runs import JudgedRun, JudgedRuns

#: What happened to a study: it is new, it replaces the same results, or nothing has changed.
Saved = Literal["new", "replaced", "unchanged"]
#: The feature of a number in a table.
FEATURE = "value"


@dataclasses.dataclass(frozen=True)
class JudgedStudy:
    """A study of numbers that somebody else computed.

    Attributes:
        name: in the home.
        kind: of the source: ``table``, ``optuna``, ``mlflow`` or ``wandb``.
        source: the file or database, as it is shown.
        identity: of the source: the same results under another name, or with more replicates, have the same one.
        digest: SHA-256 of the source's content, in hex.
        metrics: the metrics in order, the primary one first, each with its better direction or ``none``.
        margins: the smallest difference that matters, by metric.
        runs: the variants and runs.
        notes: how the source was read, one line each.
        command: the words of the command that judged it.
    """

    name: str
    kind: str
    source: str
    identity: str
    digest: str
    metrics: Mapping[str, str]
    margins: Mapping[str, float | str]
    runs: JudgedRuns
    notes: tuple[str, ...]
    command: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return the study as the plain data of a study file, for the store and the report."""
        first = next(iter(self.metrics))
        baseline = self.runs.baseline
        axes = {axis: _axis_levels(self.runs.variants, axis) for axis in baseline.levels}
        return {
            "question": f"Do the results in {self.source} differ from those of {baseline.name}?",
            "source": self.source,
            "replicates": self.runs.count,
            "design": "factorial" if crossed(self.runs.variants, axes) else "listed",
            "objective": {"metric": first, "feature": FEATURE, "direction": self.metrics[first]},
            "axes": axes,
            "baseline": dict(baseline.levels),
            "margins": dict(self.margins),
            "metric": list(self.metrics),
            "judged": {
                "kind": self.kind,
                "source": self.source,
                "identity": self.identity,
                "digest": self.digest,
                **self.runs.facts(),
                "notes": list(self.notes),
                "command": list(self.command),
            },
        }


def _axis_levels(variants: tuple[Variant, ...], axis: str) -> list[Any]:
    """Return the levels of an axis: numbers in increasing order, others in the order of the table."""
    levels = list(dict.fromkeys(variant.levels[axis] for variant in variants))
    numeric = all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)
    return sorted(levels) if numeric else levels


def crossed(variants: tuple[Variant, ...], axes: Mapping[str, list[Any]]) -> bool:
    """Return whether every level of each axis meets every level of the others."""
    count = 1
    for levels in axes.values():
        count *= len(levels)
    return len(variants) == count


def save(store: Store, study: JudgedStudy) -> Saved:
    """Write a judged study to the store; one of the same source and name is replaced.

    Raises:
        UsageError: the home has a study of this name that is another one.
    """
    known = next((each for each in store.studies() if each.name == study.name), None)
    if known:
        _refuse_other(known, study)
    spec, runs = study.plain(), [_run(study, run) for run in study.runs.runs]
    spec["judged"]["earlier_metrics"] = _earlier_metrics(known, spec["objective"]["metric"])
    before = {each for run in store.runs(study.name) for each in run.stages.values()} if known else set()
    if known and known.spec == spec and {each for run in runs for each in run.stages.values()} == before:
        return "unchanged"
    variants = [
        VariantRecord(v.name, fingerprint({"judged": v.levels}), v.levels, v.baseline) for v in study.runs.variants
    ]
    # its own seed: replicates of two judged studies have nothing in common
    seed = int(fingerprint({"judged": study.identity, "name": study.name})[:7], 16)
    finished = [stage for run in study.runs.runs for stage in _stages(study, run)]
    store.put_stages(finished)
    store.put_study(StudyRecord(study.name, spec, "default", study.source, seed), variants, runs)
    store.forget_stages(before - {stage.stage.fingerprint for stage in finished})
    return "replaced" if known else "new"


def _earlier_metrics(known: StudyRecord | None, now: str) -> list[str]:
    """Return the metrics that were the primary one when these results were judged before, without the present one."""
    if not known:
        return []
    earlier = [*known.spec["judged"].get("earlier_metrics", []), known.spec["objective"]["metric"]]
    return [metric for metric in dict.fromkeys(earlier) if metric != now]


def _refuse_other(known: StudyRecord, study: JudgedStudy) -> None:
    judged = known.spec.get("judged") or {}
    if study.identity != judged.get("identity") and study.digest != judged.get("digest"):
        what = f"judged {judged['source']}" if judged else "is a study that ablate ran"
        raise UsageError(
            f"this home has a study '{known.name}', which {what}; give this one a name of its own with --name, or "
            f"delete the other: ablate study delete {shell_name(known.name)}"
        )


def _run(study: JudgedStudy, run: JudgedRun) -> RunRecord:
    levels = next(variant.levels for variant in study.runs.variants if variant.name == run.variant)
    stages = {stage_name(MEASURE, each.config["metric"]["name"]): each.fingerprint for each, *_ in _stages(study, run)}
    config = {"level": dict(levels)}
    if stages:
        return RunRecord(run.variant, run.replicate, stages, config, "done")
    return RunRecord(run.variant, run.replicate, {}, config, "failed", "NoResult", "not in the results")


def _stages(study: JudgedStudy, run: JudgedRun) -> Iterator[FinishedStage]:
    """Yield a finished stage for each metric that a run has."""
    for metric, direction in study.metrics.items():
        values = run.values.get(metric, ())
        if not values:
            continue
        place = {"study": study.name, "variant": run.variant, "replicate": run.replicate}
        config = {"judged": place, "metric": {"name": metric, "direction": direction}, "values": list(values)}
        data = {"stage": MEASURE, "code": KINDS[MEASURE].code, "inputs": {}, **config}
        stage = StageRecord(fingerprint(data), MEASURE, data, {"samples": len(values)}, "", "", 0.0, _environment())
        numbers = [
            MeasurementRecord(sample, metric, FEATURE, value, "1", direction, 1) for sample, value in enumerate(values)
        ]
        yield FinishedStage(stage, tuple(numbers))


def _environment() -> dict[str, Any]:
    """Return what read the numbers; what computed them is unknown."""
    return {"packages": {"ablate": ablate.__version__}}
