from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ablate import Performance, Value
from ablate.errors import CorpusError, InvalidOptions, NothingGenerated
from ablate.music.midi import read_midi
from ablate.testing import MetricContract
from ablate_bach.options import PreludeOptions
from ablate_bach.render import render
from ablate_memorization import ablate_metrics, copies, searches
from ablate_memorization.copies import REACH, CopyFinder
from ablate_memorization.metrics import covered, longest, ngrams
from ablate_memorization.options import LongestOptions
from ablate_midilike.classic import ClassicTokenizer
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.options import ClassicOptions, GridOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate import Tokenizer
    from ablate.arrays import IntArray

SPECS = {spec.name: spec for spec in ablate_metrics()}
TOKENIZERS = {"midilike": GridTokenizer(GridOptions()), "midilike-classic": ClassicTokenizer(ClassicOptions())}
MELODY = [60, 67, 64, 72, 71, 62, 65, 69, 61, 74]
#: Dense and fast ones among them.
PIECES = (
    "Bach_BWV888-01_008_20110315",
    "Chopin_Op010-04_007_20100611",
    "Chopin_Op066_006_20100611",
    "Liszt_KonzertetuedeNo2LaLeggierezza_003_20090916",
    "Ravel_JeuxDEau_008_20110315",
)


class TestNgrams(MetricContract):
    spec = SPECS["memorization.ngrams"]
    options = ({}, {"n": 2, "transposed": True}, {"n": 3, "together": 0.001, "stretch": 1.0})


class TestLongest(MetricContract):
    spec = SPECS["memorization.longest"]
    options = ({}, {"transposed": True})


class TestCovered(MetricContract):
    spec = SPECS["memorization.covered"]
    options = ({}, {"length": 2}, {"length": 3, "stretch": 2.0})


def piece(pitches: list[int], onsets: Any = None, velocity: int = 64, length: float = 0.1) -> Performance:
    onsets = 0.25 * np.arange(len(pitches)) if onsets is None else onsets
    return Performance.from_notes([(p, velocity, t, t + length) for p, t in zip(pitches, onsets, strict=True)])


def lengths(sample: Performance, *reference: Performance, **options: Any) -> list[int]:
    found: list[int] = CopyFinder(reference, LongestOptions(**options)).lengths(sample).tolist()
    return found


def values(name: str, sample: Performance, *reference: Performance, **options: Any) -> dict[str, Value]:
    spec = SPECS[f"memorization.{name}"]
    measured = spec.build(spec.parse(options)).measure(sample, reference)
    return {value.feature: value for value in measured.values}


def share(name: str, sample: Performance, *reference: Performance, **options: Any) -> float:
    return values(name, sample, *reference, **options)["share"].value


def test_a_run_grows_with_each_note_and_breaks_at_a_wrong_one() -> None:
    sample = piece([*MELODY[3:7], 70, *MELODY[:5]])
    assert lengths(sample, piece(MELODY)) == [1, 2, 3, 4, 0, 1, 2, 3, 4, 5]


def test_the_three_read_one_search() -> None:
    reference, sample = piece(MELODY), piece([*MELODY[3:7], 70, *MELODY[:5]])
    assert values("ngrams", sample, reference, n=4) == {"share": Value(3 / 7, feature="share", n=7, share=True)}
    assert values("longest", sample, reference) == {
        "notes": Value(5, feature="notes", unit="notes", n=10),
        "share": Value(0.5, feature="share", n=10, share=True),
    }
    assert values("covered", sample, reference, length=5) == {"share": Value(0.5, feature="share", n=10, share=True)}
    assert values("covered", sample, reference, length=4) == {"share": Value(0.9, feature="share", n=10, share=True)}


def test_readings_computed_by_hand() -> None:
    found = np.array([0, 1, 2, 3, 2, 3, 4, 0])  # a run of three, and one of four that begins within it
    assert [ngrams(found, n)[0].value for n in (2, 3, 4, 5)] == [5 / 7, 3 / 6, 1 / 5, 0.0]
    assert [value.value for value in longest(found)] == [4, 0.5]
    assert [covered(found, length)[0].value for length in (2, 4, 5)] == [6 / 8, 4 / 8, 0.0]
    assert ngrams(found, 9) == (Value(0.0, feature="share", n=0, share=True),)


def test_no_run_spans_two_pieces() -> None:
    first, second = piece(MELODY[:5]), piece(MELODY[5:], 0.25 * np.arange(5, 10))
    assert lengths(piece(MELODY), first, second) == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]


def test_velocities_and_durations_do_not_count() -> None:
    assert max(lengths(piece(MELODY, velocity=1, length=3.0), piece(MELODY))) == 10


@pytest.mark.parametrize(("off", "run"), [(0.0, 10), (0.049, 10), (-0.049, 10), (0.051, 5), (-0.051, 5)])
def test_together_is_what_any_interval_may_be_off(off: float, run: int) -> None:
    sample = piece(MELODY, np.where(np.arange(10) < 5, 0.0, off) + 0.25 * np.arange(10))
    assert max(lengths(sample, piece(MELODY), stretch=1.0)) == run


@pytest.mark.parametrize(("tempo", "run"), [(1.49, 10), (1 / 1.49, 10), (1.51, 1), (1 / 1.51, 1)])
def test_stretch_is_how_much_slower_or_faster_a_copy_may_be(tempo: float, run: int) -> None:
    sample = piece(MELODY, 0.25 * tempo * np.arange(10))
    assert max(lengths(sample, piece(MELODY), stretch=1.5, together=1e-6)) == run


def test_the_notes_of_a_chord_may_change_places() -> None:
    played = piece([60, 64, 67, 72, 65, 69, 53], [0.02, 0.0, 0.01, 0.03, 1.01, 1.0, 1.02])
    rounded = piece([60, 64, 67, 72, 53, 65, 69], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    assert max(lengths(rounded, played)) == max(lengths(played, rounded)) == 7


def test_transposed_copies_are_found_when_asked_for() -> None:
    reference, sample = piece(MELODY), piece([pitch - 5 for pitch in MELODY])
    assert max(lengths(sample, reference)) < 3
    assert lengths(sample, reference, transposed=True) == list(range(1, 11))


def test_a_transposition_holds_for_the_whole_run() -> None:
    sample = piece([*(pitch + 3 for pitch in MELODY[:5]), *(pitch - 4 for pitch in MELODY[5:])])
    assert max(lengths(sample, piece(MELODY), transposed=True)) == 5


def test_a_loop_is_not_found_again_and_again_in_two_notes() -> None:
    loop = piece([60, 64] * 50, 0.02 * np.arange(100))
    assert max(lengths(loop, piece([60, 64, 48, 50], [0.0, 0.02, 0.5, 1.0]))) == 2
    assert max(lengths(loop, piece([60, 64] * 20, 0.02 * np.arange(40)))) == 40


@pytest.mark.parametrize(("between", "run"), [(REACH - 1, 2), (REACH, 1)])
def test_partners_are_within_reach(between: int, run: int) -> None:
    reference = piece([60, *range(80, 80 + between), 62], np.linspace(0, 1, between + 2))
    assert max(lengths(piece([60, 62], [0.0, 1.0]), reference)) == run


def test_very_long_pauses_are_intervals_too() -> None:
    onsets = [0.0, 1.0, 1e6, 1e6 + 1]
    assert lengths(piece(MELODY[:4], onsets), piece(MELODY[:4], onsets)) == [1, 2, 3, 4]


PITCHES_AND_TIMES = st.tuples(st.integers(60, 62), st.integers(0, 5))


@given(st.sets(PITCHES_AND_TIMES, min_size=1, max_size=REACH), st.sets(PITCHES_AND_TIMES, min_size=1, max_size=REACH))
@settings(max_examples=50)
def test_without_tolerance_a_copy_is_a_shift_in_time(one: set[tuple[int, int]], other: set[tuple[int, int]]) -> None:
    sample, reference = (
        piece([pitch for pitch, _ in notes], [0.25 * time for _, time in notes]).canonical() for notes in (one, other)
    )
    expected = np.zeros(len(sample), np.int64)
    for shift in range(-5, 6):
        run = 0
        for i, note in enumerate(sample.notes):
            run = run + 1 if (note["pitch"], round(note["start"] / 0.25) + shift) in other else 0
            expected[i] = max(expected[i], run)
    assert lengths(sample, reference, stretch=1.0, together=1e-3) == expected.tolist()


@given(st.lists(st.tuples(st.integers(48, 72), st.floats(0, 4)), min_size=1, max_size=40, unique=True))
@settings(max_examples=30)
def test_a_piece_is_a_copy_of_itself(notes: list[tuple[int, float]]) -> None:
    performance = piece([pitch for pitch, _ in notes], [onset for _, onset in notes])
    assert lengths(performance, piece([1]), performance) == list(range(1, len(notes) + 1))


FEW_PITCHES = st.lists(st.tuples(st.integers(60, 64), st.floats(0, 6, width=32)), min_size=1, max_size=60, unique=True)


@given(FEW_PITCHES, FEW_PITCHES)
@settings(max_examples=60)
def test_many_links_give_what_few_do(one: list[tuple[int, float]], other: list[tuple[int, float]]) -> None:
    """Two ways to the same lengths: in Python, and in NumPy; with five pitches everything fits nearly everything."""
    sample, reference = (Performance.from_notes([(p, 64, t, t + 0.1) for p, t in notes]) for notes in (one, other))
    finder = CopyFinder([reference], LongestOptions())
    with pytest.MonkeyPatch.context() as patched:
        found = []
        for few, at_once in ((10**9, 2**18), (0, 2**18), (10**9, 7), (0, 7)):
            patched.setattr(copies, "FEW", few)
            patched.setattr(copies, "AT_ONCE", at_once)
            found.append(finder.lengths(sample).tolist())
    assert found == [found[0]] * 4


def test_another_reference_is_indexed_anew() -> None:
    spec = SPECS["memorization.longest"]
    metric, sample = spec.build(spec.parse({})), piece(MELODY)
    longest_runs = [metric.measure(sample, [piece(MELODY[:end])]).values[0].value for end in (10, 4, 7)]
    assert longest_runs == [10, 4, 7]


def test_three_metrics_and_other_copies_of_the_reference_share_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a worker, where each stage builds its metric and reads the corpus anew."""
    sample, indexed, searched = piece([*MELODY, 33]), [], []

    class Counting(CopyFinder):
        def __init__(self, reference: Sequence[Performance], options: LongestOptions) -> None:
            indexed.append(options)
            super().__init__(reference, options)

        def lengths(self, sample: Performance) -> IntArray:
            searched.append(len(sample))
            return super().lengths(sample)

    monkeypatch.setattr(searches, "CopyFinder", Counting)
    for name, own in (("ngrams", {"n": 4}), ("longest", {}), ("covered", {"length": 5})):
        assert values(name, sample, piece([*MELODY, 34]), **own)["share"].value > 0
    assert (len(indexed), searched) == (1, [11])
    assert share("longest", sample, piece([*MELODY, 34]), transposed=True) > 0
    assert share("longest", sample, piece([*MELODY, 34]), piece([33])) > 0
    assert share("longest", piece(MELODY), piece([*MELODY, 34]), piece([33])) > 0
    assert (len(indexed), searched) == (3, [11, 11, 11, 10])


def test_music_without_notes_is_refused() -> None:
    with pytest.raises(NothingGenerated, match="no notes to measure"):
        share("ngrams", piece([]), piece(MELODY))
    with pytest.raises(CorpusError, match="no notes to compare with"):
        share("ngrams", piece(MELODY), piece([]))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ngrams", {"n": 1}, "n: must be a whole number ≥ 2"),
        ("covered", {"length": 0}, "length: must be a whole number ≥ 2"),
        ("longest", {"together": 0}, "together: must be a number > 0"),
        ("longest", {"stretch": 0.9}, "stretch: must be a number ≥ 1"),
        ("longest", {"n": 8}, "unknown key"),
    ],
)
def test_options_out_of_bounds_are_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptions, match=message):
        SPECS[f"memorization.{name}"].parse(settings)


def test_the_order_of_pitches_is_what_histograms_miss() -> None:
    prelude = render(PreludeOptions()).canonical()
    shuffled = prelude.notes.copy()
    shuffled["pitch"] = np.random.default_rng(0).permutation(shuffled["pitch"])
    assert share("ngrams", prelude, prelude) == share("covered", prelude, prelude) == 1.0
    assert share("ngrams", prelude.replace(notes=shuffled), prelude) < 0.01


@pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS)
def test_the_prelude_survives_its_tokens(tokenizer: Tokenizer) -> None:
    prelude = render(PreludeOptions())
    assert share("ngrams", tokenizer.decode(tokenizer.encode(prelude)), prelude) == 1.0


@pytest.fixture(scope="module")
def pieces(smd_dir: Path) -> list[Performance]:
    return [read_midi(smd_dir / f"{name}-SMD.mid") for name in PIECES]


@pytest.mark.parametrize(("name", "least"), [("midilike", 1.0), ("midilike-classic", 0.95)])
def test_real_pieces_survive_their_tokens(pieces: list[Performance], name: str, least: float) -> None:
    for original in pieces:
        decoded = TOKENIZERS[name].decode(TOKENIZERS[name].encode(original)).canonical()
        sample = decoded.replace(notes=decoded.notes[-700:])  # the end, where the clock is furthest behind
        found = CopyFinder([original], LongestOptions()).lengths(sample)
        assert ngrams(found, 8)[0].value >= least, original.name
        assert covered(found, 20)[0].value >= least, original.name


def test_real_pieces_are_found_in_themselves_and_hardly_in_others(pieces: list[Performance]) -> None:
    beginnings = [piece.replace(notes=piece.notes[:700]) for piece in pieces]
    for place, beginning in enumerate(beginnings):
        assert lengths(beginning, *pieces[place : place + 1]) == list(range(1, len(beginning) + 1))
        others = CopyFinder(beginnings[:place] + beginnings[place + 1 :], LongestOptions()).lengths(beginning)
        assert ngrams(others, 8)[0].value < 0.02
        assert covered(others, 20)[0].value == 0.0
