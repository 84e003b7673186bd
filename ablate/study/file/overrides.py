"""Apply the overrides of the command line to a study file, and name the study that results."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import UsageError, did_you_mean
from ablate.names import level_name
from ablate.printable import printable
from ablate.specs import SPECS, CorpusSpec
from ablate.study.file import paths
from ablate.study.file.axes import flatten, is_axis_table, named_variants
from ablate.study.file.configuration import SECTIONS, TABLES
from ablate.study.file.reach import path_problem

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from ablate.registry import Registry
    from ablate.study.file.paths import FileShape

DEFAULT_PROFILE = "default"
#: Settings that cannot be combined, each with the one whose place it takes when it is given later.
_ALTERNATIVES = {"training.steps": "training.epochs", "training.epochs": "training.steps"}
#: Keys outside all sections that ``--set`` replaces as a whole.
TOP_LEVEL = ("replicates", "seed", "objective", "axes", "baseline", "target", "design", "budget")


@dataclasses.dataclass(frozen=True)
class Overrides:
    """The changes of the command line to a study file.

    Attributes:
        profile: a profile of the file; empty is the file as it stands.
        corpus: a component's name, or a path that a corpus can read; empty keeps the file's.
        replicates: how many replicates; None keeps the file's.
        n_variants: how many variants a search tries; None keeps the file's.
        seed: the study seed; None keeps the file's.
        settings: ``(dotted path, value)`` pairs, applied last.
        skip_bad: skip the files that a corpus cannot read.
        name: the study's name in the store; empty for a name made from what was changed.
        elsewhere: whether ``corpus`` is a path that may be absent here, because the study is from a bundle.
    """

    profile: str = ""
    corpus: str = ""
    replicates: int | None = None
    n_variants: int | None = None
    seed: int | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    skip_bad: bool = False
    name: str = ""
    elsewhere: bool = False

    def options(self) -> list[str]:
        """Return the overrides as command line options, without those that extend a study: replicates, variants."""
        options = [f"--profile {self.profile}"] if self.profile else []
        options += [f"--corpus {self.corpus}"] if self.corpus else []
        options += ["--skip-bad"] if self.skip_bad else []
        options += [f"--seed {self.seed}"] if self.seed is not None else []
        texts = [(path, value if isinstance(value, str) else level_name(value)) for path, value in self.settings]
        return options + [f"--set {path}={text}" for path, text in texts]


def apply(raw: FileShape, overrides: Overrides, registry: Registry, source: str) -> FileShape:
    """Merge the profile and the overrides into the file.

    Raises:
        UsageError: an override of an unknown key, or one that does not fit.
    """
    profiles = raw.get("profiles", {})
    if overrides.profile and overrides.profile != DEFAULT_PROFILE:
        if overrides.profile not in profiles:
            offered = ", ".join([DEFAULT_PROFILE, *profiles])
            hint = did_you_mean(overrides.profile, profiles)
            raise UsageError(f"{source}: no profile '{overrides.profile}'{hint or '.'} Offered: {offered}")
        raw = with_profile(raw, profiles[overrides.profile])
    if overrides.corpus:
        varied = [path for path in flatten(raw.get("axes", {})) if path.partition(".")[0] == "corpus"]
        if varied:
            raise UsageError(f"--corpus {overrides.corpus}: {varied[0]} is an axis of {source}, which sets the corpus")
        raw = {**raw, "corpus": _corpus(overrides, registry)}
    elif overrides.skip_bad:
        raise UsageError("--skip-bad needs --corpus PATH; in a study file set corpus.midi.skip_bad instead")
    for path, value in overrides.settings:
        raw = _set(raw, path, value, registry)
    if overrides.n_variants is not None:
        design = raw.get("design", "factorial")
        if design != "search":
            raise UsageError(f'--variants needs design = "search"; the design of {source} is {design}')
        raw = {**raw, "search": {**raw.get("search", {}), "n_variants": overrides.n_variants}}
    numbers = {"seed": overrides.seed}
    if not isinstance(raw.get("replicates"), dict):  # declared looks stay declared, whatever their number
        numbers["replicates"] = overrides.replicates
    return {**raw, **{key: value for key, value in numbers.items() if value is not None}}


def with_profile(raw: FileShape, profile: FileShape) -> FileShape:
    """Return a study file with the changes of a profile."""
    merged = merge(raw, profile)
    for path in _ALTERNATIVES:
        merged = _without_alternative(merged, path, paths.get_path(profile, path))
    return merged


def _without_alternative(raw: FileShape, path: str, value: Any) -> FileShape:
    """Return the file without the setting that the one at ``path``, which was given last, takes the place of."""
    section, _, other = _ALTERNATIVES.get(path, "").partition(".")
    table = raw.get(section)
    if not value or not isinstance(table, dict) or other not in table:
        return raw
    return {**raw, section: {key: each for key, each in table.items() if key != other}}


def merge(base: FileShape, over: FileShape) -> FileShape:
    """Return ``base`` with the keys of ``over``, tables merged key by key."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def anchor_paths(raw: FileShape, registry: Registry, folder: Path) -> FileShape:
    """Make the relative paths of corpora and primers absolute; they start from the file's folder.

    They may be in the base configuration, among the changes of a named variant, and among the levels of an axis.
    """
    keys = {"primer.file", *(f"corpus.{reader.name}.{reader.path_option}" for reader in _path_readers(registry))}
    raw = _anchored_in(raw, "", keys, folder)
    if isinstance(raw.get("variants"), dict):
        variants = {name: _anchored_in(changes, "", keys, folder) for name, changes in raw["variants"].items()}
        raw = {**raw, "variants": variants}
    for section in ("axes", "baseline"):
        if isinstance(raw.get(section), dict):
            raw = {**raw, section: _anchored_in(raw[section], "", keys, folder)}
    return raw


def _anchored_in(value: Any, key: str, keys: Container[str], folder: Path) -> Any:
    """Return a value of a study file in which the texts at ``keys`` are absolute paths.

    ``key`` is the dotted path of the value. The levels of an axis have the path of the axis.
    """
    if isinstance(value, str):
        return _anchored(value, folder) if key in keys and value else value
    if isinstance(value, list):
        return [_anchored_in(item, key, keys, folder) for item in value]
    if not isinstance(value, dict):
        return value
    inner_keys = {name: paths.join(key, name) for name in value}
    if is_axis_table(value):  # its conditions are paths again
        inner_keys = {name: key if name == "levels" else "" for name in value}
    return {name: _anchored_in(inner, inner_keys[name], keys, folder) for name, inner in value.items()}


def _anchored(path: str, folder: Path) -> str:
    return str((folder / Path(path).expanduser()).resolve())


def _set(raw: FileShape, path: str, value: Any, registry: Registry) -> FileShape:
    section, _, name = path.partition(".")
    named = named_variants(raw.get("variants", {}))
    if section == "variants":
        return _set_in_variant(raw, path, value, named)
    variants = [name for name, changes in named.items() if path in changes]
    if variants:
        own = f"variants.{variants[0]}.{path}"
        raise UsageError(f"--set {path}: variant '{variants[0]}' sets its own value; change it with --set {own}=")
    if path in TOP_LEVEL:
        return {**raw, path: value}
    if section in TABLES or (section == "objective" and isinstance(raw.get(section, {}), dict)):
        return {**raw, section: {**raw.get(section, {}), name: value}}
    if section in ("axes", "baseline", "target"):
        axes = flatten(raw.get("axes", {}))
        return {**raw, section: {**flatten(raw.get(section, {}), stops=axes), name: value}}
    return _set_in_section(raw, path, value, registry)


def _set_in_section(raw: FileShape, path: str, value: Any, registry: Registry) -> FileShape:
    """Change a setting, a label, a component or one of its options."""
    section, _, name = path.partition(".")
    if section not in SECTIONS:
        known = [*SECTIONS, *TABLES, "variants", *TOP_LEVEL]
        raise UsageError(f"--set {path}: unknown key{did_you_mean(section, known)} (known: {', '.join(known)})")
    if path in flatten(raw.get("axes", {})):
        raise UsageError(f"--set {path}: is an axis of this study; set its levels: --set 'axes.{path}=[...]'")
    if section in SPECS and isinstance(value, dict) and name in registry.names(section):
        return {**raw, section: {**(paths.named(raw.get(section, {})) or {}), name: value}}
    problem = path_problem(path, raw, registry)
    if problem:
        raise UsageError(f"--set {path}: {problem}")
    return _without_alternative(paths.set_path(raw, path, value), path, value)


def _set_in_variant(raw: FileShape, path: str, value: Any, named: Mapping[str, Mapping[str, Any]]) -> FileShape:
    """Change one path of one named variant, ``variants.NAME.PATH``."""
    fitting = [name for name in named if path.startswith(f"variants.{name}.")]
    if not fitting:
        wanted = path.removeprefix("variants.").partition(".")[0]
        listing = ", ".join(named) or "none"
        raise UsageError(f"--set {path}: no variant of that name{did_you_mean(wanted, named)} (variants: {listing})")
    name = max(fitting, key=len)
    changes = {**named[name], path.removeprefix(f"variants.{name}."): value}
    return {**raw, "variants": {**raw["variants"], name: changes}}


def _corpus(overrides: Overrides, registry: Registry) -> FileShape:
    name = overrides.corpus
    if overrides.elsewhere and name not in registry.names("corpus"):
        return _read_by_path(name, registry, skip_bad=overrides.skip_bad, option="--corpus")
    return corpus_table(name, registry, skip_bad=overrides.skip_bad)


def corpus_table(name: str, registry: Registry, *, skip_bad: bool = False, option: str = "--corpus") -> FileShape:
    """Return a corpus in file shape: a component by its name, or the one that reads this path.

    Args:
        name: of the component, or a path.
        registry: the components.
        skip_bad: skip the files that cannot be read.
        option: of the command line that gave the name, for messages.

    Raises:
        UsageError: there is neither, or the corpus has no files to skip.
    """
    if name in registry.names("corpus") and not Path(name).exists():
        if skip_bad:
            raise UsageError(f"--skip-bad needs a path in {option}, not the corpus '{name}'")
        return {name: {}}
    return _path_corpus(name, registry, skip_bad=skip_bad, option=option)


def _path_corpus(path: str, registry: Registry, *, skip_bad: bool, option: str) -> FileShape:
    if not Path(path).exists():
        names = registry.names("corpus")
        hint = did_you_mean(path, names)
        raise UsageError(
            f"{option} {path}: no such file or folder, and no corpus of that name{hint} (offered: {', '.join(names)})"
        )
    return _read_by_path(str(Path(path).resolve()), registry, skip_bad=skip_bad, option=option)


def _read_by_path(path: str, registry: Registry, *, skip_bad: bool, option: str) -> FileShape:
    readers = _path_readers(registry)
    if len(readers) != 1:
        listing = ", ".join(spec.name for spec in readers) or "none"
        raise UsageError(f"{option} {path}: exactly one installed corpus must read paths, found: {listing}")
    (reader,) = readers
    options = {"skip_bad": True} if skip_bad else {}
    return {reader.name: {reader.path_option: path, **options}}


def _path_readers(registry: Registry) -> list[CorpusSpec]:
    offered = [component.spec for component in registry.offered("corpus")]
    return [spec for spec in offered if isinstance(spec, CorpusSpec) and spec.path_option]


def study_name(path: Path, overrides: Overrides) -> str:
    """Return the study's name in the store: other settings make another study, so that numbers never mix."""
    if overrides.name:
        return overrides.name
    parts = []
    if overrides.profile and overrides.profile != DEFAULT_PROFILE:
        parts.append(overrides.profile)
    if overrides.corpus:
        parts.append(_corpus_name(Path(overrides.corpus)))
    if overrides.seed is not None:
        parts.append(f"seed{overrides.seed}")
    if overrides.settings:
        text = json.dumps(overrides.settings, sort_keys=True)
        parts.append(f"set-{hashlib.sha256(text.encode()).hexdigest()[:6]}")
    stem = printable(path.stem)
    return "+".join([f"{stem}@{parts[0]}", *parts[1:]]) if parts else stem


def _corpus_name(corpus: Path) -> str:
    """Return the name of a corpus, or of the file or folder that a path leads to (``.``, a link)."""
    real = corpus.resolve() if corpus.exists() else corpus
    return printable(real.name if real.is_dir() else real.stem)
