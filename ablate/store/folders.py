"""The folders of stages in a home, as a database names them: nobody knows who wrote the database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ablate.errors import UnsafePath
from ablate.inside import inside
from ablate.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.store.records import StageRecord

_KIND, _FINGERPRINT = re.compile(r"[a-z]+"), re.compile(r"[0-9a-f]{64}")


def is_fingerprint(text: str) -> bool:
    """Check whether a text is a fingerprint, so that it can be a part of a path."""
    return _FINGERPRINT.fullmatch(text) is not None


def own_folder(kind: str, fingerprint: str) -> str:
    """Return the folder of the files of a stage, relative to the home; empty where no stage can have these values."""
    if not _KIND.fullmatch(kind) or not is_fingerprint(fingerprint):
        return ""
    return f"artifacts/{kind}/{fingerprint[:2]}/{fingerprint}"


def stage_folder(home: Path, stage: StageRecord) -> Path:
    """Return the folder of the files of a stage.

    Args:
        home: the home folder.
        stage: from its database.

    Raises:
        UnsafePath: the database names something that is not inside the home.
    """
    return stage_file(home, stage, "")


def stage_file(home: Path, stage: StageRecord, name: str) -> Path:
    """Return the path of a file in the folder of a stage, or of the folder itself for an empty name.

    Args:
        home: the home folder.
        stage: from its database.
        name: of the file.

    Raises:
        UnsafePath: the database names something that is not inside the home, or the file is a link out of it.
    """
    try:
        folder = inside(home, stage.artifact)
        return inside(home, f"{stage.artifact}/{name}") if name else folder
    except UnsafePath as error:
        raise UnsafePath(f"table ablate_stages, row {printable(stage.fingerprint[:80])}: {error}") from error
