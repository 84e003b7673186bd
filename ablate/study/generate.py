"""Music from weights that a study has already trained."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.engine.devices import Compute, free_threads, one_thread, resolve_device
from ablate.engine.generation.generate import generate
from ablate.engine.seeding import derive
from ablate.errors import HomeError, StageError, UnknownName, UsageError, did_you_mean
from ablate.music.midi import read_midi
from ablate.options import validate
from ablate.settings import PrimerSettings
from ablate.study.file import paths
from ablate.study.file.configuration import SECTIONS, build_conditioner, names_something, resolve
from ablate.study.plan.preflight import sampler_complaint
from ablate.study.plan.stages import generation_config
from ablate.study.work.components import built, built_conditioners, trained_model
from ablate.study.work.generate import Generated, rows_of, samples_of, stored_primer
from ablate.study.work.load import pieces
from ablate.study.work.prime import choose_piece, cut_primer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import IntArray
    from ablate.interfaces import Conditioner
    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.store.records import RunRecord
    from ablate.store.store import Store
    from ablate.study.file.configuration import Configuration
    from ablate.study.file.paths import FileShape

#: What may differ from the study: everything that comes after training.
CHANGEABLE = ("sampler", "primer", "generation", "labels")


@dataclasses.dataclass(frozen=True)
class GenerateRequest:
    """What to generate.

    Attributes:
        study: a study's name in the store.
        variant: one of its variants.
        replicate: which of its trainings.
        settings: ``(dotted path, value)`` pairs that differ from the variant's, see :data:`CHANGEABLE`.
        first: number of the first sample; 0 begins with the study's own ones.
    """

    study: str
    variant: str
    replicate: int = 0
    settings: tuple[tuple[str, Any], ...] = ()
    first: int = 0


def compose(
    store: Store,
    home: Path,
    wish: GenerateRequest,
    registry: Registry,
    *,
    device: str = "auto",
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[Performance]:
    """Generate from a trained variant; the store and the home are only read.

    With nothing changed and on the same device and build, the samples are those of the study itself.

    Args:
        store: what knows the study.
        home: where its files are.
        wish: what to generate.
        registry: the components.
        device: ``cpu``, ``cuda``, ``cuda:N``; or ``auto``: what the variant was trained on, if there is one here.
        tell: called now and then with the steps done and the steps of all.

    Returns:
        One performance a sample, its primer marked, its labels those that were asked for.

    Raises:
        UnknownName: no such study or variant.
        UsageError: no such replicate or device; a setting that does not fit, or that only a new training could change.
        HomeError: the variant has not been trained here, or its files are gone.
        StageError: the primer does not fit, or nothing could be generated.
    """
    run = _run(store, wish)
    stages = store.stages(run.stages.values())
    train = stages.get(run.stages["train"])
    if train is None or not (home / train.artifact).is_dir():
        raise HomeError(
            f"'{run.variant}', replicate {run.replicate}, of study '{wish.study}' is not trained in this home; "
            "run the study first (ablate study run)"
        )
    configuration = _configured(_file_shape(run.config, registry), wish.settings, registry)
    complaint = sampler_complaint(configuration, registry)
    if complaint:
        raise UsageError(f"--set {complaint}")
    tokenizer = built("tokenizer", train.config["tokenizer"])
    folders = {name: home / stages[f].artifact for name, f in run.stages.items() if f in stages}
    if any(path.startswith("primer") for path, _ in wish.settings):
        primer = _primer(configuration, tokenizer, folders["load"])
    else:
        primer = stored_primer(folders.get("prime"))
    device = _device(device, train.device)
    numbers = range(wish.first, wish.first + configuration.settings["generation"]["samples"])
    seeds = [derive(store.study(wish.study).seed, run.replicate, "sample", number) for number in numbers]
    rows = rows_of(generation_config(configuration, seeds), primer)
    compute = Compute(device, train.config["training"]["precision"], free_threads())
    with one_thread():
        tokens = generate(
            [trained_model(train.config, home / train.artifact, device)],
            rows,
            tokenizer=tokenizer,
            conditioners=built_conditioners(train.config),
            compute=compute,
            on_progress=tell,
        )
    return samples_of(Generated(tokens or [], primer), tokenizer, configuration.labels, first=wish.first)


def _run(store: Store, wish: GenerateRequest) -> RunRecord:
    variants = [variant.name for variant in store.variants(wish.study)]
    if wish.variant not in variants:
        raise UnknownName("variant", wish.variant, variants)
    runs = {run.replicate: run for run in store.runs(wish.study) if run.variant == wish.variant}
    if wish.replicate not in runs:
        raise UsageError(
            f"--replicate {wish.replicate}: study '{wish.study}' has replicates 0 to {max(runs)} of '{wish.variant}'"
        )
    return runs[wish.replicate]


def _device(asked: str, trained: str) -> str:
    """Where to generate: on the same kind of device come the study's own samples."""
    if asked == "auto":
        with contextlib.suppress(UsageError):
            return resolve_device(trained.partition(":")[0])
    return resolve_device(asked)


def _file_shape(config: Mapping[str, Any], registry: Registry) -> FileShape:
    """A stored configuration as a study file would say it."""
    shape: FileShape = {}
    for section in SECTIONS:
        value = config.get(section, {})
        is_chain = isinstance(value, list)
        shape[section] = {choice["name"]: dict(choice["options"]) for choice in value} if is_chain else dict(value)
    for conditioner in _conditioners(shape, registry):
        for label, names in conditioner.categories.items():
            shape["labels"][label] = names[int(shape["labels"][label])]
    return shape


def _conditioners(shape: FileShape, registry: Registry) -> list[Conditioner]:
    return [build_conditioner(name, options, registry) for name, options in shape["conditioner"].items()]


def _configured(shape: FileShape, settings: Sequence[tuple[str, Any]], registry: Registry) -> Configuration:
    for path, value in settings:
        section = path.partition(".")[0]
        if section not in CHANGEABLE:
            raise UsageError(
                f"--set {path}: only {', '.join(CHANGEABLE)} can differ from what was trained"
                f"{did_you_mean(section, CHANGEABLE)}"
            )
        problem = names_something(path, shape, registry)
        if problem:
            raise UsageError(f"--set {path}: {problem}")
        if section == "labels":
            _check_label(path.partition(".")[2], shape, registry)
        shape = paths.set_path(shape, path, value)
    configuration, problems = resolve(shape, registry)
    if problems:
        raise UsageError("\n".join(f"{where}: {text}" for where, text in problems))
    return configuration


def _check_label(label: str, shape: FileShape, registry: Registry) -> None:
    known = [label for conditioner in _conditioners(shape, registry) for label in conditioner.labels]
    if label not in known:
        listing = ", ".join(known) or "none"
        hint = did_you_mean(label, known)
        raise UsageError(f"--label {label}: this variant was not trained with it{hint} (labels it reads: {listing})")


def _primer(configuration: Configuration, tokenizer: Any, corpus: Path) -> IntArray:
    options = validate(PrimerSettings, configuration.settings["primer"])
    if not options.asked:
        return np.empty(0, np.int64)
    at_most = configuration.settings["generation"]["tokens"]
    if options.file:
        return cut_primer(read_midi(options.file), tokenizer, options.take, at_most)
    try:
        kept, held_out = pieces(corpus, configuration.settings["split"])
    except OSError as error:
        raise StageError(f"the corpus's files are gone from {corpus}; run the study again") from error
    return cut_primer(choose_piece(kept, held_out, options.piece), tokenizer, options.take, at_most)
