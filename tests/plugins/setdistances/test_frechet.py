"""The Fréchet distance, and its value by chance."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given
from scipy.linalg import sqrtm
from support.set_material import measure, random_pieces

from ablate.music.midi import read_midi
from ablate_setdistances.frechet import by_chance, frechet
from ablate_setdistances.symbolic import symbolic_features

if TYPE_CHECKING:
    from pathlib import Path


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


def test_by_chance_has_the_documented_values(smd_dir: Path) -> None:
    """The numbers of docs/reference/metrics.md and of the docstrings, for the 50 pieces of the Saarland Music Data."""
    pieces = [read_midi(path).canonical() for path in sorted(smd_dir.glob("*.mid"))]
    vectors = np.array([symbolic_features(piece.notes) for piece in pieces])
    vectors /= vectors.std(axis=0, ddof=1)
    rng = np.random.default_rng(0)
    for samples, expected in ((16, 3.2), (32, 1.9), (50, 1.5)):
        assert by_chance(vectors, (samples, 50), 200, rng, diagonal=False) == pytest.approx(expected, abs=0.15)
    halves = [np.array_split(rng.permutation(vectors), 2) for _ in range(200)]
    assert np.mean([frechet(*pair, diagonal=False) for pair in halves]) == pytest.approx(3.4, abs=0.2)
    assert by_chance(vectors, (25, 25), 200, rng, diagonal=False) == pytest.approx(3.0, abs=0.25)
