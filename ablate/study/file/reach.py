"""Find out whether a dotted path leads to a value of a study file that can be changed."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import PluginError, UnknownName, did_you_mean
from ablate.specs import DEFAULTED, SPECS
from ablate.study.file.configuration import SECTIONS, SETTINGS, default_components
from ablate.study.file.paths import FileShape, chosen, split_path
from ablate.study.file.program import program_path_problem

if TYPE_CHECKING:
    from ablate.registry import Registry


def path_problem(path: str, config: FileShape, registry: Registry) -> str:
    """Return the reason why the value at ``path`` cannot be changed; an empty string if it can."""
    section, component, option = split_path(path, config)
    if section not in SECTIONS:
        return f"unknown path{did_you_mean(section, SECTIONS)} (a path starts with one of {', '.join(SECTIONS)})"
    if section in SPECS:
        return _component_path_problem(section, component, option, config, registry)
    if section in ("program", "parameters"):
        return program_path_problem(section, option, config)
    return _setting_path_problem(section, option)


def _setting_path_problem(section: str, option: str) -> str:
    if section == "labels":
        return "" if option else "name a label: labels.NAME"
    known = [field.name for field in dataclasses.fields(SETTINGS[section])]
    if not option:
        return f"name a setting: {section}.NAME"
    if option in known:
        return ""
    hint = did_you_mean(option, known) or f" (it has: {', '.join(known)})"
    return f"[{section}] has no setting '{option}'{hint}"


def _component_path_problem(kind: str, component: str, option: str, config: FileShape, registry: Registry) -> str:
    if not component:
        return ""
    components = list(chosen(config, kind))
    if kind in DEFAULTED and kind not in config:
        with contextlib.suppress(PluginError):  # reported once already, for the kind
            components = list(default_components(kind, registry))
    if component not in components:
        listing = ", ".join(components) or "none"
        return f"this study has no {kind} '{component}'{did_you_mean(component, components)} (it has: {listing})"
    if not option:
        return f"name one of its options, or give the path '{kind}' to change the whole {kind}"
    try:
        known = [field.name for field in dataclasses.fields(registry.spec(kind, component).options)]
    except (UnknownName, PluginError):
        return ""  # reported once already, where the component is chosen
    if option in known:
        return ""
    return f"{kind} '{component}' has no option '{option}'{did_you_mean(option, known)}"
