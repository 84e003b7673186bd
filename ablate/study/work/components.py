"""Build components and networks from the plain data of a stage's configuration."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.engine import checkpoint
from ablate.engine.training.job import Recipe
from ablate.errors import AblateError, StageError, one_line
from ablate.options import validate
from ablate.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import FloatArray, IntArray
    from ablate.interfaces import Conditioner, Tokenizer
    from ablate.music.performance import Performance
    from ablate.registry import Registry


def build(kind: str, choice: Mapping[str, Any], registry: Registry) -> Any:
    """Build the component of a choice in plain form."""
    spec = registry.spec(kind, choice["name"])
    return spec.build(spec.parse(choice["options"]))


def build_conditioners(config: Mapping[str, Any], registry: Registry) -> list[Conditioner]:
    """Build the conditioners of a stage's configuration, in order."""
    return [build("conditioner", choice, registry) for choice in config["conditioners"]]


def observed(
    performance: Performance, tokens: IntArray, tokenizer: Tokenizer, conditioners: Sequence[Conditioner]
) -> tuple[FloatArray, ...]:
    """Return each conditioner's numbers for a performance at its tokens, float32 [time, width] each.

    They come from the decoded tokens, so that notes and clock agree: with a tokenizer that loses time, the notes of
    the recording would soon lie seconds away from their tokens.
    """
    if not conditioners:
        return ()
    decoded = tokenizer.decode(tokens).replace(labels=performance.labels, name=performance.name)
    times = tokenizer.times(tokens)
    return tuple(conditioner.from_performance(decoded, times) for conditioner in conditioners)


def build_model(config: Mapping[str, Any], registry: Registry) -> Any:
    """Build the network of a training stage's configuration, with weights from torch's global stream."""
    spec = registry.spec("model", config["model"]["name"])
    vocabulary = len(build("tokenizer", config["tokenizer"], registry).vocabulary)
    return spec.build(spec.parse(config["model"]["options"]), vocabulary, build_conditioners(config, registry))


def build_recipe(config: Mapping[str, Any], registry: Registry) -> Recipe:
    """Build the optimizer and the schedule of a training stage's configuration."""
    vocabulary = len(build("tokenizer", config["tokenizer"], registry).vocabulary)
    optimizer, schedule = (build(kind, config[kind], registry) for kind in ("optimizer", "schedule"))
    return Recipe(optimizer, schedule, vocabulary)


def training_settings(config: Mapping[str, Any], examples: int) -> TrainingSettings:
    """Return a training stage's settings; a budget of tokens is turned into steps by the number of examples."""
    options = dict(config["training"])
    tokens = options.pop("tokens", 0)
    settings = validate(TrainingSettings, options)
    if not tokens:
        return settings
    steps = max(1, round(tokens / (settings.batch * examples * settings.window)))
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
    tensors, _ = checkpoint.load_tensors(folder / "weights.safetensors")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = one_line(error)
        raise StageError(f"{folder}: these weights do not fit model '{config['model']['name']}': {reason}") from error
    return model


def component_error(error: Exception, where: str) -> AblateError:
    """Return a component's error as one line for people that begins with its origin."""
    return StageError(f"{where}: {one_line(error)}")
