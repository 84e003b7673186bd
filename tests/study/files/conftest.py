"""A home with a finished study, for tests that damage copies of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.bench import Bench

from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec


@pytest.fixture(scope="package")
def spec(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> StudySpec:
    """A study with a primer, so that its stages are of most kinds."""
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(tiny_text.replace("tokens = 80", "tokens = 60") + "[primer]\nnotes = 3\n", encoding="utf-8")
    return read_study(str(path), Overrides())


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory, spec: StudySpec) -> Bench:
    """A home with the finished study; nobody changes it."""
    bench = Bench(tmp_path_factory.mktemp("finished") / "home")
    bench.run(spec)
    return bench


@pytest.fixture
def home(finished: Bench, tmp_path: Path) -> Bench:
    """A copy of the home."""
    shutil.copytree(finished.home, tmp_path / "deep/home")
    return Bench(tmp_path / "deep/home")
