"""The study file: found, read, overridden, and checked as a whole before anything runs."""

from __future__ import annotations

import dataclasses
import tomllib
from typing import TYPE_CHECKING, Any

from ablate.errors import StudyFileError
from ablate.options import plain, validate
from ablate.registry import get_registry
from ablate.settings import FloorSettings, SearchSettings, StatisticsSettings
from ablate.specs import MetricSpec
from ablate.study.design import DESIGNS, Axis, Objective, Variant, aliases
from ablate.study.file import check, check_axes, paths
from ablate.study.file.axes import (
    design_name,
    named_variants,
    parse_axes,
    parse_baseline,
    parse_objective,
    parse_objectives,
    shaped,
)
from ablate.study.file.configuration import SECTIONS, resolve
from ablate.study.file.locate import find_study
from ablate.study.file.overrides import DEFAULT_PROFILE, Overrides, anchor_paths, apply, merge, study_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.study.file.configuration import Configuration
    from ablate.study.file.paths import FileShape


@dataclasses.dataclass(frozen=True)
class StudySpec:
    """A study, checked.

    Attributes:
        name: what the store knows it by: the file's stem, with what was overridden (``tau_sweep@smoke``).
        source: the file.
        question: what the study asks.
        hypothesis: what its author expects.
        profile: the profile's name; ``default`` without one.
        seed: every random stream derives from it.
        replicates: repetitions of each variant.
        design: how the axes become variants, a key of ``design.DESIGNS``.
        budget: what variants have in common: training ``steps``, or ``tokens`` seen in training.
        objective: the number that stands for a variant in Optuna.
        objectives: what a search looks at; elsewhere ``objective`` alone.
        search: how a search chooses variants.
        floors: how well values that need no model are known.
        config: the base configuration in file shape, profile and overrides applied.
        axes: what is varied; first of them, if there are any, the named variants.
        named: the named variants, each as path -> level.
        baseline: a level for each axis.
        reading: what the report goes by, as plain data: statistics, margins, contrasts, values reported elsewhere,
            and the metrics that say how much is copied.
        overrides: what the command line changed of the file, in its words.
    """

    name: str
    source: str
    question: str
    hypothesis: str
    profile: str
    seed: int
    replicates: int
    design: str
    budget: str
    objective: Objective
    objectives: tuple[Objective, ...]
    search: SearchSettings
    floors: FloorSettings
    config: FileShape
    axes: tuple[Axis, ...]
    named: dict[str, dict[str, Any]]
    baseline: dict[str, Any]
    reading: dict[str, Any]
    overrides: tuple[str, ...]

    def variants(self) -> list[Variant]:
        """Every variant that the design has before anything runs, in order; of a search the baseline alone."""
        return DESIGNS[self.design](self.axes, self.baseline)

    def configuration(self, variant: Variant, registry: Registry) -> Configuration:
        """A variant's configuration, resolved."""
        return resolve(self.shaped(variant), registry)[0]

    def shaped(self, variant: Variant) -> FileShape:
        """A variant's configuration in file shape."""
        return shaped(self.config, variant.levels, self.named)

    def plain(self) -> dict[str, Any]:
        """The study as JSON-ready data, for the store and the report."""
        return {
            "question": self.question,
            "hypothesis": self.hypothesis,
            "source": self.source,
            "profile": self.profile,
            "seed": self.seed,
            "replicates": self.replicates,
            "design": self.design,
            "budget": self.budget,
            "objective": dataclasses.asdict(self.objective),
            "axes": {axis.path: _plain_axis(axis) for axis in self.axes},
            "variants": self.named,
            "baseline": self.baseline,
            "floors": plain(self.floors),
            **({"search": self._plain_search()} if self.design == "search" else {}),
            **({"aliases": dict(aliases(self.axes))} if self.design == "fractional" else {}),
            **self.reading,
            "overrides": list(self.overrides),
            **self.config,
        }

    def _plain_search(self) -> dict[str, Any]:
        return {**plain(self.search), "objectives": [dataclasses.asdict(objective) for objective in self.objectives]}


def _plain_axis(axis: Axis) -> Any:
    """A list of levels, or a table where there is more to say."""
    if not axis.range and not axis.when:
        return list(axis.levels)
    data: dict[str, Any] = dataclasses.asdict(axis.range) if axis.range else {"levels": list(axis.levels)}
    return {**data, **({"when": {path: list(levels) for path, levels in axis.when.items()}} if axis.when else {})}


def read_study(name_or_file: str, overrides: Overrides | None = None, registry: Registry | None = None) -> StudySpec:
    """Read and check a study.

    Args:
        name_or_file: a path to a TOML file, or the name of one in ``./studies`` or shipped with ablate.
        overrides: what the command line changes.
        registry: the components; by default those of all installed plugins.

    Raises:
        UnknownName: no such study.
        StudyFileError: with every problem found, one line each, naming file and key.
        UsageError: an override that does not fit.
    """
    registry = registry or get_registry()
    overrides = overrides or Overrides()
    path = find_study(name_or_file)
    raw = _read(path)
    problems = check.shape_problems(raw)
    # what is wrong at the top must not hide what is wrong further in
    wrong = {key.partition(".")[0] for key, _ in problems}
    raw = anchor_paths({key: value for key, value in raw.items() if key not in wrong}, registry, path.parent)
    file = raw
    if "profiles" not in wrong:
        raw = apply(raw, overrides, registry, str(path))
    problems += check.content_problems(raw, registry)
    problems += _profile_problems(raw, registry, set(problems))
    if not problems:
        problems += check_axes.combination_problems(raw, registry)
        problems += [*check.contrast_problems(file), *check.reported_problems(file)]
    if problems:
        raise StudyFileError(str(path), _lines(problems))
    return _spec(path, raw, overrides, registry)


def _profile_problems(raw: FileShape, registry: Registry, known: set[paths.Problem]) -> Iterator[paths.Problem]:
    """What is wrong with the profiles that were not asked for."""
    for name, profile in raw.get("profiles", {}).items():
        for key, text in check.content_problems(merge(raw, profile), registry):
            if (key, text) not in known:
                yield f"profiles.{name}.{key}", text


def _read(path: Path) -> FileShape:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise StudyFileError(str(path), ["is not a text file in UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError(str(path), [f"is not valid TOML: {error}"]) from error
    except OSError as error:
        raise StudyFileError(str(path), [f"cannot be read: {error.strerror}"]) from error


def _lines(problems: Sequence[paths.Problem]) -> list[str]:
    return list(dict.fromkeys(f"{key}: {text}" for key, text in problems))


def _reading(raw: FileShape, registry: Registry) -> dict[str, Any]:
    metrics = [registry.spec("metric", name) for name in paths.named(raw.get("metric", [])) or {}]
    return {
        "statistics": plain(validate(StatisticsSettings, raw.get("statistics", {}))),
        "margins": raw.get("margins", {}),
        "contrasts": raw.get("contrasts", {}),
        "copying": [metric.name for metric in metrics if isinstance(metric, MetricSpec) and metric.copied_share],
        "reported": raw.get("reported", {}),
    }


def _spec(path: Path, raw: FileShape, overrides: Overrides, registry: Registry) -> StudySpec:
    return StudySpec(
        name=study_name(path, overrides),
        source=str(path),
        question=raw.get("question", ""),
        hypothesis=raw.get("hypothesis", ""),
        profile=overrides.profile or DEFAULT_PROFILE,
        seed=raw.get("seed", 0),
        replicates=raw.get("replicates", 6),
        design=design_name(raw),
        budget=raw.get("budget", "steps"),
        objective=parse_objective(raw),
        objectives=parse_objectives(raw),
        search=validate(SearchSettings, {k: v for k, v in raw.get("search", {}).items() if k != "objectives"}),
        floors=validate(FloorSettings, raw.get("floors", {})),
        config={section: raw[section] for section in SECTIONS if section in raw},
        axes=parse_axes(raw),
        named=named_variants(raw),
        baseline=parse_baseline(raw),
        reading=_reading(raw, registry),
        overrides=tuple(overrides.said()),
    )
