"""The contract of executors, on a cluster of three nodes."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ablate_ray
from ablate.errors import ExecutorError
from ablate.interfaces.executor import Setup
from ablate.testing import ExecutorContract
from ablate.testing.executor_log import Log
from ablate.testing.executor_work import perform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from support.ray_cluster import RayCluster

    from ablate.interfaces import Executor

(RAY,) = ablate_ray.ablate_executors()
#: Tests whose tasks one executor does, one test after another: to connect and to start actors takes seconds.
#: The others stop or leave theirs.
TOGETHER = {
    "test_places",
    "test_home",
    "test_messages",
    "test_many_tasks",
    "test_an_exception",
    "test_a_killed_worker",
    "test_end",
    "test_contents",
    "test_alone",
}


class Shared:
    """An executor for several tests, entered by the first one; a test that fails leaves it."""

    def __init__(self) -> None:
        self.left = contextlib.ExitStack()
        self.executor: Executor | None = None

    @contextlib.contextmanager
    def use(self, enter: AbstractContextManager[tuple[Executor, Log]]) -> Iterator[Executor]:
        with self.left.pop_all() as left:
            executor, self.executor = self.executor or left.enter_context(enter)[0], None
            yield executor
            self.executor, self.left = executor, left.pop_all()

    def leave(self) -> None:
        """Leave the executor, if one is entered, because its actors hold the cores that another one waits for."""
        self.executor = None
        self.left.pop_all().close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    shared = Shared()
    yield shared
    shared.leave()


@pytest.mark.slow
class TestRay(ExecutorContract):
    spec = RAY

    @pytest.fixture(autouse=True)
    def on_the_cluster(self, cluster: RayCluster, request: pytest.FixtureRequest, shared: Shared) -> None:
        self.address = cluster.address
        self.shared, self.together = shared, request.node.originalname in TOGETHER
        if not self.together:
            shared.leave()

    @contextlib.contextmanager
    def entered(self, settings: Mapping[str, Any]) -> Iterator[tuple[Executor, Log]]:
        enter = super().entered({"address": self.address, "tasks": 2, **settings})
        if self.together:
            with self.shared.use(enter) as executor:
                yield executor, Log(executor, self.seconds)
        else:
            with enter as entered:
                yield entered

    def test_shared_home(self) -> None:
        self.test_home({"shared_home": True})

    def test_a_worker_that_cannot_start_ends_the_run_in_one_line(self) -> None:
        executor = RAY.build(RAY.parse({"address": self.address}), Setup(perform, Path("/home")))
        executor._start = executor._start._replace(home=None)  # with which no actor can be made
        with executor:
            log = Log(executor, self.seconds)
            log.submit("where")
            with pytest.raises(ExecutorError) as refused:
                log.until_over()
        assert re.fullmatch(
            r"a worker of Ray on 127\.0\.0\.1 cannot start \(TypeError: .+\); install there what this machine has",
            str(refused.value),
        )

    def test_a_cluster_with_another_token_is_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
        begun = time.monotonic()
        with (
            pytest.raises(ExecutorError, match=f"the Ray cluster at '{self.address}' asks for a token that"),
            RAY.build(RAY.parse({"address": self.address}), Setup(perform, Path("/home"))),
        ):
            pass
        assert time.monotonic() - begun < 60  # Ray would try for minutes
