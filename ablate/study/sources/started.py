"""The sources that an unfinished training was started with, in a file beside its checkpoint."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any

from ablate.files import write_whole
from ablate.store.reading.problems import digest_of
from ablate.study.stage import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)


def _path(home: Path, fingerprint: str) -> Path:
    return (home / checkpoint_path(fingerprint)).with_suffix(".json")


def write_started(home: Path, fingerprint: str, facts: Mapping[str, Any]) -> None:
    """Write what a training starts with, unless it is one that will be resumed.

    A checkpoint is removed if this file is missing or damaged: nobody would notice that it came from other sources.
    """
    checkpoint, path = home / checkpoint_path(fingerprint), _path(home, fingerprint)
    with contextlib.suppress(OSError):  # the training itself reports a full disk
        if checkpoint.exists():
            if read_started(home, fingerprint) is not None:
                return
            _log.warning("%s is damaged or missing, so training begins again at step 1 without its checkpoint", path)
            checkpoint.unlink()
        # thousands of trainings may start at once; what a power failure leaves of the file, its digest shows
        write_whole(path, json.dumps({"started": facts, "digest": digest_of(facts)}).encode(), flush=False)


def read_started(home: Path, fingerprint: str) -> Mapping[str, Any] | None:
    """Return what a training that is not recorded yet was started with; None if it is not known."""
    try:
        data = json.loads(_path(home, fingerprint).read_text(encoding="utf-8"))
        facts: dict[str, Any] = data["started"]
        return facts if data["digest"] == digest_of(facts) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def remove_started(home: Path, fingerprint: str) -> None:
    """Remove the file of a training that is finished, or that nobody will resume."""
    with contextlib.suppress(OSError):
        _path(home, fingerprint).unlink(missing_ok=True)
