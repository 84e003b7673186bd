"""Check the content of a study file: find every problem that can be found without reading any music.

The shape of the file is right already (see :mod:`~ablate.study.file.sections`). No function here raises: each returns
or yields problems as (key, text).
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError, did_you_mean
from ablate.study.design import NAMED
from ablate.study.file import paths
from ablate.study.file.checks.design import budget_problems, design_problems, path_problems
from ablate.study.file.checks.kinds import unused_problems
from ablate.study.file.checks.levels import Base, axis_problems, baseline_problems, variant_problems
from ablate.study.file.checks.reading import objective_problems, part_problems
from ablate.study.file.configuration import resolve
from ablate.study.file.known import KnownSections
from ablate.study.file.labels import build_conditioner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.registry import Registry
    from ablate.study.file.paths import Problem
    from ablate.study.file.sections import Sections

#: Problems after which a file is not checked further: it is not one with a few mistakes.
MOST_FOUND = 100
#: Kinds of which a study needs at least one component.
_NEEDED = ("metric", "sampler")


def content_problems(file: Sections, registry: Registry) -> list[Problem]:
    """Find unknown components, options out of bounds, axes of nothing, levels that do not fit, and more."""
    known = KnownSections()
    _, problems = resolve(file.config, registry, known)
    if "parameters" in file.config and not file.runs_program:
        problems.append(("parameters", "belongs to a study that runs a program; this study has no [program]"))
    for kind in () if file.runs_program else _NEEDED:
        if not paths.chosen(file.config, kind):
            problems.append((kind, f"a study needs a {kind}. Offered: {', '.join(registry.names(kind))}"))
    base = Base(frozenset(problems), known)
    for check in _checks(file, registry, base):
        if len(problems) > MOST_FOUND:
            break
        problems += itertools.islice(check, MOST_FOUND)
    return problems


def _checks(file: Sections, registry: Registry, base: Base) -> Iterator[Iterator[Problem]]:
    """Yield the checks of everything but the base configuration, which has the result ``base``."""
    for axis in file.axes.values():
        if axis.path != NAMED:
            yield axis_problems(axis, file, registry, base)
    for name in file.named:
        yield variant_problems(name, file, registry, base)
    yield baseline_problems(file)
    yield design_problems(file)
    yield path_problems(file)
    yield budget_problems(file)
    yield objective_problems(file)
    yield part_problems(file)
    yield _label_problems(file, registry)
    yield unused_problems(file)


def _label_problems(file: Sections, registry: Registry) -> Iterator[Problem]:
    """Find labels that no conditioner in the study uses, so that setting them would change nothing."""
    keys = {label: f"labels.{label}" for label in file.config.get("labels", {})}
    keys |= {path.removeprefix("labels."): f"axes.{path}" for path in file.axes if path.startswith("labels.")}
    for name, changes in file.named.items():
        paths_of_labels = [path for path in changes if path.startswith("labels.")]
        keys |= {path.removeprefix("labels."): f"variants.{name}.{path}" for path in paths_of_labels}
    if not keys:
        return
    known = sorted({label for value in _conditioner_values(file) for label in _labels_of(value, registry)})
    for label, key in keys.items():
        if label not in known:
            listing = f"labels in use: {', '.join(known) or 'none'}"
            yield key, f"no conditioner in this study uses this label{did_you_mean(label, known)} ({listing})"


def _conditioner_values(file: Sections) -> Iterator[Any]:
    """Yield every value that the key ``conditioner`` has: in the base configuration, as a level, in a variant."""
    yield file.config.get("conditioner", [])
    if "conditioner" in file.axes:
        yield from file.axes["conditioner"].levels
    for changes in file.named.values():
        if "conditioner" in changes:
            yield changes["conditioner"]


def _labels_of(value: Any, registry: Registry) -> Iterator[str]:
    for name, options in (paths.named(value) or {}).items():
        with contextlib.suppress(AblateError, ValueError):  # reported where the conditioner is chosen
            yield from build_conditioner(name, options, registry).labels
