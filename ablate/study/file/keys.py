"""The keys at the top of a study file: find unknown keys, wrong types, and profiles that change too much."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ablate.errors import MOST_PROBLEMS, InvalidOptions, did_you_mean
from ablate.options import abridged, option, validate
from ablate.printable import name_problem, printable
from ablate.settings import MOST_REPLICATES, LookSettings
from ablate.specs import SPECS
from ablate.study.file import paths
from ablate.study.file.axes import MOST_LEVELS
from ablate.study.file.configuration import MOST_COMPONENTS, SECTIONS, SETTINGS, TABLES, too_many
from ablate.study.file.kinds import offered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.file.paths import FileShape, Problem

T = TypeVar("T")

#: The most profiles of a file, each of which is checked with the whole file.
MOST_PROFILES = 50


@dataclass(frozen=True)
class TopLevel:
    """The keys of a study file that are single values; ``design`` is checked separately."""

    question: str = option("", doc="What the study asks.")
    budget: Literal["steps", "tokens"] = option("steps", doc="What all variants have in common.")
    seed: int = option(0, ge=0, doc="Every random stream is derived from it.")
    replicates: int = option(6, ge=1, le=MOST_REPLICATES, doc="Repetitions of every variant.")


#: How a study file declares several looks.
LOOKS_EXAMPLE = "replicates = { first = 8, most = 24 }"
#: The keys at the top that are single values.
VALUES = ("question", "budget", "seed", "replicates")
#: The keys at the top that are tables, without those of components, settings and labels; and their content.
_OWN_TABLES = {
    "objective": "with metric, feature and direction",
    "axes": "of axis = levels",
    "variants": "with a table for each variant",
    "baseline": "of axis = level",
    "target": "of axis = level",
    "contrasts": "with a table of variant = weight for each contrast",
    "parts": "of named variant = list of parts",
    "margins": "of metric = number",
    "reported": "with source, pieces and values",
    "profiles": "with a table for each profile",
}
_OF_VALUES = {"labels": "of label = value", "parameters": "of parameter = value", "program": "of settings"}
_TABLES = {**_OWN_TABLES, **_OF_VALUES, **dict.fromkeys((*SETTINGS, *TABLES), "of settings")}
_KNOWN = (*VALUES, "hypothesis", "design", *_OWN_TABLES, *SECTIONS, *TABLES)
#: The keys that people may look for in a study file, and where they are instead.
_ELSEWHERE = {
    "executor": "where a study runs is no part of it; use --executor NAME, and [executor.NAME] in the config file of "
    "ablate for options"
}
#: What a profile may change: sizes and how to train, never what is compared.
_PROFILE_KEYS = (
    *("model", "optimizer", "schedule", "training", "generation"),
    *("search", "path", "floors", "replicates", "parameters"),
)


def readable(raw: FileShape) -> tuple[FileShape, list[Problem]]:
    """Return the file without the keys that are unknown or have the wrong type, and a problem for each of these.

    So the other keys can still be checked.
    """
    problems = [
        (key, _ELSEWHERE.get(key) or f"unknown key{did_you_mean(key, _KNOWN)} (known: {', '.join(_KNOWN)})")
        for key in itertools.islice((key for key in raw if key not in _KNOWN), MOST_PROBLEMS)
    ]
    problems += [(kind, too_many(raw[kind])) for kind in SPECS if _has_too_many(raw.get(kind))]
    problems += _name_problems(raw)
    problems += _replicates_problems("replicates", raw.get("replicates"))
    validated(TopLevel, single_values(raw), "", problems)
    problems += [
        (key, f"must be a table {content}, not {abridged(raw[key])}")
        for key, content in _TABLES.items()
        if not isinstance(raw.get(key, {}), dict)
    ]
    problems += _variants_problems(raw.get("variants", {}))
    problems += _profiles_problems(raw.get("profiles", {}), raw)
    wrong = {key.partition(".")[0] for key, _ in problems}
    return {key: value for key, value in raw.items() if key not in wrong}, problems


def _has_too_many(components: Any) -> bool:
    return isinstance(components, dict | list) and len(components) > MOST_COMPONENTS


def single_values(raw: FileShape) -> dict[str, Any]:
    """Return the values at the top; of several looks, the replicates at the first one."""
    values = {key: raw[key] for key in VALUES if key in raw}
    looks = declared_looks(raw)
    if isinstance(values.get("replicates"), dict):
        values["replicates"] = looks.first if looks else TopLevel.replicates
    return values


def declared_looks(raw: FileShape) -> LookSettings | None:
    """Return the looks that the file declares; None if it has a plain number, or a table with problems."""
    table = raw.get("replicates")
    if not isinstance(table, dict) or any(_replicates_problems("replicates", table)):
        return None
    return validate(LookSettings, table)


def _replicates_problems(key: str, value: Any) -> Iterator[Problem]:
    """Find the problems of a table of looks."""
    if not isinstance(value, dict):
        return
    try:
        validate(LookSettings, value)
    except InvalidOptions as error:
        for name, text in error.problems:
            required = f"{text}; write for example: {LOOKS_EXAMPLE}" if text == "is required" else text
            yield paths.join(key, name), required


def _name_problems(table: Mapping[str, Any], where: str = "") -> Iterator[Problem]:
    """Find the names with characters that cannot be printed: of variants, contrasts, profiles and other tables."""
    for key, value in table.items():
        path = paths.join(where, printable(key))
        if printable(key) != key:
            yield path, f"the name {name_problem(key)}"
        elif isinstance(value, dict):
            yield from _name_problems(value, path)


def _variants_problems(variants: Any) -> Iterator[Problem]:
    if isinstance(variants, dict) and len(variants) > MOST_LEVELS:
        yield "variants", f"{len(variants):,} variants are too many (at most {MOST_LEVELS:,})"
        return
    for name, changes in variants.items() if isinstance(variants, dict) else ():
        if not name.strip():
            yield "variants", "a variant needs a name"
        if not isinstance(changes, dict):
            yield f"variants.{name}", f"must be a table of its changes, not {abridged(changes)}"


def _profiles_problems(profiles: Any, raw: FileShape) -> Iterator[Problem]:
    if isinstance(profiles, dict) and len(profiles) > MOST_PROFILES:
        yield "profiles", f"{len(profiles):,} profiles are too many (at most {MOST_PROFILES})"
        return
    for name, profile in profiles.items() if isinstance(profiles, dict) else ():
        key = f"profiles.{name}"
        if not isinstance(profile, dict):
            yield key, f"must be a table, not {abridged(profile)}"
            continue
        if name == "default":
            yield key, "'default' is the name of the file without a profile; choose another name"
        for section, value in profile.items():
            yield from _profile_section_problems(f"{key}.{section}", section, value)
        yield from _profile_model_problems(f"{key}.model", profile.get("model", {}), raw)


def _profile_section_problems(key: str, section: str, value: Any) -> Iterator[Problem]:
    if section not in _PROFILE_KEYS:
        yield key, f"a profile may change {', '.join(_PROFILE_KEYS)}, never what is compared"
    elif section == "replicates":
        if isinstance(value, dict):
            return  # it may change a part of the file's table; the file with each profile is checked as a whole
        problems: list[Problem] = []
        validated(TopLevel, {section: value}, "", problems)
        yield from ((key, text) for _, text in problems)
    elif not isinstance(value, dict):
        yield key, f"must be a table, not {abridged(value)}"


def _profile_model_problems(key: str, model: Any, raw: FileShape) -> Iterator[Problem]:
    models = offered(raw, "model")
    for component in model if isinstance(model, dict) else ():
        if component not in models:
            yield f"{key}.{component}", f"a profile cannot change the study's model ({', '.join(models)})"


def validated(options: type[T], table: Mapping[str, Any], key: str, problems: list[Problem]) -> T:
    """Validate a table; where an option does not fit, add the problem to ``problems`` and take its default."""
    try:
        return validate(options, table)
    except InvalidOptions as error:
        problems += [(paths.join(key, name), text) for name, text in error.problems]
        wrong = {name for name, _ in error.problems}
        rest = {} if "" in wrong else {name: value for name, value in table.items() if name not in wrong}
        return validated(options, rest, key, problems)
