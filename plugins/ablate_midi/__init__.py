"""The corpus ``midi``: a MIDI file, or a folder of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class MidiOptions:
    """Options of ``midi``."""

    path: str = ablate.option(min_length=1, doc="A MIDI file, or a folder searched with its subfolders.")
    reader: Literal["symusic", "pretty_midi"] = ablate.option(
        "symusic",
        doc="symusic is fast; pretty_midi is slow and keeps that library's order of notes.",
    )
    sustain: Literal["ignore", "extend"] = ablate.option(
        "ignore",
        doc="extend: a note held by the sustain pedal lasts until the pedal comes up or its pitch is struck again.",
    )
    skip_bad: bool = ablate.option(False, doc="Leave out files that cannot be read, and say which.")


def _build(options: MidiOptions) -> ablate.Corpus:
    from ablate_midi.files import MidiFiles  # NumPy only when built

    return MidiFiles(options)


@ablate.hookimpl
def ablate_corpora() -> Iterable[ablate.CorpusSpec]:
    """Offer MIDI files."""
    yield ablate.CorpusSpec(
        name="midi",
        summary="MIDI files: one, or all in a folder.",
        options=MidiOptions,
        build=_build,
        path_option="path",
    )
