"""The variants of a study laid out: every run with its stages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.differences import differing_paths, unexplained
from ablate.engine.devices import resolve_precision
from ablate.errors import StudyFileError
from ablate.specs import ModelMetricSpec
from ablate.study.design import NAMED
from ablate.study.plan.stages import RunStages, Setting, run_stages
from ablate.study.stage import Stage, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.interfaces import Corpus
    from ablate.registry import Registry
    from ablate.study.design import Variant
    from ablate.study.file.configuration import Choice, Configuration
    from ablate.study.file.study_file import StudySpec


@dataclasses.dataclass(frozen=True)
class HeldBack:
    """From which replicate on a search holds a variant back; for good, and why, if it has pruned it."""

    replicates: int
    pruned: str = ""


@dataclasses.dataclass(frozen=True)
class Run:
    """One variant in one replicate, with its stages; ``held`` if a search holds it back."""

    variant: Variant
    replicate: int
    configuration: Configuration
    stages: RunStages
    held: HeldBack | None = None


@dataclasses.dataclass(frozen=True)
class Layout:
    """A study laid out.

    Attributes:
        spec: the study.
        variants: in order.
        fingerprints: of the variants, by name.
        runs: all of them, replicate by replicate.
        only: of a search, the variant that is looked at now; empty is all.
    """

    spec: StudySpec
    variants: tuple[Variant, ...]
    fingerprints: Mapping[str, str]
    runs: tuple[Run, ...]
    only: str = ""

    @property
    def current(self) -> tuple[Run, ...]:
        """The runs that are looked at."""
        return tuple(run for run in self.runs if self.only in ("", run.variant.name))

    @property
    def wanted(self) -> tuple[Run, ...]:
        """Those of them that a search does not hold back."""
        return tuple(run for run in self.current if not run.held)

    def stages(self) -> dict[str, Stage]:
        """Every stage of the wanted runs by fingerprint, each once, inputs before outputs."""
        return {stage.fingerprint: stage for run in self.wanted for stage in run.stages.stages.values()}


def lay_out(
    spec: StudySpec,
    registry: Registry,
    device: str,
    variants: Sequence[Variant] | None = None,
    held: Mapping[str, HeldBack] | None = None,
) -> Layout:
    """Every run of a study with its stages.

    Args:
        spec: the study, checked.
        registry: the components.
        device: resolved (``cpu``, ``cuda:0``); it decides ``precision = "auto"``.
        variants: of a search, those chosen so far; by default those of the design.
        held: of a search, the variants of which not all replicates are to run (yet), by name.

    Raises:
        CorpusError: a corpus cannot be identified (a file is missing).
        StudyFileError: variants differ in something that the study does not vary.
    """
    variants = tuple(variants or spec.variants())
    configurations = {v.name: _with_precision(spec.configuration(v, registry), device) for v in variants}
    tokens = _budget(spec, variants, configurations)
    if tokens:
        configurations = {name: _with_steps(each, tokens) for name, each in configurations.items()}
    _guard(spec, variants, configurations)
    setting = Setting.here(spec.seed, device, spec.floors, tokens)
    built: dict[str, Corpus] = {}
    corpora = {name: _corpus(each.one("corpus"), registry, built) for name, each in configurations.items()}
    of_models = {c.spec.name for c in registry.offered("metric") if isinstance(c.spec, ModelMetricSpec)}
    runs = []
    for replicate in range(spec.replicates):
        for variant in variants:
            configuration, corpus = configurations[variant.name], corpora[variant.name]
            stages = run_stages(configuration, corpus, replicate, setting, of_models)
            back = (held or {}).get(variant.name)
            back = back if back and replicate >= back.replicates else None
            runs.append(Run(variant, replicate, configuration, stages, back))
    facts = {"seed": spec.seed, "device": setting.device, **({"tokens": tokens} if tokens else {})}
    fingerprints = {
        name: fingerprint({**configuration.plain(), "corpus": corpora[name].identity(), **facts})
        for name, configuration in configurations.items()
    }
    return Layout(spec, variants, fingerprints, tuple(runs))


def _budget(spec: StudySpec, variants: Sequence[Variant], configurations: Mapping[str, Configuration]) -> int:
    """The tokens that every variant sees in training; 0 where each takes its own steps."""
    if spec.budget != "tokens":
        return 0
    training = next(configurations[v.name].settings["training"] for v in variants if v.baseline)
    return int(training["steps"] * training["batch"] * training["window"])


def _with_steps(configuration: Configuration, tokens: int) -> Configuration:
    """With as many steps as see so many tokens, where these are known before the examples are there."""
    training = configuration.settings["training"]
    if training["batch_counts"] == "example":
        return configuration
    steps = max(1, round(tokens / (training["batch"] * training["window"])))
    return _with_training(configuration, steps=steps)


def _guard(spec: StudySpec, variants: Sequence[Variant], configurations: Mapping[str, Configuration]) -> None:
    """See that a variant differs from the baseline in nothing but what the study says it varies."""
    baseline = next((variant for variant in variants if variant.baseline), variants[0])
    reference = configurations[baseline.name].plain()
    problems = []
    for variant in variants:
        paths = differing_paths(configurations[variant.name].plain(), reference)
        varied = {path for each in (variant, baseline) for path in _varied(spec, each)}
        problems += [
            f"variant '{variant.name}' differs from '{baseline.name}' in {path}, which it does not vary: "
            "a component's options depend on something else"
            for path in unexplained(paths, varied)
        ]
    if problems:
        raise StudyFileError(spec.source, problems)


def _varied(spec: StudySpec, variant: Variant) -> Iterator[str]:
    """The paths that a variant sets, and those that follow from them by intent."""
    for path, level in variant.levels.items():
        yield from spec.named[level] if path == NAMED else [path]
    yield "labels"  # what a conditioner reads is asked for where it is chosen
    if spec.budget == "tokens":
        yield "training.steps"


def _with_training(configuration: Configuration, **changes: Any) -> Configuration:
    training = {**configuration.settings["training"], **changes}
    return dataclasses.replace(configuration, settings={**configuration.settings, "training": training})


def _with_precision(configuration: Configuration, device: str) -> Configuration:
    precision = resolve_precision(configuration.settings["training"]["precision"], device)
    return _with_training(configuration, precision=precision)


def _corpus(choice: Choice, registry: Registry, built: dict[str, Corpus]) -> Corpus:
    """The corpus of a choice; built once, because its identity may mean reading many files."""
    key = fingerprint(choice.plain())
    if key not in built:
        spec = registry.spec("corpus", choice.name)
        built[key] = spec.build(spec.parse(choice.options))
    return built[key]
