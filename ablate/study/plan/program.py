r"""The stages of a run in a study of programs.

    program -> measure (each metric of its metrics file)
          \-> measure, resample (each metric of the MIDI files that it writes)
    load --/-> floor

The fingerprint of a program has its command, environment and inputs, parameters and seed filled in, and the version of
the reader where it writes MIDI files. Not in it: the folders that it works in, its limits and its resources.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate import kinds
from ablate.engine.seeding import derive
from ablate.kinds import stage_name
from ablate.music.midi import READER_VERSION
from ablate.study.pause import pause_config, pause_extra
from ablate.study.plan.elsewhere import program_key
from ablate.study.plan.identity import identity_of
from ablate.study.plan.stages import RunStages, load_stage
from ablate.study.program.inputs import command_files, digests, matching
from ablate.study.program.placeholders import filled
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.study.file.configuration import Choice, Configuration
    from ablate.study.plan.stages import AnyMetricSpec, Setting

#: Seeds of programs are below this: NumPy and others take no larger ones.
LARGEST_SEED = 2**31


def program_run(
    configuration: Configuration,
    variant: str,
    identity: str,
    replicate: int,
    setting: Setting,
    metrics: Mapping[str, AnyMetricSpec],
) -> RunStages:
    """Return every stage of one run.

    Args:
        configuration: of the run's variant.
        variant: its name.
        identity: of the corpus that MIDI files are compared with; empty where no MIDI files are measured.
        replicate: from 0.
        setting: of the study or the block.
        metrics: the records of the metrics of MIDI files, by name.

    Raises:
        StudyFileError: an input cannot be read.
    """
    program = program_stage(configuration, variant, replicate, setting)
    stages = {kinds.PROGRAM: program, **metric_stages(configuration, program)}
    if identity:
        load = load_stage(configuration.one("corpus"), identity)
        stages = {kinds.LOAD: load, **stages}
        sources, samples = {"generated": program, "reference": load}, configuration.settings["program"]["samples"]
        for choice in configuration.choices["metric"]:
            measured = sample_stages(choice, metrics[choice.name].scope, sources, samples, replicate, setting)
            stages |= {stage_name(stage.kind, choice.name): stage for stage in measured}
    return RunStages(stages)


def program_stage(configuration: Configuration, variant: str, replicate: int, setting: Setting) -> Stage:
    """Return the stage in which the program of a run works.

    Raises:
        StudyFileError: an input cannot be read.
    """
    program = configuration.settings["program"]
    values = {
        **configuration.settings["parameters"],
        "seed": derive(setting.seed, replicate, "program") % LARGEST_SEED,
        "replicate": replicate,
        "variant": variant,
        "device": "cuda" if program["gpus"] else "cpu",
    }
    fill = functools.partial(filled, values=values, last=False)
    command = [fill(word) for word in program["command"]]
    config: dict[str, Any] = {
        "command": command,
        "environment": {name: fill(text) for name, text in (program["environment"] or {}).items()},
        "device": values["device"],
        **{name: program[name] for name in ("metrics", "midi", "samples")},
    }
    known = setting.inputs.get(program_key(config))  # of a study from a bundle, whose files may be absent here
    patterns = tuple(fill(each) for each in program["inputs"])
    config["inputs"] = known or _inputs(command, patterns, Path(program["folder"]))
    extra = {name: program[name] for name in ("folder", "cores", "gpus", "seconds")}
    corpus = next(iter(configuration.choices.get("corpus", ())), None) if config["midi"] else None
    read = {"reader": READER_VERSION, **pause_config(corpus)} if config["midi"] else {}
    return Stage(kinds.PROGRAM, {"program": config, **read}, extra={**extra, **pause_extra(corpus)})


def _inputs(command: list[str], patterns: tuple[str, ...], folder: Path) -> list[list[str]]:
    """Return ``[name, SHA-256]`` of every file that decides the result."""
    listed = (name for pattern in patterns for name in matching(pattern, folder))
    return digests(sorted({*command_files(command, folder), *listed}), folder)


def contents(identity: str, stages: RunStages) -> dict[str, Any]:
    """Return what identifies the music and the files of a variant, beside its configuration."""
    program = stages.stages.get(kinds.PROGRAM)
    inputs = {"inputs": program.config["program"]["inputs"]} if program else {}
    return {**({"corpus": identity} if identity else {}), **inputs}


def metric_stages(configuration: Configuration, program: Stage) -> dict[str, Stage]:
    """Return the stage of each metric of the metrics file."""
    settings = configuration.settings["program"]
    units = settings["units"] or {}
    choices = {
        name: {"name": name, "direction": direction, "unit": units.get(name, "")}
        for name, direction in (settings["directions"] or {}).items()
    }
    return {
        stage_name(kinds.MEASURE, name): Stage(kinds.MEASURE, {"metric": choice}, {"results": program})
        for name, choice in choices.items()
    }


def sample_stages(
    choice: Choice,
    scope: str,
    sources: Mapping[str, Stage],
    samples: int,
    replicate: int,
    setting: Setting,
    tokenizer: Choice | None = None,
) -> list[Stage]:
    """Return the stages of a metric of MIDI files that no model of ablate generated: its measurement and its floors.

    Args:
        choice: the metric.
        scope: ``set`` for a metric of sets.
        sources: the stages ``generated`` and ``reference``; with a tokenizer that is fitted also ``fit``.
        samples: the number of MIDI files of a run, for the floors of a metric of sets.
        replicate: from 0.
        setting: of the study or the block.
        tokenizer: of the floors that need one; None leaves them out.
    """
    config: dict[str, Any] = {"metric": choice.plain(), **({"scope": "set"} if scope == "set" else {})}
    counts = {"shuffles": setting.floors.shuffles, "pieces": setting.floors.pieces}
    counts |= {"samples": samples} if scope == "set" else {}
    floor = {**config, "seed": derive(setting.seed, 0, "floor"), **counts}
    floor |= {"tokenizer": tokenizer.plain()} if tokenizer else {}
    measured = {role: stage for role, stage in sources.items() if role != kinds.FIT}
    of_floor = {role: stage for role, stage in sources.items() if role != "generated"}
    configs = [(kinds.MEASURE, config, measured), (kinds.FLOOR, floor, of_floor)]
    if setting.floors.draws:
        drawn = {"draws": setting.floors.draws, "seed": derive(setting.seed, replicate, "resample")}
        configs.append((kinds.RESAMPLE, {**config, **drawn}, measured))
    chosen = [choice, *([tokenizer] if tokenizer else [])]
    # no stage before the floors says what the tokenizer cannot write
    extra = {kinds.FLOOR: {"count_unwritten": tokenizer is not None}}
    return [
        Stage(kind, each, inputs, extra=extra.get(kind, {}), identity=identity_of(each, chosen))
        for kind, each, inputs in configs
    ]
