"""Generate music with a model that a study has trained."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.digests import require
from ablate.engine.devices import Compute, free_threads, is_fused, one_thread, resolve_device
from ablate.engine.generation.generate import generate
from ablate.engine.seeding import derive
from ablate.errors import HomeError, StageError, UnknownName, UsageError, did_you_mean
from ablate.interfaces.played_by import played_by
from ablate.kinds import FIT, INSTRUMENT, LOAD, PREPARE, PRIME, TRAIN, WEIGHTS
from ablate.options import validate
from ablate.settings import PrimerSettings
from ablate.store.folders import stage_file, stage_folder
from ablate.study.blocks import stored_seed
from ablate.study.file import paths
from ablate.study.file.configuration import SECTIONS, resolve
from ablate.study.file.labels import build_conditioner
from ablate.study.file.reach import path_problem
from ablate.study.instruments.stored import stored_instrument
from ablate.study.pause import longest_pause
from ablate.study.plan.preflight import sampler_problem
from ablate.study.plan.stages import generation_config
from ablate.study.work.components import build_conditioners, loaded_tokenizer, trained_model
from ablate.study.work.generate import Generated, decode_samples, rows_of, stored_primer
from ablate.study.work.load import pieces
from ablate.study.work.prime import choose_piece, cut_primer, read_primer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import IntArray
    from ablate.engine.generation.row import Row
    from ablate.interfaces import Conditioner, Tokenizer
    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.store.records import RunRecord, StageRecord
    from ablate.store.store import Store
    from ablate.study.file.configuration import Configuration
    from ablate.study.file.paths import FileShape

#: Takes a line for people.
Say = Callable[[str], None]
#: The sections that may differ from the study: those that come after training.
CHANGEABLE = ("sampler", "primer", "generation", "labels")


@dataclasses.dataclass(frozen=True)
class GenerateRequest:
    """The music to generate.

    Attributes:
        study: a study's name in the store.
        variant: one of its variants.
        replicate: which of its trainings.
        settings: ``(dotted path, value)`` pairs that differ from the variant's, see :data:`CHANGEABLE`.
        first: index of the first sample; 0 begins with the study's own samples, see :func:`generate_samples`.
    """

    study: str
    variant: str
    replicate: int = 0
    settings: tuple[tuple[str, Any], ...] = ()
    first: int = 0


def generate_samples(
    store: Store,
    home: Path,
    request: GenerateRequest,
    registry: Registry,
    *,
    device: str = "auto",
    tell: Callable[[int, int], None] = lambda done, total: None,
    say: Say = lambda line: None,
) -> list[Performance]:
    """Generate from a trained variant; the store and the home are only read.

    With nothing changed and on the same device and build, the samples are those of the study itself: bit for bit on a
    CPU, up to rounding on a GPU, where models are fused and rows share steps.

    Args:
        store: the store with the study.
        home: the folder with its files.
        request: the music to generate.
        registry: the components.
        device: ``cpu``, ``cuda``, ``cuda:N``; or ``auto``: the kind of device of the training, if there is one here.
        tell: called now and then with the number of finished steps and of all steps.
        say: called with each line about what is odd in a primer's file, or was left out of it.

    Returns:
        One performance for each sample, with its primer marked and its labels set.

    Raises:
        UnknownName: no such study or variant.
        UsageError: no such replicate or device; a setting that does not fit, or that only a new training could change.
        HomeError: the variant has not been trained here, or its files are gone, or links out of the home.
        DamagedFile: a file that is read is missing, or is not what was written.
        StageError: the primer does not fit, or nothing could be generated.
    """
    run = _run(store, request)
    stages = _stages(store, run)
    train = _trained(stages, run, request, home)
    configuration = _configuration(_file_shape(run.config, registry), request.settings, registry)
    problem = sampler_problem(configuration, registry)
    if problem:
        raise UsageError(f"--set {problem}")
    folders = {name: stage_folder(home, stages[name]) for name in (LOAD, FIT, PRIME, TRAIN) if name in stages}
    _require(home, stages)
    tokenizer = loaded_tokenizer(train.config["tokenizer"], folders.get(FIT), registry)
    tokenizer = played_by(tokenizer, _instrument(train, folders[TRAIN]))
    is_new = any(path.startswith("primer") for path, _ in request.settings)
    if is_new:
        require(home, stages[LOAD].artifact, stages[LOAD].files)
    split = stages[PREPARE].config.get("split", {})
    new = functools.partial(_primer, configuration, tokenizer, folders[LOAD], split, say)
    primer = new() if is_new else stored_primer(folders.get(PRIME))
    indices = range(request.first, request.first + configuration.settings["generation"]["samples"])
    seeds = [derive(_seed(store, request), run.replicate, "sample", index) for index in indices]
    rows = rows_of(generation_config(configuration, seeds), primer, registry)
    device = _device(device, train.device)
    tokens = _tokens(train, folders[TRAIN], rows, tokenizer, device, registry, tell)
    return decode_samples(Generated(tokens, primer), tokenizer, configuration.labels, first=request.first)


def _seed(store: Store, request: GenerateRequest) -> int:
    """Return the seed of the variant's random streams."""
    study = store.study(request.study)
    levels = next(each.levels for each in store.variants(request.study) if each.name == request.variant)
    return stored_seed(study.spec, study.seed, levels)


def _trained(stages: Mapping[str, StageRecord], run: RunRecord, request: GenerateRequest, home: Path) -> StageRecord:
    """Return the finished training of a run, if its files are in the home."""
    if TRAIN not in run.stages:
        raise HomeError(f"study '{request.study}' has no trained models: ablate did not train what it is about")
    train = stages.get(TRAIN)
    where = f"'{run.variant}', replicate {run.replicate}, of study '{request.study}'"
    is_recorded = train is not None and WEIGHTS in train.files
    if train is None or not (is_recorded or stage_folder(home, train).is_dir()):
        raise HomeError(f"{where} is not trained in this home; run the study first (ablate study run)")
    if not (is_recorded or stage_file(home, train, WEIGHTS).is_file()):
        raise HomeError(f"the weights of {where} are not in this home; its bundle was made without them")
    return train


def _stages(store: Store, run: RunRecord) -> dict[str, StageRecord]:
    """Return the finished stages of a run by name."""
    stages = store.stages(run.stages.values())
    return {name: stages[fingerprint] for name, fingerprint in run.stages.items() if fingerprint in stages}


def _require(home: Path, stages: Mapping[str, StageRecord]) -> None:
    """Check the files that music is generated from; raise DamagedFile if one is damaged."""
    for name in (TRAIN, FIT, PRIME):
        if name in stages:
            stage = stages[name]
            names = [WEIGHTS, INSTRUMENT] if name == TRAIN else stage.files
            require(home, stage.artifact, stage.files, names)


def _instrument(train: StageRecord, folder: Path) -> int:
    """Return the instrument of the music that a model was trained on."""
    if train.files and INSTRUMENT not in train.files:
        return 0  # a file that is there was not written with the weights
    return stored_instrument(folder)


def _tokens(
    train: StageRecord,
    folder: Path,
    rows: Sequence[Row],
    tokenizer: Tokenizer,
    device: str,
    registry: Registry,
    tell: Callable[[int, int], None],
) -> Sequence[IntArray]:
    """Generate the rows with the network of a training, all at once."""
    with one_thread():
        tokens = generate(
            [trained_model(train.config, folder, device, registry)],
            rows,
            tokenizer=tokenizer,
            conditioners=build_conditioners(train.config, registry),
            compute=Compute(device, train.config["training"]["precision"], free_threads(), is_fused(device)),
            on_progress=tell,
        )
    return tokens or []


def _run(store: Store, request: GenerateRequest) -> RunRecord:
    variants = [variant.name for variant in store.variants(request.study)]
    if request.variant not in variants:
        raise UnknownName("variant", request.variant, variants)
    runs = {run.replicate: run for run in store.runs(request.study) if run.variant == request.variant}
    if request.replicate not in runs:
        raise UsageError(
            f"--replicate {request.replicate}: study '{request.study}' has replicates 0 to {max(runs)} "
            f"of '{request.variant}'"
        )
    return runs[request.replicate]


def _device(asked: str, trained: str) -> str:
    """Return the device to generate on; only the kind that trained gives the study's own samples."""
    if asked == "auto":
        with contextlib.suppress(UsageError):
            return resolve_device(trained.partition(":")[0])
    return resolve_device(asked)


def _file_shape(config: Mapping[str, Any], registry: Registry) -> FileShape:
    """Return a stored configuration in the shape of a study file."""
    shape: FileShape = {}
    for section in SECTIONS:
        if section not in config:
            continue
        value = config[section]
        is_chain = isinstance(value, list)
        shape[section] = {choice["name"]: dict(choice["options"]) for choice in value} if is_chain else dict(value)
    for conditioner in _conditioners(shape, registry):
        for label, names in conditioner.categories.items():
            shape["labels"][label] = names[int(shape["labels"][label])]
    return shape


def _conditioners(shape: FileShape, registry: Registry) -> list[Conditioner]:
    return [build_conditioner(name, options, registry) for name, options in shape["conditioner"].items()]


def _configuration(shape: FileShape, settings: Sequence[tuple[str, Any]], registry: Registry) -> Configuration:
    for path, value in settings:
        section = path.partition(".")[0]
        if section not in CHANGEABLE:
            raise UsageError(
                f"--set {path}: only {', '.join(CHANGEABLE)} can differ from what was trained"
                f"{did_you_mean(section, CHANGEABLE)}"
            )
        problem = path_problem(path, shape, registry)
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
    labels = [label for conditioner in _conditioners(shape, registry) for label in conditioner.labels]
    if label not in labels:
        listing = ", ".join(labels) or "none"
        hint = did_you_mean(label, labels)
        raise UsageError(f"--label {label}: this variant was not trained with it{hint} (labels it reads: {listing})")


def _primer(
    configuration: Configuration, tokenizer: Tokenizer, corpus: Path, split: Mapping[str, Any], say: Say
) -> IntArray:
    options = validate(PrimerSettings, configuration.settings["primer"])
    if not options.asked:
        return np.empty(0, np.int64)
    at_most = configuration.settings["generation"]["tokens"]
    if options.file:
        trained = configuration.one("corpus")  # its options cannot change here, so a message names none
        source = read_primer(options.file, trained.instruments, longest_pause(trained))
        for line in (*source.problems, *filter(None, [source.left_out])):
            say(line)
        return cut_primer(source.performance, tokenizer, options.take, at_most, say)
    try:
        performances = pieces(corpus, split)
    except OSError as error:
        raise StageError(f"the corpus's files are gone from {corpus}; run the study again") from error
    return cut_primer(choose_piece(performances, options.piece), tokenizer, options.take, at_most, say)
