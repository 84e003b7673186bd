"""Collect MIDI files that somebody else generated, as the samples of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import NothingGenerated
from ablate.music.corpus.read import left_out_text, read_corpus
from ablate.music.storage import pack_performances
from ablate.printable import printable
from ablate.study.pause import pause_of
from ablate.study.work.artifacts import midi_files, write_artifact
from ablate.study.work.messages import StageResult

if TYPE_CHECKING:
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


def collect(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Read the MIDI files of a folder in the order of their names; the artifact is that of a generation.

    With ``skip_bad``, files that cannot be read or have no notes are left out and listed among the problems.

    Raises:
        CorpusError: a file cannot be read.
        NothingGenerated: a file has no notes, or no file has any.
    """
    (stage,) = stages
    folder, skip = Path(stage.extra["folder"]), bool(stage.config["skip_bad"])
    pieces, problems, left_out = read_corpus(folder, skip_bad=skip, **pause_of(stage))
    silent = [piece.name for piece in pieces if not len(piece)]
    if silent and not skip:
        raise NothingGenerated(f"{silent[0]} in {folder} has no notes; remove the file, or pass --skip-bad")
    problems += tuple(f"{name}: left out: no notes" for name in silent)
    samples = [_sample(piece, number) for number, piece in enumerate(piece for piece in pieces if len(piece))]
    if not samples:
        raise NothingGenerated(f"no file in {folder} has any note")
    midi = midi_files(samples)
    name = printable(f"{folder.parent.name}/{folder.name}")
    changes, odd = ([f"{name}: {line}" for line in lines] for lines in (midi.changes, midi.problems))
    write_artifact(context.home, stage, {"performances.npz": pack_performances(samples), **midi.files})
    notes = sum(len(sample) for sample in samples)
    left_out = {**left_out, "files": left_out["files"] + len(silent)}
    result = {
        "samples": len(samples),
        "notes": notes,
        "seconds": sum(sample.seconds for sample in samples),
        "problems": [*(f"{name}/{line}" for line in problems), *odd],
        "written": changes,
        "left_out": left_out,
        "summary": left_out_text(left_out, {"files": len(samples), "notes": notes}),
    }
    return [StageResult(stage, result, 0.0)]


def _sample(piece: Performance, number: int) -> Performance:
    sample = piece.replace(name=f"sample-{number:02d}")
    sample.check()
    return sample
