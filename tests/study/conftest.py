"""Fixtures of a study that runs in a second."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.bench import Bench

import ablate
from ablate.registry import Component, Plugin, get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


TINY = """
question = "Does it run?"
seed = 5
replicates = 2

[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
embedding = 8
hidden = 16
[training]
steps = 6
batch = 2
window = 16
precision = "fp32"
[generation]
samples = 2
tokens = 80
[sampler.temperature]
[floors]
draws = 1
[metric."distance.pitch"]
[metric."distance.velocity"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
[profiles.smaller]
training.steps = 3
"""


@pytest.fixture(scope="session")
def tiny_text() -> str:
    """Return the text of the study's file."""
    return TINY


@pytest.fixture
def tiny(tmp_path: Path, tiny_text: str) -> Path:
    """Write the study's file and return its path."""
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_text, encoding="utf-8")
    return path


@pytest.fixture
def raw() -> dict[str, Any]:
    """Return the study's file as data."""
    return tomllib.loads(TINY)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "home")


@pytest.fixture
def load(tiny: Path) -> Callable[..., StudySpec]:
    """Return a function that reads the study with overrides; ``--set`` is a dictionary."""

    def loaded(settings: dict[str, Any] | None = None, **overrides: Any) -> StudySpec:
        return read_study(str(tiny), Overrides(settings=tuple((settings or {}).items()), **overrides))

    return loaded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of four pieces of random notes."""
    path, rng = tmp_path / "music", np.random.default_rng(0)
    path.mkdir()
    for number in range(4):
        notes = [(int(rng.integers(40, 90)), 64, 0.2 * i, 0.2 * i + 0.15) for i in range(60)]
        (path / f"piece{number}.mid").write_bytes(ablate.Performance.from_notes(notes).midi_bytes())
    return path


@pytest.fixture
def offer() -> Iterator[Callable[[Any], None]]:
    """Offer a component to the registry of this process, for one test."""
    components = get_registry().components
    plugin = Plugin("test", "test", "test", "0")
    kept = list(components)
    yield lambda spec: components.append(Component(spec, plugin))
    components[:] = kept
