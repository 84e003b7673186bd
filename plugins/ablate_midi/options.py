"""Options of the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class MidiOptions:
    """Options of ``midi``."""

    path: str = ablate.option(min_length=1, doc="A MIDI file, or a folder searched with its subfolders and links.")
    reader: Literal["ablate", "pretty_midi"] = ablate.option(
        "ablate",
        doc="The order of the notes. ablate: by start and pitch; pretty_midi: that of pretty_midi, by note-off.",
    )
    sustain: Literal["ignore", "extend"] = ablate.option(
        "ignore",
        doc="extend: a note held by the sustain pedal of its channel lasts until the pedal comes up (below 64) or its "
        "pitch is struck again.",
    )
    longest_pause: float = ablate.option(
        3600.0,
        gt=0,
        doc="Seconds that may pass without the beginning or end of a note; a file with a longer pause is refused.",
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
