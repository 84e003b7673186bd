"""Names of axes and of their levels, for the names of variants and for messages."""

from __future__ import annotations

import json
import shlex
import unicodedata
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ablate.files import MIDI_SUFFIXES
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The feature that stands for its metric where only one value can be shown.
AVERAGE = "average"
#: The features that add nothing to the name of their metric: its average, or the only value of a metric.
NAMELESS = (AVERAGE, "value")


def headline_features(features: Iterable[str]) -> list[str]:
    """Return the features that stand for their metric: its average, or all of them if it has none.

    Where a single value is needed, it is the first of these.
    """
    names = list(dict.fromkeys(features))
    return [AVERAGE] if AVERAGE in names else names


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return each path with its shortest ending that no other path has."""
    names = {}
    for path in paths:
        parts = path.split(".")
        ends = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        others = [other for other in paths if other != path]
        names[path] = next((end for end in ends if not any(o == end or o.endswith(f".{end}") for o in others)), path)
    return names


def shell_name(name: str) -> str:
    """Return a name as an argument of a command in a shell: in quotes where it needs them, never an option."""
    return f"{'-- ' if name.startswith('-') else ''}{shlex.quote(name)}"


def shell_override(override: str) -> str:
    """Quote an override as it is stored (``--corpus some path``) for a shell."""
    option, _, value = override.partition(" ")
    return f"{option} {shlex.quote(value)}" if value else option


def level_name(level: Any) -> str:
    """Return a level's name: text without quotes, components joined by ``+``, anything else as JSON.

    An absolute path is named by its last part, a MIDI file without its ending: names do not depend on a machine.
    Characters that cannot be printed are escaped.
    """
    if isinstance(level, str):
        return printable(_path_name(level) if PurePath(level).is_absolute() else level)
    if isinstance(level, list):
        return "+".join(level_name(item) for item in level) or "none"
    if isinstance(level, dict):
        return "+".join(f"{name}{_options(value)}" for name, value in level.items()) or "none"
    return json.dumps(level, default=str)  # a date is an error, and needs a name in its message


def alike(name: str) -> str:
    """Return what a name looks like: equal for names that differ in spaces or in how a character is composed only."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def _path_name(path: str) -> str:
    name = PurePath(path).name
    return PurePath(name).stem if name.lower().endswith(MIDI_SUFFIXES) else name or path


def _options(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return ""
    return "(" + ", ".join(f"{key}={level_name(item)}" for key, item in value.items()) + ")"


def block_paths(spec: Mapping[str, Any]) -> list[str]:
    """Return the paths of the axes that are blocks.

    Args:
        spec: a study file as plain data, as the database contains it.
    """
    axes: Mapping[str, Any] = spec.get("axes") or {}
    return [path for path, axis in axes.items() if isinstance(axis, dict) and axis.get("block")]


def block_name(levels: Mapping[str, Any], paths: Iterable[str], labels: Mapping[str, str]) -> str:
    """Return the name of the block of a variant with these levels; empty where no axis is a block.

    Args:
        levels: the variant's, by path.
        paths: the paths of the axes that are blocks.
        labels: the short names of all axes.
    """
    return ", ".join(f"{labels[path]}={level_name(levels[path])}" for path in paths if path in levels)


def same(one: Any, other: Any) -> bool:
    """Check whether two levels are the same: 1 and 1.0 are, 1 and true are not."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def replicate_labels(spec: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Return the labels of the replicates of each variant in judged results, such as seeds, in the order of replicates.

    Studies that ablate ran have none: their replicates are numbers.
    """
    labels: Mapping[str, Sequence[str]] = (spec.get("judged") or {}).get("replicates") or {}
    return labels


def replicate_name(spec: Mapping[str, Any], variant: str, replicate: int) -> str:
    """Return the label of a replicate in judged results, or its number in any other study."""
    own = replicate_labels(spec).get(variant, ())
    return printable(str(own[replicate])) if replicate < len(own) else str(replicate)
