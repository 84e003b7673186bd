"""Corpora of folk tunes that are part of the package: four for instruments and drums, and twelve for piano.

The melodies are traditional and in the public domain; the arrangements and settings are of this project.

The modules in the order of reading:

- :mod:`ablate_folk.melodies`: the tunes as texts; :mod:`ablate_folk.tunes`: as numbers;
- :mod:`ablate_folk.arrange`: the arrangement for instruments; :mod:`ablate_folk.render`: how it is played;
- :mod:`ablate_folk.piano`: the setting for piano; :mod:`ablate_folk.pianist`: how it is played.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_bach.sources import FRIBERG_2006, REPP_1992, TODD_1992
from ablate_folk.options import FolkOptions, PianoOptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _build_tunes(options: FolkOptions) -> ablate.Corpus:
    from ablate_folk.render import FolkTunes  # NumPy only when built

    return FolkTunes(options)


def _build_piano(options: PianoOptions) -> ablate.Corpus:
    from ablate_folk.pianist import FolkPiano  # NumPy only when built

    return FolkPiano(options)


@ablate.hookimpl
def ablate_corpora() -> Iterable[ablate.CorpusSpec]:
    """Offer the tunes in both forms."""
    yield ablate.CorpusSpec(
        name="folk-tunes",
        summary="Four folk tunes for flute, clarinet, guitar, bass and drums: 2,500 notes, four minutes, no download.",
        options=FolkOptions,
        build=_build_tunes,
    )
    yield ablate.CorpusSpec(
        name="folk-piano",
        summary="Twelve folk tunes set for piano: 3,800 notes, eleven minutes, no download; enough to hold pieces out.",
        options=PianoOptions,
        build=_build_piano,
        cite=(REPP_1992, TODD_1992, FRIBERG_2006),
    )
