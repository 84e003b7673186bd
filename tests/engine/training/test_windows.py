from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from support.engine_material import Noisy

from ablate.engine.training.windows import IGNORED, Example, Windows
from ablate.errors import StageError
from ablate.settings import TrainingSettings
from ablate.testing.material import ClockConditioner


def windows_of(examples: list[Example], steps: int, batch: int, window: int, seed: int) -> Windows:
    return Windows(examples, TrainingSettings(steps=steps, batch=batch, window=window), seed)


def numbered(lengths: list[int]) -> list[Example]:
    """Examples whose tokens are all different, so that a window tells where it is from; conditions say it again."""
    ends = np.cumsum(lengths)
    tokens = [np.arange(end - length, end) for length, end in zip(lengths, ends, strict=True)]
    return [Example(t, (np.stack([t, -t], axis=1).astype(np.float32),)) for t in tokens]


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(lambda lengths: max(lengths) > 1),
    st.integers(1, 12),
    st.integers(0, 2**63 - 1),
)
def test_a_window_lies_in_one_example_and_its_targets_are_the_next_tokens(
    lengths: list[int], window: int, seed: int
) -> None:
    drawn = numbered(lengths)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    last = np.cumsum(lengths) - 1
    windows = windows_of(drawn, 3, 4, window, seed)
    for step in range(3):
        batch = windows.batch(step, [ClockConditioner()], 0)
        tokens, targets, (conditions,) = batch.tokens.numpy(), batch.targets.numpy(), batch.conditions
        assert tokens.shape == targets.shape == (4, window)
        for inputs, wanted in zip(tokens, targets, strict=True):
            assert len(set(owner[inputs])) == 1
            assert np.array_equal(np.diff(inputs), inputs[:-1] < last[owner[inputs[0]]])  # one on, up to the end
            assert np.array_equal(wanted, np.where(inputs < last[owner[inputs[0]]], inputs + 1, IGNORED))
            assert wanted[0] != IGNORED
        assert np.array_equal(conditions.numpy(), np.stack([tokens, -tokens], axis=-1))


def test_short_examples_are_padded_with_ignored_targets() -> None:
    batch = windows_of(numbered([3]), 1, 1, 6, 0).batch(0, [ClockConditioner()], 0)
    assert batch.tokens.tolist() == [[0, 1, 2, 2, 2, 2]]
    assert batch.targets.tolist() == [[1, 2, IGNORED, IGNORED, IGNORED, IGNORED]]


def test_every_place_a_window_can_start_is_equally_likely() -> None:
    # 40, 5, 1 and 12 tokens in windows of 8: starts at 0..31, at 40 (short), none in the third, at 46..49
    windows = windows_of(numbered([40, 5, 1, 12]), 500, 20, 8, 3)
    starts = np.concatenate([windows.batch(step, [ClockConditioner()], 0).tokens[:, 0] for step in range(500)])
    places, counts = np.unique(starts, return_counts=True)
    assert places.tolist() == [*range(32), 40, *range(46, 50)]
    assert scipy.stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize("lengths", [[0], [1], [1, 0, 1]])
def test_nothing_to_predict_is_an_error(lengths: list[int]) -> None:
    with pytest.raises(StageError, match="nothing to learn"):
        windows_of(numbered(lengths), 1, 1, 4, 0)


def test_a_step_does_not_depend_on_the_steps_before_it() -> None:
    in_order, backwards = (windows_of(numbered([50]), 10, 4, 8, 1) for _ in range(2))
    conditioners = [Noisy()]
    expected = [in_order.batch(step, conditioners, 9) for step in range(10)]
    for step in reversed(range(10)):
        batch = backwards.batch(step, conditioners, 9)
        assert batch.tokens.equal(expected[step].tokens)
        assert batch.conditions[0].equal(expected[step].conditions[0])


def test_each_step_and_each_conditioner_is_disturbed_by_a_stream_of_its_own() -> None:
    flat = [Example(np.zeros(50, np.int64), (np.zeros((50, 2), np.float32),) * 2)]
    windows = windows_of(flat, 4, 3, 8, 1)
    noise = [c for step in range(4) for c in windows.batch(step, [Noisy(), Noisy()], 9).conditions]
    noise += windows.batch(0, [Noisy(), Noisy()], 10).conditions
    assert len({tensor.numpy().tobytes() for tensor in noise}) == len(noise)
    assert not flat[0].conditions[0].any(), "disturbing changed the example"


def test_more_steps_begin_with_the_same_windows() -> None:
    few, many = (windows_of(numbered([50]), steps, 4, 8, 1) for steps in (5, 500))
    assert few.batch(4, [ClockConditioner()], 0).tokens.equal(many.batch(4, [ClockConditioner()], 0).tokens)


def test_a_batch_of_each_example_has_as_many_windows_of_every_one() -> None:
    lengths = [40, 1, 5, 300, 0, 12]
    drawn = numbered(lengths)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    windows = Windows(drawn, TrainingSettings(steps=50, batch=3, window=8, batch_counts="example"), 7)
    assert windows.rows == 12, "three of each example that has something to predict"
    starts = []
    for step in range(50):
        tokens = windows.batch(step, [ClockConditioner()], 0).tokens.numpy()
        assert np.array_equal(np.bincount(owner[tokens[:, 0]], minlength=6), [3, 0, 3, 3, 0, 3])
        starts += tokens[:, 0].tolist()
    assert len(set(starts)) > 100, "where they begin is drawn"


def test_others_numbers_are_those_of_windows_drawn_from_everything() -> None:
    class Swaps(ClockConditioner):
        def perturb(self, values: Any, others: Any, rng: np.random.Generator) -> Any:
            return others

    drawn = numbered([60, 60])
    windows = windows_of(drawn, 100, 4, 8, 1)
    own, other = [], []
    for step in range(100):
        batch = windows.batch(step, [Swaps()], 3)
        told = batch.conditions[0].numpy()[..., 0]
        assert np.array_equal(np.diff(told, axis=1), np.ones((4, 7))), "they are windows, in order"
        own += batch.tokens[:, 0].tolist()
        other += told[:, 0].astype(int).tolist()
    assert abs(np.corrcoef(own, other)[0, 1]) < 0.15, "they tell nothing of the tokens"
    assert {value // 60 for value in other} == {0, 1}
    again = windows_of(drawn, 100, 4, 8, 1).batch(7, [Swaps()], 3).conditions[0]
    assert again.equal(windows.batch(7, [Swaps()], 3).conditions[0])
