"""The corpus ``folk-tunes``: four short pieces for four instruments and drums that are part of the package.

The melodies are traditional and in the public domain; the arrangements are of this project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_folk.options import FolkOptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _build(options: FolkOptions) -> ablate.Corpus:
    from ablate_folk.render import FolkTunes  # NumPy only when built

    return FolkTunes(options)


@ablate.hookimpl
def ablate_corpora() -> Iterable[ablate.CorpusSpec]:
    """Offer the tunes."""
    yield ablate.CorpusSpec(
        name="folk-tunes",
        summary="Four folk tunes for flute, clarinet, guitar, bass and drums: 2,500 notes, four minutes, no download.",
        options=FolkOptions,
        build=_build,
    )
