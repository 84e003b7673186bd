from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from ablate.registry import get_registry
from ablate.study.run.provenance import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    environment.cache_clear()
    yield
    environment.cache_clear()


def git(*words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *who, *words], capture_output=True, text=True, check=True).stdout.strip()


def test_the_git_state_is_that_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert environment(get_registry())["git"] == {}
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    environment.cache_clear()
    assert environment(get_registry())["git"] == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "new").touch()
    environment.cache_clear()
    assert environment(get_registry())["git"]["dirty"] is True
