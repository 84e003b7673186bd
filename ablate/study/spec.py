"""The study file: found, read, overridden, and checked as a whole before anything runs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ablate
from ablate.errors import StudyFileError, UnknownName, UsageError, did_you_mean
from ablate.registry import get_registry
from ablate.specs import SPECS, CorpusSpec
from ablate.study import checks, choices
from ablate.study.design import Axis, Objective, Variant, factorial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.registry import Registry
    from ablate.study.choices import Configuration, FileShape

DEFAULT_PROFILE = "default"


@dataclasses.dataclass(frozen=True)
class Overrides:
    """What the command line changes of a study file.

    Attributes:
        profile: a profile of the file; empty is the file as it stands.
        corpus: a component's name, or a path that a corpus can read; empty keeps the file's.
        replicates: how many replicates; None keeps the file's.
        seed: the study seed; None keeps the file's.
        settings: ``(dotted path, value)`` pairs, applied last.
        skip_bad: tell a corpus read from a path to skip files it cannot read.
    """

    profile: str = ""
    corpus: str = ""
    replicates: int | None = None
    seed: int | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    skip_bad: bool = False


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
        axes: what is varied.
        baseline: a level for each axis.
        reported: values printed elsewhere, for comparison; see docs/study-file.md.
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
    baseline: dict[str, Any]
    reported: dict[str, Any]

    def variants(self) -> list[Variant]:
        """Every variant of the design, in order."""
        return factorial(self.axes, self.baseline)

    def configuration(self, variant: Variant, registry: Registry) -> Configuration:
        """A variant's configuration, resolved."""
        return choices.resolve(self.shaped(variant), registry)[0]

    def shaped(self, variant: Variant) -> FileShape:
        """A variant's configuration in file shape."""
        config = self.config
        for path, level in variant.levels.items():
            config = choices.set_path(config, path, level)
        return config

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
            "baseline": self.baseline,
            "reported": self.reported,
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
    if problems:
        raise StudyFileError(str(path), _lines(problems))
    raw = _apply(raw, overrides, registry, str(path))
    problems = checks.content_problems(raw, registry)
    if problems:
        raise StudyFileError(str(path), _lines(problems))
    return _spec(path, raw, overrides)


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


def _apply(raw: FileShape, overrides: Overrides, registry: Registry, source: str) -> FileShape:
    """The file with profile and overrides merged in."""
    profiles = raw.get("profiles", {})
    if overrides.profile and overrides.profile != DEFAULT_PROFILE:
        if overrides.profile not in profiles:
            offered = ", ".join([DEFAULT_PROFILE, *profiles])
            hint = did_you_mean(overrides.profile, profiles)
            raise UsageError(f"{source}: no profile '{overrides.profile}'{hint}. Offered: {offered}")
        raw = _merge(raw, profiles[overrides.profile])
    if overrides.corpus:
        raw = {**raw, "corpus": _corpus(overrides, registry)}
    elif overrides.skip_bad:
        raise UsageError("--skip-bad goes with --corpus PATH; in a study file set corpus.midi.skip_bad")
    for path, value in overrides.settings:
        raw = _set(raw, path, value, registry)
    given = {"replicates": overrides.replicates, "seed": overrides.seed}
    return {**raw, **{key: value for key, value in given.items() if value is not None}}


def _merge(base: FileShape, over: FileShape) -> FileShape:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _set(raw: FileShape, path: str, value: Any, registry: Registry) -> FileShape:
    section = path.partition(".")[0]
    if path in ("replicates", "seed", "objective"):
        return {**raw, path: value}
    if path.startswith("axes."):
        return {**raw, "axes": {**checks.flat_axes(raw.get("axes", {})), path.removeprefix("axes."): value}}
    if section not in choices.SECTIONS:
        known = [*choices.SECTIONS, "axes", "replicates", "seed", "objective"]
        raise UsageError(f"--set {path}: names nothing{did_you_mean(section, known)} (known: {', '.join(known)})")
    name = path.partition(".")[2]
    if section in SPECS and isinstance(value, dict) and name in registry.names(section):
        chosen = choices.named(raw.get(section, {})) or {}
        return {**raw, section: {**chosen, name: value}}
    problem = choices.names_something(path, raw, registry)
    if problem:
        raise UsageError(f"--set {path}: {problem}")
    return choices.set_path(raw, path, value)


def _corpus(overrides: Overrides, registry: Registry) -> FileShape:
    """``--corpus`` as the file would say it: a component's name, or a path for a corpus that reads one."""
    asked = overrides.corpus
    if asked in registry.names("corpus") and not Path(asked).exists():
        if overrides.skip_bad:
            raise UsageError(f"--skip-bad goes with --corpus PATH, not with the corpus '{asked}'")
        return {asked: {}}
    return path_corpus(asked, registry, skip_bad=overrides.skip_bad)


def path_corpus(path: str, registry: Registry, **options: bool) -> FileShape:
    """The corpus, in file shape, that reads the file or folder at ``path``.

    Raises:
        UsageError: nothing is there, or no or several installed corpora read paths.
    """
    if not Path(path).exists():
        names = registry.names("corpus")
        hint = did_you_mean(path, names)
        raise UsageError(
            f"--corpus {path}: no such file or folder, and no corpus of that name{hint} (offered: {', '.join(names)})"
        )
    offered = [component.spec for component in registry.offered("corpus")]
    readers = [spec for spec in offered if isinstance(spec, CorpusSpec) and spec.path_option]
    if len(readers) != 1:
        listing = ", ".join(spec.name for spec in readers) or "none"
        raise UsageError(f"--corpus {path}: exactly one installed corpus must read paths, found: {listing}")
    reader = readers[0]
    given = {name: value for name, value in options.items() if value}
    return {reader.name: {reader.path_option: path, **given}}


def _spec(path: Path, raw: FileShape, overrides: Overrides) -> StudySpec:
    axes = tuple(Axis(axis, tuple(levels)) for axis, levels in checks.flat_axes(raw.get("axes", {})).items())
    return StudySpec(
        name=_name(path, overrides),
        source=str(path),
        question=raw.get("question", ""),
        hypothesis=raw.get("hypothesis", ""),
        profile=overrides.profile or DEFAULT_PROFILE,
        seed=raw.get("seed", 0),
        replicates=raw.get("replicates", 6),
        objective=checks.objective(raw),
        config={section: raw[section] for section in choices.SECTIONS if section in raw},
        axes=axes,
        baseline=checks.baseline(raw),
        reported=raw.get("reported", {}),
    )


def _name(path: Path, overrides: Overrides) -> str:
    """What the study is stored under: other settings are another study, so that their numbers never mix.

    Replicates are left out: more of them extend a study.
    """
    parts = []
    if overrides.profile and overrides.profile != DEFAULT_PROFILE:
        parts.append(overrides.profile)
    if overrides.corpus:
        parts.append(Path(overrides.corpus).stem)
    if overrides.seed is not None:
        parts.append(f"seed{overrides.seed}")
    if overrides.settings:
        text = json.dumps(overrides.settings, sort_keys=True)
        parts.append(f"set-{hashlib.sha256(text.encode()).hexdigest()[:6]}")
    return "+".join([f"{path.stem}@{parts[0]}", *parts[1:]]) if parts else path.stem
