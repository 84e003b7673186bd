"""What a study consists of, and what of it still has to run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.engine.devices import resolve_precision
from ablate.specs import MetricSpec
from ablate.study.stages import CellStages, Setting, Stage, cell_stages, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate.interfaces import Corpus
    from ablate.registry import Registry
    from ablate.store.store import Store
    from ablate.study.choices import Choice, Configuration
    from ablate.study.design import Variant
    from ablate.study.spec import StudySpec


@dataclasses.dataclass(frozen=True)
class Cell:
    """One variant in one replicate, with its stages."""

    variant: Variant
    replicate: int
    configuration: Configuration
    stages: CellStages


@dataclasses.dataclass(frozen=True)
class Layout:
    """A study laid out: its variants with their fingerprints, and all cells, replicate by replicate."""

    spec: StudySpec
    variants: Mapping[str, str]
    cells: tuple[Cell, ...]

    def stages(self) -> dict[str, Stage]:
        """Every stage of the study by fingerprint, each once, inputs before outputs."""
        return {stage.fingerprint: stage for cell in self.cells for stage in cell.stages.stages.values()}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What would run and what would be reused.

    Attributes:
        layout: the study.
        missing: stages that have to run, by fingerprint, inputs before outputs.
        reused: fingerprints of stages whose results are there.
        lost: fingerprints of stages that the store knows but whose files are gone; they are among ``missing``.
    """

    layout: Layout
    missing: Mapping[str, Stage]
    reused: frozenset[str]
    lost: frozenset[str]

    def count(self, kind: str) -> tuple[int, int]:
        """How many stages of a kind have to run, and how many are reused."""
        stages = self.layout.stages()
        return (
            sum(stage.kind == kind for stage in self.missing.values()),
            sum(stages[f].kind == kind for f in self.reused),
        )

    def generations(self) -> list[list[Stage]]:
        """The generations that have to run, those that share their weights together: each list is one job."""
        groups: dict[str, list[Stage]] = {}
        for stage in self.missing.values():
            if stage.kind == "generate":
                groups.setdefault(weights_of(stage).fingerprint, []).append(stage)
        return list(groups.values())

    def width(self) -> int:
        """The most jobs that could run side by side; at least 1."""
        return max(self.count("train")[0], len(self.generations()), 1)


def weights_of(stage: Stage) -> Stage:
    """The training that a generation comes from, or a measurement of one or of the training itself."""
    return stage.inputs["weights"] if "weights" in stage.inputs else weights_of(stage.inputs["generated"])


def lay_out(spec: StudySpec, registry: Registry, device: str) -> Layout:
    """Every cell of a study with its stages.

    Args:
        spec: the study, checked.
        registry: the components.
        device: resolved (``cpu``, ``cuda:0``); it decides ``precision = "auto"``.

    Raises:
        CorpusError: a corpus cannot be identified (a file is missing).
    """
    setting = Setting.here(spec.seed, device)
    corpora: dict[str, Corpus] = {}
    variants: dict[str, str] = {}
    made: list[tuple[Variant, Configuration, Corpus]] = []
    for variant in spec.variants():
        configuration = _with_precision(spec.configuration(variant, registry), device)
        corpus = _corpus(configuration.one("corpus"), registry, corpora)
        identity = {**configuration.plain(), "corpus": corpus.identity(), "seed": spec.seed, "device": setting.device}
        variants[variant.name] = fingerprint(identity)
        made.append((variant, configuration, corpus))
    of_models = {
        c.spec.name for c in registry.offered("metric") if isinstance(c.spec, MetricSpec) and c.spec.of == "model"
    }
    cells = tuple(
        Cell(variant, replicate, configuration, cell_stages(configuration, corpus, replicate, setting, of_models))
        for replicate in range(spec.replicates)
        for variant, configuration, corpus in made
    )
    return Layout(spec, variants, cells)


def _with_precision(configuration: Configuration, device: str) -> Configuration:
    training = configuration.settings["training"]
    precision = resolve_precision(training["precision"], device)
    settings = {**configuration.settings, "training": {**training, "precision": precision}}
    return dataclasses.replace(configuration, settings=settings)


def _corpus(choice: Choice, registry: Registry, built: dict[str, Corpus]) -> Corpus:
    """The corpus of a choice; built once, because its identity may mean reading many files."""
    key = fingerprint(choice.plain())
    if key not in built:
        spec = registry.spec("corpus", choice.name)
        built[key] = spec.build(spec.parse(choice.options))
    return built[key]


def make_plan(layout: Layout, store: Store | None, home: Path) -> Plan:
    """Compare a study with what the store and the home hold; changes nothing."""
    stages = layout.stages()
    known = set(store.stages(stages)) if store else set()
    lost: set[str] = set()
    while True:
        wanted = _wanted(layout, known - lost)
        # files matter where something that has to run reads them, and where they are what people came for
        read = {source.fingerprint for f in wanted for source in stages[f].inputs.values()}
        read |= {f for f, stage in stages.items() if stage.kind == "generate"}
        gone = {f for f in (read & known) - lost if not (home / stages[f].artifact).is_dir()}
        if not gone:
            break
        lost |= gone
    missing = {f: stage for f, stage in stages.items() if f in wanted}
    return Plan(layout, missing, frozenset(known - wanted), frozenset(lost & wanted))


def _wanted(layout: Layout, there: set[str]) -> set[str]:
    """Stages that have to run: missing ends of cells, and whatever missing they need."""
    wanted: set[str] = set()

    def need(stage: Stage) -> None:
        if stage.fingerprint in there or stage.fingerprint in wanted:
            return
        wanted.add(stage.fingerprint)
        for source in stage.inputs.values():
            need(source)

    for cell in layout.cells:
        for stage in cell.stages.stages.values():
            if stage.kind in ("measure", "generate"):
                need(stage)
    return wanted
