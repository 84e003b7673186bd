"""Components that do what they must not do: each costs its own stages, is named with its plugin, and nothing else."""

from __future__ import annotations

import importlib.metadata
import os
import signal
from typing import TYPE_CHECKING

import pytest
from support.bench import Bench
from support.misbehaving import music, networks
from support.misbehaving.common import FEW

from ablate import interrupts
from ablate.errors import AblateError
from ablate.registry import GROUP, Registry
from ablate.report.write import write_report
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from ablate.study.plan.preflight import check_components
from ablate.study.run.listener import Listener
from ablate.study.run.runner import StudyRunner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ablate.study.run.result import StudyResult
    from ablate.study.work.messages import StageFailure

STUDY = """
question = "Does it go on?"
seed = 5
replicates = 1
[training]
steps = 3
batch = 2
window = 16
precision = "fp32"
[generation]
samples = 2
tokens = 40
[floors]
draws = 1
shuffles = 1
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
embedding = 8
hidden = 8
[sampler.temperature]
[metric."distance.pitch"]
"""
AXIS = "[axes]\nsampler.temperature.tau = [1.0]\n"
ENTRY = importlib.metadata.EntryPoint("wild", "support.misbehaving", GROUP)


@pytest.fixture(autouse=True)
def _keep_signals() -> Iterator[None]:
    """Put back what a component changes in this process."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The installed plugins, and the one that misbehaves."""
    made = Registry([*importlib.metadata.entry_points(group=GROUP), ENTRY])
    assert not made.failed
    return made


@pytest.fixture(autouse=True)
def _own_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat a plain KeyboardInterrupt as on the command line: as one that a plugin raised."""
    monkeypatch.setattr(interrupts.signal, "getsignal", lambda number: None)


class Failures(Listener):
    """Collects the failed stages."""

    def __init__(self) -> None:
        self.failures: list[StageFailure] = []

    def failed(self, failure: StageFailure) -> None:
        self.failures.append(failure)


def run(text: str, folder: Path, registry: Registry) -> tuple[Bench, StudyResult, list[StageFailure]]:
    """Run a study in this process, write its report, and check that the surroundings are as before."""
    (folder / "s.toml").write_text(text, encoding="utf-8")
    bench, listener = Bench(folder / "home"), Failures()
    before = (os.getcwd(), dict(os.environ))  # noqa: PTH109 - as a component would change it
    layout = lay_out(read_study(str(folder / "s.toml"), registry=registry), registry, "cpu")
    with bench.store() as store:
        result = StudyRunner(layout, store, bench.home, listener=listener).run()
    assert (os.getcwd(), dict(os.environ)) == before  # noqa: PTH109
    return bench, result, listener.failures


def check_named(failures: list[StageFailure], names: set[str], kind: str) -> None:
    """Check that each component has failed stages which name it and its plugin on one printable line."""
    for name in sorted(names):
        own = [f for f in failures if f"{kind} '{name}' of plugin 'wild'" in f.error]
        assert own, f"{name}: {[f.error[:200] for f in failures if 'wild' not in f.error or name in f.error]}"
        for failure in own:
            assert failure.error.isprintable()
            assert len(failure.error) < 5000


def check_reported(bench: Bench, registry: Registry, metrics: set[str], *formats: str) -> None:
    """Check that nothing but the healthy metrics is stored, and that a report can be written."""
    with bench.store() as store:
        assert {row.metric for row in store.measurement_rows("s")} == metrics
        write_report(store, bench.home, "s", formats, sound=False, registry=registry)


def test_metrics(tmp_path: Path, registry: Registry) -> None:
    names = {name for name in registry.names("metric") if name.startswith("wild.")}
    sections = "".join(f'[metric."{name}"]\n' for name in sorted(names))
    bench, _, failures = run(f"{STUDY}{sections}{AXIS}", tmp_path, registry)
    check_named(failures, names - {"wild.disturbing"}, "metric")
    check_reported(bench, registry, {"distance.pitch", "wild.disturbing"}, "html", "md", "csv", "tex")


#: For each kind of component, those that fail while the study runs.
CASES = {
    "corpus": [*music.PERFORMANCES, *music.ODD],
    "augmenter": [*music.PERFORMANCES, *(f"build-{name}" for name in FEW)],
    "tokenizer": list(music.ENCODING),
    "tokenizer that decodes": list(music.DECODING),
    "conditioner": list(music.OBSERVING),
    "conditioner that is asked": list(music.ASKED),
    "model": [*networks.MODELS, *(f"build-{name}" for name in FEW)],
    "optimizer": list(networks.OPTIMIZERS),
    "schedule": list(networks.SCHEDULES),
    "sampler": list(networks.SAMPLERS),
}


#: A failure before training stops the whole study, with all errors: see docs/decisions/0008.
EARLY = ("corpus", "augmenter", "tokenizer", "conditioner")


@pytest.mark.parametrize("case", CASES)
def test_components(tmp_path: Path, registry: Registry, case: str) -> None:
    names, kind = CASES[case], case.partition(" ")[0]
    table = "".join(f'[variants."{name}"]\n{kind} = ["wild-{name}"]\n' for name in names)
    text = f'{STUDY}[variants.good]\n{table}[baseline]\nvariants = "good"\n'
    bench, result, failures = run(text, tmp_path, registry)
    check_named(failures, {f"wild-{name}" for name in names}, kind)
    states = bench.states("s")
    assert {states[name, 0] for name in names} == {"failed"}
    if case in EARLY:
        assert result.refused
        return
    assert states["good", 0] == "done"
    check_reported(bench, registry, {"distance.pitch"}, "csv")


#: Components that fail before anything runs, by kind.
AT_ONCE = {
    "corpus": [*(f"{what}-{name}" for name in FEW for what in ("build", "identity")), "identity-none"],
    "tokenizer": [*(f"build-{name}" for name in FEW), *music.UNBUILT, "no-methods"],
    "conditioner": [f"{what}-{name}" for name in FEW for what in ("build", "labels")],
    "optimizer": [f"build-{name}" for name in FEW],
    "schedule": [f"build-{name}" for name in FEW],
    "sampler": [f"build-{name}" for name in FEW],
}


@pytest.mark.parametrize("kind", AT_ONCE)
def test_components_that_fail_before_anything_runs(tmp_path: Path, registry: Registry, kind: str) -> None:
    for name in AT_ONCE[kind]:
        text = f'{STUDY}[variants.good]\n[variants.other]\n{kind} = ["wild-{name}"]\n[baseline]\nvariants = "good"\n'
        (tmp_path / "s.toml").write_text(text, encoding="utf-8")
        with pytest.raises(AblateError) as refused:
            check_components(lay_out(read_study(str(tmp_path / "s.toml"), registry=registry), registry, "cpu"))
        assert f"{kind} 'wild-{name}' of plugin 'wild'" in str(refused.value)
