from __future__ import annotations

import itertools

import pytest

from ablate.engine.seeding import derive, numpy_stream


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((0, 0, "init", 0), 6086317127016625015),
        ((888, 0, "init", 0), 7541337865156129701),
        ((888, 1, "windows", 0), 4518033210561654216),
        ((888, 7, "sample", 3), 6100462984275106184),
        ((2**40, 0, "labels", 0), 6704896465674086404),
    ],
)
def test_derived_seeds_never_change(place: tuple[int, int, str, int], expected: int) -> None:
    assert derive(*place) == expected


def test_no_two_streams_share_a_seed() -> None:
    purposes = ("augment", "init", "windows", "labels", "dropout", "sample")
    seeds = (*range(20), 888, 2**31, 2**63)
    places = list(itertools.product(seeds, range(12), purposes, range(25)))
    derived = {derive(*place) for place in places}
    assert len(derived) == len(places)
    assert all(0 <= seed < 2**63 for seed in derived)


def test_streams_are_the_same_on_every_platform() -> None:
    stream = numpy_stream(derive(888, 0, "sample"))
    assert stream.random(3).tolist() == [0.34891951883325734, 0.5206788130453985, 0.2657077123468433]
    assert stream.integers(0, 1000, 4).tolist() == [586, 18, 359, 392]


def test_a_longer_draw_begins_like_a_shorter_one() -> None:
    assert numpy_stream(5).random(1000)[:10].tolist() == numpy_stream(5).random(10).tolist()
