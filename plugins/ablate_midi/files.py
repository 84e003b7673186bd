"""MIDI files as a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate.music.corpus.read import corpus_digest, read_corpus
from ablate.music.instruments import Chooser
from ablate_midi.instruments import choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_midi.options import MidiOptions


class MidiFiles(ablate.Corpus):
    """The corpus of the performances of a file or folder."""

    def __init__(self, options: MidiOptions) -> None:
        self._options = options

    def identity(self) -> str:
        """Return the digest of the files, and the options that affect reading."""
        options = self._options
        # skip_bad too: without it, a folder with a bad file must fail again instead of using earlier results
        settings = f"reader={options.reader} sustain={options.sustain} skip_bad={options.skip_bad}"
        settings += f" longest_pause={options.longest_pause:g}"
        if options.instruments != "all":
            settings += f" instruments={Chooser(options.instruments).identity}"
        return f"{corpus_digest(options.path)} {settings}"

    def load(self) -> Sequence[ablate.Performance]:
        """Return the performances; ``problems`` and ``left_out`` are then those of their files.

        Raises:
            CorpusError: no file can be read and has the chosen instruments, or without ``skip_bad``, one file cannot
                be read or has none of them.
        """
        options = self._options
        performances, self.problems, self.left_out = read_corpus(
            options.path,
            options.reader,
            skip_bad=options.skip_bad,
            sustain=options.sustain,
            longest_pause=options.longest_pause,
            pause_option="corpus.midi.longest_pause",
        )
        if options.instruments != "all":
            chosen = choose(performances, options.instruments, skip_bad=options.skip_bad)
            self.problems = (*self.problems, *chosen.problems)
            self.left_out = {noun: count + chosen.left_out[noun] for noun, count in self.left_out.items()}
            self.left_out_why = chosen.why
            return chosen.pieces
        return performances
