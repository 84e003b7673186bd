"""Tokenizers that write a performance as MIDI-like events: note-on, note-off, velocity and time shift.

``midilike-classic`` is the 240-token scheme of Performance-RNN-PyTorch, reproduced token for token for comparisons with
old results; ``midilike`` has the same four families of events and a known bound on the error of a decoded note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_midilike.options import ClassicOptions, GridOptions
from ablate_midilike.sources import LEE_2018, OORE_2020

if TYPE_CHECKING:
    from collections.abc import Iterable


def _classic(options: ClassicOptions) -> ablate.Tokenizer:
    from ablate_midilike.classic import ClassicTokenizer

    return ClassicTokenizer(options)


def _grid(options: GridOptions) -> ablate.Tokenizer:
    from ablate_midilike.grid import GridTokenizer

    return GridTokenizer(options)


@ablate.hookimpl
def ablate_tokenizers() -> Iterable[ablate.TokenizerSpec]:
    """Offer both tokenizers."""
    yield ablate.TokenizerSpec(
        name="midilike",
        summary="Note-on, note-off, velocity and time shift, within half a step of the original.",
        options=GridOptions,
        build=_grid,
        cite=(OORE_2020,),
    )
    yield ablate.TokenizerSpec(
        name="midilike-classic",
        summary="The 240 tokens of Performance-RNN-PyTorch, with their drift.",
        options=ClassicOptions,
        build=_classic,
        cite=(LEE_2018, OORE_2020),
    )
