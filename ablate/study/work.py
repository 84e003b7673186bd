"""The work of each stage, as a worker does it: inputs from files, outputs to files, nothing of the study around it."""

from __future__ import annotations

import dataclasses
import errno
import time
import traceback
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ablate.engine import checkpoint
from ablate.engine.generate import Row, generate
from ablate.engine.seeding import derive, numpy_stream
from ablate.engine.settings import TrainingSettings
from ablate.engine.train import Member, MemberSeeds, Progress, train
from ablate.engine.windows import Example
from ablate.errors import AblateError, HomeError, NothingGenerated, StageError
from ablate.interfaces import Direction, Measured
from ablate.music.storage import pack_performances, read_performances
from ablate.options import validate
from ablate.registry import get_registry
from ablate.study.artifacts import npy, pack_examples, read_examples, write_artifact
from ablate.study.jobs import Context, Done, Failed, Job, News, Stopped
from ablate.study.stages import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ablate.interfaces import Histogram
    from ablate.study.stages import Stage

#: The loss that is reported is the mean over the last tenth of the steps, and over no more than this many.
LAST_STEPS = 25
#: What a full disk, an exceeded quota or a file size limit look like.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def work(job: Job, context: Context) -> list[Done | Failed]:
    """Do a job; a stage that fails comes back as :class:`Failed`.

    Raises:
        Stopped: ``context.should_stop`` became true.
        HomeError: the disk is full; going on would fail every other job too.
    """
    if job.kind == "generate" and len(job.stages) > 1:
        return _generate_together(job, context)
    return [result for stage in job.stages for result in _guarded(job.kind, (stage,), context)]


def _generate_together(job: Job, context: Context) -> list[Done | Failed]:
    together = _guarded("generate", job.stages, context)
    if not all(isinstance(result, Failed) for result in together):
        return together
    # one variant's sampler may have spoilt the batch: alone, each shows whether it is to blame
    return [result for stage in job.stages for result in _guarded("generate", (stage,), context)]


def _guarded(kind: str, stages: tuple[Stage, ...], context: Context) -> list[Done | Failed]:
    started = time.monotonic()
    try:
        results = _WORK[kind](stages, context)
    except Stopped:
        raise
    except OSError as error:
        if error.errno in NO_SPACE:
            raise HomeError(
                f"no space left for results in {context.home} ({error.strerror}); "
                "free some, then run the same command: everything finished is kept"
            ) from error
        return [_failed(stage, error) for stage in stages]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises concerns its cells alone
        return [_failed(stage, error) for stage in stages]
    seconds = (time.monotonic() - started) / len(stages)
    return [dataclasses.replace(r, seconds=seconds) if isinstance(r, Done) else r for r in results]


def _failed(stage: Stage, error: BaseException) -> Failed:
    message = " ".join(str(error).split()) or "no message"
    if isinstance(error, AblateError):
        return Failed(stage, type(error).__name__, message)
    about = f"metric '{stage.config['metric']['name']}'" if stage.kind == "measure" else stage.kind
    trace = "".join(traceback.format_exception(error))
    return Failed(stage, type(error).__name__, f"{message} (in {about}; see logs/{stage.fingerprint}.txt)", trace)


# Stages


def _load(stages: tuple[Stage, ...], context: Context) -> list[Done]:
    (stage,) = stages
    corpus = built("corpus", stage.extra["corpus"])
    performances = list(corpus.load())
    for performance in performances:
        performance.check()
    if not any(len(performance) for performance in performances):
        raise StageError("the corpus holds no notes")
    write_artifact(context.home, stage, {"performances.npz": pack_performances(performances)})
    result = {
        "performances": len(performances),
        "notes": sum(len(performance) for performance in performances),
        "seconds": sum(performance.seconds for performance in performances),
        "problems": list(corpus.problems),
    }
    return [Done(stage, result, 0.0)]


def _prepare(stages: tuple[Stage, ...], context: Context) -> list[Done]:
    (stage,) = stages
    performances = read_performances(_artifact(context, stage.inputs["corpus"]) / "performances.npz")
    for place, choice in enumerate(stage.config["augmenters"]):
        augmenter = built("augmenter", choice)
        performances = [
            variation
            for number, performance in enumerate(performances)
            for variation in augmenter.augment(
                performance, numpy_stream(derive(stage.config["seed"], place, "augment", number))
            )
        ]
    tokenizer = built("tokenizer", stage.config["tokenizer"])
    conditioners = [built("conditioner", choice) for choice in stage.config["conditioners"]]
    examples = []
    for performance in performances:
        tokens = tokenizer.encode(performance)
        times = tokenizer.times(tokens) if conditioners else None
        examples.append(Example(tokens, tuple(c.observe(performance, times) for c in conditioners)))
    examples = [example for example in examples if len(example.tokens) > 1]
    if not examples:
        raise StageError(f"tokenizer '{stage.config['tokenizer']['name']}' finds nothing to learn in the corpus")
    write_artifact(context.home, stage, {"examples.npz": pack_examples(examples)})
    return [Done(stage, {"examples": len(examples), "tokens": sum(len(e.tokens) for e in examples)}, 0.0)]


def _train(stages: tuple[Stage, ...], context: Context) -> list[Done]:
    (stage,) = stages
    config, path = stage.config, context.home / checkpoint_path(stage.fingerprint)
    conditioners = [built("conditioner", choice) for choice in config["conditioners"]]
    settings = validate(TrainingSettings, config["training"])
    member = Member(
        build=lambda: build_model(config),
        examples=read_examples(_artifact(context, stage.inputs["examples"]) / "examples.npz"),
        conditioners=conditioners,
        settings=settings,
        seeds=MemberSeeds(**config["seeds"]),
        checkpoint=path,
    )
    speeds: list[float] = []

    def tell(_index: int, p: Progress) -> None:
        speeds.append(p.tokens_per_second)
        context.tell(News(stage.fingerprint, "train", p.step / p.steps, p.loss, p.tokens_per_second))

    (trained,) = train(
        [member],
        context.device,
        tell=tell,
        should_stop=context.should_stop,
        checkpoint_seconds=context.checkpoint_seconds,
    )
    if not trained.finished:
        raise Stopped
    losses = np.array(trained.losses, np.float32)
    weights = checkpoint.pack_tensors(trained.weights, {})
    write_artifact(context.home, stage, {"weights.safetensors": weights, "losses.npy": npy(losses)})
    path.unlink(missing_ok=True)
    result = {
        "loss": float(losses[-max(1, min(LAST_STEPS, len(losses) // 10)) :].mean()),
        "steps": len(losses),
        "tokens_seen": trained.tokens_seen,
        "parameters": trained.parameters,
        "precision": settings.precision,
        "tokens_per_second": float(np.median(speeds)),
    }
    return [Done(stage, result, 0.0)]


def _generate(stages: tuple[Stage, ...], context: Context) -> list[Done | Failed]:
    source = stages[0].inputs["weights"]
    model = build_model(source.config).to(context.device).eval()
    tensors, _ = checkpoint.load_tensors(_artifact(context, source) / "weights.safetensors")
    model.load_state_dict(tensors)
    tokenizer = built("tokenizer", source.config["tokenizer"])
    rows = [row for stage in stages for row in _rows(stage)]
    tokens = generate(
        [model],
        rows,
        tokenizer=tokenizer,
        conditioners=[built("conditioner", choice) for choice in source.config["conditioners"]],
        device=context.device,
        tell=lambda done, total: context.tell(News(stages[0].fingerprint, "generate", done / total)),
        should_stop=context.should_stop,
    )
    if tokens is None:
        raise Stopped
    rest = iter(tokens)
    return [_kept(stage, [next(rest) for _ in stage.config["seeds"]], tokenizer, context.home) for stage in stages]


def _rows(stage: Stage) -> list[Row]:
    chain = tuple(
        (spec, spec.parse(choice["options"]))
        for choice in stage.config["samplers"]
        for spec in (get_registry().spec("sampler", choice["name"]),)
    )
    tokens, labels = stage.config["generation"]["tokens"], stage.config["labels"]
    return [Row(0, chain, tokens, seed, labels=labels) for seed in stage.config["seeds"]]


def _kept(stage: Stage, tokens: Sequence[Any], tokenizer: Any, home: Path) -> Done | Failed:
    """What has no notes in one variant is no reason to generate the others again."""
    try:
        return _keep_samples(stage, tokens, tokenizer, home)
    except StageError as error:
        return _failed(stage, error)


def _keep_samples(stage: Stage, own: Sequence[Any], tokenizer: Any, home: Path) -> Done:
    samples = [
        tokenizer.decode(row).replace(name=f"sample-{number:02d}", labels=stage.config["labels"])
        for number, row in enumerate(own)
    ]
    for number, sample in enumerate(samples):
        sample.check()
        if not len(sample):
            raise NothingGenerated(f"sample {number} holds no notes after {len(own[number])} tokens")
    files = {"performances.npz": pack_performances(samples), "tokens.npy": npy(np.stack(own))}
    files |= {f"{sample.name}.mid": sample.midi_bytes() for sample in samples}
    write_artifact(home, stage, files)
    notes = sum(len(sample) for sample in samples)
    seconds = sum(sample.seconds for sample in samples)
    return Done(stage, {"samples": len(samples), "notes": notes, "seconds": seconds}, 0.0)


def _measure(stages: tuple[Stage, ...], context: Context) -> list[Done]:
    (stage,) = stages
    choice = stage.config["metric"]
    metric = built("metric", choice)
    reference = read_performances(_artifact(context, stage.inputs["reference"]) / "performances.npz")
    samples = read_performances(_artifact(context, stage.inputs["generated"]) / "performances.npz")
    measured = [_checked(metric.measure(sample, reference), choice["name"]) for sample in samples]
    values = [(i, choice["name"], value) for i, one in enumerate(measured) for value in one.values]
    histograms = [(i, choice["name"], histogram) for i, one in enumerate(measured) for histogram in one.histograms]
    return [Done(stage, {"samples": len(samples)}, 0.0, tuple(values), tuple(histograms))]


def _checked(measured: Any, name: str) -> Measured:
    """What a metric gave, as plain numbers, if it is what a metric may give."""
    if not isinstance(measured, Measured):
        raise StageError(f"metric '{name}' returned {type(measured).__name__}, not ablate.Measured")
    features = [value.feature for value in measured.values]
    if not features or len(set(features)) < len(features):
        raise StageError(f"metric '{name}' must give each feature once, and at least one; it gave {features}")
    for value in measured.values:
        if not np.isfinite(value.value):
            raise StageError(f"metric '{name}' gave {value.value} for '{value.feature}'")
        if value.direction not in get_args(Direction):
            listing = ", ".join(get_args(Direction))
            raise StageError(f"metric '{name}': direction '{value.direction}' is none of {listing}")
    # NumPy's numbers are welcome from a metric, but not in the database
    values = [dataclasses.replace(v, value=float(v.value), n=int(v.n)) for v in measured.values]
    return Measured(tuple(values), tuple(_plain_histogram(histogram) for histogram in measured.histograms))


def _plain_histogram(histogram: Histogram) -> Histogram:
    lists: dict[str, Any] = {
        key: tuple(map(float, getattr(histogram, key))) for key in ("edges", "reference", "generated")
    }
    return dataclasses.replace(histogram, **lists)


_WORK: dict[str, Callable[[tuple[Stage, ...], Context], Sequence[Done | Failed]]] = {
    "load": _load,
    "prepare": _prepare,
    "train": _train,
    "generate": _generate,
    "measure": _measure,
}


# Building


def built(kind: str, choice: Mapping[str, Any]) -> Any:
    """The component of a choice in plain form."""
    spec = get_registry().spec(kind, choice["name"])
    return spec.build(spec.parse(choice["options"]))


def build_model(config: Mapping[str, Any]) -> Any:
    """A training stage's network by its configuration, with weights from torch's global stream."""
    spec = get_registry().spec("model", config["model"]["name"])
    vocabulary = len(built("tokenizer", config["tokenizer"]).vocabulary)
    conditioners = [built("conditioner", choice) for choice in config["conditioners"]]
    return spec.build(spec.parse(config["model"]["options"]), vocabulary, conditioners)


def _artifact(context: Context, stage: Stage) -> Path:
    return context.home / stage.artifact
