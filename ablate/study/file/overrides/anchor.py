"""Relative paths of corpora and primers: those of a study file start from its folder, those of ``--set`` from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.files import anchored
from ablate.study.file import paths
from ablate.study.file.axes import is_axis_table
from ablate.study.file.overrides.corpus import path_readers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.study.file.paths import FileShape


def anchored_settings(
    settings: Sequence[tuple[str, Any]], registry: Registry, folder: Path
) -> tuple[tuple[str, Any], ...]:
    """Return the settings of the command line with absolute paths; the relative ones start from ``folder``."""
    keys = _keys(registry)
    return tuple((path, _anchored_setting(path, value, keys, folder)) for path, value in settings)


def _anchored_setting(path: str, value: Any, keys: set[str], folder: Path) -> Any:
    """Return the value of one setting with absolute paths; a key may follow ``axes``, ``variants.NAME``."""
    parts = path.split(".")
    for start in range(len(parts)):
        key = ".".join(parts[start:])
        if any(each == key or each.startswith(f"{key}.") for each in keys):
            return _anchored_in(value, key, keys, folder)
    return _anchored_in(value, "", keys, folder)  # a whole table


def anchor_paths(raw: FileShape, registry: Registry, folder: Path) -> FileShape:
    """Make the relative paths of corpora and primers absolute; they start from the file's folder.

    They may be in the base configuration, among the changes of a named variant, and among the levels of an axis.
    """
    keys = _keys(registry)
    raw = _anchored_in(raw, "", keys, folder)
    if isinstance(raw.get("variants"), dict):
        variants = {name: _anchored_in(changes, "", keys, folder) for name, changes in raw["variants"].items()}
        raw = {**raw, "variants": variants}
    for section in ("axes", "baseline", "target"):
        if isinstance(raw.get(section), dict):
            raw = {**raw, section: _anchored_in(raw[section], "", keys, folder)}
    return raw


def _keys(registry: Registry) -> set[str]:
    return {"primer.file", *(f"corpus.{reader.name}.{reader.path_option}" for reader in path_readers(registry))}


def _anchored_in(value: Any, key: str, keys: set[str], folder: Path) -> Any:
    """Return a value of a study file in which the texts at ``keys`` are absolute paths.

    ``key`` is the dotted path of the value. The levels of an axis have the path of the axis.
    """
    if isinstance(value, str):
        return anchored(value, folder) if key in keys and value else value
    if isinstance(value, list):
        return [_anchored_in(item, key, keys, folder) for item in value]
    if not isinstance(value, dict):
        return value
    inner_keys = {name: paths.join(key, name) for name in value}
    if is_axis_table(value):  # its conditions are paths again
        inner_keys = {name: key if name == "levels" else "" for name in value}
    return {name: _anchored_in(inner, inner_keys[name], keys, folder) for name, inner in value.items()}
