"""A study of MIDI files that somebody else generated: measured with ablate's metrics and floors, then judged.

It is laid out as a study of a file is, so the same runner reuses finished stages and works in parallel.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.building import build_component, calling
from ablate.errors import UsageError
from ablate.options import plain
from ablate.printable import printable
from ablate.settings import FloorSettings, MeasureSettings, PathSettings, SearchSettings, SplitSettings
from ablate.study.design import Axis, Objective
from ablate.study.file.configuration import Choice, Configuration
from ablate.study.file.overrides.corpus import corpus_table
from ablate.study.file.paths import named, split_path
from ablate.study.file.reach import path_problem
from ablate.study.file.study_file import StudySpec
from ablate.study.judge.folders import AXIS, read_midi_folder
from ablate.study.judge.judge import checked_margins
from ablate.study.judge.midi_stages import SEED, Shared, midi_run
from ablate.study.plan.layout import Layout, Run
from ablate.study.plan.stages import load_stage
from ablate.study.stage import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.registry import Registry
    from ablate.study.file.paths import FileShape
    from ablate.study.judge.folders import MidiFolder
    from ablate.study.judge.judge import Request

#: The metrics of a command that names none; the first is the primary one.
METRICS = (
    *("distance.average", "distance.pitch", "distance.duration", "distance.velocity"),
    *("memorization.covered", "memorization.longest"),
)


@dataclasses.dataclass(frozen=True)
class MidiRequest:
    """The options of a command that judges MIDI files.

    Attributes:
        folder: has a folder for each variant, which has a folder for each replicate.
        reference: a MIDI file, a folder, or the name of a corpus.
        tokenizer: of the floors that need one; empty for none.
        skip_bad: whether files that cannot be read, or have no notes, are left out.
        settings: options of metrics, of the reference (``corpus.midi.instruments``) and of the tokenizer, each as its
            path (``metric.NAME.OPTION``) with its value.
        request: the options that all sources share.
    """

    folder: Path
    reference: str
    tokenizer: str
    skip_bad: bool
    request: Request
    settings: Sequence[tuple[str, Any]] = ()


@dataclasses.dataclass(frozen=True)
class MidiSpec(StudySpec):
    """A study of MIDI files.

    Attributes:
        judged: the source and how it was read, as plain data.
    """

    judged: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return the study as JSON-ready data, for the store and the report."""
        return {**super().plain(), "judged": dict(self.judged)}


def midi_layout(asked: MidiRequest, registry: Registry) -> Layout:
    """Return the runs of MIDI files, each with its stages; the files are hashed and not read.

    Raises:
        CorpusError: the reference cannot be identified.
        TableError: the folder has no MIDI files in folders of variants and replicates.
        UnknownName: no metric, tokenizer, corpus or variant has a name that the command gives.
        UsageError: a metric that needs a trained model, or an option that does not fit.
    """
    found = read_midi_folder(asked.folder, asked.request.baseline)
    choices = _choices(asked, registry)
    reference, tokenizers = choices["corpus"][0], choices["tokenizer"]
    record = registry.spec("corpus", reference.name)
    corpus = build_component(record, reference.options)
    with calling(record, "its identity"):
        identity = corpus.identity()
    metrics = [(choice, registry.spec("metric", choice.name).scope) for choice in choices["metric"]]
    _refuse_models(metrics)
    copying = [
        choice.name for choice, _ in metrics if getattr(registry.spec("metric", choice.name), "copied_share", "")
    ]
    spec = _spec(asked, found, choices, copying)
    tokenizer = tokenizers[0] if tokenizers else None
    load = load_stage(reference, identity)
    shared = Shared(reference, load, tokenizer, metrics, found.samples, spec.floors, asked.skip_bad)
    settings = {"split": plain(SplitSettings()), "measure": plain(MeasureSettings())}
    settings["generation"] = {"samples": found.samples}
    configurations = {
        variant.name: Configuration(choices, {**settings, "level": dict(variant.levels)}, {})
        for variant in found.runs.variants
    }
    variants = {variant.name: variant for variant in found.runs.variants}
    runs = [
        Run(variants[name], number, configurations[name], midi_run(folder, number, shared))
        for (name, number), folder in sorted(found.folders.items(), key=lambda each: each[0][1])
    ]
    fingerprints = {name: fingerprint({"judged": v.levels, "corpus": identity}) for name, v in variants.items()}
    return Layout(spec, found.runs.variants, fingerprints, tuple(runs), registry)


def _choices(asked: MidiRequest, registry: Registry) -> dict[str, tuple[Choice, ...]]:
    """Return the components that a study of MIDI files has, by kind."""
    names = {"tokenizer": [asked.tokenizer] if asked.tokenizer else []}
    names["metric"] = list(dict.fromkeys(asked.request.wanted.metrics or METRICS))
    is_path = asked.reference not in registry.names("corpus") or Path(asked.reference).exists()
    table = corpus_table(asked.reference, registry, skip_bad=asked.skip_bad and is_path, option="--reference")
    shape: FileShape = {"corpus": named(table) or {}, "tokenizer": {name: {} for name in names["tokenizer"]}}
    shape = _with_settings(asked.settings, {**shape, "metric": {name: {} for name in names["metric"]}}, registry)
    return {
        kind: tuple(_choice(kind, name, registry, options) for name, options in chosen.items())
        for kind, chosen in shape.items()
    }


def _with_settings(settings: Sequence[tuple[str, Any]], shape: FileShape, registry: Registry) -> FileShape:
    """Return the components with the options that the command sets.

    Raises:
        UsageError: a path that names no option of these components.
    """
    shape = {kind: {name: dict(options) for name, options in chosen.items()} for kind, chosen in shape.items()}
    for path, value in settings:
        section, name, option = split_path(path, shape)
        problem = path_problem(path, shape, registry)
        if section not in shape:
            problem = "only options of the metrics, the reference and the tokenizer can be set here"
        if problem or not option:
            raise UsageError(f"--set {path}: {problem or f'write it as {section}.NAME.OPTION=VALUE'}")
        shape[section][name][option] = value
    return shape


def _choice(kind: str, name: str, registry: Registry, options: Mapping[str, Any] | None = None) -> Choice:
    spec = registry.spec(kind, name)
    return Choice.of(kind, spec, spec.parse(options or {}))


def _refuse_models(metrics: Sequence[tuple[Choice, str]]) -> None:
    for choice, scope in metrics:
        if scope == "model":
            raise UsageError(f"--metric {choice.name} measures a trained model, and here are MIDI files only")


def _spec(
    asked: MidiRequest, found: MidiFolder, choices: Mapping[str, Sequence[Choice]], copying: list[str]
) -> MidiSpec:
    """Return the study, as if a file had described it."""
    request, runs = asked.request, found.runs
    if request.directions:
        raise UsageError("--direction: the metrics of ablate have directions of their own; leave it out with --midi")
    metrics = [choice.name for choice in choices["metric"]]
    objective = Objective(metrics[0], "", "")
    reference = Path(asked.reference).resolve() if Path(asked.reference).exists() else asked.reference
    identity = f"{asked.folder.resolve()} against {reference}"
    judged = {
        "kind": "midi",
        "source": found.source,
        "identity": identity,
        **runs.facts(),
        "notes": list(found.notes),
        "command": list(request.command),
    }
    reading = {"margins": checked_margins(request.margins, metrics), "copying": copying}
    kinds = ("corpus", "tokenizer", "metric")
    return MidiSpec(
        name=request.name or printable(asked.folder.resolve().name),
        source=found.source,
        question=f"Does the music in {found.source} differ from that of {runs.baseline.name}?",
        hypothesis="",
        profile="default",
        seed=SEED,
        replicates=runs.count,
        looks=None,
        design="factorial",
        budget="steps",
        objective=objective,
        objectives=(objective,),
        search=SearchSettings(),
        path=PathSettings(),
        floors=FloorSettings(),
        config={kind: {each.name: dict(each.options) for each in choices[kind]} for kind in kinds if choices[kind]},
        axes=(Axis(AXIS, tuple(variant.levels[AXIS] for variant in runs.variants)),),
        named={},
        baseline=dict(runs.baseline.levels),
        reading=reading,
        overrides=(),
        judged=judged,
    )
