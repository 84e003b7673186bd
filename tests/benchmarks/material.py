"""Music for the benchmarks: real where it is to be had, otherwise made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ablate.engine.training.job import Recipe
from ablate.music.performance import NOTE_DTYPE, Performance
from ablate.registry import get_registry

#: Files and notes of the MAESTRO data set, which the large folder is as large as.
MAESTRO_FILES, MAESTRO_NOTES = 1276, 7_000_000


def recipe() -> Recipe:
    """Adam at a constant rate, as a study has it that names neither."""
    registry, made = get_registry(), []
    for kind in ("optimizer", "schedule"):
        spec = registry.spec(kind, registry.default(kind))
        made.append(spec.build(spec.parse({})))
    return Recipe(made[0], made[1], vocabulary=0)


def saarland() -> Path | None:
    """The folder of the 50 pieces of the Saarland Music Data, or None where it is not."""
    named = os.environ.get("ABLATE_SMD_DIR")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared/data/smd"
    return folder if folder.is_dir() else None


def made_piece(seed: int, notes: int, low: int = 21, high: int = 108) -> Performance:
    """Random notes at the pace of a piano piece; no two of a pitch overlap."""
    rng = np.random.default_rng(seed)
    made = np.zeros(notes, NOTE_DTYPE)
    made["start"] = np.cumsum(rng.exponential(0.12, notes))
    made["pitch"] = rng.integers(low, high + 1, notes)
    made["velocity"] = rng.integers(20, 110, notes)
    made["end"] = made["start"] + rng.uniform(0.05, 1.0, notes)
    order = np.lexsort([made["start"], made["pitch"]])
    made = made[order]
    again = np.flatnonzero(made["pitch"][1:] == made["pitch"][:-1])
    made["end"][again] = np.minimum(made["end"][again], made["start"][again + 1])
    return Performance(made, name=f"piece-{seed:04d}").canonical()


def write_folder(folder: Path, files: int, notes: int) -> None:
    """MIDI files of random notes, ``notes`` in all; written by symusic, for pretty_midi would take an hour."""
    import symusic

    for number in range(files):
        piece = made_piece(number, notes // files).notes
        score = symusic.Score(480)
        track: Any = symusic.Track("piano", 0, False)
        start, end = (np.rint(piece[key] * 960).astype(np.int32) for key in ("start", "end"))
        pitch, velocity = piece["pitch"].astype(np.int8), piece["velocity"].astype(np.int8)
        track.notes = symusic.core.NoteTickList.from_numpy(start, np.maximum(end - start, 1), pitch, velocity)
        score.tracks.append(track)
        score.dump_midi(str(folder / f"piece-{number:04d}.mid"))
