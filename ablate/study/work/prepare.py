"""Prepare training examples: augment, observe, encode."""

from __future__ import annotations

import dataclasses
import functools
from typing import IO, TYPE_CHECKING, Any

from ablate.blame import about
from ablate.engine.seeding import derive, numpy_stream
from ablate.engine.training.windows import Example
from ablate.errors import AblateError, LabelClash, StageError
from ablate.music.corpus.unwritten import find_unwritten, unwritten_sentences
from ablate.music.performance import pitched
from ablate.study.instruments.stored import instrument_files, instrument_of
from ablate.study.work.artifacts import write_artifact, write_examples
from ablate.study.work.components import build, build_conditioners, component_error, observed, stage_tokenizer
from ablate.study.work.doing import doing
from ablate.study.work.load import pieces
from ablate.study.work.messages import StageResult
from ablate.study.work.returned import checked_pieces, checked_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np

    from ablate.interfaces import Augmenter, Conditioner, Tokenizer
    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.study.stage import Stage
    from ablate.study.work.load import Split
    from ablate.study.work.messages import Context

#: About the most pieces that are decoded to count their notes.
MOST_DECODED = 50


def prepare(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Augment and encode the pieces to train on, and compute their conditions."""
    (stage,) = stages
    split = pieces(context.home / stage.inputs["corpus"].artifact, stage.config.get("split", {}))
    performances = augmented(split.train, stage, context.registry)
    tokenizer = stage_tokenizer(stage, context)
    conditioners = build_conditioners(stage.config, context.registry)
    for conditioner, choice in zip(conditioners, stage.config["conditioners"], strict=True):
        _check_conditioner(conditioner, choice["name"], performances, [*split.validation, *split.test])
    counts: dict[str, list[int]] = {}

    def write(name: str, examples: Iterator[Example], file: IO[bytes]) -> None:
        counts[name] = write_examples(examples, file)

    def example(performance: Performance) -> Example:
        return _example(performance, tokenizer, conditioners, stage)

    # as they are in the corpus: an augmenter never sees a piece that is held out
    examples: dict[str, Iterator[Example]] = {"examples.npz": map(example, performances)}
    if split.validation:
        examples["validation.npz"] = _held_out("validation", split.validation, example)
    files = {name: functools.partial(write, name, each) for name, each in examples.items()}
    write_artifact(context.home, stage, {**files, **instrument_files(instrument_of(stage, context.home))})
    for _ in _held_out("test", split.test, example):
        pass  # a test piece that cannot be measured is an error before training, not after it
    result: dict[str, Any] = {
        "examples": len(counts["examples.npz"]),
        "tokens": sum(counts["examples.npz"]),
        "notes_kept": notes_kept(split.test or split.validation or split.train, tokenizer),
        **_unwritten(split, performances, tokenizer, stage),
    }
    if "split" in stage.config:
        result |= {"validation_tokens": sum(counts.get("validation.npz", [])), "split": _facts(split)}
    return [StageResult(stage, result, 0.0)]


def _check_conditioner(
    conditioner: Conditioner, name: str, performances: Sequence[Performance], held_out: Sequence[Performance]
) -> None:
    """Check that a conditioner works with the pieces to train on, and beside these with the pieces held out."""
    try:
        with doing(about(conditioner)):
            conditioner.check_examples(performances)
    except ValueError as error:
        raise component_error(error, f"conditioner '{name}'") from error
    try:
        with doing(about(conditioner)):
            conditioner.check_examples([*performances, *held_out])
    except ValueError as error:
        for piece in held_out:  # for the message, find one that is enough to fail
            try:
                conditioner.check_examples([*performances, piece])
            except ValueError as own:
                raise component_error(own, f"conditioner '{name}', of the held-out piece '{piece.name}'") from own
        raise component_error(error, f"conditioner '{name}', of the held-out pieces") from error


def _held_out(
    use: str, performances: Sequence[Performance], example: Callable[[Performance], Example]
) -> Iterator[Example]:
    """Yield the example of each piece that is held out; its errors name the piece and its use."""
    for performance in performances:
        try:
            yield example(performance)
        except (AblateError, ValueError) as error:
            raise component_error(error, f"{use} piece '{performance.name}'") from error


def notes_kept(performances: Sequence[Performance], tokenizer: Tokenizer) -> float:
    """Return the share of the notes that are left when pieces are encoded and decoded; of many, of some of them.

    A model is spared the notes that its tokenizer leaves out, so nats per note and per second of tokenizers with other
    shares cannot be compared.
    """
    some = performances[:: max(1, len(performances) // MOST_DECODED)]
    with doing(about(tokenizer)):
        kept = sum(len(tokenizer.decode(tokens)) for piece in some if len(tokens := tokenizer.encode(piece)))
    return kept / max(1, sum(map(len, some)))


def _unwritten(split: Split, examples: Sequence[Performance], tokenizer: Tokenizer, stage: Stage) -> dict[str, Any]:
    """Return what the tokenizer cannot write of the corpus: numbers and sentences, also of the copies of augmenters."""
    choice = stage.config["tokenizer"]
    name, options = choice["name"], choice["options"]
    words = functools.partial(unwritten_sentences, name=name, options=options, prefix=f"tokenizer.{name}.")
    found = find_unwritten([*split.train, *split.validation, *split.test], tokenizer)
    sentences = words(found)
    if stage.config["augmenters"]:
        before, after = (find_unwritten(pieces, tokenizer) for pieces in (split.train, examples))
        if after.share > before.share + 1e-9:
            only_pitches = dataclasses.replace(after, instruments={}, merged=())
            sentences += words(only_pitches, of="notes of the augmented training pieces")
    return {"unwritten": found.plain(), "problems": sentences}


def _facts(split: Split) -> dict[str, list[tuple[str, int, float]]]:
    """Return the name, notes and seconds of each piece by its use."""
    return {
        use: [(piece.name, len(piece), round(piece.seconds, 3)) for piece in part]
        for use, part in split._asdict().items()
    }


def augmented(performances: Sequence[Performance], stage: Stage, registry: Registry) -> list[Performance]:
    """Return the performances after each augmenter in turn.

    Raises:
        LabelClash: two augmenters write one label.
        StageError: an augmenter returns nothing, or something that is no valid performance.
    """
    owner: dict[str, str] = {}
    results = list(performances)
    for index, choice in enumerate(stage.config["augmenters"]):
        augmenter, written = build("augmenter", choice, registry), set()
        originals, results = results, []
        for number, performance in enumerate(originals):
            rng = numpy_stream(derive(stage.config["seed"], index, "augment", number))
            variations = _variations(augmenter, performance, rng, choice["name"])
            written |= {label for each in variations for label in _new_labels(performance, each)}
            results += variations
        for label in written & owner.keys():
            raise LabelClash(
                f"augmenters '{owner[label]}' and '{choice['name']}' both write the label '{label}', "
                "so that it would describe neither; choose one of them"
            )
        owner |= dict.fromkeys(written, choice["name"])
    return results


def _variations(
    augmenter: Augmenter, performance: Performance, rng: np.random.Generator, name: str
) -> Sequence[Performance]:
    try:
        with doing(about(augmenter)):
            variations = checked_pieces(augmenter.augment(performance, rng), about(augmenter))
    except (AblateError, ValueError) as error:
        raise component_error(error, f"augmenter '{name}', of '{performance.name}'") from error
    if not variations:
        raise StageError(f"{about(augmenter)} leaves nothing of '{performance.name}'")
    return variations


def _new_labels(before: Performance, after: Performance) -> set[str]:
    return {label for label, value in after.labels.items() if before.labels.get(label) != value}


def _example(performance: Performance, tokenizer: Any, conditioners: Sequence[Conditioner], stage: Stage) -> Example:
    with doing(about(tokenizer)):
        tokens = checked_tokens(tokenizer.encode(performance), tokenizer)
    if len(tokens) < 2:
        labels = ", ".join(f"{label}={value:g}" for label, value in performance.labels.items())
        only_drums = tokenizer.merges and not len(pitched(performance.notes))
        reason = "it has drums only, which are left out" if only_drums else "no note of it is in its range"
        raise StageError(
            f"tokenizer '{stage.config['tokenizer']['name']}' finds nothing to learn in "
            f"'{performance.name}'{f' ({labels})' if labels else ''}: {reason}"
        )
    return Example(tokens, observed(performance, tokens, tokenizer, conditioners))
