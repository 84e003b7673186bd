"""Instruments of performances: their names, how many notes each has, and performances of some of them.

:class:`Chooser` is the meaning of the option ``instruments`` of corpora, and of other music that comes from files.

An instrument is a number: a General MIDI program, 0 to 127, or :data:`ablate.music.performance.DRUMS`, 128.

Source: MIDI Manufacturers Association, "General MIDI System Level 1" (RP-003), 1991: names of programs and families.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.errors import did_you_mean
from ablate.music.performance import DRUMS, Performance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ablate.arrays import Array

#: A choice of instruments: ``"all"``, ``"piano"``, ``"merge"``, or names and numbers (:func:`parse_instrument`), of
#: which several are a list or text with commas.
Choice = str | int | tuple[str | int, ...]
#: The family "piano" of General MIDI, from the grand piano to the clavinet.
PIANO = range(8)
#: The most instruments that a message lists.
MOST_LISTED = 8
#: The instruments whose notes stay, for each word that stands for a choice.
_OF_WORD = {"all": range(DRUMS + 1), "piano": PIANO, "merge": range(DRUMS)}
_DRUMS_NAME = "Drums"
_FAMILY = 8


def instrument_name(number: int) -> str:
    """Return the name of an instrument: ``"Acoustic Grand Piano"`` of 0, ``"Drums"`` of 128.

    Raises:
        ValueError: the number is not 0 to 128.
    """
    if not 0 <= number <= DRUMS:
        raise ValueError(f"an instrument is 0 to {DRUMS}, not {number}")
    return _DRUMS_NAME if number == DRUMS else _programs()[number]


def parse_instrument(value: str | int) -> tuple[int, ...]:
    """Return the instruments that a name or number stands for, in rising order.

    Args:
        value: a number, 0 to 128, also as text; a name of General MIDI (``"Flute"``); a family (``"piano"``,
            ``"strings"``); or ``"drums"``. Upper and lower case are the same.

    Raises:
        ValueError: it is none of these; the message is one line and may contain a suggestion.
    """
    text = str(value).strip()
    if text.removeprefix("-").isdecimal():
        number = int(text[:9])  # of a longer one, this much is out of range too
        instrument_name(number)
        return (number,)
    known = _by_name()
    numbers = known.get(text.casefold())
    if numbers is None:
        hint = did_you_mean(text.casefold(), [*_OF_WORD, *known]) or f" (known: 0 to {DRUMS}, {', '.join(families())})"
        raise ValueError(f"unknown instrument '{text}'{hint}")
    return numbers


def families() -> tuple[str, ...]:
    """Return the names of the families, in lower case and in the order of General MIDI, and ``"drums"``."""
    import pretty_midi  # seldom needed

    return (*(name.casefold() for name in pretty_midi.constants.INSTRUMENT_CLASSES), _DRUMS_NAME.casefold())


@functools.cache
def _programs() -> tuple[str, ...]:
    import pretty_midi  # seldom needed

    return tuple(pretty_midi.constants.INSTRUMENT_MAP)


@functools.cache
def _by_name() -> Mapping[str, tuple[int, ...]]:
    """Return the instruments of each name in lower case; a family has precedence over a program of its name."""
    programs = {name.casefold(): (number,) for number, name in enumerate(_programs())}
    *pitched, drums = families()
    members = {name: tuple(range(i * _FAMILY, (i + 1) * _FAMILY)) for i, name in enumerate(pitched)}
    return {**programs, **members, drums: (DRUMS,)}


def counts(notes: Array) -> dict[int, int]:
    """Return the number of notes of each instrument that has any, in rising order of the instrument.

    Args:
        notes: array of :data:`ablate.music.performance.NOTE_DTYPE`.
    """
    numbers, notes_of = np.unique(notes["instrument"], return_counts=True)
    return dict(zip(numbers.tolist(), notes_of.tolist(), strict=True))


def sole_instrument(performances: Iterable[Performance]) -> int:
    """Return the instrument that plays all notes of the performances; 0 where there are several, or no notes."""
    played: set[int] = set()
    for performance in performances:
        played.update(counts(performance.notes))
        if len(played) > 1:
            return 0
    return played.pop() if played else 0


class Chosen(NamedTuple):
    """Some instruments of a performance, and the number of its notes that were left out."""

    performance: Performance
    left_out: int


def only(performance: Performance, instruments: Collection[int]) -> Chosen:
    """Return a performance with the notes, primer notes, pedal events and track names of some instruments only."""
    numbers = list(instruments)
    notes, primer, pedals = (
        array[np.isin(array["instrument"], numbers)]
        for array in (performance.notes, performance.primer, performance.pedals)
    )
    names = {number: name for number, name in performance.track_names.items() if number in numbers}
    left_out = len(performance.notes) - len(notes)
    return Chosen(performance.replace(notes=notes, primer=primer, pedals=pedals, track_names=names), left_out)


def merged(performance: Performance) -> Chosen:
    """Return a performance with all pitched notes as those of a piano, instrument 0, and without its drums.

    The order of the notes stays. Where several pitched instruments play, their pedal events are left out, because each
    would hold the notes of all the others.
    """
    pitched = only(performance, range(DRUMS))
    several = len(counts(np.concatenate([pitched.performance.notes, pitched.performance.primer]))) > 1
    chosen = as_instrument(pitched.performance, 0)
    return Chosen(chosen.replace(pedals=chosen.pedals[:0]) if several else chosen, pitched.left_out)


def as_instrument(performance: Performance, number: int) -> Performance:
    """Return a performance whose notes, primer notes and pedal events all belong to one instrument."""
    changed = {}
    for name in ("notes", "primer", "pedals"):
        changed[name] = getattr(performance, name).copy()
        changed[name]["instrument"] = number
    names = "; ".join(dict.fromkeys(performance.track_names.values()))
    return performance.replace(**changed, track_names={number: names} if names else {})


class Chooser:
    """Applies a choice of instruments to performances.

    - ``"all"`` changes nothing;
    - ``"piano"`` leaves the notes of the family piano, 0 to 7, all as instrument 0;
    - ``"merge"`` is :func:`merged`: one piano plays all pitched notes, and drums are left out;
    - any other name, number or list of them leaves the notes of these instruments, under their own numbers.

    Args:
        choice: see :data:`Choice`.

    Attributes:
        numbers: the instruments whose notes it keeps.
        identity: a text for the choice, the same for every way to write it.

    Raises:
        ValueError: a name or number is none of an instrument, or there is none.
    """

    def __init__(self, choice: Choice) -> None:
        word = choice.strip().casefold() if isinstance(choice, str) else ""
        self._word = word if word in _OF_WORD else ""
        self.numbers: Collection[int] = _OF_WORD[self._word] if self._word else _parsed(choice)
        self.identity = self._word or ",".join(map(str, self.numbers))

    def __call__(self, performance: Performance) -> Performance:
        """Return what is chosen of a performance, possibly without any notes."""
        if self._word == "all":
            return performance
        if self._word == "merge":
            return merged(performance).performance
        chosen = only(performance, self.numbers).performance
        return as_instrument(chosen, 0) if self._word == "piano" else chosen

    def left_out(self, notes: Array) -> dict[int, int]:
        """Return the notes of each instrument that are left out; see :func:`counts`."""
        return {number: count for number, count in counts(notes).items() if number not in self.numbers}


def _parsed(choice: Choice) -> tuple[int, ...]:
    items = choice.split(",") if isinstance(choice, str) else [choice] if isinstance(choice, int) else choice
    numbers = tuple(sorted({number for item in items for number in parse_instrument(item)}))
    if not numbers:
        raise ValueError("name at least one instrument")
    return numbers


def listed(notes_of: Mapping[int, int]) -> str:
    """Return numbers of notes as text for people, the most first: ``"Drums 576, Flute 120"``."""
    ordered = sorted(notes_of.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{instrument_name(number)} {count:,}" for number, count in ordered[:MOST_LISTED]]
    rest = ordered[MOST_LISTED:]
    return ", ".join(shown) + (f", and {len(rest)} more with {sum(count for _, count in rest):,}" if rest else "")
