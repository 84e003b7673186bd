"""The identity of a stage, from which its fingerprint is made: its configuration without values at their default.

So an option that is added with its default changes no fingerprint. A default that changes would change none either:
the component gets a new version, and a setting of a study file a new code of the stages that use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.study.file.configuration import setting_identity
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.file.configuration import Configuration

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
    return Stage(kind, config, inputs, extra or {}, _identity(config, configuration))


def components(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the kind and the plain choice of each component in the configuration of a stage."""
    for key, kind in COMPONENTS.items():
        value = config.get(key, [])
        for choice in value if isinstance(value, list) else [value]:
            yield kind, choice


def _identity(config: Mapping[str, Any], configuration: Configuration) -> dict[str, Any]:
    identity = dict(config)
    for key, kind in COMPONENTS.items():
        known = {choice.name: choice for choice in configuration.choices[kind]}
        value = config.get(key)
        if isinstance(value, list):
            identity[key] = [known[choice["name"]].identity() for choice in value]
        elif value is not None:
            identity[key] = known[value["name"]].identity()
    for section in _SECTIONS & config.keys():
        identity[section] = setting_identity(section, config[section])
    return identity
