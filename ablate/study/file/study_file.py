"""Read a study: find its file, apply the overrides of the command line, parse it, and check it as a whole."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import StudyFileError, UsageError, one_line, shortened
from ablate.names import block_name, short_names
from ablate.options import plain, validate
from ablate.printable import printable
from ablate.registry import get_registry
from ablate.settings import FloorSettings, LookSettings, PathSettings, ProgramSettings, SearchSettings
from ablate.specs import MetricSpec
from ablate.study import blocks
from ablate.study.design import Axis, Objective, Variant, aliases
from ablate.study.file import paths
from ablate.study.file.as_run import as_run, overrides_as_run
from ablate.study.file.axes import shaped
from ablate.study.file.checks.content import content_problems
from ablate.study.file.checks.design import combination_problems
from ablate.study.file.checks.kinds import idle_profile_problems
from ablate.study.file.checks.reading import (
    contrast_problems,
    margin_problems,
    prediction_problems,
    reported_problems,
)
from ablate.study.file.configuration import resolve
from ablate.study.file.keys import readable
from ablate.study.file.locate import find_study
from ablate.study.file.objective import with_objectives
from ablate.study.file.overrides import DEFAULT_PROFILE, Overrides, study_name
from ablate.study.file.overrides.anchor import anchor_paths, anchored_settings
from ablate.study.file.overrides.apply import apply, with_profile
from ablate.study.file.program import anchored_program, flat_parameters
from ablate.study.file.sections import Sections, parse
from ablate.study.file.text.toml import parse_toml, read_text
from ablate.study.file.text.values import value_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.registry import Registry
    from ablate.store.records import StudyRecord
    from ablate.study.file.as_run import Elsewhere
    from ablate.study.file.configuration import Configuration
    from ablate.study.file.paths import Components, FileShape, Problem


#: The most problems of a file that are listed, and the most characters of each.
MOST_LINES, LONGEST_LINE = 100, 2_000


@dataclasses.dataclass(frozen=True)
class StudySpec:
    """A study without problems.

    Attributes:
        name: its name in the store: the file's stem, with what was overridden (``tau_sweep@smoke``).
        source: the file.
        question: what the study asks.
        hypothesis: what its author expects.
        profile: the profile's name; ``default`` without one.
        seed: every random stream is derived from it.
        replicates: repetitions of each variant; of several looks, those at the first one.
        looks: the numbers of replicates after which the study may stop; None where the file declares none.
        design: how the axes become variants, a key of ``design.DESIGNS``.
        budget: what variants have in common: training ``steps``, or ``tokens`` seen in training.
        objective: the value of a variant in Optuna.
        objectives: what a search optimises; in other designs ``objective`` alone.
        search: how a search chooses variants.
        path: how a path chooses its changes.
        floors: how precisely the floors are measured.
        config: the base configuration in file shape, profile and overrides applied.
        axes: what is varied; the axis of the named variants, if there are any, is the first.
        named: the named variants, each as path -> level.
        baseline: a level for each axis.
        reading: what the report needs, as plain data: statistics, margins, contrasts, parts, predictions, published
            values, and the metrics of copying.
        overrides: what the command line changed, as command line options.
        file: the text of the file with the overrides as data, see :mod:`ablate.study.file.as_run`.
        elsewhere: of a study from a bundle, the facts of the machine that ran it.
        own: the options that the file has for components, by kind, for levels that name a component only.
    """

    name: str
    source: str
    question: str
    hypothesis: str
    profile: str
    seed: int
    replicates: int
    looks: LookSettings | None
    design: str
    budget: str
    objective: Objective
    objectives: tuple[Objective, ...]
    search: SearchSettings
    path: PathSettings
    floors: FloorSettings
    config: FileShape
    axes: tuple[Axis, ...]
    named: dict[str, dict[str, Any]]
    baseline: dict[str, Any]
    reading: dict[str, Any]
    overrides: tuple[str, ...]
    file: dict[str, Any] = dataclasses.field(default_factory=dict, kw_only=True)
    elsewhere: Elsewhere | None = dataclasses.field(default=None, kw_only=True)
    own: Mapping[str, Components] = dataclasses.field(default_factory=dict, kw_only=True)

    @property
    def program(self) -> ProgramSettings | None:
        """The program that runs in place of a model; None in a study of models."""
        return validate(ProgramSettings, self.config["program"]) if "program" in self.config else None

    def variants(self) -> list[Variant]:
        """Return every variant that the design has before anything runs; of a search or a path, its ends."""
        return blocks.variants_of(self.design, self.axes, self.baseline)

    def seed_of(self, variant: Variant) -> int:
        """Return the seed of a variant's random streams: the study's, or that of the variant's block."""
        paths = [axis.path for axis in self.axes if axis.block]
        labels = short_names([axis.path for axis in self.axes])
        return blocks.seed_of(self.seed, block_name(variant.levels, paths, labels))

    def configuration(self, variant: Variant, registry: Registry) -> Configuration:
        """Return a variant's configuration, resolved."""
        return resolve(self.shaped(variant), registry)[0]

    def shaped(self, variant: Variant) -> FileShape:
        """Return a variant's configuration in file shape."""
        return shaped(self.config, variant.levels, self.named, self.own)

    def plain(self) -> dict[str, Any]:
        """Return the study as JSON-ready data, for the store and the report."""
        return {
            "question": self.question,
            "hypothesis": self.hypothesis,
            "source": self.source,
            "profile": self.profile,
            "seed": self.seed,
            "replicates": self.replicates,
            **({"looks": plain(self.looks)} if self.looks else {}),
            "design": self.design,
            "budget": self.budget,
            "objective": dataclasses.asdict(self.objective),
            "axes": {axis.path: _plain_axis(axis) for axis in self.axes},
            "variants": self.named,
            "baseline": self.baseline,
            "floors": plain(self.floors),
            **({"search": self._plain_search()} if self.design == "search" else {}),
            **({"path": plain(self.path)} if self.design == "path" else {}),
            **({"aliases": dict(aliases(blocks.compared(self.axes)))} if self.design == "fractional" else {}),
            **self.reading,
            "overrides": list(self.overrides),
            **({"file": self.file} if self.file else {}),
            **self.config,
        }

    def _plain_search(self) -> dict[str, Any]:
        return {**plain(self.search), "objectives": [dataclasses.asdict(objective) for objective in self.objectives]}


def _plain_axis(axis: Axis) -> Any:
    """Return the list of levels, or a table if the axis has a range or conditions, or is a block."""
    if not axis.range and not axis.when and not axis.block:
        return list(axis.levels)
    data: dict[str, Any] = dataclasses.asdict(axis.range) if axis.range else {"levels": list(axis.levels)}
    when = {"when": {path: list(levels) for path, levels in axis.when.items()}} if axis.when else {}
    return {**data, **when, **({"block": True} if axis.block else {})}


def read_study(name_or_file: str, overrides: Overrides | None = None, registry: Registry | None = None) -> StudySpec:
    """Read and check a study.

    Args:
        name_or_file: a path to a TOML file, or the name of one in ``./studies`` or shipped with ablate.
        overrides: what the command line changes.
        registry: the components; by default those of all installed plugins.

    Raises:
        UnknownName: no such study.
        StudyFileError: with every problem, one line each, with the file and the key.
        UsageError: an override that does not fit.
    """
    registry = registry or get_registry()
    overrides = overrides or Overrides()
    path = find_study(name_or_file)
    text = read_text(path)
    anchored = dataclasses.replace(overrides, settings=anchored_settings(overrides.settings, registry, Path.cwd()))
    spec = parse_study(text, path, anchored, registry)
    # named and shown as they were given, and not with the paths that they stand for
    name, given = study_name(path, overrides), tuple(overrides.options())
    return dataclasses.replace(spec, name=name, overrides=given, file=as_run(text, path.parent, anchored))


def read_stored(
    record: StudyRecord, elsewhere: Elsewhere, registry: Registry, extended: Mapping[str, Any] | None = None
) -> StudySpec:
    """Return a study from a bundle as it was run, though its file and its corpus may be absent here.

    Args:
        record: the study in the store, with its file's text.
        elsewhere: the facts of its results.
        registry: the components.
        extended: other numbers of ``replicates`` or ``n_variants`` than it was run with.

    Raises:
        StudyFileError: the file has problems with the components that are installed here.
    """
    stored, source = record.spec["file"], record.spec["source"]
    overrides = dataclasses.replace(overrides_as_run(record.spec, record.name), **(extended or {}))
    spec = parse_study(stored["text"], Path(stored["folder"], Path(source).name), overrides, registry)
    # as they were given, and not with the paths that they stand for
    given = tuple(record.spec["overrides"])
    return dataclasses.replace(spec, source=source, overrides=given, file=stored, elsewhere=elsewhere)


def parse_study(text: str, path: Path, overrides: Overrides, registry: Registry) -> StudySpec:
    """Parse and check the text of a study file; ``path`` is the file's, which need not exist (any more).

    Raises:
        StudyFileError: with every problem, one line each, with the file and the key.
        UsageError: an override that does not fit.
    """
    data = parse_toml(text, path)
    _check_values(data, path)
    original, problems = readable(data)
    original = anchored_program(flat_parameters(anchor_paths(original, registry, path.parent)), path.parent)
    raw = original
    if not any(key.partition(".")[0] == "profiles" for key, _ in problems):
        try:
            raw = apply(raw, overrides, registry, str(path))
        except UsageError as error:  # names from the file and the command line may have any character
            raise UsageError(printable(one_line(error))) from error
        _check_values(raw, path)
    file, shape_problems = _parse(raw, registry)
    problems += [*shape_problems, *content_problems(file, registry)]
    problems += _profile_problems(raw, file.profiles, registry, set(problems))
    problems += idle_profile_problems(file, overrides.profile)
    without_overrides, _ = _parse(original, registry)
    problems += margin_problems(file, [*file.metrics, *without_overrides.metrics])
    if not problems:
        problems += itertools.islice(combination_problems(file, registry), MOST_LINES)
        for check in (contrast_problems, prediction_problems, reported_problems):
            problems += itertools.islice(check(without_overrides), MOST_LINES)
    if problems:
        raise StudyFileError(printable(str(path)), _lines(problems))
    return _spec(path, file, overrides, registry)


def _check_values(raw: FileShape, path: Path) -> None:
    """Check for values that no key can have; the other checks rely on there being none."""
    problems = value_problems(raw)
    if problems:
        raise StudyFileError(printable(str(path)), _lines(problems))


def _parse(raw: FileShape, registry: Registry) -> tuple[Sections, list[Problem]]:
    """Parse a study file, and fill in the objectives."""
    file, problems = parse(raw)
    file, more = with_objectives(file, registry)
    return file, [*problems, *more]


def _profile_problems(
    raw: FileShape, profiles: Mapping[str, FileShape], registry: Registry, known: set[Problem]
) -> Iterator[Problem]:
    """Find the problems that the file has with each of its profiles only."""
    for name, profile in profiles.items():
        file, problems = _parse(with_profile(raw, profile), registry)
        for key, text in [*problems, *content_problems(file, registry)]:
            if (key, text) not in known:
                yield f"profiles.{name}.{key}", text


def _lines(problems: Sequence[Problem]) -> list[str]:
    """Return a line for each problem, the first :data:`MOST_LINES` of them."""
    texts = (f"{key}: {text}".removeprefix(": ") for key, text in problems)
    lines = dict.fromkeys(printable(" ".join(text.splitlines())) for text in texts)
    more = [f"and {len(lines) - MOST_LINES:,} more problems"] if len(lines) > MOST_LINES else []
    return [shortened(line, LONGEST_LINE) for line in [*lines][:MOST_LINES]] + more


def _reading(file: Sections, registry: Registry) -> dict[str, Any]:
    metrics = [registry.spec("metric", name) for name in paths.chosen(file.config, "metric")]
    return {
        "statistics": plain(file.statistics),
        "margins": file.margins,
        "contrasts": file.contrasts,
        "parts": file.parts,
        "predictions": [prediction.plain() for prediction in file.hypothesis.predictions],
        "copying": [metric.name for metric in metrics if isinstance(metric, MetricSpec) and metric.copied_share],
        "reported": file.reported,
    }


def _spec(path: Path, file: Sections, overrides: Overrides, registry: Registry) -> StudySpec:
    return StudySpec(
        name=study_name(path, overrides),
        source=str(path),
        question=file.top.question,
        hypothesis=file.hypothesis.text,
        profile=overrides.profile or DEFAULT_PROFILE,
        seed=file.top.seed,
        replicates=overrides.replicates or file.top.replicates,
        looks=file.looks,
        design=file.design,
        budget=file.top.budget,
        objective=file.objective,
        objectives=file.objectives or (file.objective,),
        search=file.search or SearchSettings(),
        path=file.path or PathSettings(),
        floors=file.floors,
        config=file.config,
        axes=tuple(file.axes.values()),
        named=file.named,
        baseline=file.baseline_levels(),
        reading=_reading(file, registry),
        overrides=tuple(overrides.options()),
        own=file.own,
    )
