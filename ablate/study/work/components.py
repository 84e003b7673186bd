"""Components and networks from the plain data of a stage's configuration."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.engine import checkpoint
from ablate.errors import AblateError, StageError, one_line
from ablate.options import validate
from ablate.registry import get_registry
from ablate.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import FloatArray, IntArray
    from ablate.interfaces import Conditioner, Tokenizer
    from ablate.music.performance import Performance


def built(kind: str, choice: Mapping[str, Any]) -> Any:
    """The component of a choice in plain form."""
    spec = get_registry().spec(kind, choice["name"])
    return spec.build(spec.parse(choice["options"]))


def built_conditioners(config: Mapping[str, Any]) -> list[Conditioner]:
    """The conditioners of a stage's configuration, in order."""
    return [built("conditioner", choice) for choice in config["conditioners"]]


def observed(
    performance: Performance, tokens: IntArray, tokenizer: Tokenizer, conditioners: Sequence[Conditioner]
) -> tuple[FloatArray, ...]:
    """What each conditioner tells of a performance at its tokens, float32 [time, width] each.

    It sees the music as the tokens say it, so that notes and clock agree: with a tokenizer that loses time, the
    recording's own notes would soon lie seconds away from their tokens.
    """
    if not conditioners:
        return ()
    heard = tokenizer.decode(tokens).replace(labels=performance.labels, name=performance.name)
    times = tokenizer.times(tokens)
    return tuple(conditioner.from_performance(heard, times) for conditioner in conditioners)


def build_model(config: Mapping[str, Any]) -> Any:
    """A training stage's network by its configuration, with weights from torch's global stream."""
    spec = get_registry().spec("model", config["model"]["name"])
    vocabulary = len(built("tokenizer", config["tokenizer"]).vocabulary)
    return spec.build(spec.parse(config["model"]["options"]), vocabulary, built_conditioners(config))


def training_settings(config: Mapping[str, Any], examples: int) -> TrainingSettings:
    """A training stage's settings; under a budget of tokens its steps are as many as see them in all examples."""
    given = dict(config["training"])
    tokens = given.pop("tokens", 0)
    settings = validate(TrainingSettings, given)
    if not tokens:
        return settings
    steps = max(1, round(tokens / (settings.batch * examples * settings.window)))
    return dataclasses.replace(settings, steps=steps)


def trained_model(config: Mapping[str, Any], folder: Path, device: str) -> Any:
    """The network that a training left, on the device and in evaluation mode.

    Args:
        config: of the training stage.
        folder: of its files.
        device: a torch device.

    Raises:
        StageError: its weights are damaged or missing, or are those of another network.
    """
    model = build_model(config).to(device).eval()
    tensors, _ = checkpoint.load_tensors(folder / "weights.safetensors")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = one_line(error)
        raise StageError(f"{folder}: these weights do not fit model '{config['model']['name']}': {reason}") from error
    return model


def explained(error: Exception, where: str) -> AblateError:
    """A component's complaint as an error for people, which says where it came from."""
    return StageError(f"{where}: {one_line(error)}")
