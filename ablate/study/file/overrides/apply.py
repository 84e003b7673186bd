"""Apply a profile and the overrides of the command line to a study file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.errors import UsageError, did_you_mean
from ablate.printable import printable
from ablate.specs import SPECS
from ablate.study.file import paths
from ablate.study.file.axes import flatten, named_variants
from ablate.study.file.configuration import SECTIONS, SINGLE, TABLES
from ablate.study.file.kinds import offered
from ablate.study.file.overrides.corpus import given_corpus
from ablate.study.file.overrides.record import DEFAULT_PROFILE
from ablate.study.file.reach import path_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.registry import Registry
    from ablate.study.file.overrides.record import Overrides
    from ablate.study.file.paths import FileShape

#: Settings that cannot be combined, each with the one whose place it takes when it is given later.
_ALTERNATIVES = {"training.steps": "training.epochs", "training.epochs": "training.steps"}
#: Keys outside all sections that ``--set`` replaces as a whole.
TOP_LEVEL = ("replicates", "seed", "objective", "axes", "baseline", "target", "design", "budget")


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
            raise UsageError(f"{source}: no profile '{printable(overrides.profile)}'{hint or '.'} Offered: {offered}")
        raw = with_profile(raw, profiles[overrides.profile])
    if overrides.corpus:
        varied = [path for path in flatten(raw.get("axes", {})) if path.partition(".")[0] == "corpus"]
        if varied:
            raise UsageError(
                f"--corpus {printable(overrides.corpus)}: {varied[0]} is an axis of {source}, which sets the corpus"
            )
        raw = {**raw, "corpus": given_corpus(overrides, registry)}
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
    reached = raw
    if section in SINGLE:  # the file may have a table for each component that variants choose
        reached = {**raw, section: {**{each: {} for each in offered(raw, section)}, **paths.chosen(raw, section)}}
    problem = path_problem(path, reached, registry)
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
