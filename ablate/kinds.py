"""The kinds of stages: one table, in the order of the work.

A new kind of stage needs one row here, one module in ``ablate/study/work``, one line in the table of
``ablate/study/work/dispatch.py``, and the runs that have it (``ablate/study/plan/stages.py``).
"""

from __future__ import annotations

import dataclasses
from typing import Literal

LOAD, FIT, PREPARE, PRIME = "load", "fit", "prepare", "prime"
TRAIN, GENERATE, MEASURE = "train", "generate", "measure"
FLOOR, RESAMPLE = "floor", "resample"
#: A program of the study's author, in place of a model.
PROGRAM = "program"
#: MIDI files that somebody else generated, in place of a generation.
COLLECT = "collect"

#: Which stages of a kind are one job: each is a job, or all that depend on one training are a job and are worked on
#: one after another, or ``ablate/study/plan/jobs.py`` decides which stages are worked on together.
Jobs = Literal["single", "training", "together"]


@dataclasses.dataclass(frozen=True)
class StageKind:
    """A kind of stage.

    Attributes:
        name: in the database and in fingerprints.
        code: version of the work; increment it when the same inputs give other results. Part of fingerprints.
        verb: the work, in lines of progress (``"train"``).
        noun: one such stage, where finished ones are counted (``"training"``); empty where they are not.
        early: it comes before any training and takes seconds; nothing is trained if one of these fails.
        goal: its stages run even if no other stage needs their results.
        required: a run is not done without it.
        keeps_files: its stages leave files; those of the other kinds leave numbers only.
        samples: its files are the samples of a run: performances and MIDI files, in one format for all such kinds.
        jobs: which stages of the kind are one job.
    """

    name: str
    code: int
    verb: str
    noun: str = ""
    early: bool = False
    goal: bool = False
    required: bool = True
    keeps_files: bool = False
    samples: bool = False
    jobs: Jobs = "single"


_ROWS = (
    StageKind(LOAD, 3, "load corpus", early=True, keeps_files=True),
    StageKind(FIT, 1, "fit tokenizer", early=True, keeps_files=True),
    StageKind(PREPARE, 2, "prepare", early=True, keeps_files=True),
    StageKind(PRIME, 1, "cut primer", early=True, keeps_files=True),
    StageKind(TRAIN, 2, "train", "training", keeps_files=True, jobs="together"),
    StageKind(GENERATE, 2, "generate", "generation", goal=True, keeps_files=True, samples=True, jobs="together"),
    StageKind(PROGRAM, 1, "run program", "program", keeps_files=True, samples=True),
    StageKind(COLLECT, 1, "collect MIDI files", "collection", goal=True, keeps_files=True, samples=True),
    StageKind(MEASURE, 1, "measure", "measurement", goal=True, jobs="training"),
    StageKind(FLOOR, 2, "measure floors", "floor", goal=True, required=False),
    StageKind(RESAMPLE, 2, "measure resampled notes", "resampling floor", goal=True, required=False, jobs="training"),
)
#: Every kind of stage by its name, in the order of the work.
KINDS: dict[str, StageKind] = {kind.name: kind for kind in _ROWS}

#: The kinds whose files are the samples of a run, which has one of them.
SAMPLES = tuple(kind.name for kind in KINDS.values() if kind.samples)

#: The file of a training's weights in the folder of its stage.
WEIGHTS = "weights.safetensors"
#: The file in the folders of a loading and of all that is made from it, down to the training, that has the number of
#: the instrument that plays every note of the corpus. Piano, 0, and several instruments need no file.
INSTRUMENT = "instrument.txt"
#: Version of what networks compute on a GPU; increment it when their results change.
FUSION_CODE = 2  # float32 without TF32


def stage_name(kind: str, metric: str) -> str:
    """Return the name in a run of the stage of a kind that has one stage for each metric."""
    return f"{kind} {metric}"


def kind_of(name: str) -> str:
    """Return the kind of the stage with this name in a run (``"measure"`` of ``"measure distance.pitch"``)."""
    return name.partition(" ")[0]
