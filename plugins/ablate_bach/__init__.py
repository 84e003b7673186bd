"""The corpus ``bach-prelude``: one short piece that is part of the package, for a first try.

J. S. Bach, Prelude in C major, BWV 846: the score, and a small renderer that plays it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_bach.options import PreludeOptions
from ablate_bach.sources import FRIBERG_2006, REPP_1992, TODD_1992

if TYPE_CHECKING:
    from collections.abc import Iterable


def _build(options: PreludeOptions) -> ablate.Corpus:
    from ablate_bach.render import Prelude  # NumPy only when built

    return Prelude(options)


@ablate.hookimpl
def ablate_corpora() -> Iterable[ablate.CorpusSpec]:
    """Offer the prelude."""
    yield ablate.CorpusSpec(
        name="bach-prelude",
        summary="Bach's Prelude in C major, BWV 846: 549 notes, two minutes, no download.",
        options=PreludeOptions,
        build=_build,
        cite=(REPP_1992, TODD_1992, FRIBERG_2006),
    )
