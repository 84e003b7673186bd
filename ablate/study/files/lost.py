"""Find the files of a finished stage that are missing or damaged."""

from __future__ import annotations

import collections
import math
from typing import TYPE_CHECKING

from ablate.digests import Damage, damages
from ablate.inside import inside
from ablate.kinds import INSTRUMENT, KINDS, TRAIN, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.store.records import StageRecord

#: Files that a stage may have or not, and that change what is computed from it where they are.
_OPTIONAL = (INSTRUMENT, "validation.npz")
#: The file that every stage of a kind has for those that read it; the others are read by nobody else.
_READ = {
    "load": "performances.npz",
    "fit": "learned.bin",
    "prepare": "examples.npz",
    "prime": "primer.npy",
    TRAIN: WEIGHTS,
}


def lost_files(home: Path, stage: StageRecord, *, artifact: str, is_read: bool) -> list[Damage]:
    """Return the files of a finished stage that are missing or damaged.

    All files must be there with the sizes that they had. They are read, and their digests compared, if they have
    changed after the stage was recorded, or if another stage is going to read them.

    Args:
        home: the folder with all files.
        stage: its record.
        artifact: the folder of its files, relative to the home.
        is_read: whether another stage is going to read them.

    Raises:
        UnsafePath: the folder above leads out of the home through a link.
    """
    if not stage.artifact:
        return []
    if (home / artifact).is_symlink():
        return [Damage(artifact, "is a link and no folder")]
    inside(home, artifact)
    if not stage.files:
        return list(_lost_without_digests(home, stage, artifact, is_read=is_read))
    since = stage.finished.timestamp() if stage.finished and not is_read else -math.inf
    found = list(damages(home, artifact, stage.files, since))
    own = _READ.get(stage.kind)
    if is_read and own and own not in stage.files:  # a bundle may have left it out
        found.append(Damage(f"{artifact}/{own}", "is missing"))
    return [*found, *unexpected(home, artifact, stage.files)]


def unexpected(home: Path, artifact: str, files: Mapping[str, str]) -> Iterator[Damage]:
    """Yield the files of a stage that are not recorded and would change what is computed from it."""
    for name in _OPTIONAL:
        if name not in files and (home / artifact / name).exists():
            yield Damage(f"{artifact}/{name}", "was not written with the others")


def _lost_without_digests(home: Path, stage: StageRecord, artifact: str, *, is_read: bool) -> Iterator[Damage]:
    """Yield what is missing of a stage that an older ablate recorded, or whose files a bundle left out."""
    own = _READ.get(stage.kind, "")
    if not is_read and not KINDS[stage.kind].samples:
        return
    path = home / artifact / own
    if not (path.is_file() and path.stat().st_size if own else path.is_dir()):
        yield Damage(f"{artifact}/{own}".rstrip("/"), "is missing or empty")


def lost_line(lost: Mapping[str, tuple[str, Sequence[Damage]]]) -> str:
    """Return a line that counts the files that are lost, and the stages that run again.

    Args:
        lost: the kind and the damaged files of each stage, by its fingerprint.
    """
    files = [damage for _, found in lost.values() for damage in found]
    kinds = collections.Counter(kind for kind, _ in lost.values())
    listing = ", ".join(
        _counted(kinds[kind.name], kind.noun or kind.name) for kind in KINDS.values() if kinds[kind.name]
    )
    more = f", and {len(files) - 1:,} more" if len(files) > 1 else ""
    runs = "runs" if len(lost) == 1 else "run"
    return (
        f"{_counted(len(files), 'file')} of finished results cannot be used, so {_counted(len(lost), 'stage')} {runs} "
        f"again ({listing}): {files[0]}{more}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
