"""Check that every option in the file reaches a variant, where variants choose the components of a kind themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.names import level_name
from ablate.specs import SPECS
from ablate.study.design import OF_PARTS
from ablate.study.file import paths
from ablate.study.file.configuration import SINGLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.study.file.paths import FileShape, Problem
    from ablate.study.file.sections import Sections

#: Sections of a profile whose options reach variants.
_OF_VARIANTS = ("model", "optimizer", "schedule", "training", "generation")


def unused_problems(file: Sections) -> Iterator[Problem]:
    """Find options of components that no variant has: no level names the component, or each level sets the option."""
    for kind in SPECS:
        values = _values(file, kind)
        if values is None or _is_baseline(file, kind):
            continue
        for name, options in file.own.get(kind, {}).items():
            having = [named[name] for value in values if name in (named := paths.named(value) or {})]
            if not having and not options and len(file.own[kind]) > 1 and kind in SINGLE:
                yield f"{kind}.{name}", f"no variant has this {kind} ({_listing(file, kind, values)}); remove it"
            for option in options:
                if all(option in own for own in having):
                    why = f"each {kind} '{name}' sets its own" if having else f"none has the {kind} '{name}'"
                    text = f"no variant uses this option: {why} ({_listing(file, kind, values)}); remove it"
                    yield f"{kind}.{name}.{option}", text


def _values(file: Sections, kind: str) -> Sequence[Any] | None:
    """Return the values of a kind in all variants; None where some variant has that of the base configuration."""
    axis = file.axes.get(kind)
    if axis and not axis.when:
        return axis.levels
    changes = [changes.get(kind) for changes in file.named.values()]
    return None if axis or not changes or None in changes else changes


def _is_baseline(file: Sections, kind: str) -> bool:
    """Check whether the file's components of a kind choose the baseline, which is a level of the axis then."""
    several = kind in SINGLE and len(file.own.get(kind, {})) > 1
    return kind in file.axes and kind not in file.baseline and file.design not in OF_PARTS and not several


def _listing(file: Sections, kind: str, values: Sequence[Any]) -> str:
    where = f"levels of axes.{kind}" if kind in file.axes else "in [variants]"
    return f"{where}: {', '.join(dict.fromkeys(map(level_name, values)))}"


def idle_profile_problems(file: Sections, profile: str) -> Iterator[Problem]:
    """Find changes of the chosen profile that reach no variant: the study sets the same option in each of them."""
    for path in _paths(file.profiles.get(profile, {})):
        key = f"profiles.{profile}.{path}"
        if path in file.axes and not file.axes[path].when:
            yield key, f"changes nothing: axes.{path} sets its value in each variant; remove it"
        elif file.named and all(path in changes for changes in file.named.values()):
            yield key, "changes nothing: each of [variants] sets its own value; remove it"


def _paths(profile: FileShape) -> Iterator[str]:
    for section in _OF_VARIANTS:
        table = profile.get(section, {})
        for name, value in table.items() if isinstance(table, dict) else ():
            if section in SPECS and isinstance(value, dict):
                yield from (f"{section}.{name}.{option}" for option in value)
            else:
                yield f"{section}.{name}"
