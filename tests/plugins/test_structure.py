"""Repetition in rhythm and form; ``test_public_metrics.py`` compares the numbers with public programs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ablate import Performance
from ablate.errors import CorpusError, NothingGenerated
from ablate.testing import MetricContract
from ablate_structure import ablate_metrics
from ablate_structure.groove import consistency, onsets_in_bars, periodicity, similarity
from ablate_structure.scape import fitness
from ablate_structure.similarity import PENALTY, chroma, self_similarity

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECS = {spec.name.removeprefix("structure."): spec for spec in ablate_metrics()}
BARS = st.integers(2, 8).flatmap(
    lambda bars: st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=bars, max_size=bars)
)


def melody(pitches: Sequence[int], step: float = 0.5) -> Performance:
    return Performance.from_notes((int(p), 64, step * i, step * (i + 1)) for i, p in enumerate(pitches))


def random_melody(notes: int, seed: int = 0) -> Performance:
    return melody(np.random.default_rng(seed).integers(48, 84, notes).tolist())


class TestGroove(MetricContract):
    spec = SPECS["groove"]
    options = ({}, {"bar": 0.1, "positions": 2})


class TestRepetition(MetricContract):
    spec = SPECS["repetition"]
    options = ({}, {"seconds": 20.0, "rate": 2.0, "smoothing": 1.0})

    def performances(self) -> Sequence[Performance]:
        """Return music that is long enough, besides that which is too short."""
        return (random_melody(60), random_melody(30, 1), *super().performances())


def measure(name: str, generated: Performance, *reference: Performance, **options: Any) -> dict[str, float]:
    spec = SPECS[name]
    measured = spec.build(spec.parse(options)).measure(generated, reference)
    return {value.feature: value.value for value in measured.values}


def test_onsets_are_rounded_to_positions_from_the_first_onset() -> None:
    notes = Performance.from_notes([(60, 64, 3.0, 3.5), (62, 64, 3.55, 4.0), (64, 64, 5.4, 5.5)]).notes
    assert onsets_in_bars(notes, 2.0, 4).tolist() == [[True, True, False, False], [False, True, False, False]]
    # an onset that is rounded to the end of the last bar stays in it
    assert onsets_in_bars(Performance.from_notes([(60, 64, 0, 0.1), (60, 64, 0.5, 0.6)]).notes, 0.6, 2).shape == (2, 2)


@given(BARS)
def test_groove_is_one_minus_the_mean_hamming_distance(bars: list[list[bool]]) -> None:
    onsets = np.array(bars)
    agree = {pair: (onsets[pair[0]] == onsets[pair[1]]).mean() for pair in itertools.combinations(range(len(bars)), 2)}
    assert similarity(onsets) == pytest.approx(np.mean(list(agree.values())))
    assert consistency(onsets) == pytest.approx(np.mean([agree[i, i + 1] for i in range(len(bars) - 1)]))


@settings(max_examples=25)
@given(BARS)
def test_periodicity_is_the_largest_correlation(bars: list[list[bool]]) -> None:
    line = np.ravel(bars)
    if not line.any():
        return
    line = line[: np.flatnonzero(line)[-1] + 1]
    found = [0.0]
    for shift in range(2, min(6, len(line) // 2) + 1):
        pair = line[shift:], line[:-shift]
        found.append(np.corrcoef(*pair)[0, 1] if all(each.std() for each in pair) else 0.0)
    expected = max(found[1:], default=0.0)
    assert periodicity(np.array(bars), 2, 6) == pytest.approx(expected, abs=1e-9)


def test_a_steady_rhythm_is_periodic_at_any_tempo_and_a_random_one_is_not() -> None:
    pattern = np.tile([0.25, 0.25, 0.5, 1.0], 30)
    rng = np.random.default_rng(0)
    for tempo in (0.8, 1.0, 1.3):
        values = []
        for intervals in (pattern, rng.permutation(pattern)):
            starts = np.cumsum(intervals) / tempo
            sample = Performance.from_notes((60, 64, start, start + 0.1) for start in starts)
            values.append(measure("groove", sample, sample, positions=32))
        assert values[0]["periodicity"] > 0.65 > values[1]["periodicity"]
        if tempo == 1.0:
            assert values[0]["consistency"] - values[1]["consistency"] > 0.05
    # few onsets agree mostly by their absence
    sparse = Performance.from_notes((60, 64, s, s + 0.1) for s in np.cumsum(rng.exponential(3.0, 40)))
    assert measure("groove", sparse, sparse)["consistency"] > 0.9
    assert measure("groove", sparse, sparse)["periodicity"] < 0.3


def test_differences_are_from_the_mean_of_the_pieces_that_are_long_enough() -> None:
    one, other, short = random_melody(40), random_melody(60, 1), melody([60])
    for name in ("groove", "repetition"):
        own = [measure(name, each, each) for each in (one, other)]
        found = measure(name, one, one, other, short, Performance.from_notes([]))
        for key in own[0]:
            if not key.endswith("_difference"):
                assert found[key] == own[0][key]
                assert found[f"{key}_difference"] == pytest.approx(abs(own[0][key] - own[1][key]) / 2)


def test_music_that_is_too_short_is_refused() -> None:
    long, silence = random_melody(40), Performance.from_notes([])
    for name, notes, problem in (
        ("groove", 3, "ends within one bar of 2 s"),
        ("repetition", 11, r"has 5\.5 s; .* needs 6 s"),
    ):
        short = random_melody(notes)
        measure(name, random_melody(notes + 1), long)
        with pytest.raises(ValueError, match=problem):
            measure(name, short, long)
        with pytest.raises(CorpusError, match=problem):
            measure(name, long, short, silence)
        with pytest.raises(CorpusError, match="no notes"):
            measure(name, long, silence)
        with pytest.raises(NothingGenerated, match="no notes"):
            measure(name, silence, long)


def test_chroma_counts_seconds_in_the_window_of_a_frame() -> None:
    notes = Performance.from_notes([(60, 64, 5.0, 6.0), (67, 64, 5.5, 5.75), (62, 64, 9.0, 9.5)]).notes
    found = chroma(notes, 1.0, 1.0, 5)
    assert found[0] == pytest.approx([1, *[0] * 11])  # half a second before the first onset and after it
    assert found[1, 0] / found[1, 7] == pytest.approx(0.5 / 0.25)
    assert found[3] == pytest.approx(np.full(12, 12**-0.5))  # silence
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)


def test_transposed_music_is_similar_to_itself() -> None:
    phrase = np.random.default_rng(0).integers(48, 72, 30)
    notes = melody([*phrase, *(phrase + 5)], 1.0).notes
    cells = self_similarity(chroma(notes, 1.0, 1.0, 60), 4)
    assert np.diagonal(cells, 30)[:26].mean() > 0.95
    assert np.array_equal(cells, cells.T)
    assert 0.7 < (cells == PENALTY).mean() <= 0.75


def best_family(cells: np.ndarray, start: int, length: int) -> float:
    """Return the fitness of a segment, by trying every path family recursively."""
    frames = len(cells)
    steps = ((1, 1), (2, 1), (1, 2))

    def paths(row: int, column: int) -> list[list[tuple[int, int]]]:
        """Return every path from a cell to the last column."""
        if column == length - 1:
            return [[(row, column)]]
        following = [(row + i, column + j) for i, j in steps if row + i < frames and column + j < length]
        return [[(row, column), *rest] for cell in following for rest in paths(*cell)]

    def families(row: int) -> list[tuple[float, int, int]]:
        """Return score, cells and covered frames of the best family from a row on."""
        if row >= frames:
            return [(0.0, 0, 0)]
        found = families(row + 1)
        for path in paths(row, 0):
            score = sum(cells[n, start + m] for n, m in path)
            rest = families(path[-1][0] + 1)
            found = [*found, *((score + s, len(path) + c, path[-1][0] - row + 1 + k) for s, c, k in rest)]
        return [max(found)]

    score, count, covered = families(0)[0]
    average, share = (score - length) / count, (covered - length) / frames
    return 2 * average * share / (average + share) if average + share else 0.0


def test_fitness_is_that_of_the_best_family_of_paths() -> None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        cells = np.where(rng.random((7, 7)) < 0.6, rng.random((7, 7)), -rng.random((7, 7)))
        np.fill_diagonal(cells, 1)
        found = fitness(cells, range(1, 8))
        for length in range(1, 8):
            for start in range(7):
                expected = best_family(cells, start, length) if start + length <= 7 else -np.inf
                assert found[length - 1, start] == pytest.approx(expected, abs=1e-9)


def test_a_form_that_repeats_has_a_higher_indicator_than_random_music() -> None:
    rng = np.random.default_rng(0)
    phrase = rng.integers(48, 84, 40).tolist()  # 20 s
    repeated, random = melody(phrase * 3), random_melody(120)
    form, chance = measure("repetition", repeated, random), measure("repetition", random, repeated)
    assert form["long"] > 2 * chance["long"]
    assert form["long"] > 0.6


def test_ranges_beyond_half_of_the_music_have_the_indicator_0() -> None:
    """A single repeated pitch: every segment is repeated, those of 15 s only at another tempo."""
    found = measure("repetition", melody([60] * 50), random_melody(40))
    assert found["middle"] > 0.5
    assert found["long"] == 0
