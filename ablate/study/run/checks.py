"""Checks of a study that need results: those of its earlier runs, and those that come in while it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ablate.errors import StudyFileError, UsageError
from ablate.kinds import LOAD, MEASURE
from ablate.names import shell_name
from ablate.study.trials.objectives import incomparable_objectives, objective_problems
from ablate.study.work.messages import StageResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ablate.store.records import StudyRecord
    from ablate.store.store import Store
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout
    from ablate.study.work.messages import StageFailure


def check_objectives(spec: StudySpec, results: Sequence[StageResult | StageFailure]) -> None:
    """Check that the metrics of the objectives have measured what the objectives name.

    Raises:
        StudyFileError: a metric does not have the feature, or its values cannot be compared between variants.
    """
    problems = objective_problems(spec, _features(results))
    problems += incomparable_objectives(spec, _per_tokenizer(results))
    if problems:
        raise StudyFileError(spec.source, problems)


def _features(results: Iterable[StageResult | StageFailure]) -> dict[str, list[str]]:
    """Return the features that each metric has in these results, of samples or of floors."""
    features: dict[str, list[str]] = {}
    for result in results:
        for record in result.values if isinstance(result, StageResult) else ():
            features.setdefault(record.metric, []).append(record.content.feature)
    return {metric: list(dict.fromkeys(names)) for metric, names in features.items()}


def _per_tokenizer(results: Iterable[StageResult | StageFailure]) -> dict[str, list[str]]:
    """Return the features of each metric that can be compared within a tokenizer only."""
    measured = [each for each in results if isinstance(each, StageResult) and each.stage.kind == MEASURE]
    return {each.stage.metric: each.result.get("within_tokenizer", []) for each in measured}


def refuse_other_corpus(layout: Layout, store: Store, known: StudyRecord) -> None:
    """Check that a known study was run on the same corpus; one that has only moved is the same.

    Raises:
        UsageError: it was run on a different corpus, so that the results would replace each other.
    """
    own, judged = (spec.get("judged") or {} for spec in (layout.plain(), known.spec))
    if own or judged:
        if own.get("identity") != judged.get("identity"):
            other = f"has the results that 'ablate judge' read from {judged['source']}" if judged else "is another one"
            raise UsageError(
                f"study '{known.name}' in this home {other}; give this one a name of its own with --name, or delete "
                f"the other: ablate study delete {shell_name(known.name)}"
            )
        return
    loads = {run.stages[LOAD] for run in store.runs(known.name) if run.state == "done" and LOAD in run.stages}
    # by the identity of the music: fingerprints also change with ablate's code and with a plugin's version
    before = {stage.config["corpus"]["identity"] for stage in store.stages(loads).values()}
    loading = (run.stages.stages.get(LOAD) for run in layout.runs)
    now = {stage.config["corpus"]["identity"] for stage in loading if stage}
    if before and not before & now:
        corpus = json.dumps(known.spec.get("corpus"), ensure_ascii=False)
        raise UsageError(
            f"study '{known.name}' in this home was run on a different corpus ({corpus}), or read it in another way; "
            f"give this one a name of its own with --name, or delete the other: "
            f"ablate study delete {shell_name(known.name)}"
        )
