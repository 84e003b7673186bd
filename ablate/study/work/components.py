"""Build components and networks from the plain data of a stage's configuration."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.blame import about, blame, take_blame
from ablate.building import build_component, built
from ablate.engine import checkpoint
from ablate.engine.training.job import Recipe
from ablate.errors import AblateError, StageError, one_line
from ablate.interfaces import FittedTokenizer
from ablate.interfaces.played_by import played_by
from ablate.kinds import FIT, WEIGHTS
from ablate.options import validate
from ablate.settings import TrainingSettings
from ablate.study.instruments.stored import instrument_of
from ablate.study.stage import weights_of
from ablate.study.work.doing import doing
from ablate.study.work.returned import check_piece, checked_conditions, checked_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import FloatArray, IntArray
    from ablate.interfaces import Conditioner, Tokenizer
    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context

#: The file of a stage ``fit``: what a tokenizer has learned.
LEARNED = "learned.bin"


def build(kind: str, choice: Mapping[str, Any], registry: Registry) -> Any:
    """Build the component of a choice in plain form; raises like :func:`~ablate.building.build_component`."""
    spec = registry.spec(kind, choice["name"])
    with doing(spec.about):
        return build_component(spec, choice["options"])


def build_conditioners(config: Mapping[str, Any], registry: Registry) -> list[Conditioner]:
    """Build the conditioners of a stage's configuration, in order."""
    return [build("conditioner", choice, registry) for choice in config["conditioners"]]


def stage_tokenizer(stage: Stage, context: Context) -> Tokenizer:
    """Return the tokenizer of a stage, with what it has learned if it is one that learns.

    It is the one that the stage's configuration names, or else the one of the weights that the stage reads. If it does
    not write instruments, its decoded notes are for the one of the music that the stage works with.

    Raises:
        StageError: what it has learned is missing or damaged.
    """
    choice = (stage if "tokenizer" in stage.config else weights_of(stage)).config["tokenizer"]
    folder = context.home / stage.inputs[FIT].artifact if FIT in stage.inputs else None
    return played_by(loaded_tokenizer(choice, folder, context.registry), instrument_of(stage, context.home))


def loaded_tokenizer(choice: Mapping[str, Any], folder: Path | None, registry: Registry) -> Tokenizer:
    """Return the tokenizer of a choice, with what it has learned.

    Args:
        choice: in plain form.
        folder: of the files of its stage ``fit``; None if it does not learn.
        registry: the components.

    Raises:
        StageError: what it has learned is missing or damaged, or belongs to another tokenizer.
    """
    tokenizer: Tokenizer = build("tokenizer", choice, registry)
    learns = isinstance(tokenizer, FittedTokenizer)
    if learns != (folder is not None):
        is_what = "is not fitted" if folder else "is fitted, but its record has fitted=False"
        raise StageError(f"tokenizer '{choice['name']}' {is_what}; class and record must agree")
    if isinstance(tokenizer, FittedTokenizer) and folder is not None:
        path = folder / LEARNED
        try:
            with doing(about(tokenizer)):
                tokenizer.load(path.read_bytes())
        except OSError as error:
            raise StageError(f"{path} is missing; run the study again") from error
        except ValueError as error:
            raise StageError(f"{path}: tokenizer '{choice['name']}' cannot use it: {one_line(error)}") from error
    return tokenizer


def observed(
    performance: Performance, tokens: IntArray, tokenizer: Tokenizer, conditioners: Sequence[Conditioner]
) -> tuple[FloatArray, ...]:
    """Return each conditioner's numbers for a performance at its tokens, float32 [time, width] each.

    They come from the decoded tokens, so that notes and clock agree: with a tokenizer that loses time, the notes of
    the recording would soon lie seconds away from their tokens.
    """
    if not conditioners:
        return ()
    with doing(about(tokenizer)):
        decoded = tokenizer.decode(tokens)
        check_piece(decoded, about(tokenizer))
        times = checked_times(tokenizer.times(tokens), tokens, tokenizer)
    decoded = decoded.replace(labels=performance.labels, name=performance.name)
    return tuple(_conditions(conditioner, decoded, times) for conditioner in conditioners)


def _conditions(conditioner: Conditioner, performance: Performance, times: FloatArray) -> FloatArray:
    with doing(about(conditioner)):
        return checked_conditions(conditioner.from_performance(performance, times), len(times), conditioner)


def build_model(config: Mapping[str, Any], registry: Registry) -> Any:
    """Build the network of a training stage's configuration, with weights from torch's global stream."""
    spec = registry.spec("model", config["model"]["name"])
    vocabulary = len(build("tokenizer", config["tokenizer"], registry).vocabulary)
    options, conditioners = spec.parse(config["model"]["options"]), build_conditioners(config, registry)
    with doing(spec.about):
        return built(spec, lambda: spec.build(options, vocabulary, conditioners))


def build_recipe(config: Mapping[str, Any], registry: Registry) -> Recipe:
    """Build the optimizer and the schedule of a training stage's configuration."""
    vocabulary = len(build("tokenizer", config["tokenizer"], registry).vocabulary)
    optimizer, schedule = (build(kind, config[kind], registry) for kind in ("optimizer", "schedule"))
    return Recipe(optimizer, schedule, vocabulary)


class ExampleCounts(NamedTuple):
    """The numbers of examples to train on, of all their tokens, and of the tokens to validate on."""

    examples: int = 1
    tokens: int = 0
    validation_tokens: int = 0


def depends_on_examples(training: Mapping[str, Any]) -> bool:
    """Return whether the windows of a step, or the steps of a training, follow from the examples."""
    return bool(training["batch_counts"] == "example" or training["epochs"])


def training_settings(config: Mapping[str, Any], counts: ExampleCounts) -> TrainingSettings:
    """Return a training stage's settings; epochs, or a budget of tokens, are turned into steps by the examples."""
    options = dict(config["training"])
    budget = options.pop("tokens", 0)
    settings = validate(TrainingSettings, options)
    budget = budget or settings.epochs * counts.tokens
    if not budget:
        return settings
    rows = settings.batch * (counts.examples if settings.batch_counts == "example" else 1)
    steps = max(1, round(budget / (rows * settings.accumulate * settings.window)))
    return dataclasses.replace(settings, steps=steps)


def trained_model(config: Mapping[str, Any], folder: Path, device: str, registry: Registry) -> Any:
    """Return the network of a finished training, on the device and in evaluation mode.

    Args:
        config: of the training stage.
        folder: of its files.
        device: a torch device.
        registry: the components.

    Raises:
        StageError: its weights are damaged or missing, or are those of another network.
    """
    model = build_model(config, registry).to(device).eval()
    tensors, _ = checkpoint.load_tensors(folder / WEIGHTS)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = one_line(error)
        raise StageError(f"{folder}: these weights do not fit model '{config['model']['name']}': {reason}") from error
    return model


def component_error(error: Exception, where: str) -> AblateError:
    """Return a component's error as one line for people that begins with its origin."""
    stage_error = StageError(f"{where}: {one_line(error)}")
    blame(stage_error, take_blame(error))
    return stage_error
