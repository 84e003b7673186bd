"""Programs of MidiTok: every instrument comes back, without and with merges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ablate
from ablate.music.performance import DRUMS
from ablate.testing.material import equal_performances
from ablate_miditok import ablate_tokenizers
from ablate_miditok.plain import CLASSES

SPECS = {spec.name: spec for spec in ablate_tokenizers()}
EACH = pytest.mark.parametrize("scheme", list(CLASSES))
BAND = (0, 33, 127, DRUMS)


def built(name: str, **settings: Any) -> Any:
    spec = SPECS[f"miditok-{name}"]
    return spec.build(spec.parse(settings))


def band(seed: int, notes: int = 150) -> ablate.Performance:
    """Notes at random on a grid of eighths of a second, often several together, some of one pitch overlapping."""
    rng = np.random.default_rng(seed)
    start = np.cumsum(rng.choice([0.0, 0.125, 0.25, 0.5], notes))
    length = rng.choice([0.1, 0.25, 1.5], notes)
    columns = (rng.choice([36, 48, 52, 60], notes), rng.choice([40, 80], notes), start, length, rng.choice(BAND, notes))
    return ablate.Performance.from_notes(
        (int(p), int(v), s, s + d, int(i)) for p, v, s, d, i in zip(*columns, strict=True)
    )


def in_order(notes: Any, field: str) -> Any:
    return notes[np.lexsort([notes[field], notes["pitch"], notes["instrument"]])]


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_every_note_comes_back_to_its_instrument(scheme: str, seed: int) -> None:
    tokenizer, performance = built(scheme, instruments="all"), band(seed)
    assert (tokenizer.instruments, tokenizer.merges) == (True, False)
    decoded = tokenizer.decode(tokenizer.encode(performance))
    decoded.check()
    for field in ("start", "end"):
        before, after = in_order(performance.notes, field), in_order(decoded.notes, field)
        for same in ("pitch", "instrument"):
            assert np.array_equal(before[same], after[same])
        # the start and the length are rounded, and a length above a second to 50 ms
        assert np.abs(before[field] - after[field]).max() <= 0.03 + 1e-9


@EACH
def test_the_order_of_the_notes_plays_no_part(scheme: str) -> None:
    tokenizer, performance = built(scheme, instruments="all"), band(0)
    shuffled = performance.replace(notes=np.random.default_rng(0).permutation(performance.notes))
    assert tokenizer.encode(shuffled).tolist() == tokenizer.encode(performance).tolist()


@EACH
def test_a_program_stands_before_every_note(scheme: str) -> None:
    tokenizer = built(scheme, instruments="all")
    words = [tokenizer.vocabulary[token] for token in tokenizer.encode(band(0))]
    before = [words[at - 1] for at, word in enumerate(words) if word.startswith(("Pitch", "NoteOn", "NoteOff"))]
    assert set(before) == {"Program_0", "Program_33", "Program_127", "Program_-1"}


@EACH
def test_merged_instruments_are_those_with_pitches_as_one(scheme: str) -> None:
    merge, notes = built(scheme, instruments="merge"), band(0).notes.copy()
    pitched = notes[notes["instrument"] != DRUMS]
    pitched["instrument"] = 0
    assert (merge.instruments, merge.merges) == (False, True)
    assert merge.encode(band(0)).tolist() == built(scheme).encode(ablate.Performance(pitched)).tolist()
    assert not merge.decode(merge.encode(band(0))).notes["instrument"].any()


@EACH
def test_merging_loses_nothing_and_keeps_to_the_types(scheme: str) -> None:
    plain, merged = built(scheme, instruments="all"), built(f"{scheme}-bpe", instruments="all")
    merged.load(merged.fit([band(seed) for seed in range(3)]))
    assert merged.instruments
    for seed in (0, 7):
        tokens = merged.encode(band(seed))
        parts, ends = merged._expand(tokens)
        assert len(tokens) < 0.8 * len(parts)
        assert parts.tolist() == plain.encode(band(seed)).tolist()
        assert equal_performances(merged.decode(tokens), plain.decode(parts))
        assert merged.times(tokens).tolist() == np.append(0.0, plain.times(parts))[ends].tolist()
        for tokenizer, written in ((plain, parts), (merged, tokens)):  # the mark of a beginning is among the latter
            follow = tokenizer.grammar(1)
            for token, after in zip((tokenizer.start_token, *written), written, strict=False):
                assert follow(np.array([token]))[0, after]


@EACH
def test_a_note_of_no_program_is_one_of_the_piano(scheme: str) -> None:
    """A model may leave out the program, or change it between a note and its end."""
    tokenizer = built(scheme, instruments="all")
    tokens = tokenizer.encode(ablate.Performance.from_notes([(60, 64, 0.5, 1.0, 33)]))
    without = np.array([token for token in tokens if not tokenizer.vocabulary[token].startswith("Program")])
    assert tokenizer.decode(without).notes["instrument"].tolist() == [0]
    assert tokenizer.decode(tokens).notes["instrument"].tolist() == [33]


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_notes_come_in_the_order_of_their_tokens(scheme: str, seed: int) -> None:
    """So the notes of a primer are the first ones of what continues it, also of those that begin together."""
    tokenizer, rng = built(scheme, instruments="all"), np.random.default_rng(seed)
    begins = {"structured": "Duration", "remi": "Duration", "tsd": "Duration", "midilike": "Velocity"}[scheme]
    tokens = tokenizer.encode(band(seed))
    cuts = [at + 1 for at, token in enumerate(tokens) if tokenizer.vocabulary[token].startswith(begins)]
    for cut in rng.choice(cuts, 5):
        whole, primer = tokenizer.decode(tokens).notes, tokenizer.decode(tokens[:cut]).notes
        for field in ("start", "pitch", "instrument"):
            assert np.array_equal(whole[field][: len(primer)], primer[field])


@EACH
def test_what_a_model_may_write_begins_in_order(scheme: str) -> None:
    tokenizer, rng = built(scheme, instruments="all"), np.random.default_rng(0)
    follow, tokens = tokenizer.grammar(1), [tokenizer.start_token]
    for _ in range(400):
        tokens.append(int(rng.choice(np.flatnonzero(follow(np.array(tokens[-1:]))[0]))))
    notes = tokenizer.decode(np.array(tokens[1:])).notes
    assert len(set(notes["instrument"].tolist())) > 10
    assert (np.diff(notes["start"]) >= 0).all()


def test_a_program_is_no_velocity() -> None:
    """MidiTok would give the note the velocity -1."""
    midilike = built("midilike", instruments="all")
    words = ("NoteOn_60", "Program_-1", "NoteOn_62", "Velocity_63", "TimeShift_1.0.50", "NoteOff_62")
    tokens = np.array([midilike.vocabulary.index(word) for word in words])
    assert midilike.decode(tokens).notes[["pitch", "instrument"]].tolist() == [(62, DRUMS)]
