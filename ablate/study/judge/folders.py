"""Folders of MIDI files that somebody else generated: ``FOLDER/variant/replicate/*.mid``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import CorpusError, TableError
from ablate.music.corpus.find import find_midi
from ablate.printable import printable
from ablate.study.judge.columns import listed
from ablate.study.judge.observations import Observations
from ablate.study.judge.runs import judged_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.study.judge.runs import JudgedRuns

#: The axis of the variants, and what the folders of a variant are.
AXIS, REPLICATE = "variant", "folder"
_LAYOUT = "expected FOLDER/VARIANT/REPLICATE/*.mid"


@dataclasses.dataclass(frozen=True)
class MidiFolder:
    """The MIDI files of several variants.

    Attributes:
        source: the folder, as it is shown.
        runs: the variants and runs.
        folders: (variant, replicate) -> the folder of its files.
        samples: the smallest number of files of a run.
        notes: how the folder was read, one line each.
    """

    source: str
    runs: JudgedRuns
    folders: Mapping[tuple[str, int], Path]
    samples: int
    notes: tuple[str, ...]


def read_midi_folder(root: Path, baseline: Sequence[str]) -> MidiFolder:
    """Find the folders of variants and replicates; no file is read.

    Args:
        root: has a folder for each variant, which has a folder for each replicate.
        baseline: see :func:`ablate.study.judge.runs.judged_runs`.

    Raises:
        TableError: there are no MIDI files in such folders.
        UnknownName: no variant has the name of the baseline.
    """
    source = str(root)
    if not root.is_dir():
        raise TableError(source, "there is no such folder")
    found: dict[tuple[str, str], Path] = {}
    empty: list[str] = []
    for variant in _folders(root):
        for replicate in _folders(variant):
            if _count(replicate):
                found[printable(variant.name), printable(replicate.name)] = replicate
            else:
                empty.append(printable(f"{variant.name}/{replicate.name}"))
    names = [printable(folder.name) for folder in _folders(root)]
    loose = [name for name in names if not any(variant == name for variant, _ in found)]
    if not found:
        raise TableError(source, f"has no MIDI files in folders of variants and replicates; {_LAYOUT}")
    labels = {label for _, label in found}
    numeric = all(map(str.isdecimal, labels)) and len(set(map(int, labels))) == len(labels)
    counts = {
        ((variant,), int(label) if numeric else label, "files", 0): float(_count(folder))
        for (variant, label), folder in found.items()
    }
    runs = judged_runs(Observations((AXIS,), counts, frozenset(), ()), baseline, source, REPLICATE)
    by_label = {(variant, str(int(label)) if numeric else label): folder for (variant, label), folder in found.items()}
    folders = {(run.variant, run.replicate): by_label[run.variant, run.label] for run in runs.runs if run.values}
    numbers = sorted({int(count) for count in counts.values()})
    notes = [f"left out, folders of replicates without MIDI files: {len(empty)} ({listed(empty)})"] if empty else []
    notes += (
        [f"left out, folders of variants without replicates: {len(loose)} ({listed(loose)}); {_LAYOUT}"]
        if loose
        else []
    )
    notes += [f"runs have {numbers[0]} to {numbers[-1]} files each"] if len(numbers) > 1 else []
    return MidiFolder(source, runs, folders, numbers[0], (*notes, *runs.notes))


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder by name, without hidden ones; numbers in increasing order."""
    inside = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(inside, key=lambda path: (int(path.name) if path.name.isdecimal() else -1, path.name))


def _count(folder: Path) -> int:
    """Return the number of MIDI files in a folder and its subfolders."""
    try:
        return len(find_midi(folder))
    except CorpusError:
        return 0
