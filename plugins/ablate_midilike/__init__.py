"""Tokenizers that write a performance as MIDI-like events: note-on, note-off, velocity and time shift.

``midilike-classic`` is the 240-token scheme of Performance-RNN-PyTorch, reproduced token for token for comparisons with
old results; ``midilike`` has the same four families of events and a known bound on the error of a decoded note.
``midilike-bpe`` is fitted on the training pieces: it writes frequent neighbours of ``midilike`` as one token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_midilike.options import BpeOptions, ClassicOptions, GridOptions
from ablate_midilike.sources import FRADET_2023, LEE_2018, OORE_2020, SENNRICH_2016

if TYPE_CHECKING:
    from collections.abc import Iterable


def _classic(options: ClassicOptions) -> ablate.Tokenizer:
    from ablate_midilike.classic import ClassicTokenizer

    return ClassicTokenizer(options)


def _grid(options: GridOptions) -> ablate.Tokenizer:
    from ablate_midilike.grid import GridTokenizer

    return GridTokenizer(options)


def _bpe(options: BpeOptions) -> ablate.Tokenizer:
    from ablate_midilike.bpe import BpeTokenizer

    return BpeTokenizer(options)


@ablate.hookimpl
def ablate_tokenizers() -> Iterable[ablate.TokenizerSpec]:
    """Offer the tokenizers."""
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
    yield ablate.TokenizerSpec(
        name="midilike-bpe",
        summary="The tokens of midilike, with neighbours merged that are frequent in the training pieces (BPE).",
        options=BpeOptions,
        build=_bpe,
        fitted=True,
        cite=(OORE_2020, SENNRICH_2016, FRADET_2023),
    )
