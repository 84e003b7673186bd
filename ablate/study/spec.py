"""The study file: found, read, overridden, and checked as a whole before anything runs."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ablate
from ablate.errors import StudyFileError, UnknownName
from ablate.registry import get_registry
from ablate.study import checks, choices, varied
from ablate.study.design import Axis, Objective, Variant, factorial
from ablate.study.overrides import DEFAULT_PROFILE, Overrides, anchor_paths, apply, merge, study_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.registry import Registry
    from ablate.study.choices import Configuration, FileShape


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
        objective: the number that stands for a variant in Optuna.
        config: the base configuration in file shape, profile and overrides applied.
        axes: what is varied; first of them, if there are any, the named variants.
        named: the named variants, each as path -> level.
        baseline: a level for each axis.
        reported: values printed elsewhere, for comparison; see docs/study-file.md.
        overrides: what the command line changed of the file, in its words.
    """

    name: str
    source: str
    question: str
    hypothesis: str
    profile: str
    seed: int
    replicates: int
    objective: Objective
    config: FileShape
    axes: tuple[Axis, ...]
    named: dict[str, dict[str, Any]]
    baseline: dict[str, Any]
    reported: dict[str, Any]
    overrides: tuple[str, ...]

    def variants(self) -> list[Variant]:
        """Every variant of the design, in order."""
        return factorial(self.axes, self.baseline)

    def configuration(self, variant: Variant, registry: Registry) -> Configuration:
        """A variant's configuration, resolved."""
        return choices.resolve(self.shaped(variant), registry)[0]

    def shaped(self, variant: Variant) -> FileShape:
        """A variant's configuration in file shape."""
        return varied.shaped(self.config, variant.levels, self.named)

    def plain(self) -> dict[str, Any]:
        """The study as JSON-ready data, for the store and the report."""
        return {
            "question": self.question,
            "hypothesis": self.hypothesis,
            "source": self.source,
            "profile": self.profile,
            "seed": self.seed,
            "replicates": self.replicates,
            "objective": dataclasses.asdict(self.objective),
            "axes": {axis.path: list(axis.levels) for axis in self.axes},
            "variants": self.named,
            "baseline": self.baseline,
            "reported": self.reported,
            "overrides": list(self.overrides),
            **self.config,
        }


def shipped_folder() -> Path:
    """Where the studies that come with ablate lie: inside the installed package, or beside it in a checkout."""
    package = Path(ablate.__file__).parent
    inside = package / "studies"
    return inside if inside.is_dir() else package.parent / "studies"


def shipped_studies() -> dict[str, Path]:
    """Name to file of the shipped studies."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.toml"))}


def known_studies() -> dict[str, Path]:
    """Name to file of the shipped studies and those in ``./studies``, which win."""
    local = {path.stem: path for path in sorted(Path("studies").glob("*.toml"))}
    return {**shipped_studies(), **local}


def find_study(name_or_file: str) -> Path:
    """A study file by path, or by name in ``./studies`` and among the shipped ones.

    Raises:
        UnknownName: with a suggestion.
        StudyFileError: a path to a file that does not exist.
    """
    if name_or_file.endswith(".toml") or "/" in name_or_file:
        path = Path(name_or_file)
        if not path.is_file():
            raise StudyFileError(name_or_file, ["no such file"])
        return path
    known = known_studies()
    if name_or_file not in known:
        raise UnknownName("study", name_or_file, known)
    return known[name_or_file]


def load_study(name_or_file: str, overrides: Overrides | None = None, registry: Registry | None = None) -> StudySpec:
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
    problems = checks.shape_problems(raw)
    # what is wrong at the top must not hide what is wrong further in
    wrong = {key.partition(".")[0] for key, _ in problems}
    raw = anchor_paths({key: value for key, value in raw.items() if key not in wrong}, registry, path.parent)
    file = raw
    if "profiles" not in wrong:
        raw = apply(raw, overrides, registry, str(path))
    problems += checks.content_problems(raw, registry)
    problems += _profile_problems(raw, registry, set(problems))
    if not problems:
        problems += checks.combination_problems(raw, registry)
        problems += checks.reported_problems(file)
    if problems:
        raise StudyFileError(str(path), _lines(problems))
    return _spec(path, raw, overrides)


def _profile_problems(raw: FileShape, registry: Registry, known: set[choices.Problem]) -> Iterator[choices.Problem]:
    """What is wrong with the profiles that were not asked for."""
    for name, profile in raw.get("profiles", {}).items():
        for key, text in checks.content_problems(merge(raw, profile), registry):
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


def _lines(problems: Sequence[choices.Problem]) -> list[str]:
    return list(dict.fromkeys(f"{key}: {text}" for key, text in problems))


def _spec(path: Path, raw: FileShape, overrides: Overrides) -> StudySpec:
    return StudySpec(
        name=study_name(path, overrides),
        source=str(path),
        question=raw.get("question", ""),
        hypothesis=raw.get("hypothesis", ""),
        profile=overrides.profile or DEFAULT_PROFILE,
        seed=raw.get("seed", 0),
        replicates=raw.get("replicates", 6),
        objective=varied.objective(raw),
        config={section: raw[section] for section in choices.SECTIONS if section in raw},
        axes=varied.axes(raw),
        named=varied.named_variants(raw),
        baseline=varied.baseline(raw),
        reported=raw.get("reported", {}),
        overrides=tuple(overrides.said()),
    )
