"""A Ray cluster of three nodes for all tests of this folder, started when a test needs it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import ray_cluster
from support.until_left import UntilLeft

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTER = UntilLeft(Path(__file__).parent, lambda: contextlib.closing(ray_cluster.RayCluster(3)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    CLUSTER.follow(nextitem)


@pytest.fixture(scope="session")
def running() -> Iterator[UntilLeft[ray_cluster.RayCluster]]:
    lacking = ray_cluster.missing()
    if lacking:
        pytest.skip(f"no Ray cluster: {lacking}")
    yield CLUSTER
    CLUSTER.end()


@pytest.fixture
def cluster(running: UntilLeft[ray_cluster.RayCluster], monkeypatch: pytest.MonkeyPatch) -> ray_cluster.RayCluster:
    for name, value in ray_cluster.SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    return running.get()
