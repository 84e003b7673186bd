"""The identity of a stage, from which its fingerprint is made: its configuration without values at their default.

So an option that is added with its default changes no fingerprint. A default that changes would change none either:
the component gets a new version, and a setting of a study file a new code of the stages that use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.study.file.configuration import setting_identity
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ablate.study.file.configuration import Choice, Configuration

#: The kind of the component, or of each component in a list, at a key of a stage's configuration.
COMPONENTS = {
    "tokenizer": "tokenizer",
    "augmenters": "augmenter",
    "conditioners": "conditioner",
    "model": "model",
    "optimizer": "optimizer",
    "schedule": "schedule",
    "samplers": "sampler",
    "metric": "metric",
}
#: The sections of settings that a stage's configuration holds as tables.
_SECTIONS = {"split", "training", "generation"}


def make_stage(
    configuration: Configuration,
    kind: str,
    config: Mapping[str, Any],
    inputs: Mapping[str, Stage],
    extra: Mapping[str, Any] | None = None,
) -> Stage:
    """Return a stage of a run with this configuration, whose fingerprint leaves out values at their default."""
    chosen = (choice for choices in configuration.choices.values() for choice in choices)
    return Stage(kind, config, inputs, extra or {}, identity_of(config, chosen))


def components(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the kind and the plain choice of each component in the configuration of a stage.

    A metric of the file that a program writes is none: it has no options.
    """
    for key, kind in COMPONENTS.items():
        value = config.get(key, [])
        for choice in value if isinstance(value, list) else [value]:
            if "options" in choice:
                yield kind, choice


def identity_of(config: Mapping[str, Any], chosen: Iterable[Choice]) -> dict[str, Any]:
    """Return the configuration of a stage without values at their default.

    Args:
        config: of the stage.
        chosen: at least the components in it.
    """
    known = {(choice.kind, choice.name): choice for choice in chosen}
    lean = dict(config)
    for key, kind in COMPONENTS.items():
        value = config.get(key)
        if isinstance(value, list):
            lean[key] = [known[kind, choice["name"]].identity() for choice in value]
        elif value is not None:
            lean[key] = known[kind, value["name"]].identity()
    for section in _SECTIONS & config.keys():
        lean[section] = setting_identity(section, config[section])
    return lean
