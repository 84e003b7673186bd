"""The corpus ``midi``: a MIDI file, or a folder of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_midi.options import MidiOptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _build(options: MidiOptions) -> ablate.Corpus:
    from ablate_midi.files import MidiFiles  # NumPy only when built

    return MidiFiles(options)


@ablate.hookimpl
def ablate_corpora() -> Iterable[ablate.CorpusSpec]:
    """Offer MIDI files."""
    yield ablate.CorpusSpec(
        name="midi",
        summary="MIDI files: one, or all in a folder.",
        version="2",  # that of the reader, ablate.music.midi.READER_VERSION
        options=MidiOptions,
        build=_build,
        path_option="path",
        instruments_option="instruments",
        pause_option="longest_pause",
    )
