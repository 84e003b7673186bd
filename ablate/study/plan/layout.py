"""Lay out a study: every run of its variants with its stages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.building import build_component, calling
from ablate.engine.devices import resolve_precision
from ablate.errors import CorpusError, PluginError, StudyFileError
from ablate.store.differences import differing_paths, unexplained
from ablate.study.design import NAMED
from ablate.study.plan.elsewhere import corpus_key
from ablate.study.plan.lanes import device_of
from ablate.study.plan.program import contents, program_run
from ablate.study.plan.stages import RunStages, Setting, run_stages
from ablate.study.stage import Stage, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.registry import Registry
    from ablate.study.design import Variant
    from ablate.study.file.as_run import Elsewhere
    from ablate.study.file.configuration import Configuration
    from ablate.study.file.study_file import StudySpec


@dataclasses.dataclass(frozen=True)
class HeldBack:
    """The first replicate of a variant that is not run (yet), and the reason if the variant was pruned."""

    replicates: int
    pruned: str = ""


@dataclasses.dataclass(frozen=True)
class Run:
    """One variant in one replicate, with its stages; ``held`` if it is not run (yet)."""

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
        runs: all runs, replicate by replicate.
        registry: the components that it was laid out with, and that its work uses.
        only: of a search, the variant to run now; empty for all of them.
        skipped: runs, as (variant, replicate), that are not to be tried now: they have failed in this command, or the
            variant that a search tried last has its turn later, or they are in other shards.
        unchosen: at most how many variants will be chosen while the study runs, besides ``variants``.
        taken: of a path, the variants that it has reached, in order, the baseline first.
        part: the shard whose runs are to run now (``"3/20"``); empty for the whole study.
    """

    spec: StudySpec
    variants: tuple[Variant, ...]
    fingerprints: Mapping[str, str]
    runs: tuple[Run, ...]
    registry: Registry = dataclasses.field(repr=False, compare=False)
    only: str = ""
    skipped: frozenset[tuple[str, int]] = frozenset()
    unchosen: int = 0
    taken: tuple[str, ...] = ()
    part: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the study as JSON-ready data, for the store and the report, with what was chosen while it ran."""
        data = self.spec.plain()
        return {**data, "path": {**data["path"], "taken": list(self.taken)}} if self.taken else data

    @property
    def current(self) -> tuple[Run, ...]:
        """The runs of the variants to run now, without those to skip."""
        runs = (run for run in self.runs if self.only in ("", run.variant.name))
        return tuple(run for run in runs if (run.variant.name, run.replicate) not in self.skipped)

    @property
    def wanted(self) -> tuple[Run, ...]:
        """The current runs without those that are held back."""
        return tuple(run for run in self.current if not run.held)

    def stages(self) -> dict[str, Stage]:
        """Return every stage of the wanted runs by fingerprint, each once, inputs before outputs."""
        return {stage.fingerprint: stage for run in self.wanted for stage in run.stages.stages.values()}


def lay_out(
    spec: StudySpec,
    registry: Registry,
    device: str,
    variants: Sequence[Variant] | None = None,
    held: Mapping[str, HeldBack] | None = None,
) -> Layout:
    """Return every run of a study with its stages.

    Args:
        spec: the study, checked.
        registry: the components.
        device: resolved (``cpu``, ``cuda:0``); it decides ``precision = "auto"``.
        variants: of a search or a path, those chosen so far; by default those of the design.
        held: of a search or a path, the variants of which not all replicates are to run (yet), by name.

    Raises:
        StudyFileError: a corpus cannot be identified (a file is missing), or variants differ in a setting that the
            study does not vary.
    """
    variants = tuple(variants or spec.variants())
    there = spec.elsewhere
    configurations = {v.name: _with_precision(spec.configuration(v, registry), device, there) for v in variants}
    tokens = _budget(spec, variants, configurations)
    if tokens:
        configurations = {name: _with_steps(each, tokens) for name, each in configurations.items()}
    _guard(spec, variants, configurations)
    setting = _setting(spec, device_of(spec, device), tokens)
    identities = _identities(spec, variants, configurations, registry)
    names = {choice.name for each in configurations.values() for choice in each.choices["metric"]}
    metrics = {name: registry.spec("metric", name) for name in names}
    runs = []
    for replicate in range(spec.replicates):
        for variant in variants:
            configuration, identity = configurations[variant.name], identities[variant.name]
            own = dataclasses.replace(setting, seed=spec.seed_of(variant))
            if configuration.runs_program:
                stages = program_run(configuration, variant.name, identity, replicate, own, metrics)
            else:
                stages = run_stages(configuration, identity, replicate, own, metrics)
            back = (held or {}).get(variant.name)
            back = back if back and replicate >= back.replicates else None
            runs.append(Run(variant, replicate, configuration, stages, back))
    facts = {"seed": spec.seed, "device": setting.device, **({"tokens": tokens} if tokens else {})}
    first = {run.variant.name: run.stages for run in reversed(runs)}
    fingerprints = {
        name: fingerprint({**configuration.identity(), **contents(identities[name], first[name]), **facts})
        for name, configuration in configurations.items()
    }
    return Layout(spec, variants, fingerprints, tuple(runs), registry)


def _setting(spec: StudySpec, device: str, tokens: int) -> Setting:
    """Return the setting of this machine; of a study from a bundle that of the machine that ran it."""
    here = Setting.here(spec.seed, device, spec.floors, tokens)
    there = spec.elsewhere
    if there is None:
        return here
    device, torch = there.device or here.device, there.torch or here.torch
    return dataclasses.replace(here, device=device, torch=torch, inputs=there.inputs)


def _budget(spec: StudySpec, variants: Sequence[Variant], configurations: Mapping[str, Configuration]) -> int:
    """Return the tokens that every variant sees in training; 0 where each has its own steps."""
    if spec.budget != "tokens":
        return 0
    training = next(configurations[v.name].settings["training"] for v in variants if v.baseline)
    return int(training["steps"] * training["batch"] * training["accumulate"] * training["window"])


def _with_steps(configuration: Configuration, tokens: int) -> Configuration:
    """Return the configuration with the steps that see these tokens, unless they depend on the examples."""
    training = configuration.settings["training"]
    if training["batch_counts"] == "example":
        return configuration
    steps = max(1, round(tokens / (training["batch"] * training["accumulate"] * training["window"])))
    return _with_training(configuration, steps=steps)


def _guard(spec: StudySpec, variants: Sequence[Variant], configurations: Mapping[str, Configuration]) -> None:
    """Check that a variant differs from the baseline only in what the study varies."""
    baseline = next((variant for variant in variants if variant.baseline), variants[0])
    reference = configurations[baseline.name].plain()
    problems = []
    for variant in variants:
        paths = differing_paths(configurations[variant.name].plain(), reference)
        varied = {path for each in (variant, baseline) for path in _varied(spec, each)}
        problems += [
            f"variant '{variant.name}' differs from '{baseline.name}' in {path}, which it does not vary: "
            "a component's options depend on another setting"
            for path in unexplained(paths, varied)
        ]
    if problems:
        raise StudyFileError(spec.source, problems)


def _varied(spec: StudySpec, variant: Variant) -> Iterator[str]:
    """Yield the paths that a variant sets, and those that change with them on purpose."""
    for path, level in variant.levels.items():
        yield from spec.named[level] if path == NAMED else [path]
    yield "labels"  # a conditioner brings its labels
    if spec.budget == "tokens":
        yield "training.steps"


def _with_training(configuration: Configuration, **changes: Any) -> Configuration:
    training = {**configuration.settings["training"], **changes}
    return dataclasses.replace(configuration, settings={**configuration.settings, "training": training})


def _with_precision(configuration: Configuration, device: str, elsewhere: Elsewhere | None) -> Configuration:
    if configuration.runs_program:
        return configuration
    precision = configuration.settings["training"]["precision"]
    if precision == "auto" and elsewhere and elsewhere.precision:
        precision = elsewhere.precision
    precision = resolve_precision(precision, device)
    return _with_training(configuration, precision=precision)


def _identities(
    spec: StudySpec, variants: Sequence[Variant], configurations: Mapping[str, Configuration], registry: Registry
) -> dict[str, str]:
    """Return the identity of each variant's corpus; each corpus is identified once, because it may have many files.

    It is empty for a variant without a corpus, whose program writes no MIDI files.
    A corpus of a study from a bundle may be absent here, and has the identity that it had there.

    Raises:
        StudyFileError: a corpus cannot be identified; with its key in the study file.
    """
    inputs = spec.elsewhere.inputs if spec.elsewhere else {}
    known: dict[str, str] = {}
    problems: dict[str, None] = {}
    identities = dict.fromkeys((variant.name for variant in variants), "")
    for variant in variants:
        if not configurations[variant.name].choices["corpus"]:
            continue
        choice = configurations[variant.name].one("corpus")
        key = corpus_key(choice.plain())
        if key not in known:
            corpus = registry.spec("corpus", choice.name)
            try:
                built = build_component(corpus, choice.options)
                with calling(corpus, "its identity"):
                    known[key] = built.identity()
                if not isinstance(known[key], str):
                    raise PluginError(f"{corpus.about}: identity must be text, not {type(known[key]).__name__}")
            except CorpusError as error:
                if key in inputs:
                    identities[variant.name] = known[key] = inputs[key]
                    continue
                axes = [f"axes.{path}" for path in variant.levels if path.partition(".")[0] == "corpus"]
                own = ".".join(filter(None, ["corpus", choice.name, corpus.path_option]))
                problems[f"{', '.join(axes) or own}: {error}"] = None
                continue
        identities[variant.name] = known[key]
    if problems:
        raise StudyFileError(spec.source, list(problems))
    return identities
