"""The contracts of the hook points, and what each component does besides."""

from __future__ import annotations

import ablate_example
import numpy as np
import pytest
from ablate_example import (
    Label,
    LabelOptions,
    Notes,
    NotesOptions,
    PhrasePosition,
    Repetition,
    RepetitionOptions,
    Transpose,
)

import ablate
from ablate.testing import (
    AugmenterContract,
    ConditionerContract,
    MetricContract,
    ObserverContract,
    SamplerContract,
    TokenizerContract,
    performances,
)

PIECE = ablate.Performance.from_notes([(60, 64, 0.0, 0.5), (62, 64, 0.5, 1.0), (64, 64, 1.0, 3.0)])


class TestNotes(TokenizerContract):
    spec = next(ablate_example.ablate_tokenizers())
    options = ({}, {"step": 0.5, "longest": 1})


class TestNotesWithoutCuts(TokenizerContract):
    spec = next(ablate_example.ablate_tokenizers())
    options = ({"step": 0.001, "longest": 13_000},)
    within = 0.001  # half a step, or a whole one for a note of no length


class TestTranspose(AugmenterContract):
    spec = next(ablate_example.ablate_augmenters())
    options = ({}, {"semitones": [12]})


class TestLabel(ConditionerContract):
    spec = next(ablate_example.ablate_conditioners())
    options = ({}, {"label": "tempo", "default": 1.0, "scale": 2.0})


class TestMinP(SamplerContract):
    spec = next(ablate_example.ablate_samplers())
    options = ({}, {"share": 0.5}, {"share": 1.0})
    identity = {"share": 0.0}


class TestRepetition(MetricContract):
    spec = next(ablate_example.ablate_metrics())
    options = ({}, {"notes": 1})


class TestLossTable(ObserverContract):
    spec = next(ablate_example.ablate_observers())


def test_a_note_is_a_wait_a_pitch_and_a_length() -> None:
    tokenizer = Notes(NotesOptions(step=0.5, longest=2))
    words = [tokenizer.vocabulary[token] for token in tokenizer.encode(PIECE)]
    assert words[:6] == ["wait 0", "pitch 60", "length 1", "wait 1", "pitch 62", "length 1"]
    assert words[6:] == ["wait 1", "pitch 64", "length 2"]  # cut: it was 4 steps long


def test_copies_are_transposed_and_say_so() -> None:
    copies = Transpose(ablate_example.TransposeOptions((-3, 5))).augment(PIECE, np.random.default_rng(0))
    assert [copy.notes["pitch"].tolist() for copy in copies] == [[60, 62, 64], [57, 59, 61], [65, 67, 69]]
    assert [copy.labels["transpose"] for copy in copies] == [0.0, -3.0, 5.0]


def test_a_copy_out_of_range_is_left_out() -> None:
    (extremes,) = (p for p in performances() if p.name == "extremes")
    copies = Transpose(ablate_example.TransposeOptions((1,))).augment(extremes, np.random.default_rng(0))
    assert [copy.labels["transpose"] for copy in copies] == [0.0]


def test_the_label_is_the_same_at_every_token() -> None:
    conditioner = Label(LabelOptions(scale=2.0))
    assert conditioner.from_performance(PIECE.labelled(transpose=3.0), np.zeros(2)).tolist() == [[1.5], [1.5]]
    assert conditioner.from_performance(PIECE, np.zeros(1)).tolist() == [[0.0]]


def test_what_is_far_below_the_likeliest_is_forbidden() -> None:
    import torch

    (spec,) = ablate_example.ablate_samplers()
    sampler = spec.build_rows([spec.parse({"share": 0.5}), spec.parse({"share": 0.1})])
    shares = torch.tensor([0.7, 0.3]).log().expand(2, 2)
    assert sampler(shares, torch.empty(2, 0)).isfinite().tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(("pitches", "share"), [("ABAB", 0.5), ("ABCD", 0.0), ("AAAA", 0.75)])
def test_repetition_is_what_was_heard_before(pitches: str, share: float) -> None:
    piece = ablate.Performance.from_notes((ord(pitch), 64, i, i + 1) for i, pitch in enumerate(pitches))
    measured = Repetition(RepetitionOptions(notes=1)).measure(piece, [piece, PIECE])
    assert [value.value for value in measured.values] == [share, share / 2]


def test_a_position_in_a_phrase_moves_with_time() -> None:
    values = PhrasePosition(LabelOptions()).from_labels({"phrase": 4.0}, np.array([0.0, 1.0, 3.0, 4.0, 6.0]))
    assert values.ravel().tolist() == [0.0, 0.25, 0.75, 0.0, 0.5]
