"""A home with a finished study, for tests that damage copies of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.bench import Bench

from ablate.music.performance import Performance
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec

#: A study whose stages have every file that there is: it learns its tokenizer, validates, and has one instrument.
STUDY = """
question = "Does it last?"
seed = 5
replicates = 2
[corpus.midi]
path = "music"
[split]
validation = 0.25
[tokenizer.midilike-bpe]
step = 0.125
longest_shift = 0.5
velocity_bins = 2
low = 40
high = 90
vocabulary = 120
[model.lstm]
embedding = 8
hidden = 16
[training]
steps = 4
batch = 2
window = 16
precision = "fp32"
validate_every = 2
[primer]
notes = 3
[generation]
samples = 2
tokens = 60
[sampler.temperature]
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
"""


def violin(seed: int) -> Performance:
    """A piece for violin alone."""
    rng = np.random.default_rng(seed)
    notes = Performance.from_notes([(int(rng.integers(45, 85)), 64, i * 0.25, i * 0.25 + 0.2) for i in range(50)]).notes
    notes["instrument"] = 40
    return Performance(notes)


@pytest.fixture(scope="package")
def spec(tmp_path_factory: pytest.TempPathFactory) -> StudySpec:
    folder = tmp_path_factory.mktemp("study")
    (folder / "music").mkdir()
    for seed in range(4):
        (folder / f"music/{seed}.mid").write_bytes(violin(seed).midi_bytes())
    (folder / "tiny.toml").write_text(STUDY, encoding="utf-8")
    return read_study(str(folder / "tiny.toml"), Overrides())


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory, spec: StudySpec) -> Bench:
    """A home with the finished study; nobody changes it."""
    bench = Bench(tmp_path_factory.mktemp("finished") / "home")
    assert not bench.run(spec).failures
    return bench


@pytest.fixture
def home(finished: Bench, tmp_path: Path) -> Bench:
    """A copy of the home."""
    shutil.copytree(finished.home, tmp_path / "deep/home")
    return Bench(tmp_path / "deep/home")
