"""Options of the executor."""

from __future__ import annotations

import pytest

from ablate.errors import InvalidOptions
from ablate_slurm import ablate_executors
from ablate_slurm.options import seconds

SPEC = next(iter(ablate_executors()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 5400),
        ("1:30", 90),
        ("2:00:00", 7200),
        ("1-0", 86_400),
        ("1-12:30", 131_400),
        ("1-0:0:5", 86_405),
        ("1h", 0),
        ("", 0),
        ("-1", 0),
    ],
)
def test_time_limits_are_read_as_sbatch_does(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [({}, 120), ({"time": 90}, 120), ({"time": 4}, 60), ({"time": "0:40"}, 10), ({"time": "1-0", "notice": 300}, 300)],
)
def test_the_notice_is_at_most_a_quarter_of_the_time(values: dict[str, object], expected: int) -> None:
    assert SPEC.parse(values).seconds_of_notice == expected


def test_numbers_may_be_names() -> None:
    options = SPEC.parse({"account": 4711, "memory": 4000, "partition": 2})
    assert (options.account, options.memory, options.partition) == (4711, 4000, 2)


@pytest.mark.parametrize("time", ["1h", 0, -5, "0:00"])
def test_a_time_that_is_none_is_refused(time: object) -> None:
    with pytest.raises(InvalidOptions, match="must be a time limit as sbatch reads it, such as"):
        SPEC.parse({"time": time})


def test_a_memory_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidOptions, match='must be an amount as sbatch reads it, such as "8G", not "lots"'):
        SPEC.parse({"memory": "lots"})
    assert SPEC.parse({"memory": "500m"}).memory == "500m"
