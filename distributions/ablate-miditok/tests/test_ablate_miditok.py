"""Every scheme keeps the contract, loses no more than its grid, and merging loses nothing."""

from __future__ import annotations

from typing import Any

import miditok
import numpy as np
import pytest

import ablate
from ablate.errors import InvalidOptions
from ablate.music.corpus.roundtrip import travel
from ablate.testing import FittedTokenizerContract, TokenizerContract, performances
from ablate.testing.material import equal_performances
from ablate_miditok import ablate_tokenizers
from ablate_miditok.options import MidiTokOptions
from ablate_miditok.plain import CLASSES, configuration

SPECS = {spec.name: spec for spec in ablate_tokenizers()}
SCHEMES = list(CLASSES)
EACH = pytest.mark.parametrize("scheme", SCHEMES)
OTHER = {"bpm": 100.0, "resolution": 12, "coarse": 4, "longest": 8, "velocity_bins": 16, "low": 30, "high": 110}


class TestRemi(TokenizerContract):
    spec = SPECS["miditok-remi"]
    within = 0.03  # a start is within 5 ms, and a duration above a second within 25 ms
    pitches = (21, 108)


class TestTsd(TokenizerContract):
    spec = SPECS["miditok-tsd"]
    within = 0.03
    pitches = (21, 108)


class TestMidiLike(TokenizerContract):
    spec = SPECS["miditok-midilike"]
    within = 0.01  # the shortest note has 10 ms
    pitches = (21, 108)


class TestStructured(TokenizerContract):
    spec = SPECS["miditok-structured"]


class TestRemiOptions(TokenizerContract):
    spec = SPECS["miditok-remi"]
    options = (OTHER, {"instruments": "all"}, {"instruments": "merge"})


class TestTsdOptions(TokenizerContract):
    spec = SPECS["miditok-tsd"]
    options = (OTHER, {"instruments": "all"}, {"instruments": "merge"})


class TestMidiLikeOptions(TokenizerContract):
    spec = SPECS["miditok-midilike"]
    options = (OTHER, {"instruments": "all"}, {"instruments": "merge"})


class TestStructuredOptions(TokenizerContract):
    spec = SPECS["miditok-structured"]
    options = (OTHER, {"instruments": "all"}, {"instruments": "merge"})


class TestRemiBpe(FittedTokenizerContract):
    spec = SPECS["miditok-remi-bpe"]
    options = ({}, {"split": "beat", "instruments": "all"}, {**OTHER, "split": "no", "vocabulary": 300})


class TestTsdBpe(FittedTokenizerContract):
    spec = SPECS["miditok-tsd-bpe"]
    options = ({}, {"split": "beat", "instruments": "all"}, {**OTHER, "split": "no", "vocabulary": 300})


class TestMidiLikeBpe(FittedTokenizerContract):
    spec = SPECS["miditok-midilike-bpe"]
    options = ({}, {"split": "beat", "instruments": "all"}, {**OTHER, "split": "no", "vocabulary": 300})


class TestStructuredBpe(FittedTokenizerContract):
    spec = SPECS["miditok-structured-bpe"]
    options = ({}, {"split": "beat", "instruments": "all"}, {**OTHER, "split": "no", "vocabulary": 300})


def built(name: str, **settings: Any) -> Any:
    spec = SPECS[f"miditok-{name}"]
    return spec.build(spec.parse(settings))


def piece(seed: int, notes: int = 200) -> ablate.Performance:
    """Chords and runs at random, with few intervals of time, so that patterns come again."""
    rng = np.random.default_rng(seed)
    start = np.cumsum(rng.choice([0.125, 0.25, 0.5], notes))
    length = rng.choice([0.1, 0.25, 1.5], notes)
    columns = (rng.choice([48, 52, 55, 60], notes), rng.choice([40, 80], notes), start, start + length)
    return ablate.Performance.from_notes((int(p), int(v), s, e) for p, v, s, e in zip(*columns, strict=True))


def learned(scheme: str, **settings: Any) -> Any:
    tokenizer = built(f"{scheme}-bpe", **settings)
    tokenizer.load(tokenizer.fit([piece(seed) for seed in range(3)]))
    return tokenizer


@EACH
@pytest.mark.parametrize("settings", [{}, OTHER, {"instruments": "all"}, {"instruments": "merge"}])
def test_the_number_of_words_is_that_of_miditok(scheme: str, settings: dict[str, Any]) -> None:
    tokenizer, options = built(scheme, **settings), MidiTokOptions(**settings)
    assert len(tokenizer.vocabulary) == options.words(scheme) == len(CLASSES[scheme](configuration(options)))


@EACH
def test_the_tokens_are_those_of_miditok(scheme: str) -> None:
    """The same music as a file at 120 bpm, read by MidiTok itself, has the same tokens."""
    options = MidiTokOptions()
    midi = CLASSES[scheme](configuration(options))
    notes = [(60, 3, 0.0, 0.5), (64, 63, 0.5, 1.0), (67, 127, 2.25, 2.5), (60, 63, 3.0, 3.25)]
    performance = ablate.Performance.from_notes(notes)
    score = built(scheme).score(performance)
    (expected,) = midi.encode(score)
    tokenizer = built(scheme)
    assert [tokenizer.vocabulary[token] for token in tokenizer.encode(performance)] == expected.tokens
    played = midi.decode([miditok.TokSequence(tokens=expected.tokens)])
    seconds = played.tracks[0].notes.numpy()["time"] * 0.01
    assert np.sort(seconds).tolist() == pytest.approx([0.0, 0.5, 2.25, 3.0])


@EACH
def test_a_round_trip_loses_no_more_than_the_grid(scheme: str) -> None:
    trip = travel(piece(0), built(scheme))
    assert trip.notes == trip.decoded_notes == 200
    assert trip.onset.max() <= 0.005 + 1e-9
    assert trip.velocity.max() <= 2
    if scheme != "midilike":  # nested notes of a pitch exchange their ends there
        assert trip.duration.max() <= 0.01 + 1e-9  # the start and the end are rounded


def test_structured_adds_up_its_errors_and_the_others_do_not() -> None:
    start = np.arange(40) * 1.523
    steady = ablate.Performance.from_notes([(60, 64, s, s + 0.5) for s in start])
    drift = {scheme: float(travel(steady, built(scheme)).onset.max()) for scheme in SCHEMES}
    assert drift["structured"] > 0.1
    assert max(drift[scheme] for scheme in SCHEMES if scheme != "structured") <= 0.005 + 1e-9


@EACH
def test_merging_loses_nothing(scheme: str) -> None:
    plain, merged = built(scheme), learned(scheme)
    for performance in (*performances(), *(piece(seed) for seed in range(5))):
        tokens = merged.encode(performance)
        parts, ends = merged._expand(tokens)
        assert parts.tolist() == plain.encode(performance).tolist()
        assert equal_performances(merged.decode(tokens), plain.decode(parts))
        assert merged.times(tokens).tolist() == np.append(0.0, plain.times(parts))[ends].tolist()


@EACH
@pytest.mark.parametrize("split", ["bar", "beat", "no"])
def test_merging_shortens(scheme: str, split: str) -> None:
    merged, plain = learned(scheme, split=split), built(scheme)
    assert len(merged.encode(piece(7))) < {"bar": 0.8, "beat": 0.9, "no": 0.6}[split] * len(plain.encode(piece(7)))


@EACH
def test_before_it_has_learned_it_is_the_plain_scheme(scheme: str) -> None:
    tokenizer, plain = built(f"{scheme}-bpe"), built(scheme)
    assert tokenizer.encode(piece(0)).tolist() == plain.encode(piece(0)).tolist()
    assert tokenizer.unused == 1024 - len(plain.vocabulary)
    assert len(tokenizer.encode(piece(0))) == len(learned(scheme)._expand(learned(scheme).encode(piece(0)))[0])


@EACH
def test_merged_tokens_follow_the_types_of_their_parts(scheme: str) -> None:
    tokenizer = learned(scheme)
    follow, plain = tokenizer.grammar(1), built(scheme)
    rng, tokens, token = np.random.default_rng(0), [], tokenizer.start_token
    for _ in range(300):
        possible = follow(np.array([token]))[0]
        assert possible[len(tokenizer.vocabulary) - tokenizer.unused :].sum() == 0
        token = rng.choice(np.flatnonzero(possible))
        tokens.append(token)
    parts, _ = tokenizer._expand(np.array(tokens))
    assert len(parts) > 350
    follow, token = plain.grammar(1), plain.start_token
    for part in parts:
        assert follow(np.array([token]))[0, part], f"{plain.vocabulary[part]} after {plain.vocabulary[token]}"
        token = part


def test_learning_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """The standard output may be data: ``ablate corpus tokens --format npy``."""
    learned("remi")
    assert capfd.readouterr().out == ""


def test_nothing_can_be_learned_from_silence() -> None:
    tokenizer = built("remi-bpe")
    tokenizer.load(tokenizer.fit([ablate.Performance.from_notes([])]))
    assert tokenizer.unused > 400
    assert len(tokenizer.decode(tokenizer.encode(piece(0)))) == 200


def test_what_another_scheme_learned_is_refused() -> None:
    state = built("tsd-bpe").fit([piece(0)])
    for other in (built("remi-bpe"), built("tsd-bpe", velocity_bins=16)):
        with pytest.raises(ValueError, match="another scheme or other options"):
            other.load(state)


def words_of(tokenizer: Any, *words: str) -> Any:
    return np.array([tokenizer.vocabulary.index(word) for word in words], np.int64)


def test_a_position_of_remi_that_would_go_back_is_ignored() -> None:
    remi = built("remi")
    note = ("Pitch_60", "Velocity_63", "Duration_1.0.50")
    tokens = words_of(remi, "Bar_None", "Position_100", *note, "Position_50", *note, "Bar_None", "Position_0", *note)
    assert remi.decode(tokens).notes["start"].tolist() == [1.0, 1.0, 2.0]
    assert remi.times(tokens)[[4, 6, 12]].tolist() == [1.0, 1.0, 2.0]


@pytest.mark.parametrize("first", [("Bar_None",), ("Position_10",), ("Pitch_60",), ("Bar_None", "Bar_None")])
def test_the_clock_of_remi_is_that_of_its_notes(first: tuple[str, ...]) -> None:
    """However a model begins."""
    remi = built("remi")
    note = ("Pitch_60", "Velocity_63", "Duration_1.0.50")
    tokens = words_of(remi, *first, *note, "Position_7", *note, "Bar_None", *note, "Bar_None", "Position_3", *note)
    at = np.flatnonzero(tokens == words_of(remi, "Velocity_63"))
    assert remi.decode(tokens).notes["start"].tolist() == remi.times(tokens)[at].tolist()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolution": 50, "coarse": 12}, "coarse: does not divide resolution"),
        ({"low": 60, "high": 59}, "low: is above high"),
        ({"vocabulary": 563}, "vocabulary: must be more than the 563 words without any merge"),
    ],
)
def test_options_that_do_not_fit(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptions, match=message):
        SPECS["miditok-remi-bpe"].parse(settings)
