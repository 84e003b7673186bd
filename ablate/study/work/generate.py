"""Generate samples with trained models."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.blame import about
from ablate.engine.devices import Compute
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.errors import NothingGenerated, StageError
from ablate.interfaces.played_by import played_by
from ablate.kinds import GENERATE
from ablate.music.storage import pack_performances
from ablate.study.instruments.stored import instrument_of
from ablate.study.work.artifacts import midi_files, npy, write_artifact
from ablate.study.work.components import build_conditioners, stage_tokenizer, trained_model
from ablate.study.work.doing import doing
from ablate.study.work.messages import Context, JobStopped, News, StageFailure, StageResult
from ablate.study.work.prime import separated
from ablate.study.work.returned import check_piece

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import IntArray
    from ablate.interfaces import Tokenizer
    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.study.stage import Stage


class Generated(NamedTuple):
    """A generation's new tokens, int64 [time] for each sample, and the primer before them, int64 [time]."""

    tokens: Sequence[IntArray]
    primer: IntArray


def generate_stages(
    stages: tuple[Stage, ...], context: Context, *, fused: bool = False
) -> list[StageResult | StageFailure]:
    """Generate the samples of variants that have the same weights, or whose networks can be fused."""
    sources = {stage.inputs["weights"].fingerprint: stage.inputs["weights"] for stage in stages}
    indices = {fingerprint: index for index, fingerprint in enumerate(sources)}
    first, registry = stages[0].inputs["weights"].config, context.registry
    tokenizer = stage_tokenizer(stages[0], context)
    primers = [_primer(stage, context) for stage in stages]
    rows = [
        dataclasses.replace(row, model=indices[stage.inputs["weights"].fingerprint])
        for stage, primer in zip(stages, primers, strict=True)
        for row in rows_of(stage.config, primer, registry)
    ]
    models = [trained_model(s.config, context.home / s.artifact, context.device, registry) for s in sources.values()]
    with doing(registry.spec("model", first["model"]["name"]).about):
        tokens = generate(
            models,
            rows,
            tokenizer=tokenizer,
            conditioners=build_conditioners(first, registry),
            compute=Compute(context.device, first["training"]["precision"], fused=fused),
            on_progress=lambda done, total: context.tell(News(stages[0].fingerprint, GENERATE, done / total)),
            should_stop=context.should_stop,
        )
    if tokens is None:
        raise JobStopped
    remaining = iter(tokens)
    return [
        _samples_or_failure(
            stage,
            Generated([next(remaining) for _ in stage.config["seeds"]], primer),
            played_by(tokenizer, instrument_of(stage, context.home)),
            context.home,
        )
        for stage, primer in zip(stages, primers, strict=True)
    ]


def _primer(stage: Stage, context: Context) -> IntArray:
    return stored_primer(context.home / stage.inputs["primer"].artifact if "primer" in stage.inputs else None)


def stored_primer(folder: Path | None) -> IntArray:
    """Return the tokens in the folder of a stage ``prime``, int64 [time]; without a folder, none.

    Raises:
        StageError: the file is missing or damaged.
    """
    if folder is None:
        return np.empty(0, np.int64)
    try:
        primer: IntArray = np.load(folder / "primer.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StageError(f"{folder / 'primer.npy'} is damaged or missing; run the study again") from error
    return primer


def rows_of(config: Mapping[str, Any], primer: IntArray, registry: Registry) -> list[Row]:
    """Return the rows of a generation's configuration, one for each sample."""
    chain = tuple(
        (spec, spec.parse(choice["options"]))
        for choice in config["samplers"]
        for spec in (registry.spec("sampler", choice["name"]),)
    )
    # as in the original, the network reads the last token twice; the music contains it once
    context = np.append(primer, primer[-1:]) if config.get("repeat_last") else primer
    tokens, labels = config["generation"]["tokens"], config["labels"]
    return [Row(0, chain, tokens, seed, context, labels) for seed in config["seeds"]]


def _samples_or_failure(
    stage: Stage, generated: Generated, tokenizer: Tokenizer, home: Path
) -> StageResult | StageFailure:
    """Return the result, or the failure of this stage alone: the others keep their samples."""
    try:
        return _write_samples(stage, generated, tokenizer, home)
    except StageError as error:
        return StageFailure(stage, type(error).__name__, str(error))


def decode_samples(
    generated: Generated, tokenizer: Tokenizer, labels: Mapping[str, float], *, first: int = 0
) -> list[Performance]:
    """Decode the generated tokens to performances, named by their number from ``first`` on, their primers marked.

    The stage ``generate`` and the command ``ablate generate`` both use it: what counts as a failed sample is decided
    here.

    Raises:
        NothingGenerated: a sample has no new note.
    """
    samples = []
    for number, tokens in enumerate(generated.tokens, first):
        with doing(about(tokenizer)):
            sample = separated(tokens, generated.primer, tokenizer)
            check_piece(sample, about(tokenizer))
        sample = sample.replace(name=f"sample-{number:02d}", labels=labels)
        if not len(sample):
            raise NothingGenerated(f"sample {number} has no notes after {len(tokens)} tokens")
        samples.append(sample)
    return samples


def _write_samples(stage: Stage, generated: Generated, tokenizer: Tokenizer, home: Path) -> StageResult:
    samples = decode_samples(generated, tokenizer, stage.config["labels"])
    files = {"performances.npz": pack_performances(samples), "tokens.npy": npy(np.stack(generated.tokens))}
    midi = midi_files(samples)
    write_artifact(home, stage, {**files, **midi.files})
    notes = sum(len(sample) for sample in samples)
    seconds = sum(sample.continuation().seconds for sample in samples)
    tokens = sum(map(len, generated.tokens))
    result = {"samples": len(samples), "notes": notes, "seconds": seconds, "tokens_made": tokens}
    said = {"problems": midi.problems, "written": midi.changes} if midi.changes else {}
    return StageResult(stage, {**result, **said}, 0.0)
