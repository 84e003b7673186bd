"""MidiTok's schemes with byte-pair encoding, as MidiTok trains it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import miditok
import numpy as np
from miditok.constants import CHR_ID_START

import ablate
from ablate_miditok.plain import CLASSES, PlainTokenizer, configuration, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ablate.arrays import BoolArray, FloatArray, IntArray
    from ablate_miditok.options import BpeOptions

#: What MidiTok needs to be loaded; the versions in its file play no part.
_KEYS = ("tokenization", "config", "_vocab_base", "_model", "_vocab_base_byte_to_token")
#: MidiTok's mark of the beginning of a stretch that is encoded by itself.
_MARK = "\N{LOWER ONE EIGHTH BLOCK}"


class BpeTokenizer(ablate.FittedTokenizer):
    """A scheme whose tokens stand for sequences of the scheme's own; before it has learned, for one each."""

    def __init__(self, options: BpeOptions) -> None:
        self._options = options
        self._base = PlainTokenizer(options.scheme, options)
        self.instruments, self.merges = self._base.instruments, self._base.merges
        self._midi: miditok.MusicTokenizer | None = None
        words = self._base.vocabulary
        self._use({(word, (token,)): token for token, word in enumerate(words)})

    def _use(self, sequences: dict[tuple[str, tuple[int, ...]], int]) -> None:
        """Set the vocabulary from words, the ids of the scheme that they stand for, and their own ids."""
        known = sorted(sequences, key=sequences.__getitem__)
        self.unused = self._options.vocabulary - len(known)
        self.vocabulary = (*(word for word, _ in known), *(f"unused {number}" for number in range(self.unused)))
        parts: list[tuple[int, ...]] = [*(ids for _, ids in known), *[()] * self.unused]
        self._counts_v = np.array([len(ids) for ids in parts], np.int64)
        self._flat = np.array([part for ids in parts for part in ids], np.int64)
        self._first_v = np.cumsum(self._counts_v) - self._counts_v
        self.start_token = parts.index((self._base.start_token,))

    def fit(self, performances: Sequence[ablate.Performance]) -> bytes:
        """Return MidiTok's file of the trained tokenizer, as JSON without versions."""
        midi = CLASSES[self._options.scheme](configuration(self._options, self._options.split))
        scores = [self._base.score(performance) for performance in performances]
        stretches = [list(_stretches(midi, score, self._options.split)) for score in scores if score.note_num()]
        with _silent():
            midi.train(self._options.vocabulary, model="BPE", iterator=stretches)
        data = json.loads(json.dumps(midi.to_dict()))
        return json.dumps({key: data[key] for key in _KEYS}).encode()

    def load(self, state: bytes) -> None:
        """Use a file that :meth:`fit` returned."""
        data: Any = json.loads(state)
        expected = CLASSES[self._options.scheme](configuration(self._options, self._options.split)).to_dict()
        expected = json.loads(json.dumps(expected))
        if not isinstance(data, dict) or any(data.get(key) != expected[key] for key in ("tokenization", "config")):
            raise ValueError("it belongs to another scheme or other options")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tokenizer.json"
            path.write_bytes(state)
            midi = CLASSES[self._options.scheme](params=path)
        self._midi = midi
        self._use(dict(_sequences(midi)))

    def encode(self, performance: ablate.Performance) -> IntArray:
        """Return token ids, int64 [time]; the same for any order of the notes."""
        if self._midi is None:
            return self._base.encode(performance)
        return encoded(self._midi, self._base.score(performance))

    def _expand(self, tokens: IntArray) -> tuple[IntArray, IntArray]:
        """Return the ids of the scheme one after another, [parts], and the number of them up to each token, [time]."""
        counts = self._counts_v[tokens]
        ends = np.cumsum(counts)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        return self._flat[np.repeat(self._first_v[tokens], counts) + within], ends

    def decode(self, tokens: IntArray) -> ablate.Performance:
        """Return the notes of the sequence that the tokens stand for."""
        return self._base.decode(self._expand(tokens)[0])

    def times(self, tokens: IntArray) -> FloatArray:
        """Return the clock in seconds after the last part of each token, float64 [time]."""
        parts, ends = self._expand(tokens)
        return np.asarray(np.append(0.0, self._base.times(parts))[ends])

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        """Return a running clock."""
        running, every_r = self._base.ticks.running(rows), np.arange(rows)

        def advance_all(tokens_r: IntArray) -> FloatArray:
            rows_n, counts_r = every_r, self._counts_v[tokens_r]
            for number in range(counts_r.max()):
                rows_n = rows_n[counts_r[rows_n] > number]
                running.read(rows_n, self._flat[self._first_v[tokens_r[rows_n]] + number])
            return np.asarray(running.tick_r * self._base.seconds)

        return advance_all

    def grammar(self, rows: int) -> Callable[[IntArray], BoolArray]:
        """Return MidiTok's rules of types: a token is possible if its first part can follow the latest last part.

        MidiTok's mark of a beginning has no parts where nothing is merged with it. It can follow any other token.
        """
        follows_bb, has_parts_v = self._base.successors(), self._counts_v > 0
        is_mark_v = ~has_parts_v & (np.arange(len(has_parts_v)) < len(has_parts_v) - self.unused)
        first_v = np.where(has_parts_v, self._flat[np.minimum(self._first_v, len(self._flat) - 1)], 0)
        last_v = self._flat[np.maximum(self._first_v + self._counts_v - 1, 0)]
        last_r = np.full(rows, self._base.start_token)

        def follow(tokens_r: IntArray) -> BoolArray:
            nonlocal last_r
            last_r = np.where(has_parts_v[tokens_r], last_v[tokens_r], last_r)
            possible_rv = follows_bb[last_r][:, first_v] & has_parts_v
            return np.asarray(possible_rv | (is_mark_v & has_parts_v[tokens_r][:, None]))

        return follow


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep the empty lines that training prints out of the standard output, which may be somebody's data."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


def _stretches(midi: miditok.MusicTokenizer, score: Any, split: str) -> Iterator[str]:
    """Yield each bar, each beat, or the whole of a score, as text in MidiTok's alphabet: one letter for each id."""
    sequence = midi.encode(score, encode_ids=False)
    sequence = sequence if midi.one_token_stream else sequence[0]
    cut = {"bar": sequence.split_per_bars, "beat": sequence.split_per_beats, "no": lambda: [sequence]}
    for part in cut[split]():
        if len(part):
            yield "".join(chr(CHR_ID_START + token) for token in part.ids)


def _sequences(midi: miditok.MusicTokenizer) -> Iterator[tuple[tuple[str, tuple[int, ...]], int]]:
    """Yield the word of each id of a trained tokenizer, the ids without merges that it stands for, and the id."""
    for text, token in midi.vocab_model.items():
        sequence = miditok.TokSequence(ids=[token], are_ids_encoded=True)
        midi.decode_token_ids(sequence)
        words = " + ".join(sequence.tokens)
        yield (f"{_MARK} {words}".strip() if text.startswith(_MARK) else words, tuple(sequence.ids)), token
