"""The division of a study into shards."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import pytest

from ablate.errors import UsageError
from ablate.kinds import TRAIN
from ablate.registry import get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.shards.shard import Shard, shard_layout, trainings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout


@pytest.fixture
def layout(load: Callable[..., StudySpec]) -> Layout:
    """Return three models with two temperatures each, in five replicates: 15 trainings, 30 runs."""
    spec = load({"axes.model.lstm.hidden": [8, 12, 16], "baseline.model.lstm.hidden": 16}, replicates=5)
    return lay_out(spec, get_registry(), "cpu")


@pytest.mark.parametrize("count", [1, 2, 4, 15, 16, 40])
def test_each_training_and_each_run_is_in_one_shard(layout: Layout, count: int) -> None:
    parts = [shard_layout(layout, Shard(number, count)) for number in range(1, count + 1)]
    trained = [{f for f, stage in part.stages().items() if stage.kind == TRAIN} for part in parts]
    assert sum(map(len, trained)) == len(set.union(*trained)) == len(trainings(layout)) == 15
    runs = [(run.variant.name, run.replicate) for part in parts for run in part.current]
    assert len(runs) == len(set(runs)) == len(layout.runs) == 30
    assert max(map(len, trained)) - min(map(len, trained)) <= 1
    assert {f for part in parts for f in part.stages()} == layout.stages().keys()


def test_every_shard_has_its_part_of_each_variant(layout: Layout) -> None:
    for number in range(1, 6):
        part = shard_layout(layout, Shard(number, 5))
        assert set(collections.Counter(run.variant.name for run in part.current).values()) == {1}


@pytest.mark.parametrize("text", ["", "3", "3/", "/3", "a/b", "1/2/3", "-1/4", "1.5/4", "1/4x", "٣/٤"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="such as 3/20"):
        Shard.parse(text)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1/10001", "0/0", "999999999/999999999"])
def test_a_shard_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shards"):
        Shard.parse(text)


def test_a_shard_has_the_text_that_it_is_read_from() -> None:
    assert str(Shard.parse(" 3/20 ")) == "3/20"
