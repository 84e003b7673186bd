"""Generate samples with trained models."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.engine.devices import Compute
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.errors import NothingGenerated, StageError
from ablate.music.storage import pack_performances
from ablate.registry import get_registry
from ablate.study.work.artifacts import npy, write_artifact
from ablate.study.work.components import (
    built,
    built_conditioners,
    trained_model,
)
from ablate.study.work.messages import Context, JobStopped, News, StageFailure, StageResult
from ablate.study.work.prime import separated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import IntArray
    from ablate.interfaces import Tokenizer
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage


class Generated(NamedTuple):
    """A generation's new tokens, int64 [time] for each sample, and the primer before them, int64 [time]."""

    tokens: Sequence[IntArray]
    primer: IntArray


def generate_stages(stages: tuple[Stage, ...], context: Context) -> list[StageResult | StageFailure]:
    """Generate the samples of variants that share their weights, or whose networks can share steps."""
    sources = {stage.inputs["weights"].fingerprint: stage.inputs["weights"] for stage in stages}
    indices = {fingerprint: index for index, fingerprint in enumerate(sources)}
    first = stages[0].inputs["weights"].config
    tokenizer = built("tokenizer", first["tokenizer"])
    primers = [_primer(stage, context) for stage in stages]
    rows = [
        dataclasses.replace(row, model=indices[stage.inputs["weights"].fingerprint])
        for stage, primer in zip(stages, primers, strict=True)
        for row in rows_of(stage.config, primer)
    ]
    tokens = generate(
        [trained_model(each.config, context.home / each.artifact, context.device) for each in sources.values()],
        rows,
        tokenizer=tokenizer,
        conditioners=built_conditioners(first),
        compute=Compute(context.device, first["training"]["precision"], fused=context.fused),
        on_progress=lambda done, total: context.tell(News(stages[0].fingerprint, "generate", done / total)),
        should_stop=context.should_stop,
    )
    if tokens is None:
        raise JobStopped
    rest = iter(tokens)
    return [
        _kept(stage, Generated([next(rest) for _ in stage.config["seeds"]], primer), tokenizer, context.home)
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


def _kept(stage: Stage, sampled: Generated, tokenizer: Tokenizer, home: Path) -> StageResult | StageFailure:
    """What has no notes in one variant is no reason to generate the others again."""
    try:
        return _keep_samples(stage, sampled, tokenizer, home)
    except StageError as error:
        return StageFailure(stage, type(error).__name__, str(error))


def samples_of(
    sampled: Generated, tokenizer: Tokenizer, labels: Mapping[str, float], *, first: int = 0
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


def _keep_samples(stage: Stage, sampled: Generated, tokenizer: Tokenizer, home: Path) -> StageResult:
    samples = samples_of(sampled, tokenizer, stage.config["labels"])
    files = {"performances.npz": pack_performances(samples), "tokens.npy": npy(np.stack(sampled.tokens))}
    files |= {f"{sample.name}.mid": sample.midi_bytes() for sample in samples}
    write_artifact(home, stage, files)
    notes = sum(len(sample) for sample in samples)
    seconds = sum(sample.continuation().seconds for sample in samples)
    made = sum(map(len, sampled.tokens))
    return StageResult(stage, {"samples": len(samples), "notes": notes, "seconds": seconds, "tokens_made": made}, 0.0)
