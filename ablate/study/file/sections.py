"""The sections of a study file, typed. Every problem of shape is found here, so the checks can rely on the types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ablate.errors import did_you_mean
from ablate.options import abridged, option, validate
from ablate.settings import FloorSettings, LookSettings, PathSettings, SearchSettings, StatisticsSettings
from ablate.study import blocks
from ablate.study.design import DESIGNS, Objective, Variant
from ablate.study.file import paths
from ablate.study.file.axes import baseline_level, flatten, named_variants, parse_axes, shaped
from ablate.study.file.configuration import SECTIONS
from ablate.study.file.keys import TopLevel, declared_looks, readable, single_values, validated
from ablate.study.file.kinds import own_options, with_one_component
from ablate.study.file.reading.hypothesis import parse_hypothesis
from ablate.study.file.reading.parts import parse_parts
from ablate.study.file.reading.tables import parse_contrasts, parse_margins, parse_reported
from ablate.study.file.target import with_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.study.design import Axis
    from ablate.study.file.paths import Components, FileShape, Problem
    from ablate.study.file.reading.hypothesis import Hypothesis
    from ablate.study.file.reading.tables import Margin, Reported


@dataclass(frozen=True)
class ObjectiveTable:
    """The table ``[objective]``, or one of ``search.objectives``."""

    metric: str | None = option(None, doc="A metric of the study.")
    feature: str = option("", doc="One of the metric's features.")
    direction: Literal["lower", "higher"] | None = option(None, doc="Which values are better.")


@dataclass(frozen=True)
class Sections:
    """The content of a study file, with default values for keys that are missing or have the wrong shape.

    Attributes:
        top: the single values.
        hypothesis: what its author expects.
        looks: the numbers of replicates after which the study may stop; None with a plain number.
        design: a key of ``design.DESIGNS``; empty if the file has a design that does not exist.
        objective: the value that the report answers first.
        objectives: the objectives of a search; empty if the file gives none.
        axes: path -> axis, the axis of the named variants first.
        named: the named variants, each as path -> level.
        baseline: path -> level, for the axes that ``[baseline]`` names.
        contrasts: the weights of variants, by contrast.
        parts: the parts that named variants have, for the attribution.
        margins: the smallest difference that matters, by metric: one, or one for each feature.
        reported: published values.
        profiles: the changes of each profile, in file shape.
        search: how a search chooses variants; None without that table.
        path: how a path chooses its changes; None without that table.
        floors: how precisely floors are measured.
        statistics: how differences are judged.
        own: the options that the file has for components, by kind, for levels and variants that name a component only.
        config: the sections that an axis can reach (components, settings, labels), in file shape. Their options
            depend on the installed components, so ``configuration.resolve`` checks them.
    """

    top: TopLevel
    hypothesis: Hypothesis
    looks: LookSettings | None
    design: str
    objective: Objective
    objectives: tuple[Objective, ...]
    axes: Mapping[str, Axis]
    named: dict[str, dict[str, Any]]
    baseline: Mapping[str, Any]
    contrasts: dict[str, dict[str, float]]
    parts: dict[str, list[str]]
    margins: dict[str, Margin | dict[str, Margin]]
    reported: Reported
    profiles: dict[str, FileShape]
    search: SearchSettings | None
    path: PathSettings | None
    floors: FloorSettings
    statistics: StatisticsSettings
    own: Mapping[str, Components]
    config: FileShape

    @property
    def metrics(self) -> list[str]:
        """The names of the study's metrics."""
        return paths.metrics(self.config)

    @property
    def runs_program(self) -> bool:
        """True if a program of the study's author takes the place of the model."""
        return "program" in self.config

    def baseline_levels(self) -> dict[str, Any]:
        """Return the baseline's level of every axis."""
        return {
            path: baseline_level(axis, self.baseline, self.design, self.config, self.own)
            for path, axis in self.axes.items()
        }

    def variants(self) -> list[Variant]:
        """Return the variants that the design has before anything runs; none if the design does not exist."""
        return blocks.variants_of(self.design, list(self.axes.values()), self.baseline_levels()) if self.design else []

    def compared_variants(self) -> list[Variant]:
        """Return the variants of one block, without the block in their names."""
        axes = blocks.compared(self.axes.values())
        return DESIGNS[self.design](axes, self.baseline_levels()) if self.design else []

    def shaped(self, levels: Mapping[str, Any]) -> FileShape:
        """Return the configuration, in file shape, with the levels of a variant."""
        return shaped(self.config, levels, self.named, self.own)


def parse(raw: FileShape) -> tuple[Sections, list[Problem]]:
    """Parse a study file; return its sections and every problem of their shape."""
    raw, problems = readable(raw)
    named = named_variants(raw.get("variants", {}))
    config = {section: raw[section] for section in SECTIONS if section in raw}
    axes: Mapping[str, Axis] = parse_axes(raw.get("axes", {}), named, problems)
    design = _design(raw.get("design", "factorial"), problems)
    baseline = flatten(raw.get("baseline", {}), stops=axes)
    own = own_options(config)
    config = with_one_component(config, axes, named, baseline, design)
    axes = with_target(axes, raw, config, own, problems)
    search = dict(raw.get("search", {}))
    objectives = _objectives(search.pop("objectives", []), problems)
    sections = Sections(
        hypothesis=parse_hypothesis(raw.get("hypothesis", ""), problems),
        top=validate(TopLevel, single_values(raw)),
        looks=declared_looks(raw),
        design=design,
        objective=_objective(raw, problems),
        objectives=objectives,
        axes=axes,
        named=named,
        baseline=baseline,
        contrasts=parse_contrasts(raw.get("contrasts", {}), problems),
        parts=parse_parts(raw.get("parts", {}), problems),
        margins=parse_margins(raw.get("margins", {}), problems),
        reported=parse_reported(raw.get("reported", {}), problems),
        profiles=raw.get("profiles", {}),
        search=validated(SearchSettings, search, "search", problems) if "search" in raw else None,
        path=validated(PathSettings, raw["path"], "path", problems) if "path" in raw else None,
        floors=validated(FloorSettings, raw.get("floors", {}), "floors", problems),
        statistics=validated(StatisticsSettings, raw.get("statistics", {}), "statistics", problems),
        own=own,
        config=_with_blocks(config, axes),
    )
    return sections, problems


def _with_blocks(config: FileShape, axes: Mapping[str, Axis]) -> FileShape:
    """Return the configuration with the first level of each block that it does not set, a corpus's path, say."""
    for axis in axes.values():
        if axis.block and axis.levels and paths.get_path(config, axis.path) is None:
            config = paths.set_path(config, axis.path, axis.levels[0])
    return config


def _design(name: Any, problems: list[Problem]) -> str:
    if isinstance(name, str) and name in DESIGNS:
        return name
    hint = did_you_mean(name, DESIGNS) if isinstance(name, str) else ""
    problems.append(("design", f"must be one of {', '.join(DESIGNS)}, not {abridged(name)}{hint}"))
    return ""


def _objective(raw: FileShape, problems: list[Problem]) -> Objective:
    """Parse ``[objective]``; its gaps are filled by :mod:`ablate.study.file.objective`."""
    table = validated(ObjectiveTable, raw.get("objective", {}), "objective", problems)
    return Objective(table.metric or "", table.feature, table.direction or "")


def _objectives(tables: Any, problems: list[Problem]) -> tuple[Objective, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        wanted = "must be a list of tables with metric, feature and direction"
        problems.append(("search.objectives", f"{wanted}, not {abridged(tables)}"))
        return ()
    objectives = []
    for index, written in enumerate(tables):
        key = f"search.objectives[{index}]"
        table = validated(ObjectiveTable, written, key, problems)
        if written.get("metric", "") == "":
            problems.append((key, "needs a metric"))
        objectives.append(Objective(table.metric or "", table.feature, table.direction or ""))
    return tuple(objectives)
