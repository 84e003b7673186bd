"""The sources that an unfinished training was started with, in a file beside its checkpoint."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from ablate.files import write_whole
from ablate.study.stage import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _path(home: Path, fingerprint: str) -> Path:
    return (home / checkpoint_path(fingerprint)).with_suffix(".json")


def write_started(home: Path, fingerprint: str, facts: Mapping[str, Any]) -> None:
    """Write what a training starts with, unless it is one that will be resumed."""
    if (home / checkpoint_path(fingerprint)).exists():
        return
    path = _path(home, fingerprint)
    with contextlib.suppress(OSError):  # the training itself reports a full disk
        write_whole(path, json.dumps(facts).encode())


def read_started(home: Path, fingerprint: str) -> Mapping[str, Any] | None:
    """Return what a training that is not recorded yet was started with; None if it is not known."""
    try:
        facts: dict[str, Any] = json.loads(_path(home, fingerprint).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts


def remove_started(home: Path, fingerprint: str) -> None:
    """Remove the file of a training that is finished, or that nobody will resume."""
    with contextlib.suppress(OSError):
        _path(home, fingerprint).unlink(missing_ok=True)
