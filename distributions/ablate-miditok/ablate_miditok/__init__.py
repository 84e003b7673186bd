"""MidiTok's tokenizers: REMI, TSD, MIDI-Like and Structured, each also with byte-pair encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_miditok.options import BPE_OPTIONS, MidiTokOptions
from ablate_miditok.sources import CITE, FRADET_2023

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ablate_miditok.options import BpeOptions

_SUMMARIES = {
    "remi": "Bars, positions, pitches, velocities and durations",
    "tsd": "Time shifts, pitches, velocities and durations",
    "midilike": "Note-ons, velocities, note-offs and time shifts",
    "structured": "Time shift, pitch, velocity and duration of each note",
}


def _remi(options: MidiTokOptions) -> ablate.Tokenizer:
    return _plain("remi", options)


def _tsd(options: MidiTokOptions) -> ablate.Tokenizer:
    return _plain("tsd", options)


def _midilike(options: MidiTokOptions) -> ablate.Tokenizer:
    return _plain("midilike", options)


def _structured(options: MidiTokOptions) -> ablate.Tokenizer:
    return _plain("structured", options)


def _plain(scheme: str, options: MidiTokOptions) -> ablate.Tokenizer:
    from ablate_miditok.plain import PlainTokenizer

    return PlainTokenizer(scheme, options)


def _bpe(options: BpeOptions) -> ablate.Tokenizer:
    from ablate_miditok.bpe import BpeTokenizer

    return BpeTokenizer(options)


_BUILD: dict[str, Callable[[MidiTokOptions], ablate.Tokenizer]] = {
    "remi": _remi,
    "tsd": _tsd,
    "midilike": _midilike,
    "structured": _structured,
}


@ablate.hookimpl
def ablate_tokenizers() -> Iterable[ablate.TokenizerSpec]:
    """Offer each scheme without and with byte-pair encoding."""
    for scheme, summary in _SUMMARIES.items():
        yield ablate.TokenizerSpec(
            name=f"miditok-{scheme}",
            summary=f"{summary} (MidiTok).",
            options=MidiTokOptions,
            build=_BUILD[scheme],
            cite=CITE[scheme],
        )
        yield ablate.TokenizerSpec(
            name=f"miditok-{scheme}-bpe",
            summary=f"{summary}, merged by byte-pair encoding (MidiTok).",
            options=BPE_OPTIONS[scheme],
            build=_bpe,
            fitted=True,
            cite=tuple(dict.fromkeys((*CITE[scheme], FRADET_2023))),
        )
