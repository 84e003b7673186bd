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
    instruments: str | int | tuple[str | int, ...] = ablate.option(
        "all",
        doc='"all"; "piano": the family piano, as one piano; "merge": all pitched notes as those of one piano, without '
        'drums; or names and numbers of General MIDI, families and "drums", as a list or with commas.',
    )

    def __post_init__(self) -> None:
        """Check that the instruments exist."""
        if self.instruments == "all":
            return
        from ablate.music.instruments import Chooser  # NumPy only when needed

        try:
            Chooser(self.instruments)
        except ValueError as error:
            raise ValueError(f"instruments: {error}") from None
