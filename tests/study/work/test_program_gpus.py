"""GPUs for programs: each run has its own, or shares one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from ablate.errors import ProgramFailed
from ablate.study.plan import lanes as planned
from ablate.study.work.messages import JobStopped
from ablate.study.work.program import gpus
from ablate.study.work.program.gpus import leased

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home on a machine with three GPUs, of which the tests need no more than the names."""
    for module in (gpus, planned):
        monkeypatch.setattr(module, "gpu_names", lambda: ["4", "5", "GPU-6"])
    (tmp_path / "logs").mkdir()
    return tmp_path


def test_no_two_programs_have_the_same_gpu(home: Path) -> None:
    with leased(2, home, lambda: True) as first, leased(1, home, lambda: True) as second:
        assert (first, second) == (("4", "5"), ("GPU-6",))
        with pytest.raises(JobStopped), leased(1, home, lambda: True):
            pass
    with leased(1, home, lambda: True) as again:
        assert again == ("4",)
    with leased(0, home, lambda: True) as none:
        assert none == ()


def test_halves_are_spread_before_they_are_shared(home: Path) -> None:
    with contextlib.ExitStack() as stack:
        names = [stack.enter_context(leased(0.5, home, lambda: True))[0] for _ in range(6)]
        assert sorted(names[:3]) == sorted(names[3:]) == ["4", "5", "GPU-6"]
        with pytest.raises(JobStopped):
            stack.enter_context(leased(0.5, home, lambda: True))


def test_too_few(home: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"program.gpus = 4, but this machine has 3"), leased(4, home, lambda: True):
        pass
