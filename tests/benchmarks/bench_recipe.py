"""A recipe of today on ten pieces: the trainings of ``ablate study run generalisation``, and the same as a script."""

from __future__ import annotations

import concurrent.futures as cf
import multiprocessing
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import naive
import torch
from harness import Case, Table, once, threads
from material import saarland, write_folder

from ablate.engine.devices import cores
from ablate.kinds import KINDS, TRAIN
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from ablate.study.work.artifacts import read_examples
from ablate.study.work.dispatch import work
from ablate.study.work.messages import Context, Job, StageResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.study.stage import Stage

CORES = cores()
#: Pieces of the corpus.
PIECES = 10
NETWORKS = {"lstm": naive.NaiveLSTM, "gru": naive.NaiveGRU, "transformer": naive.NaiveGPT}


def write_corpus(folder: Path, real: Path | None, notes: int = 2000) -> Path:
    """Write the pieces to a folder: the first real ones, or without a folder of them, made ones of so many notes."""
    folder.mkdir()
    if real:
        for file in sorted(real.glob("*.mid"))[:PIECES]:
            shutil.copy(file, folder)
    else:
        write_folder(folder, PIECES, notes * PIECES)
    return folder


def prepared(home: Path, corpus: Path, replicates: int, profile: str = "") -> list[Stage]:
    """Prepare the study's examples in a home; return its trainings."""
    overrides = Overrides(corpus=str(corpus), replicates=replicates, profile=profile)
    layout = lay_out(read_study("generalisation", overrides), get_registry(), "cpu")
    stages = layout.stages().values()
    for stage in stages:
        if KINDS[stage.kind].early:
            _done(stage, home)
    return [stage for stage in stages if stage.kind == TRAIN]


def _done(stage: Stage, home: Path) -> StageResult:
    context = Context(home, "cpu", get_registry(), lambda news: None, lambda: False)
    with threads(1):  # as in a worker of a study
        (result,) = work(Job(stage.kind, (stage,)), context)
    assert isinstance(result, StageResult), result
    return result


def naively(trainings: Sequence[Stage], home: Path, count: int = CORES) -> dict[str, list[tuple[float, int]]]:
    """Train as a plain script does, one model after another; return validation losses and steps by network."""
    results: dict[str, list[tuple[float, int]]] = {}
    with threads(count):
        for seed, stage in enumerate(trainings):
            config = stage.config
            torch.manual_seed(seed)
            folder = home / stage.inputs["examples"].artifact
            parts = [_tokens(folder / file) for file in ("examples.npz", "validation.npz")]
            name, sizes = config["model"]["name"], config["model"]["options"]
            spec = get_registry().spec("tokenizer", config["tokenizer"]["name"])
            words = len(spec.build(spec.parse(config["tokenizer"]["options"])).vocabulary)
            kind = NETWORKS[name]
            asked = ("embedding", "layers", "heads") if kind is naive.NaiveGPT else ("embedding", "hidden", "layers")
            model = kind(words, **{key: sizes[key] for key in asked})
            settings = dict(config["training"])
            settings["warmup"] = round(config["schedule"]["options"]["warmup"] * settings["steps"])
            recipe = naive.Recipe(**{key: settings[key] for key in naive.Recipe._fields})
            loss, _, steps = naive.naive_recipe(model, *parts, recipe)
            results.setdefault(name, []).append((loss, steps))
    return results


def _tokens(file: Path) -> list[torch.Tensor]:
    examples = read_examples(file)
    return list(torch.from_numpy(examples.tokens.astype("int64")).split(examples.counts.tolist()))


def engine(trainings: Sequence[Stage], home: Path, pool: cf.Executor | None) -> dict[str, list[tuple[float, int]]]:
    """Train as the study's workers do, in this process or in a pool; return what :func:`naively` returns."""
    done = pool.map(_done, trainings, [home] * len(trainings)) if pool else (_done(s, home) for s in trainings)
    results: dict[str, list[tuple[float, int]]] = {}
    for stage, finished in zip(trainings, done, strict=True):
        each = (finished.result["validation_loss"], finished.result["steps"])
        results.setdefault(stage.config["model"]["name"], []).append(each)
    return results


def tables() -> Iterator[Table]:
    """A table for each network; all take some minutes."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, cf.ProcessPoolExecutor(CORES, spawn) as pool:
        list(pool.map(_warm, range(CORES)))
        home = Path(folder) / "home"
        trainings = prepared(home, write_corpus(Path(folder) / "music", saarland()), CORES)
        for name in NETWORKS:
            yield _table(name, [each for each in trainings if each.config["model"]["name"] == name], home, pool)


def _table(name: str, trainings: Sequence[Stage], home: Path, pool: cf.Executor) -> Table:
    found: dict[str, str] = {}

    def steps(case: str, results: dict[str, list[tuple[float, int]]]) -> float:
        found[case] = ", ".join(f"{loss:.3f} after {count} steps" for loss, count in results[name])
        return float(sum(count for _, count in results[name]))

    cases = [
        Case(f"plain script, fp32, {CORES} threads", lambda: steps("plain script", naively(trainings[:1], home))),
        Case("ablate, 1 process", lambda: steps("ablate", engine(trainings[:1], home, None)), target=1 / 1.1),
        Case(f"ablate, {CORES} processes", lambda: steps("processes", engine(trainings, home, pool)), target=1 / 0.6),
    ]
    title = f"Training {name} on {PIECES} pieces, with validation and early stopping"
    table = once(title, "steps", cases)
    table.notes = [f"lowest validation loss in nats per token, {case}: {text}" for case, text in found.items()]
    return table


def _warm(number: int) -> int:
    get_registry()
    return number
