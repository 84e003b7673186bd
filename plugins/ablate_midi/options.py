"""Options of the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class MidiOptions:
    """Options of ``midi``."""

    path: str = ablate.option(min_length=1, doc="A MIDI file, or a folder searched with its subfolders.")
    reader: Literal["symusic", "pretty_midi"] = ablate.option(
        "symusic",
        doc="symusic is fast; pretty_midi is slow and gives that library's order of notes.",
    )
    sustain: Literal["ignore", "extend"] = ablate.option(
        "ignore",
        doc="extend: a note held by the sustain pedal lasts until the pedal comes up or its pitch is struck again.",
    )
    skip_bad: bool = ablate.option(False, doc="Leave out files that cannot be read, and list them.")
