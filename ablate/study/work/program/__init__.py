"""Do the stage ``program``: run a program of the study's author, and keep what it writes.

The folder of the stage holds ``out/``, everything that the program has written there; ``log.txt``, its standard output
and error; ``metrics.json``, its metrics in one form; and where it writes MIDI files the same files as a generation:
``performances.npz`` and a MIDI file for each sample.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from ablate.errors import ProgramFailed
from ablate.files import remove, replaced_folder
from ablate.inside import inside, without_links
from ablate.kinds import PROGRAM
from ablate.music.corpus.read import left_out_text
from ablate.music.storage import write_performances
from ablate.study.pause import pause_of
from ablate.study.stage import log_path, program_checkpoint
from ablate.study.work.artifacts import midi_files
from ablate.study.work.messages import MetricRecord, News, StageResult
from ablate.study.work.program.gpus import leased
from ablate.study.work.program.music import read_samples
from ablate.study.work.program.process import run_process
from ablate.study.work.program.results import declared_values, plain_metrics, read_metrics
from ablate.study.work.program.start import Places, changed_input, command_of, environment_of, why_it_failed

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context

#: The folder of a stage's folder that the placeholder ``{out}`` stands for.
OUT = "out"


def run_program(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Run the program of one run."""
    (stage,) = stages
    changed = changed_input(stage)
    if changed:
        raise ProgramFailed(
            f"the input {changed} is missing or is another file than the one that belongs to this run: it was edited "
            "after this command began, a program writes to it, or the study is from a bundle"
        )
    log = inside(context.home, log_path(stage.fingerprint))
    log.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = inside(context.home, program_checkpoint(stage.fingerprint))
    with replaced_folder(without_links(context.home, stage.artifact)) as folder:
        places = Places(folder / OUT, checkpoint)
        try:
            result = _run(stage, context, places, log)
            result |= _keep_results(stage, folder)
        except ProgramFailed as error:
            raise ProgramFailed(f"{error}; see {log}") from None
        shutil.move(log, folder / "log.txt")
    remove(checkpoint)
    return [StageResult(stage, result, 0.0)]


def _run(stage: Stage, context: Context, places: Places, log: Path) -> dict[str, Any]:
    """Run the program to its end; return the facts of the stage's result."""
    places.out.mkdir()
    context.tell(News(stage.fingerprint, PROGRAM, 0.0))  # so that a terminal shows what runs
    with leased(stage.extra["gpus"], context.home, context.should_stop) as gpus:
        command = command_of(stage, places)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n")
        start = log.stat().st_size
        ending = run_process(
            command,
            folder=stage.extra["folder"],
            environment=environment_of(stage, places, gpus),
            log=log,
            lock=inside(context.home, f"logs/{stage.fingerprint}.lock"),
            limit=stage.extra["seconds"],
            should_stop=context.should_stop,
        )
    reason = why_it_failed(ending, stage.extra["seconds"], log, start)
    if reason:
        raise ProgramFailed(reason)
    return {"program_seconds": ending.seconds, "gpus": list(gpus)}


def _keep_results(stage: Stage, folder: Path) -> dict[str, Any]:
    """Read and check what the program has written, and keep it in the form that later stages read."""
    config = stage.config["program"]
    facts: dict[str, Any] = {}
    if config["metrics"]:
        metrics = read_metrics(folder / OUT / config["metrics"], config["metrics"])
        (folder / "metrics.json").write_text(json.dumps(plain_metrics(metrics)), encoding="utf-8")
        facts["metrics"] = list(metrics)
    if config["midi"]:
        samples, problems, left_out = read_samples(folder / OUT, config["midi"], config["samples"], **pause_of(stage))
        with (folder / "performances.npz").open("xb") as file:
            write_performances(samples, file)
        midi = midi_files(samples)
        for name, data in midi.files.items():
            (folder / name).write_bytes(data)
        notes = sum(map(len, samples))
        facts |= {"samples": len(samples), "notes": notes, "seconds": sum(s.seconds for s in samples)}
        facts |= {"problems": [*problems, *midi.problems], "written": midi.changes, "left_out": {"notes": left_out}}
        facts |= {"summary": left_out_text(facts["left_out"], {"notes": notes})}
    return facts


def measure_program(stage: Stage, context: Context) -> StageResult:
    """Return one metric of the metrics file that a program has written, as measurements of the run.

    Raises:
        ProgramFailed: the program has not written the metric, or with another direction.
    """
    source = stage.inputs["results"]
    metrics = json.loads((context.home / source.artifact / "metrics.json").read_text(encoding="utf-8"))
    choice = stage.config["metric"]
    try:
        values = declared_values(metrics, choice)
    except ProgramFailed as error:
        name = source.config["program"]["metrics"]
        raise ProgramFailed(f"{name}: {error}; see {context.home / source.artifact}") from None
    records = tuple(MetricRecord(0, choice["name"], value) for value in values)
    return StageResult(stage, {"samples": 1}, 0.0, records)
