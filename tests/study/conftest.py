"""A study small enough to run in a second, and a way to run it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from support.store_material import measurements

from ablate.registry import Component, Plugin, get_registry
from ablate.store.store import Store
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study
from ablate.study.plan.layout import lay_out
from ablate.study.plan.plan import make_plan
from ablate.study.run.home import open_home, store_url
from ablate.study.run.runner import StudyRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ablate.study.run.result import StudyResult

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
[metric."distance.pitch"]
[metric."distance.velocity"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
[profiles.smaller]
training.steps = 3
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The study's file."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def raw() -> dict[str, Any]:
    """The study's file as data."""
    return tomllib.loads(TINY)


class Bench:
    """Runs studies in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = open_home(home)
        self.url = store_url(self.home)

    def run(self, spec: StudySpec, **options: Any) -> StudyResult:
        layout = lay_out(spec, get_registry(), "cpu")
        with Store(self.url) as store:
            run = StudyRunner(layout, store, self.home, **options)
            if "listener" in options:
                options["listener"].run = run
            return run.run()

    def counts(self, spec: StudySpec, kind: str) -> tuple[int, int]:
        """To run and reused."""
        with Store(self.url) as store:
            return make_plan(lay_out(spec, get_registry(), "cpu"), store, self.home).count(kind)

    def numbers(self, name: str) -> list[Any]:
        """Every measurement, by run."""
        with Store(self.url) as store:
            return sorted(measurements(store, name), key=repr)

    def states(self, name: str) -> dict[tuple[str, int], str]:
        with Store(self.url) as store:
            return {(run.variant, run.replicate): run.state for run in store.runs(name)}

    def store(self) -> Store:
        return Store(self.url)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "home")


@pytest.fixture
def load(tiny: Path) -> Callable[..., StudySpec]:
    """Load the study with overrides, ``set`` as a dictionary."""

    def loaded(settings: dict[str, Any] | None = None, **overrides: Any) -> StudySpec:
        return read_study(str(tiny), Overrides(settings=tuple((settings or {}).items()), **overrides))

    return loaded


@pytest.fixture
def offer() -> Iterator[Callable[[Any], None]]:
    """Offer a component to the registry of this process, for one test."""
    components = get_registry().components
    plugin = Plugin("test", "test", "test", "0")
    kept = list(components)
    yield lambda spec: components.append(Component(spec, plugin))
    components[:] = kept
