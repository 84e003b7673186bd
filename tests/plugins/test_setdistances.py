"""Distances between sets: overlapped areas, divergences and the Fréchet distance.

``test_public_metrics.py`` compares them with public programs.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy import stats
from scipy.linalg import sqrtm

from ablate import Performance
from ablate.errors import CorpusError
from ablate.testing import SetMetricContract
from ablate_setdistances import ablate_metrics, features
from ablate_setdistances.densities import MOST, NARROWEST, compare, density
from ablate_setdistances.frechet import by_chance, frechet
from ablate_setdistances.symbolic import FEATURES, symbolic_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    Note = tuple[int, int, float, float]

SPECS = {spec.name.removeprefix("setdistance."): spec for spec in ablate_metrics()}
DISTANCES = st.lists(st.integers(0, 1000), min_size=3, max_size=20).map(lambda numbers: np.array(numbers) / 8)


def random_pieces(count: int, seed: int = 0, notes: int = 40) -> list[Performance]:
    """Return pieces that differ in every feature."""
    rng, pieces = np.random.default_rng(seed), []
    for _ in range(count):
        size = int(rng.integers(notes, 2 * notes))
        starts = np.cumsum(rng.exponential(rng.uniform(0.1, 0.4), size))
        pitches = np.clip(rng.normal(rng.uniform(50, 70), rng.uniform(3, 12), size), 0, 127)
        velocities = np.clip(rng.normal(64, rng.uniform(4, 20), size), 1, 127)
        ends = starts + rng.exponential(0.4, size)
        pieces.append(Performance.from_notes(zip(pitches, velocities, starts, ends, strict=True)))
    return pieces


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


def measure(
    name: str, generated: Sequence[Performance], reference: Sequence[Performance], **options: Any
) -> dict[str, float]:
    spec = SPECS[name]
    measured = spec.build(spec.parse(options)).measure(generated, reference)
    return {value.feature: value.value for value in measured.values}


def piece(*notes: Note) -> Performance:
    return Performance.from_notes(notes).canonical()


STEPS = piece((60, 64, 0.0, 0.5), (64, 64, 0.5, 1.0), (67, 64, 1.02, 2.02), (64, 64, 2.0, 4.0))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("pitch_count", 3), ("pitch_range", 7), ("note_count", 4), ("pitch_interval", 10 / 3), ("onset_interval", 2 / 3)],
)
def test_numbers_computed_by_hand(name: str, expected: float) -> None:
    assert getattr(features, name)(STEPS.notes) == pytest.approx([expected])


def test_histograms_computed_by_hand() -> None:
    assert features.pitch_classes(STEPS.notes) == pytest.approx([0.125, *[0] * 3, 0.625, 0, 0, 0.25, *[0] * 4])
    # a quarter of a bar of two seconds twice, a half note, and a whole one
    lengths = features.note_lengths(STEPS.notes, 2.0)
    assert lengths.tolist() == [0.25, 0.25, 0.5, *[0] * 9]
    following = features.note_length_transitions(STEPS.notes, 2.0).reshape(12, 12)
    assert following[2, 2] == following[2, 1] == following[1, 0] == pytest.approx(1 / 3)
    assert features.note_lengths(STEPS.notes, 4.0).tolist() == [0, 0.25, 0.25, 0.5, *[0] * 8]


def test_transitions_lead_to_onsets_near_the_end_of_a_note() -> None:
    found = features.pitch_class_transitions(STEPS.notes, 0.05).reshape(12, 12)
    # C to E, E to G 20 ms late, G to E 20 ms early
    assert found[0, 4] == found[4, 7] == found[7, 4] == pytest.approx(1 / 3)
    assert features.pitch_class_transitions(STEPS.notes, 0.01).reshape(12, 12)[0, 4] == 1


def test_single_notes_have_no_intervals_and_no_transitions() -> None:
    note = piece((60, 64, 1.0, 2.0)).notes
    assert features.pitch_interval(note) == features.onset_interval(note) == 0
    assert not features.note_length_transitions(note, 2.0).any()
    assert not features.pitch_class_transitions(note, 0.05).any()
    assert not features.pitch_classes(piece((60, 64, 1.0, 1.0)).notes).any()
    assert np.isfinite(symbolic_features(note)).all()


@given(DISTANCES, DISTANCES)
def test_densities_are_those_of_scipy(distances: np.ndarray, points: np.ndarray) -> None:
    assume(distances.std() > 1)
    theirs = stats.gaussian_kde(distances).logpdf(points)
    assert density(distances, 1.0).log(points) == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@settings(max_examples=25)
@given(DISTANCES, DISTANCES)
def test_comparisons_stay_in_their_bounds(one: np.ndarray, other: np.ndarray) -> None:
    found, back = compare(one, other), compare(other, one)
    assert 0 <= found.overlap <= 1
    assert 0 <= found.divergence < np.inf
    assert back.overlap == pytest.approx(found.overlap, abs=1e-9)
    assert compare(one, one) == pytest.approx((1, 0), abs=1e-6)


def test_two_normal_densities_have_the_overlap_and_divergence_of_the_formulas() -> None:
    """As many quantiles of two normal distributions as make their kernels narrow."""
    one = stats.norm(0, 1).ppf((np.arange(MOST) + 0.5) / MOST)
    found = compare(one, one + 2)
    width = np.sqrt(1 + MOST**-0.4)  # the kernels widen both
    assert found.overlap == pytest.approx(2 * stats.norm.cdf(-1 / width), abs=1e-3)
    assert found.divergence == pytest.approx(2 / width**2, rel=0.1)  # their tails are shorter


def test_the_two_grids_of_mgeval_make_a_shift_invisible() -> None:
    """Its ``kl_dist``, as it is written: the same numbers for a set of distances wherever the other one lies."""
    one = np.random.default_rng(0).gamma(2, 1, 60)
    for shift in (0.0, 5.0, 500.0):
        two_grids = [stats.gaussian_kde(each)(np.linspace(each.min(), each.max(), 1000)) for each in (one, one + shift)]
        assert stats.entropy(*two_grids) == pytest.approx(0, abs=1e-9)
        found = compare(one, one + shift)
        assert (found.divergence > 1) == (shift > 0)
        assert (found.overlap > 0.99) == (shift == 0)


def test_many_distances_are_replaced_by_quantiles() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.gamma(2, 1, 3 * MOST), rng.gamma(2.5, 1, 3 * MOST)
    line = np.linspace(-2, 30, 1001)
    p, q = stats.gaussian_kde(one)(line), stats.gaussian_kde(other)(line)
    assert compare(one, other).overlap == pytest.approx(np.minimum(p, q).sum() * (line[1] - line[0]), abs=1e-3)


def test_equal_distances_have_a_narrow_density() -> None:
    """A model that always writes the same piece; a density by Scott's rule does not exist."""
    spread = np.linspace(0.0, 10.0, 101)
    assert density(np.full(4, 5.0), 10.0).width == 10 * NARROWEST
    found = compare(np.full(4, 5.0), spread)
    assert 0 < found.overlap < 0.02
    assert 1 < found.divergence < 10
    assert compare(np.full(4, 5.0), np.full(9, 5.0)) == (1, 0)


def test_equal_samples_have_no_overlap_although_each_is_a_piece() -> None:
    pieces = random_pieces(12)
    for name in ("pitch_range", "note_lengths", "pitch_class_transitions"):
        alike = measure(name, pieces[:1] * 6, pieces)
        various = measure(name, pieces[:6], pieces)
        assert alike["overlap"] < 0.1
        assert various["overlap"] > 0.6
        assert alike["divergence"] > 1 > various["divergence"]


@pytest.mark.parametrize("name", [name for name in SPECS if name != "frechet"])
def test_only_the_first_notes_count(name: str) -> None:
    pieces, others = random_pieces(6), random_pieces(6, seed=1)
    cut = [each.replace(notes=each.canonical().notes[:20]) for each in pieces]
    assert measure(name, pieces, others, notes=20) == measure(name, cut, others, notes=20)
    assert measure(name, pieces, others, notes=20) != measure(name, pieces, others)


@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(2, 30))
def test_the_frechet_distance_agrees_with_the_root_of_the_product(seed: int, one: int, other: int) -> None:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(4, 4))
    a, b = rng.normal(size=(one, 4)) @ mix, rng.normal(1, 2, size=(other, 4))
    assume(min(one, other) > 5)  # else the root of SciPy is inaccurate
    root = sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert frechet(a, b, diagonal=False) == pytest.approx(expected, rel=1e-6)


def test_of_one_feature_the_frechet_distance_is_that_of_means_and_spreads() -> None:
    a, b = np.array([[1.0], [3.0]]), np.array([[10.0], [12.0], [20.0]])
    expected = 12**2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    both = [np.concatenate([each, each * 0], axis=1) for each in (a, b)]
    assert frechet(*both, diagonal=False) == pytest.approx(expected)
    assert frechet(*both, diagonal=True) == pytest.approx(expected)


@pytest.mark.parametrize("diagonal", [False, True])
def test_by_chance_is_the_distance_of_two_sets_of_one_distribution(diagonal: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 3))
    draw = functools.partial(rng.choice, reference)
    fresh = [frechet(draw(20, replace=False), draw(30, replace=False), diagonal=diagonal) for _ in range(300)]
    expected = by_chance(reference, (20, 30), 300, rng, diagonal=diagonal)
    assert np.mean(fresh) == pytest.approx(expected, rel=0.15)
    assert by_chance(reference, (80, 120), 300, rng, diagonal=diagonal) < 0.4 * expected


def test_a_copy_has_no_distance_and_other_pieces_have_about_that_by_chance() -> None:
    pieces = random_pieces(80)
    copy = measure("frechet", pieces[:40], pieces[:40])
    assert copy["distance"] == pytest.approx(0, abs=1e-9)
    assert copy["excess"] == -copy["by_chance"] < 0
    excess = [measure("frechet", random_pieces(40, seed), pieces[:40])["excess"] for seed in range(5, 10)]
    assert abs(np.mean(excess)) < 0.5 * copy["by_chance"]
    higher = [each.replace(notes=each.notes.copy()) for each in pieces[40:]]
    for each in higher:
        each.notes["pitch"] = np.minimum(each.notes["pitch"] + 12, 127)
    assert measure("frechet", higher, pieces[:40])["excess"] > 2


def test_a_reference_without_spread_counts_as_having_a_little() -> None:
    pieces = [each.replace(notes=each.notes.copy()) for each in random_pieces(30)]
    for each in pieces:
        each.notes["velocity"] = 64
    louder = [each.replace(notes=each.notes.copy()) for each in pieces]
    for each in louder:
        each.notes["velocity"] = 68  # twice the least spread
    assert measure("frechet", louder, pieces)["distance"] == pytest.approx(4)


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
    with pytest.raises(ValueError, match=f"{fewest - 1} of the samples have notes; .* needs at least {fewest}"):
        measure(name, [*pieces[: fewest - 1], silence], pieces, **options)
    with pytest.raises(CorpusError, match=f"{fewest - 1} pieces of the reference have notes; .* at least {fewest}"):
        measure(name, pieces, [silence, *pieces[: fewest - 1]], **options)


def test_the_reference_is_read_anew_when_it_changes() -> None:
    spec, pieces = SPECS["pitch_range"], random_pieces(6)
    metric, reference = spec.build(spec.parse({})), pieces[:4]
    first = metric.measure(pieces, reference)
    reference.append(piece((0, 64, 0.0, 1.0), (127, 64, 1.0, 2.0)))
    assert metric.measure(pieces, reference) != first
