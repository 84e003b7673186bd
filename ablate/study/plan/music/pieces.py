"""The pieces that the runs of a planned study train, validate and test on."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from ablate.building import fewest_of
from ablate.errors import CorpusError, StudyFileError
from ablate.kinds import LOAD, MEASURE, PREPARE
from ablate.specs import SetMetricSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.study.plan.layout import Layout
    from ablate.study.plan.music.corpora import PlannedMusic
    from ablate.study.stage import Stage
    from ablate.study.work.load import Split


@dataclasses.dataclass(frozen=True)
class PlannedSplit:
    """A split, and the runs that have it.

    Attributes:
        replicates: of these runs, in order.
        variants: of these runs, in order.
        pieces: of the corpus by their use.
    """

    replicates: tuple[int, ...]
    variants: tuple[str, ...]
    pieces: Split


def planned_splits(layout: Layout, music: PlannedMusic) -> list[PlannedSplit]:
    """Return each split of a study once, by its first run; without a split the list is empty.

    Raises:
        CorpusError: a corpus cannot be loaded or split.
        UnknownName: a piece to hold out is not in the corpus.
    """
    users: dict[str, list[tuple[int, str]]] = {}
    stages: dict[str, tuple[Stage, Stage]] = {}
    for run in layout.runs:
        load, prepare = run.stages.stages.get(LOAD), run.stages.stages.get(PREPARE)
        if load and prepare and "split" in prepare.config:
            key = json.dumps([load.fingerprint, prepare.config["split"]], sort_keys=True)
            users.setdefault(key, []).append((run.replicate, run.variant.name))
            stages[key] = load, prepare
    splits = []
    for key, (load, prepare) in stages.items():
        replicates, variants = (tuple(dict.fromkeys(each)) for each in zip(*users[key], strict=True))
        splits.append(PlannedSplit(replicates, variants, music.split(load, prepare.config["split"])))
    return splits


def check_references(layout: Layout, music: PlannedMusic) -> None:
    """Check that each metric of sets has as many pieces to compare with as it needs, which only the corpus shows.

    Args:
        layout: the study.
        music: its corpora, which are read unless they have been loaded before. One that cannot be loaded or split, for
            example because the study is from a bundle without it, is not checked: a stage that needs it fails.

    Raises:
        StudyFileError: the training, validation or test pieces are fewer than a metric needs.
    """
    checked: set[str] = set()
    problems: dict[str, None] = {}
    for run in layout.wanted:
        for stage in run.stages.stages.values():
            if stage.kind == MEASURE and stage.config.get("scope") == "set":
                config = {key: stage.config.get(key) for key in ("metric", "reference", "split")}
                key = json.dumps([stage.inputs["reference"].fingerprint, config], sort_keys=True)
                if key not in checked:
                    checked.add(key)
                    problems |= dict.fromkeys(_reference_problems(stage, layout, music))
    if problems:
        raise StudyFileError(layout.spec.source, list(problems))


def _reference_problems(stage: Stage, layout: Layout, music: PlannedMusic) -> Iterator[str]:
    choice, use = stage.config["metric"], stage.config.get("reference", "train")
    spec = layout.registry.spec("metric", choice["name"])
    if not isinstance(spec, SetMetricSpec):
        return
    try:
        split = music.split(stage.inputs["reference"], stage.config.get("split", {}))
    except CorpusError:
        return
    count, fewest = (
        sum(bool(len(piece)) for piece in getattr(split, use)),
        fewest_of(spec, choice["options"], "fewest_pieces"),
    )
    if count < fewest:
        name = {"train": "training"}.get(use, use) + " pieces" if "split" in stage.config else "pieces"
        yield f"metric.{choice['name']}: needs {fewest} {name} or more to compare with, but there are {count}"


def fold_problem(layout: Layout) -> str:
    """Return a sentence if the replicates of a study do not test every piece equally often; else an empty text."""
    for run in layout.runs:
        if run.configuration.runs_program:
            continue
        folds = run.configuration.settings["split"]["folds"]
        replicates = layout.spec.replicates
        missing = folds - replicates
        if missing > 0:
            return (
                f"split.folds = {folds}, but there are {replicates} replicates: the pieces of {missing} "
                f"fold{'s' if missing > 1 else ''} are never tested; run {folds} replicates or a multiple"
            )
        if folds and replicates % folds:
            return (
                f"split.folds = {folds}, and {replicates} replicates are no multiple: some pieces are tested more "
                "often than others"
            )
    return ""
