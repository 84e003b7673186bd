"""A study's configuration: the components and settings of one variant, resolved from their form in the file.

The *file shape* (see :mod:`~ablate.study.file.paths`) contains only the options that the file sets. The *resolved*
shape, :class:`Configuration`, has a value for every option and a version for every component.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError, InvalidOptions, PluginError, UnknownName
from ablate.names import same
from ablate.options import abridged, defaults, plain, validate
from ablate.settings import (
    FloorSettings,
    GenerationSettings,
    MeasureSettings,
    PathSettings,
    PrimerSettings,
    SearchSettings,
    SplitSettings,
    StatisticsSettings,
    TrainingSettings,
)
from ablate.specs import DEFAULTED, SPECS, CorpusSpec
from ablate.study.file.known import KnownSections
from ablate.study.file.labels import build_conditioner, used_labels
from ablate.study.file.paths import FileShape, Problem, join, named
from ablate.study.file.program import fewest_samples, program_problems, program_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Sized

    from ablate.interfaces import Conditioner
    from ablate.registry import Registry
    from ablate.specs import ComponentSpec, Reference

#: The most components of one kind.
MOST_COMPONENTS = 100
#: Kinds of which a configuration has exactly one.
SINGLE = ("corpus", "tokenizer", "model", *DEFAULTED)
#: Sections of settings, which have no components.
SETTINGS: dict[str, type[Any]] = {
    "split": SplitSettings,
    "training": TrainingSettings,
    "primer": PrimerSettings,
    "generation": GenerationSettings,
    "measure": MeasureSettings,
}

#: Tables of settings that no axis can reach, because they are not part of a variant.
TABLES: dict[str, type[Any]] = {
    "floors": FloorSettings,
    "statistics": StatisticsSettings,
    "search": SearchSettings,
    "path": PathSettings,
}
#: Everything that an axis can reach.
SECTIONS = (*SPECS, *SETTINGS, "labels", "program", "parameters")


@dataclasses.dataclass(frozen=True)
class Choice:
    """One component with all its options, as plain data.

    Attributes:
        kind: of component (``"tokenizer"``).
        name: of the component.
        version: of its behaviour.
        options: a value for every option.
        fitted: whether it is a tokenizer that is fitted on the training pieces.
        defaults: of the options that have one.
        instruments: the choice of instruments of a corpus, see :class:`ablate.music.instruments.Chooser`.
        pause_option: the option of a corpus with the longest pause in a file, in seconds; empty if it has none.
    """

    kind: str
    name: str
    version: str
    options: Mapping[str, Any]
    fitted: bool = False
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    instruments: Any = "all"
    pause_option: str = ""

    @classmethod
    def of(cls, kind: str, spec: Any, options: Any) -> Choice:
        """Return the choice of a component, from its record and its options as the record has parsed them."""
        fitted, values = getattr(spec, "fitted", False), plain(options)
        chosen = values.get(getattr(spec, "instruments_option", ""), "all")
        instruments = tuple(chosen) if isinstance(chosen, list) else chosen
        pause = getattr(spec, "pause_option", "")
        return cls(kind, spec.name, spec.version, values, fitted, defaults(spec.options), instruments, pause)

    def plain(self) -> dict[str, Any]:
        """Return the choice as JSON-ready data, for the work and the database."""
        return {"name": self.name, "version": self.version, "options": dict(self.options)}

    def identity(self) -> dict[str, Any]:
        """Return the choice without options at their default, for fingerprints."""
        return {**self.plain(), "options": self._own_options}

    @functools.cached_property
    def _own_options(self) -> dict[str, Any]:
        """The options that differ from their defaults; every stage that uses the component asks for them."""
        return without_defaults(self.options, self.defaults)


@dataclasses.dataclass(frozen=True)
class Configuration:
    """A whole configuration, resolved.

    Attributes:
        choices: the components of each kind, in order.
        settings: the options of each section of :data:`SETTINGS`; in a study of programs instead those of ``program``
            and ``parameters``.
        labels: the labels of generated music, defaults filled in; only those that a chosen conditioner uses.
    """

    choices: Mapping[str, tuple[Choice, ...]]
    settings: Mapping[str, Mapping[str, Any]]
    labels: Mapping[str, float]

    def one(self, kind: str) -> Choice:
        """Return the choice of a kind that has exactly one."""
        return self.choices[kind][0]

    @property
    def runs_program(self) -> bool:
        """True if a program of the study's author takes the place of the model."""
        return "program" in self.settings

    def plain(self) -> dict[str, Any]:
        """Return the configuration as JSON-ready data."""
        choices = {kind: [choice.plain() for choice in choices] for kind, choices in self.choices.items()}
        settings = {section: dict(options) for section, options in self.settings.items()}
        return {**choices, **settings, "labels": dict(self.labels)}

    def identity(self) -> dict[str, Any]:
        """Return the configuration without options and settings at their default, for fingerprints."""
        choices = {kind: [choice.identity() for choice in choices] for kind, choices in self.choices.items()}
        settings = {
            name: setting_identity(name, options) if name in SETTINGS else dict(options)
            for name, options in self.settings.items()
        }
        return {**choices, **settings, "labels": dict(self.labels)}


def setting_identity(section: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a section of :data:`SETTINGS` without those at their default."""
    return without_defaults(options, defaults(SETTINGS[section]))


def without_defaults(options: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options whose values differ from their defaults; an option without a default is kept."""
    return {key: value for key, value in options.items() if key not in known or not same(value, known[key])}


def resolve(
    config: FileShape, registry: Registry, known: KnownSections | None = None
) -> tuple[Configuration, list[Problem]]:
    """Resolve a configuration in file shape; every problem comes with the path of its key.

    Args:
        config: in file shape.
        registry: the components.
        known: of many configurations that share sections, those that have been resolved; it is added to.
    """
    problems: list[Problem] = []
    if "program" in config:
        return _resolve_program(config, registry, problems), problems
    known = known or KnownSections()

    def choices_of(kind: str, own: list[Problem]) -> tuple[Choice, ...]:
        return tuple(_choices(kind, config.get(kind), registry, own))

    def settings_of(name: str, own: list[Problem]) -> dict[str, Any]:
        return _settings(name, config.get(name, {}), own)

    choices = {kind: known.resolved(kind, config.get(kind), choices_of, problems) for kind in SPECS}
    settings = {name: known.resolved(name, config.get(name), settings_of, problems) for name in SETTINGS}
    problems += _validation_problems(settings)
    conditioners = [built for choice in choices["conditioner"] if (built := _conditioner(choice, registry, problems))]
    labels = used_labels(config.get("labels", {}), conditioners, problems)
    if settings["split"] and settings["measure"]:
        problems += _reference_problems(settings, choices["metric"], registry)
    return Configuration(choices, settings, labels), problems


def _resolve_program(config: FileShape, registry: Registry, problems: list[Problem]) -> Configuration:
    """Resolve the configuration of a study of programs, which has a corpus and metrics for MIDI files only."""
    choices: dict[str, tuple[Choice, ...]] = dict.fromkeys(SPECS, ())
    if "corpus" in config:
        choices["corpus"] = tuple(_choices("corpus", config["corpus"], registry, problems))
    choices["metric"] = tuple(_choices("metric", config.get("metric", {}), registry, problems))
    program = program_settings(config["program"], problems)
    if program:
        metrics = {choice.name: registry.spec("metric", choice.name) for choice in choices["metric"]}
        fewest = {c.name: fewest_samples(metrics[c.name], c.options) for c in choices["metric"]}
        problems += program_problems(config, program, {name: spec.scope for name, spec in metrics.items()}, fewest)
    settings = {**plain(program), "seconds": program.seconds} if program else {}
    return Configuration(choices, {"program": settings, "parameters": dict(config.get("parameters", {}))}, {})


def _reference_problems(
    settings: Mapping[str, Mapping[str, Any]], metrics: Sequence[Choice], registry: Registry
) -> Iterator[Problem]:
    """Find references, of the study or of a metric, of which the split has no pieces."""
    split = validate(SplitSettings, settings["split"])
    asked = {"measure.reference": settings["measure"]["reference"]}
    asked |= {
        f"metric.{metric.name}": reference_of(registry.spec("metric", metric.name), "train") for metric in metrics
    }
    for key, part in asked.items():
        if not split.holds(part):
            yield key, f"compares samples with {part} pieces, and there are none; set split.{part}, to 0.1 say"


def reference_of(metric: ComponentSpec, default: Reference) -> Reference:
    """Return the part of the split that a metric compares samples with: its own, or else that of the study."""
    own: Reference | None = getattr(metric, "reference", None)
    return own or default


def _conditioner(choice: Choice, registry: Registry, problems: list[Problem]) -> Conditioner | None:
    """Build the conditioner, whose labels are needed; return None where that fails."""
    try:
        return build_conditioner(choice.name, choice.options, registry)
    except (AblateError, ValueError) as error:
        problems.append((f"conditioner.{choice.name}", str(error)))
        return None


def _choices(kind: str, value: Any, registry: Registry, problems: list[Problem]) -> Iterator[Choice]:
    try:
        components = default_components(kind, registry) if value is None else named(value)
    except PluginError as error:
        problems.append((kind, str(error)))
        return
    if components is None:
        wanted = f"must be a name, a list of names, or a table for each component, [{kind}.NAME]"
        problems.append((kind, f"{wanted}; not {abridged(value)}"))
        return
    if len(components) > MOST_COMPONENTS:
        problems.append((kind, too_many(components)))
        return
    if kind in SINGLE and len(components) != 1:
        count = f"found {len(components)}: {', '.join(components)}" if components else "found none"
        problems.append((kind, f"exactly one {kind} is needed, {count}. Offered: {', '.join(registry.names(kind))}"))
    for name, options in components.items():
        try:
            spec = registry.spec(kind, name)
            parsed = spec.parse(options)
        except (UnknownName, PluginError) as error:
            problems.append((f"{kind}.{name}", str(error)))
        except InvalidOptions as error:
            problems += [(join(kind, name, key), _with_hint(spec, key, text)) for key, text in error.problems]
        else:
            yield Choice.of(kind, spec, parsed)


def too_many(components: Sized) -> str:
    """Return the message for more components than a study has of a kind."""
    return f"{len(components):,} components are too many (at most {MOST_COMPONENTS})"


def default_components(kind: str, registry: Registry) -> dict[str, dict[str, Any]]:
    """Return the components of a kind that the study does not name; raises like :meth:`Registry.default`."""
    return {registry.default(kind): {}} if kind in DEFAULTED else {}


def _with_hint(spec: ComponentSpec, key: str, problem: str) -> str:
    """Return the problem of an option; where a corpus has no path, with the option of a command that gives one."""
    needs_path = problem == "is required" and isinstance(spec, CorpusSpec) and key == spec.path_option
    return f"{problem}; set it, or give the command --corpus FOLDER" if needs_path else problem


def _settings(section: str, table: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    try:
        options = plain(validate(SETTINGS[section], table))
    except InvalidOptions as error:
        problems += [(join(section, key), text) for key, text in error.problems]
        return {}
    if section == "training" and options["epochs"]:
        if "steps" in table:
            text = "cannot be combined with steps, which follow from it; leave steps out, or set epochs to 0"
            problems.append((f"{section}.epochs", text))
        del options["steps"]
    return options


def _validation_problems(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Find validations without pieces to validate on."""
    training, split = settings["training"], settings["split"]
    if training and split and training["validate_every"] and not split["validation"]:
        yield "training.validate_every", "needs validation pieces; set split.validation to a share or to names"
