"""A study's configuration: which components, with which options.

Two shapes are at home here. The *file shape* is what TOML gives: a table for each kind whose keys are component names
in order (``{"sampler": {"temperature": {"tau": 1.0}}}``). The *resolved* shape, :class:`Configuration`, names every
option with its value and every component with its version.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError, InvalidOptions, PluginError, UnknownName, did_you_mean
from ablate.options import plain, validate
from ablate.settings import (
    FloorSettings,
    GenerationSettings,
    MeasureSettings,
    PrimerSettings,
    SearchSettings,
    SplitSettings,
    StatisticsSettings,
    TrainingSettings,
)
from ablate.specs import SPECS
from ablate.study.file.paths import FileShape, Problem, named, split_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.interfaces import Conditioner
    from ablate.registry import Registry

#: Kinds of which a configuration has exactly one.
SINGLE = ("corpus", "tokenizer", "model")
#: Sections of settings that are no components.
SETTINGS: dict[str, type[Any]] = {
    "split": SplitSettings,
    "training": TrainingSettings,
    "primer": PrimerSettings,
    "generation": GenerationSettings,
    "measure": MeasureSettings,
}

#: Tables of settings that are no part of any variant, so that no axis can reach them.
TABLES: dict[str, type[Any]] = {"floors": FloorSettings, "statistics": StatisticsSettings, "search": SearchSettings}
#: Everything that an axis can reach.
SECTIONS = (*SPECS, *SETTINGS, "labels")


@dataclasses.dataclass(frozen=True)
class Choice:
    """One component with all its options, as plain data."""

    kind: str
    name: str
    version: str
    options: Mapping[str, Any]

    def plain(self) -> dict[str, Any]:
        """For fingerprints and the database."""
        return {"name": self.name, "version": self.version, "options": dict(self.options)}


@dataclasses.dataclass(frozen=True)
class Configuration:
    """A whole configuration, resolved.

    Attributes:
        choices: the components of each kind, in order.
        settings: the options of each section of :data:`SETTINGS`.
        labels: what generation asks of the conditioners chosen, defaults filled in; a label that none of them reads
            is not asked.
    """

    choices: Mapping[str, tuple[Choice, ...]]
    settings: Mapping[str, Mapping[str, Any]]
    labels: Mapping[str, float]

    def one(self, kind: str) -> Choice:
        """The choice of a kind that has exactly one."""
        return self.choices[kind][0]

    def plain(self) -> dict[str, Any]:
        """The configuration as JSON-ready data."""
        choices = {kind: [choice.plain() for choice in chosen] for kind, chosen in self.choices.items()}
        settings = {section: dict(options) for section, options in self.settings.items()}
        return {**choices, **settings, "labels": dict(self.labels)}


def resolve(config: FileShape, registry: Registry) -> tuple[Configuration, list[Problem]]:
    """Resolve a configuration in file shape; every problem comes with the path of its key."""
    problems: list[Problem] = []
    choices = {kind: tuple(_choices(kind, config.get(kind, []), registry, problems)) for kind in SPECS}
    settings = {name: _settings(name, config.get(name, {}), problems) for name in SETTINGS}
    conditioners = [built for choice in choices["conditioner"] if (built := _conditioner(choice, registry, problems))]
    labels = asked_labels(config.get("labels", {}), conditioners, problems)
    return Configuration(choices, settings, labels), problems


def _conditioner(choice: Choice, registry: Registry, problems: list[Problem]) -> Conditioner | None:
    """The conditioner, for what it says of labels."""
    try:
        return build_conditioner(choice.name, choice.options, registry)
    except (AblateError, ValueError) as error:
        problems.append((f"conditioner.{choice.name}", str(error)))
        return None


def build_conditioner(name: str, options: Mapping[str, Any], registry: Registry) -> Conditioner:
    """A conditioner by name and plain options; raises what looking it up, parsing or building it raises."""
    spec = registry.spec("conditioner", name)
    conditioner: Conditioner = spec.build(spec.parse(options))
    return conditioner


def asked_labels(labels: Any, conditioners: Sequence[Conditioner], problems: list[Problem]) -> dict[str, float]:
    """Every label that a conditioner reads, as a number: that of ``[labels]``, or else its default.

    What is wrong goes to ``problems``.
    """
    if not isinstance(labels, dict):
        problems.append(("labels", f"must be a table of numbers, not {labels!r}"))
        return {}
    numbers = {}
    for name, value in labels.items():
        categories = next((c.categories[name] for c in conditioners if name in c.categories), None)
        if categories is not None and str(value) in categories:
            numbers[name] = float(list(categories).index(str(value)))
        elif categories is not None:
            listing = f"{did_you_mean(str(value), categories)} (known: {', '.join(categories)})"
            problems.append((f"labels.{name}", f"nothing is called '{value}'{listing}"))
        elif isinstance(value, str) and not any(name in c.labels for c in conditioners):
            pass  # a name that only another variant's conditioner can know
        elif (number := _finite(value)) is None:
            problems.append((f"labels.{name}", f"must be a number, not {value!r}"))
        else:
            numbers[name] = number
    asked: dict[str, float] = {}
    for conditioner in conditioners:
        own = {name: numbers.get(name, float(default)) for name, default in conditioner.labels.items()}
        try:
            conditioner.check_labels(own)
        except ValueError as error:
            problems.append(("labels", str(error)))
        asked |= own
    return asked


def _finite(value: Any) -> float | None:
    """A number that a label can be; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number beyond all floats
        return None


def _choices(kind: str, value: Any, registry: Registry, problems: list[Problem]) -> Iterator[Choice]:
    chosen = named(value)
    if chosen is None:
        problems.append((kind, f"give a name, a list of names, or a table for each: [{kind}.NAME]; not {value!r}"))
        return
    if kind in SINGLE and len(chosen) != 1:
        found = f"found {len(chosen)}: {', '.join(chosen)}" if chosen else "found none"
        problems.append((kind, f"exactly one {kind} is needed, {found}. Offered: {', '.join(registry.names(kind))}"))
    for name, options in chosen.items():
        try:
            spec = registry.spec(kind, name)
            parsed = spec.parse(options)
        except (UnknownName, PluginError) as error:
            problems.append((f"{kind}.{name}", str(error)))
        except InvalidOptions as error:
            problems += [(_join(kind, name, key), text) for key, text in error.problems]
        else:
            yield Choice(kind, name, spec.version, plain(parsed))


def _settings(section: str, value: Any, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(value, dict):
        problems.append((section, f"must be a table, not {value!r}"))
        return {}
    try:
        return plain(validate(SETTINGS[section], value))
    except InvalidOptions as error:
        problems += [(_join(section, key), text) for key, text in error.problems]
        return {}


def names_something(path: str, config: FileShape, registry: Registry) -> str:
    """Why ``path`` names nothing that could be varied, or an empty string if it does."""
    section, component, option = split_path(path, config)
    if section not in SECTIONS:
        return f"names nothing{did_you_mean(section, SECTIONS)} (an axis starts with one of {', '.join(SECTIONS)})"
    if section in SPECS:
        return _names_component(section, component, option, config, registry)
    if section == "labels":
        return "" if option else "name a label: labels.NAME"
    known = [field.name for field in dataclasses.fields(SETTINGS[section])]
    return "" if option in known else f"names nothing in [{section}]{did_you_mean(option, known)}"


def _names_component(section: str, component: str, option: str, config: FileShape, registry: Registry) -> str:
    if not component:
        return ""
    chosen = list(named(config.get(section, {})) or {})
    if component not in chosen:
        listing = ", ".join(chosen) or "none"
        return f"this study has no {section} '{component}'{did_you_mean(component, chosen)} (it has: {listing})"
    if not option:
        return f"name an option of it, or vary the whole {section} with the axis '{section}'"
    try:
        known = [field.name for field in dataclasses.fields(registry.spec(section, component).options)]
    except (UnknownName, PluginError):
        return ""  # reported once already, where the component is chosen
    if option in known:
        return ""
    return f"{section} '{component}' has no option '{option}'{did_you_mean(option, known)}"


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
