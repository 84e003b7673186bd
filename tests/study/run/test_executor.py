from __future__ import annotations

import os
import signal
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

import pytest
import torch

from ablate.engine.devices import spread
from ablate.registry import get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor import PoolExecutor
from ablate.study.work.messages import Job, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


@pytest.mark.parametrize(
    ("gpus", "device", "workers", "expected"),
    [
        (0, "cpu", 3, ["cpu"] * 3),
        (8, "cpu", 1, ["cpu"]),
        (1, "cuda", 16, ["cuda:0"]),
        (4, "cuda", 16, ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]),
        (4, "cuda", 2, ["cuda:0", "cuda:1"]),  # fewer jobs than GPUs, or fewer asked for
        (4, "cuda:2", 16, ["cuda:2"]),
    ],
)
def test_workers_take_the_devices_there_are(
    gpus: int, device: str, workers: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert spread(device, workers) == expected


def test_a_pool_works_without_signal_masks(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has none."""
    resource_tracker.ensure_running()  # a process of Python's own, which needs the masks on this system
    monkeypatch.delattr(signal, "pthread_sigmask")
    stages = lay_out(load(), get_registry(), "cpu").stages().values()
    stage = next(stage for stage in stages if stage.kind == "load")
    outcomes = []
    with PoolExecutor(bench.home, ["cpu"], get_registry(), 10.0) as executor:
        executor.submit(Job("load", (stage,)))
        while not outcomes:
            outcomes = executor.wait(lambda news: None)
    ((result,),) = (outcome.results for outcome in outcomes)
    assert isinstance(result, StageResult)
    assert (bench.home / stage.artifact).is_dir()


def test_workers_have_the_environment_of_the_driver(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of a second pool: the process that they are forked from is older."""
    for value in ("first", "second"):
        monkeypatch.setenv("ABLATE_OF_THIS_TEST", value)
        with (
            PoolExecutor(bench.home, ["cpu"], get_registry(), 10.0) as executor,
            executor._new_pool("cpu") as pool,
        ):
            assert pool.submit(os.getenv, "ABLATE_OF_THIS_TEST").result(60) == value
