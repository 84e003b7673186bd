"""Helpers of all observers: missing libraries, flat configurations, paths for people."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import ablate

#: A run of a study: its variant and replicate.
Key = tuple[str, int]


def library(name: str, extra: str) -> Any:
    """Import and return a library.

    Raises:
        AblateError: it is not installed; the message names the extra.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise AblateError(
            f"--observe {extra} needs {package}: pip install 'ablate-music[{extra}]' ({error})"
        ) from error


def key(event: ablate.RunStarted | ablate.StepLogged | ablate.RunFinished) -> Key:
    """Return the run of an event."""
    return event.variant, event.replicate


def title(event: ablate.RunStarted) -> str:
    """Return the name of a run for people."""
    return f"{event.variant}, replicate {event.replicate}"


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with the paths of a study file as keys (``"sampler.temperature.tau"``).

    Numbers, texts and truth values stay; anything else becomes text.
    """
    return {path: value if isinstance(value, int | float | str) else str(value) for path, value in _flat(config)}


def _flat(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, content in config.items():
        if isinstance(content, dict):
            yield from ((f"{section}.{option}", value) for option, value in content.items())
            continue
        for choice in content:  # the components of a kind
            path = f"{section}.{choice['name']}"
            yield f"{path}.version", choice["version"]
            yield from ((f"{path}.{option}", value) for option, value in choice["options"].items())


def results(event: ablate.RunFinished) -> dict[str, float]:
    """Return the results of a run by name: its measurements, and the facts of its training.

    A slash joins a metric and its feature (``"distance.pitch/average"``), by which these tools make groups.
    """
    measured = {
        each.metric if each.feature == "value" else f"{each.metric}/{each.feature}": each.value
        for each in event.measurements
    }
    facts = {f"training/{name}": float(value) for name, value in event.training.items()}
    return {**measured, **facts, "seconds": event.seconds}


def folder_name(name: str) -> str:
    """Return a name as that of a folder, as close to it as all systems allow; different names may become equal."""
    return re.sub(r"[^\w@=,+.() -]", "_", name)[:100].strip(". ") or "_"


def shown(path: Path) -> str:
    """Return a path relative to the working folder where it is inside, for commands that people copy."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)
