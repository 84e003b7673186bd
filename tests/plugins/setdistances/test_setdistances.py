"""Distances between sets as metrics; ``test_public_metrics.py`` compares them with public programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.set_material import SPECS, measure, random_pieces

from ablate import Performance
from ablate.errors import CorpusError
from ablate.testing import SetMetricContract
from ablate_setdistances.symbolic import FEATURES

if TYPE_CHECKING:
    from collections.abc import Sequence


class TestPitchCount(SetMetricContract):
    spec = SPECS["pitch_count"]
    options = ({}, {"notes": 3})


class TestPitchRange(SetMetricContract):
    spec = SPECS["pitch_range"]
    options = ({}, {"intra": "reference"})


class TestPitchInterval(SetMetricContract):
    spec = SPECS["pitch_interval"]


class TestPitchClasses(SetMetricContract):
    spec = SPECS["pitch_classes"]


class TestPitchClassTransitions(SetMetricContract):
    spec = SPECS["pitch_class_transitions"]
    options = ({}, {"within": 1.0})


class TestNoteCount(SetMetricContract):
    spec = SPECS["note_count"]


class TestOnsetInterval(SetMetricContract):
    spec = SPECS["onset_interval"]


class TestNoteLengths(SetMetricContract):
    spec = SPECS["note_lengths"]
    options = ({}, {"bar": 1.0})


class TestNoteLengthTransitions(SetMetricContract):
    spec = SPECS["note_length_transitions"]
    options = ({}, {"bar": 1.0, "notes": 5})


class TestFrechet(SetMetricContract):
    spec = SPECS["frechet"]
    options = ({"covariance": "diagonal"}, {"covariance": "diagonal", "draws": 1, "notes": 4})


class TestFrechetWithCovariances(SetMetricContract):
    spec = SPECS["frechet"]

    def performances(self) -> Sequence[Performance]:
        return random_pieces(2 * len(FEATURES) + 2)


def test_equal_samples_have_no_overlap_although_each_is_a_piece() -> None:
    pieces = random_pieces(12)
    for name in ("pitch_range", "note_lengths", "pitch_class_transitions"):
        alike = measure(name, pieces[:1] * 6, pieces)
        various = measure(name, pieces[:6], pieces)
        assert alike["overlap"] < 0.1
        assert various["overlap"] > 0.6
        assert alike["divergence"] > 1 > various["divergence"]


@pytest.mark.parametrize("name", SPECS)
def test_the_order_in_which_notes_are_stored_does_not_matter(name: str) -> None:
    rng, pieces, others = np.random.default_rng(0), random_pieces(14), random_pieces(14, seed=1)
    mixed = [each.replace(notes=rng.permutation(each.notes)) for each in pieces]
    assert measure(name, mixed, others) == measure(name, pieces, others)


@pytest.mark.parametrize("name", [name for name in SPECS if name != "frechet"])
def test_only_the_first_notes_count(name: str) -> None:
    pieces, others = random_pieces(6), random_pieces(6, seed=1)
    cut = [each.replace(notes=each.canonical().notes[:20]) for each in pieces]
    assert measure(name, pieces, others, notes=20) == measure(name, cut, others, notes=20)
    assert measure(name, pieces, others, notes=20) != measure(name, pieces, others)


def test_the_order_of_notes_is_noticed() -> None:
    rng, pieces = np.random.default_rng(0), random_pieces(30)
    for each in pieces:
        each.notes["pitch"].sort()
    shuffled = [each.replace(notes=each.notes.copy()) for each in pieces]
    for each in shuffled:
        rng.shuffle(each.notes["pitch"])
    for name in ("pitch_interval", "frechet"):
        key = "overlap" if name == "pitch_interval" else "excess"
        values = [measure(name, samples, pieces)[key] for samples in (pieces, shuffled)]
        assert abs(values[0] - values[1]) > 0.5


@pytest.mark.parametrize(
    ("name", "options", "fewest"),
    [("pitch_range", {}, 2), ("frechet", {"covariance": "diagonal"}, 2), ("frechet", {}, 13)],
)
def test_sets_that_are_too_small_are_refused_with_their_size(name: str, options: dict[str, Any], fewest: int) -> None:
    pieces, silence = random_pieces(20), Performance.from_notes([])
    enough = pieces[:fewest]
    measure(name, [*enough, silence], [silence, *enough], **options)
    way_out = ', or covariance = "diagonal"' if fewest > 2 else ""
    with pytest.raises(
        ValueError,
        match=f"a set of {fewest - 1} with notes is too small; .* {fewest} samples, or pieces for a floor{way_out}$",
    ):
        measure(name, [*pieces[: fewest - 1], silence], pieces, **options)
    with pytest.raises(
        CorpusError,
        match=f"a reference of {fewest - 1} with notes is too small; .* needs {fewest}: add pieces{way_out}$",
    ):
        measure(name, pieces, [silence, *pieces[: fewest - 1]], **options)


def test_the_reference_is_read_anew_when_it_changes() -> None:
    spec, pieces = SPECS["pitch_range"], random_pieces(6)
    metric, reference = spec.build(spec.parse({})), pieces[:4]
    first = metric.measure(pieces, reference)
    reference.append(Performance.from_notes([(0, 64, 0.0, 1.0), (127, 64, 1.0, 2.0)]))
    assert metric.measure(pieces, reference) != first
