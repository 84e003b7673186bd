from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from ablate import Conditioner, Performance
from ablate.errors import CorpusError, InvalidOptions
from ablate.music.midi import read_midi
from ablate.music.performance import PEDAL_DTYPE
from ablate.testing import AugmenterContract, ConditionerContract, MetricContract
from ablate_tempo import ablate_augmenters, ablate_conditioners, ablate_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

(AUGMENTER,) = ablate_augmenters()
(CONDITIONER,) = ablate_conditioners()
(METRIC,) = ablate_metrics()
RNG = np.random.default_rng(0)
MOMENTS = st.integers(0, 80).map(lambda quarters: quarters / 4)  # at five times the speed still apart
PIECES = st.builds(
    lambda notes, pedals: Performance.from_notes(
        [(pitch, 64, start, start + length) for pitch, start, length in notes],
        pedals=np.array([(*event, 0) for event in pedals], PEDAL_DTYPE),
    ),
    st.lists(st.tuples(st.integers(21, 108), MOMENTS, MOMENTS), max_size=12),
    st.lists(st.tuples(MOMENTS, st.sampled_from([64, 67]), st.integers(0, 127)), max_size=4),
)


class TestAugmenter(AugmenterContract):
    spec = AUGMENTER
    options = ({}, {"factors": [1]}, {"factors": [0.01, 100.0]})


class TestConditioner(ConditionerContract):
    spec = CONDITIONER
    options = ({}, {"source": "uniform"}, {"source": "uniform", "low": 0.1, "high": 4.0}, {"source": "shuffled"})


class TestMetric(MetricContract):
    spec = METRIC
    options = ({}, {"together": 1e-12}, {"together": 1.0})


def augmented(performance: Performance, *factors: float) -> Sequence[Performance]:
    made: Sequence[Performance] = AUGMENTER.build(AUGMENTER.parse({"factors": factors})).augment(performance, RNG)
    return made


def conditioner(**options: Any) -> Conditioner:
    built: Conditioner = CONDITIONER.build(CONDITIONER.parse(options))
    return built


def at(*starts: float, **labels: float) -> Performance:
    return Performance.from_notes([(60, 64, start, start + 0.1) for start in starts]).labelled(**labels)


def measured(generated: Performance, *reference: Performance, **options: Any) -> dict[str, float]:
    found = METRIC.build(METRIC.parse(options)).measure(generated, reference).values
    return {value.feature: value.value for value in found}


def counted(generated: Performance, *reference: Performance) -> dict[str, int]:
    return {value.feature: value.n for value in METRIC.build(METRIC.parse({})).measure(generated, reference).values}


# The augmenter


def test_faster_means_earlier_and_shorter_pedals_too() -> None:
    pedals = np.array([(1.0, 64, 127, 0), (3.0, 64, 0, 0)], PEDAL_DTYPE)
    recorded = Performance.from_notes([(60, 70, 1.0, 4.0), (64, 71, 2.0, 2.5)], pedals=pedals, name="piece")
    slow, fast = augmented(recorded, 0.5, 2.0)
    assert fast.notes.tolist() == [(60, 70, 0.5, 2.0, 0), (64, 71, 1.0, 1.25, 0)]
    assert fast.pedals.tolist() == [(0.5, 64, 127, 0), (1.5, 64, 0, 0)]
    assert slow.notes.tolist() == [(60, 70, 2.0, 8.0, 0), (64, 71, 4.0, 5.0, 0)]
    assert (slow.labels["tempo"], fast.labels["tempo"], fast.name) == (0.5, 2.0, "piece")


@settings(max_examples=30)
@given(PIECES, st.floats(1.01, 5))
def test_times_are_divided_and_the_rest_stays(performance: Performance, factor: float) -> None:
    unchanged, copy = augmented(performance.labelled(mood=3.0), 1.0, factor)
    assert np.array_equal(unchanged.notes, performance.notes)
    assert np.array_equal(unchanged.pedals, performance.pedals)
    for now, before in ((copy.notes, performance.notes), (copy.pedals, performance.pedals)):
        for field in now.dtype.names or ():
            divided = before[field] / factor if field in ("start", "end", "time") else before[field]
            assert np.array_equal(now[field], divided)
    assert dict(copy.labels) == {"mood": 3.0, "tempo": factor}


def test_there_is_a_copy_for_each_factor_in_their_order() -> None:
    assert [copy.labels["tempo"] for copy in augmented(at(0.0, 1.0), 1.2, 0.8, 1.0)] == [1.2, 0.8, 1.0]
    defaults = AUGMENTER.build(AUGMENTER.parse({})).augment(at(0.0, 1.0), RNG)
    assert [dict(copy.labels) for copy in defaults] == [{"tempo": tempo} for tempo in (0.8, 0.9, 1.0, 1.1, 1.2)]


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ([], "factors: must be a list of 1 or more numbers > 0"),
        ([1.0, 0.0], "factors: must be a list of 1 or more numbers > 0"),
        ([-1.0], "factors: must be a list of 1 or more numbers > 0"),
        ([0.9, 1, 1.1, 0.9, 1.0], "factors: 0.9, 1 is listed more than once; list each speed once"),
    ],
)
def test_factors_that_make_no_copy_or_one_twice_are_refused(factors: list[float], says: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        AUGMENTER.parse({"factors": factors})
    assert says in str(caught.value)


# The conditioner


def test_it_tells_the_label_and_one_where_there_is_none() -> None:
    times = np.array([0.0, 0.5, 0.5])
    for source in ("label", "uniform", "shuffled"):
        told = conditioner(source=source)
        assert told.from_performance(at(0.0, tempo=1.2), times).tolist() == [[np.float32(1.2)]] * 3
        assert told.from_performance(at(0.0, mood=3.0), times).tolist() == [[1.0]] * 3
        assert told.from_labels({"tempo": 0.75, "mood": 3.0}, times).tolist() == [[0.75]] * 3
        assert dict(told.labels) == {"tempo": 1.0}


def test_its_module_is_a_linear_layer_on_the_raw_number() -> None:
    torch.manual_seed(0)
    module = conditioner().module(4)
    assert {name: tuple(weight.shape) for name, weight in module.named_parameters()} == {"weight": (4, 1), "bias": (4,)}
    tempo_rt1 = torch.tensor([[[0.8], [0.8]], [[1.2], [1.2]]])
    weight, bias = (parameter.detach() for parameter in module.parameters())
    torch.testing.assert_close(module(tempo_rt1), tempo_rt1 * weight[:, 0] + bias)


def test_the_label_is_trained_on_as_it_is() -> None:
    observed = np.full((3, 4, 1), 0.9, np.float32)
    assert np.array_equal(conditioner().perturb(observed, observed + 1, RNG), observed)


def test_uniform_draws_one_number_for_each_window() -> None:
    observed = np.full((4000, 3, 1), 1.2, np.float32)
    drawn = conditioner(source="uniform", low=0.5, high=2.0).perturb(observed, observed, np.random.default_rng(3))
    assert np.array_equal(drawn, np.repeat(drawn[:, :1], 3, axis=1))
    tempos = drawn[:, 0, 0]
    assert len(set(tempos.tolist())) > 3990
    share_r = np.arange(1, 4001) / 4000
    # Kolmogorov and Smirnov's distance from the uniform law stays below 2 / sqrt(n) but for one seed in a thousand
    assert np.abs(np.sort((tempos - 0.5) / 1.5) - share_r).max() < 2 / 4000**0.5
    assert (tempos >= 0.5).all()
    assert (tempos <= 2.0).all()


def test_shuffled_takes_the_other_windows_tempo() -> None:
    observed = np.full((2, 3, 1), 0.8, np.float32)
    others = np.array([[[1.1]] * 3, [[0.9]] * 3], np.float32)
    assert np.array_equal(conditioner(source="shuffled").perturb(observed, others, RNG), others)


@pytest.mark.parametrize(
    ("tempo", "shown"), [(-1.0, "-1"), (0.0, "0"), (-0.25, "-0.25"), (float("nan"), "nan")], ids=str
)
def test_only_a_tempo_above_0_can_be_asked_for(tempo: float, shown: str) -> None:
    with pytest.raises(ValueError, match=f"^tempo must be greater than 0, not {shown}$"):
        conditioner().check_labels({"tempo": tempo, "mood": -1.0})
    conditioner().check_labels({"tempo": 0.01, "mood": -1.0})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"low": 1.3}, "low must be below high, not 1.3 with high = 1.3"),
        ({"low": 1.0, "high": 0.5}, "low must be below high, not 1 with high = 0.5"),
        ({"low": 0.0}, "low: must be a number > 0, not 0.0"),
        ({"source": "noise"}, 'source: must be "label" or "uniform" or "shuffled", not "noise"'),
    ],
)
def test_sources_and_ranges_that_cannot_be_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        CONDITIONER.parse(options)
    assert str(caught.value) == says


# The metric


def test_rates_by_hand() -> None:
    # 5 notes after the first onset in 2.02 s; onsets 0, 1 and 2 (the other three are within 0.03 s of one of them)
    sample = at(2.0, 0.0, 0.02, 1.0, 2.0, 2.02, tempo=1.5)
    reference = at(0.0, 0.5, 1.0), at(3.0, 6.0), at(1.0)  # 3 notes in 4 s, 3 intervals in 4 s; the single note: none
    found = measured(sample, *reference)
    assert found == pytest.approx(
        {"notes_per_second": (5 / 2.02) / (3 / 4), "inter_onset_interval": 4 / 3, "error": 5 / 2.02 / 0.75 - 1.5}
    )
    assert counted(sample, *reference) == {"notes_per_second": 5, "inter_onset_interval": 2, "error": 5}


def test_onsets_belong_to_the_first_of_their_chord_and_not_to_one_another() -> None:
    reference = at(0.0, 1.0)
    spread = at(0.0, 0.02, 0.04, 0.06, 0.08, 1.0)  # onsets 0, 0.04, 0.08 and 1: three intervals in 1 s
    assert measured(spread, reference)["inter_onset_interval"] == pytest.approx(3)
    assert measured(spread, reference, together=0.1)["inter_onset_interval"] == pytest.approx(1)
    chords = at(0.0, 0.0, 0.5, 0.5, 0.5, 1.0)
    assert measured(chords, reference, together=1e-12)["inter_onset_interval"] == pytest.approx(2)


@pytest.mark.parametrize("step", [3, 26, 29, 71])
def test_onsets_on_a_grid_are_apart_from_the_limit_on(step: int) -> None:
    """0.29 - 0.26 is a little less than 0.03, which 3 steps of a grid should not be."""
    apart = at(0.0, step * 0.01, step * 0.01 + 0.03, (step + 30) * 0.01)
    assert counted(apart, apart)["inter_onset_interval"] == 3


@pytest.mark.parametrize("asked", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("starts", [(5.0,), (5.0, 5.0, 5.02)], ids=["one note", "one chord"])
def test_what_has_one_onset_has_no_speed(starts: tuple[float, ...], asked: float) -> None:
    sample, reference = at(*starts, tempo=asked), at(0.0, 1.0)
    assert measured(sample, reference) == {"notes_per_second": 0, "inter_onset_interval": 0, "error": asked}
    assert set(counted(sample, reference).values()) == {0}


@pytest.mark.parametrize("reference", [(), (at(1.0),), (at(1.0), at(0.0, 0.01))], ids=["none", "one note", "chords"])
def test_a_reference_without_a_tempo_is_refused(reference: tuple[Performance, ...]) -> None:
    with pytest.raises(CorpusError, match="no piece of it has two onsets"):
        measured(at(0.0, 1.0), *reference)


def test_values_say_what_they_are() -> None:
    values = METRIC.build(METRIC.parse({})).measure(at(0.0, 1.0), [at(0.0, 1.0)]).values
    assert [(value.feature, value.unit, value.direction) for value in values] == [
        ("notes_per_second", "1", "none"),
        ("inter_onset_interval", "1", "none"),
        ("error", "1", "lower"),
    ]


@settings(max_examples=40)
@given(PIECES, st.floats(1, 5))
def test_what_the_augmenter_made_has_the_speed_of_its_label(performance: Performance, tempo: float) -> None:
    recorded = performance.replace(notes=np.concatenate([performance.notes, at(0.0, 1.0).notes]))
    (copy,) = augmented(recorded, tempo)
    expected = {"notes_per_second": tempo, "inter_onset_interval": tempo, "error": 0.0}
    assert measured(copy, recorded) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_on_a_recording_the_slope_on_the_label_is_one(smd_dir: Path) -> None:
    recorded = read_midi(smd_dir / "Bach_BWV888-01_008_20110315-SMD.mid")
    copies = augmented(recorded, 0.8, 0.9, 1.0, 1.1, 1.2)
    found = [measured(copy, recorded) for copy in copies]
    tempos = [copy.labels["tempo"] for copy in copies]
    slope, offset = np.polyfit(tempos, [each["notes_per_second"] for each in found], 1)
    assert (slope, offset) == pytest.approx((1, 0), abs=1e-9)
    assert [each["error"] for each in found] == pytest.approx([0] * 5, abs=1e-12)
    # chords come apart in slow playing, so that this one follows the label, but not all the way
    intervals = [each["inter_onset_interval"] for each in found]
    assert intervals == sorted(intervals)
    assert intervals == pytest.approx(tempos, abs=0.1)


@pytest.mark.parametrize("together", [0.0, -1.0])
def test_chords_of_no_spread_are_refused(together: float) -> None:
    with pytest.raises(InvalidOptions, match="together: must be a number > 0"):
        METRIC.parse({"together": together})
