"""MidiTok's schemes without byte-pair encoding.

MidiTok counts time in ticks of a grid with a fixed tempo; this module places notes on the grid, and computes the clock.
With the option ``instruments = "all"``, MidiTok writes all tracks as one sequence, with a program before every note, -1
for drums. The tokens and their decoding are MidiTok's, with one exception: a position of REMI that lies before the
clock, which only a model writes, is ignored. MidiTok would go back, and a clock must not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import miditok
import numpy as np
from symusic import Note, Score, Track

import ablate
from ablate.music.performance import DRUMS, make_notes
from ablate_miditok.options import BAR, FINE_BEATS
from ablate_miditok.programs import Programs

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import Array, BoolArray, FloatArray, IntArray
    from ablate_miditok.options import MidiTokOptions

CLASSES = {"remi": miditok.REMI, "tsd": miditok.TSD, "midilike": miditok.MIDILike, "structured": miditok.Structured}


def configuration(options: MidiTokOptions, split: str = "no") -> miditok.TokenizerConfig:
    """Return MidiTok's configuration: one piano or all instruments, in a constant metre of four beats."""
    fine, coarse = options.resolution, options.coarse
    return miditok.TokenizerConfig(
        pitch_range=(options.low, options.high),
        beat_res={(0, FINE_BEATS): fine, (FINE_BEATS, options.longest): coarse},
        num_velocities=options.velocity_bins,
        special_tokens=["PAD"],
        encode_ids_split=split,
        use_time_signatures=False,
        time_signature_range={4: [BAR]},
        use_pitchdrum_tokens=False,  # drums have the pitches of all others
        use_programs=options.instruments == "all",
        # MIDI-Like leaves out notes without an end, unless there is a longest duration
        max_duration=(options.longest, 0, coarse),
    )


class PlainTokenizer(ablate.Tokenizer):
    """One of :data:`CLASSES`.

    The start token is one that the first token of a piece can follow: a bar of REMI, the shortest time shift of TSD
    and MIDI-Like, a duration of one beat of Structured.
    """

    def __init__(self, scheme: str, options: MidiTokOptions) -> None:
        self._options = options
        self._midi = CLASSES[scheme](configuration(options))
        self.instruments, self.merges = options.instruments == "all", options.instruments == "merge"
        self.vocabulary = tuple(sorted(self._midi.vocab, key=self._midi.vocab.__getitem__))
        fine = options.resolution
        shift = f"TimeShift_0.1.{fine}"
        start = {"remi": "Bar_None", "tsd": shift, "midilike": shift, "structured": f"Duration_1.0.{fine}"}[scheme]
        self.start_token = self.vocabulary.index(start)
        self.seconds = 60.0 / options.bpm / options.resolution
        self.ticks = Ticks(self.vocabulary, self._midi, BAR * options.resolution)
        self._programs = Programs(self.vocabulary)
        self._next_vv = _successors(self.vocabulary, self._midi.tokens_types_graph)

    def score(self, performance: ablate.Performance) -> Any:
        """Return the notes within the range of pitches on the grid, as a score of ``symusic``.

        It has a track for each instrument, or one for all where instruments are not written.
        """
        notes = performance.notes
        notes = notes[(notes["pitch"] >= self._options.low) & (notes["pitch"] <= self._options.high)]
        score: Any = Score(self._options.resolution)
        if not self.instruments:
            score.tracks.append(self._track(notes[notes["instrument"] != DRUMS] if self.merges else notes, 0))
        for instrument in np.unique(notes["instrument"]).tolist() if self.instruments else ():
            score.tracks.append(self._track(notes[notes["instrument"] == instrument], instrument))
        return score

    def _track(self, notes: Array, instrument: int) -> Any:
        start, end = (np.rint(notes[edge] / self.seconds).astype(np.int32) for edge in ("start", "end"))
        length = np.maximum(end - start, 1).astype(np.int32)
        order = np.lexsort([notes["velocity"], length, notes["pitch"], start])
        columns = {"time": start, "duration": length, "pitch": notes["pitch"], "velocity": notes["velocity"]}
        types = {"time": np.int32, "duration": np.int32, "pitch": np.int8, "velocity": np.int8}
        track: Any = Track(program=instrument % DRUMS, is_drum=instrument == DRUMS)
        track.notes = Note.from_numpy(**{name: each[order].astype(types[name]) for name, each in columns.items()})
        return track

    def encode(self, performance: ablate.Performance) -> IntArray:
        """Return token ids, int64 [time]; the same for any order of the notes."""
        return encoded(self._midi, self.score(performance))

    def decode(self, tokens: IntArray) -> ablate.Performance:
        """Return the notes; those without velocity or duration are left out."""
        tokens = tokens[~self.ticks.goes_back(tokens)]
        sequence = miditok.TokSequence(tokens=[self.vocabulary[token] for token in tokens])
        score = self._midi.decode(sequence if self.instruments else [sequence]) if len(tokens) else None
        if score is None or not score.tracks:
            return ablate.Performance.from_notes([])
        played = [_played(track) for track in score.tracks]
        start = np.concatenate([times for _, times in played])
        notes = np.concatenate([notes for notes, _ in played])
        notes["start"] *= self.seconds
        notes["end"] *= self.seconds
        if self.instruments:
            notes = self._programs.in_order(notes, start, tokens, self.ticks.clock(tokens))
        return ablate.Performance(notes)

    def times(self, tokens: IntArray) -> FloatArray:
        """Return the clock in seconds after each token, float64 [time]."""
        return np.asarray(self.ticks.clock(tokens) * self.seconds)

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        """Return a running clock."""
        running = self.ticks.running(rows)
        every_r = np.arange(rows)

        def advance(tokens_r: IntArray) -> FloatArray:
            running.read(every_r, tokens_r)
            return np.asarray(running.tick_r * self.seconds)

        return advance

    def successors(self) -> BoolArray:
        """Return which word (column) can follow which (row) by their types, bool [vocabulary, vocabulary]."""
        return self._next_vv

    def grammar(self, rows: int) -> Callable[[IntArray], BoolArray]:
        """Return MidiTok's rules of types: a velocity follows a pitch, and so on."""
        del rows  # the latest token of each row is enough
        return lambda tokens_r: self._next_vv[tokens_r]


def _played(track: Any) -> tuple[Array, IntArray]:
    """Return the notes of a track, with times in ticks, and their starts as whole numbers."""
    played = track.notes.numpy()
    notes = make_notes(
        pitch=played["pitch"],
        velocity=played["velocity"],
        start=played["time"],
        end=played["time"] + played["duration"],
        instrument=DRUMS if track.is_drum else track.program,
    )
    # MIDI-Like takes the number after a note-on as its velocity, also that of program 0 or -1
    valid = notes["velocity"] > 0
    return notes[valid], played["time"][valid]


def encoded(midi: miditok.MusicTokenizer, score: Any) -> IntArray:
    """Return MidiTok's ids of a score, int64 [time]."""
    if not score.note_num():
        return np.empty(0, np.int64)
    sequence = midi.encode(score)
    return np.array((sequence if midi.one_token_stream else sequence[0]).ids, np.int64)


def _successors(vocabulary: tuple[str, ...], graph: dict[str, set[str]]) -> BoolArray:
    types = [word.split("_")[0] for word in vocabulary]
    names = sorted(set(types))
    follows = np.array([[two in graph[one] and "PAD" not in (one, two) for two in names] for one in names])
    follows[names.index("PAD")] = [name != "PAD" for name in names]  # a model may write it; anything can follow
    index = np.array([names.index(name) for name in types])
    return np.asarray(follows[index][:, index])


class Ticks:
    """The clock of the tokens, in ticks: time shifts move it, and bars and positions set it, but never back.

    Args:
        vocabulary: the words.
        midi: of MidiTok, for the lengths of time shifts.
        bar: ticks of a bar.
    """

    def __init__(self, vocabulary: tuple[str, ...], midi: miditok.MusicTokenizer, bar: int) -> None:
        self.bar = bar
        split = [word.split("_") for word in vocabulary]
        #: ticks by which each word moves the clock
        self.shift_v = np.array([_shift(kind, value, midi) for kind, value in split], np.int64)
        self.is_bar_v = np.array([kind == "Bar" for kind, _ in split])
        #: the position of each word in its bar; -1 for other words
        self.position_v = np.array([int(value) if kind == "Position" else -1 for kind, value in split], np.int64)

    def clock(self, tokens: IntArray) -> IntArray:
        """Return the tick after each token, int64 [time]."""
        return np.asarray(np.cumsum(self.shift_v[tokens]) + np.maximum.accumulate(np.append(0, self._set(tokens)))[1:])

    def goes_back(self, tokens: IntArray) -> BoolArray:
        """Return which tokens are positions that lie before the clock, bool [time]."""
        place = self._set(tokens)
        return np.asarray((self.position_v[tokens] >= 0) & (place < np.maximum.accumulate(place)))

    def _set(self, tokens: IntArray) -> IntArray:
        """Return the tick that each bar or position is at; 0 for other words."""
        is_bar, position = self.is_bar_v[tokens], self.position_v[tokens]
        # the first bar begins at 0; if a position comes first, it is in that bar, and the next bar is the second one
        sets = np.flatnonzero(is_bar | (position >= 0))
        bars = np.cumsum(is_bar) - (len(sets) > 0 and bool(is_bar[sets[0]]))
        return np.where(is_bar | (position >= 0), self.bar * bars + np.maximum(position, 0), 0)

    def running(self, rows: int) -> RunningTicks:
        """Return a running clock for rows that grow by one token at a time."""
        return RunningTicks(self, rows)


class RunningTicks:
    """The clock of rows that grow.

    Attributes:
        tick_r: the tick of each row now.
    """

    def __init__(self, ticks: Ticks, rows: int) -> None:
        self._ticks = ticks
        self.tick_r = np.zeros(rows, np.int64)
        self._bar_r = np.zeros(rows, np.int64)
        self._has_begun_r = np.zeros(rows, bool)

    def read(self, rows_n: IntArray, token_n: IntArray) -> None:
        """Read one more token of some of the rows."""
        is_bar_n, position_n = self._ticks.is_bar_v[token_n], self._ticks.position_v[token_n]
        self._bar_r[rows_n] += self._ticks.bar * (is_bar_n & self._has_begun_r[rows_n])
        self._has_begun_r[rows_n] |= is_bar_n | (position_n >= 0)
        place_n = np.where(is_bar_n | (position_n >= 0), self._bar_r[rows_n] + np.maximum(position_n, 0), 0)
        tick_r = self.tick_r.copy()  # a new array: the caller may still use the one before
        tick_r[rows_n] = np.maximum(tick_r[rows_n] + self._ticks.shift_v[token_n], place_n)
        self.tick_r = tick_r


def _shift(kind: str, value: str, midi: miditok.MusicTokenizer) -> int:
    if kind != "TimeShift" or value == "0.0.1":  # how Structured writes no shift
        return 0
    beat, position, resolution = map(int, value.split("."))
    return int((beat * resolution + position) * midi.time_division // resolution)
