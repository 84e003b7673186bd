"""The work of a model: training it, and generating with it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.engine import checkpoint
from ablate.engine.devices import Compute, product_rate
from ablate.engine.energy import joules_so_far
from ablate.engine.generate import Row, generate
from ablate.engine.train import Member, MemberSeeds, Progress, Trained, train
from ablate.errors import NothingGenerated, StageError
from ablate.music.storage import pack_performances
from ablate.registry import get_registry
from ablate.study.artifacts import npy, read_examples, write_artifact
from ablate.study.built import build_model, built, built_conditioners, trained_model, training_settings
from ablate.study.jobs import Context, Done, Failed, News, Stopped
from ablate.study.primer import separated
from ablate.study.stages import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.engine.windows import Examples
    from ablate.interfaces import IntArray, Tokenizer
    from ablate.music.performance import Performance
    from ablate.study.stages import Stage

#: The loss that is reported is the mean over the last tenth of the steps, and over no more than this many.
LAST_STEPS = 25


class Sampled(NamedTuple):
    """A generation's new tokens, int64 [time] for each sample, and the primer before them, int64 [time]."""

    tokens: Sequence[IntArray]
    primer: IntArray


def train_stages(stages: tuple[Stage, ...], context: Context) -> Iterator[Done | Failed]:
    """Train models, those that can be as one, and give what came of them one by one, as their files are written."""
    sources = {stage.inputs["examples"].artifact for stage in stages}
    examples = {source: read_examples(context.home / source / "examples.npz") for source in sources}
    members = [_member(stage, examples[stage.inputs["examples"].artifact], context) for stage in stages]
    device, precision = context.device, members[0].settings.precision
    speeds: dict[int, list[float]] = {index: [] for index in range(len(stages))}
    rate = product_rate(device, precision)
    # a training that goes on has spent some already, and nobody knows how much
    before = None if any(m.checkpoint and m.checkpoint.exists() for m in members) else joules_so_far(device)

    told = (0, 0)

    def tell(index: int, p: Progress) -> None:
        nonlocal told
        speeds[index].append(p.tokens_per_second)
        if p.together > 1 and told == (p.together, p.step):
            return  # a stack's first member speaks for all of them
        told = (p.together, p.step)
        news = News(stages[index].fingerprint, "train", p.step / p.steps, p.loss, p.tokens_per_second, p.together)
        context.tell(news)

    outcomes = train(
        members,
        device,
        tell=tell,
        should_stop=context.should_stop,
        checkpoint_seconds=context.checkpoint_seconds,
        stacked=context.stacked,
    )
    after, facts = joules_so_far(device), {"precision": precision, "product_rate": rate}
    if before is not None and after is not None:
        facts["joules"] = (after - before) / len(stages)
    for index, (stage, trained) in enumerate(zip(stages, outcomes, strict=True)):
        if isinstance(trained, StageError):
            yield Failed(stage, type(trained).__name__, str(trained))
        elif trained.finished:
            tokens = int(examples[stage.inputs["examples"].artifact].counts.sum())
            given = {
                **facts,
                "tokens_per_second": float(np.median(speeds[index])),
                "steps_per_epoch": tokens * len(trained.losses) / trained.tokens_seen,
            }
            yield _keep_training(stage, trained, given, context.home)
            (context.home / checkpoint_path(stage.fingerprint)).unlink(missing_ok=True)
    if any(isinstance(trained, Trained) and not trained.finished for trained in outcomes):
        raise Stopped


def _member(stage: Stage, examples: Examples, context: Context) -> Member:
    config = stage.config
    return Member(
        build=lambda: build_model(config),
        examples=examples,
        conditioners=built_conditioners(config),
        settings=training_settings(config, len(examples)),
        seeds=MemberSeeds(**config["seeds"]),
        checkpoint=context.home / checkpoint_path(stage.fingerprint),
    )


def _keep_training(stage: Stage, trained: Trained, given: Mapping[str, Any], home: Path) -> Done:
    """Write a training's files, and say what it was like."""
    losses = np.array(trained.losses, np.float32)
    weights = checkpoint.pack_tensors(trained.weights, {})
    write_artifact(home, stage, {"weights.safetensors": weights, "losses.npy": npy(losses)})
    result = {
        "loss": float(losses[-max(1, min(LAST_STEPS, len(losses) // 10)) :].mean()),
        "steps": len(losses),
        "tokens_seen": trained.tokens_seen,
        "parameters": trained.parameters,
        # two FLOP a weight and token forward, and four backward
        "flops_per_token": 6 * trained.multiplied,
        "together": trained.together,
        **given,
    }
    return Done(stage, result, 0.0)


def generate_stages(stages: tuple[Stage, ...], context: Context) -> list[Done | Failed]:
    """Generate the samples of variants that share their weights, or whose networks can share steps."""
    sources = {stage.inputs["weights"].fingerprint: stage.inputs["weights"] for stage in stages}
    places = {fingerprint: place for place, fingerprint in enumerate(sources)}
    first = stages[0].inputs["weights"].config
    tokenizer = built("tokenizer", first["tokenizer"])
    primers = [_primer(stage, context) for stage in stages]
    rows = [
        dataclasses.replace(row, member=places[stage.inputs["weights"].fingerprint])
        for stage, primer in zip(stages, primers, strict=True)
        for row in rows_of(stage.config, primer)
    ]
    tokens = generate(
        [trained_model(each.config, context.home / each.artifact, context.device) for each in sources.values()],
        rows,
        tokenizer=tokenizer,
        conditioners=built_conditioners(first),
        compute=Compute(context.device, first["training"]["precision"], stacked=context.stacked),
        tell=lambda done, total: context.tell(News(stages[0].fingerprint, "generate", done / total)),
        should_stop=context.should_stop,
    )
    if tokens is None:
        raise Stopped
    rest = iter(tokens)
    return [
        _kept(stage, Sampled([next(rest) for _ in stage.config["seeds"]], primer), tokenizer, context.home)
        for stage, primer in zip(stages, primers, strict=True)
    ]


def _primer(stage: Stage, context: Context) -> IntArray:
    return stored_primer(context.home / stage.inputs["primer"].artifact if "primer" in stage.inputs else None)


def stored_primer(folder: Path | None) -> IntArray:
    """The tokens that a stage ``prime`` left in its folder, int64 [time]; none of them without a folder.

    Raises:
        StageError: they are gone.
    """
    if folder is None:
        return np.empty(0, np.int64)
    try:
        primer: IntArray = np.load(folder / "primer.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise StageError(f"{folder / 'primer.npy'} is damaged or missing; run the study again") from error
    return primer


def rows_of(config: Mapping[str, Any], primer: IntArray) -> list[Row]:
    """The rows of a generation's configuration, one a sample."""
    chain = tuple(
        (spec, spec.parse(choice["options"]))
        for choice in config["samplers"]
        for spec in (get_registry().spec("sampler", choice["name"]),)
    )
    # once more, as the original did: the network reads it twice, the music has it once
    fed = np.append(primer, primer[-1:]) if config.get("repeat_last") else primer
    tokens, labels = config["generation"]["tokens"], config["labels"]
    return [Row(0, chain, tokens, seed, fed, labels) for seed in config["seeds"]]


def _kept(stage: Stage, sampled: Sampled, tokenizer: Tokenizer, home: Path) -> Done | Failed:
    """What has no notes in one variant is no reason to generate the others again."""
    try:
        return _keep_samples(stage, sampled, tokenizer, home)
    except StageError as error:
        return Failed(stage, type(error).__name__, str(error))


def samples_of(
    sampled: Sampled, tokenizer: Tokenizer, labels: Mapping[str, float], *, first: int = 0
) -> list[Performance]:
    """The performances that were generated, named by their number from ``first`` on, their primers marked.

    Raises:
        NothingGenerated: one of them holds no new note.
    """
    samples = []
    for number, tokens in enumerate(sampled.tokens, first):
        sample = separated(tokens, sampled.primer, tokenizer).replace(name=f"sample-{number:02d}", labels=labels)
        sample.check()
        if not len(sample):
            raise NothingGenerated(f"sample {number} holds no notes after {len(tokens)} tokens")
        samples.append(sample)
    return samples


def _keep_samples(stage: Stage, sampled: Sampled, tokenizer: Tokenizer, home: Path) -> Done:
    samples = samples_of(sampled, tokenizer, stage.config["labels"])
    files = {"performances.npz": pack_performances(samples), "tokens.npy": npy(np.stack(sampled.tokens))}
    files |= {f"{sample.name}.mid": sample.midi_bytes() for sample in samples}
    write_artifact(home, stage, files)
    notes = sum(len(sample) for sample in samples)
    seconds = sum(sample.continuation().seconds for sample in samples)
    made = sum(map(len, sampled.tokens))
    return Done(stage, {"samples": len(samples), "notes": notes, "seconds": seconds, "tokens_made": made}, 0.0)
