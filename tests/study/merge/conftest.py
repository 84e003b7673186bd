"""A small study that has run as two shards, and whole."""

from __future__ import annotations

import contextlib
import io
import shutil
from typing import TYPE_CHECKING

import pytest
from support.commands import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STUDY = """
question = "Does it run?"
replicates = 4
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
embedding = 8
hidden = 8
[training]
steps = 4
batch = 1
window = 8
[generation]
samples = 1
tokens = 40
[sampler.temperature]
[floors]
draws = 1
shuffles = 1
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
"""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the study."""
    file = tmp_path_factory.mktemp("shards") / "small.toml"
    file.write_text(STUDY)
    return file


@pytest.fixture(scope="session")
def homes(small: Path) -> Path:
    """Return a folder with the homes ``1`` and ``2`` of both shards, and ``local`` of the whole study."""
    folder = small.parent / "homes"
    for name, shard in (("1", ("--shard", "1/2")), ("2", ("--shard", "2/2")), ("local", ())):
        words = ["study", "run", str(small), "--home", str(folder / name), "--workers", "1", "--no-report", *shard]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert run(words) == 0
    return folder


@pytest.fixture
def copied(homes: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies one of these homes into the folder of the test."""
    return lambda name: shutil.copytree(homes / name, tmp_path / name)
