"""One cluster for all tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.slurm import missing, running_cluster
from support.until_left import UntilLeft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.slurm import Cluster

CLUSTER = UntilLeft(Path(__file__).parent, running_cluster)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    CLUSTER.follow(nextitem)


@pytest.fixture(scope="session")
def running() -> Iterator[UntilLeft[Cluster]]:
    reason = missing()
    if reason:
        pytest.skip(f"no SLURM: it needs {reason}")
    yield CLUSTER
    CLUSTER.end()


@pytest.fixture
def cluster(running: UntilLeft[Cluster], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    started = running.get()
    for name, value in started.environment.items():
        monkeypatch.setenv(name, value)
    yield started
    assert not started.jobs(), "a job is left in the queue"
