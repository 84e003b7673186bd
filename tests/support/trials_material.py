"""Layouts of studies, for the tests of their trials."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import optuna

from ablate.registry import get_registry
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import Layout, lay_out
from ablate.study.trials.view import Trials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ablate.study.trials.objectives import Values

STUDY = """
replicates = {replicates}
seed = {seed}
objective = {{ metric = "distance.pitch", feature = "{feature}", direction = "{direction}" }}
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
[training]
precision = "fp32"
[sampler.temperature]
[metric."distance.pitch"]
[axes]
{axes}
[baseline]
{baseline}
"""
TAU = "sampler.temperature.tau = {}"


def layout(
    folder: Path,
    taus: tuple[float, ...] = (0.8, 1.0),
    *,
    more: tuple[str, str] = ("", ""),
    replicates: int = 2,
    seed: int = 1,
    objective: tuple[str, str] = ("average", "lower"),
) -> Layout:
    """Lay out a sweep of tau; ``more`` is the text of another axis and its baseline in the study file."""
    axes, baseline = TAU.format(list(taus)) + f"\n{more[0]}", TAU.format(taus[0]) + f"\n{more[1]}"
    feature, direction = objective
    text = STUDY.format(
        axes=axes, baseline=baseline, replicates=replicates, seed=seed, feature=feature, direction=direction
    )
    path = folder / "sweep.toml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def read(path: Path) -> Layout:
    return lay_out(read_study(str(path)), get_registry(), "cpu")


def open_trials(url: str, laid_out: Layout, measured: Mapping[str, Values] | None = None) -> Trials:
    return Trials(url, laid_out, laid_out.spec.objectives, measured)


@contextlib.contextmanager
def trials(url: str, laid_out: Layout, measured: Mapping[str, Values] | None = None) -> Iterator[Trials]:
    with contextlib.closing(open_trials(url, laid_out, measured)) as opened:
        yield opened


def frozen(url: str, name: str = "sweep") -> list[Any]:
    """Load the trials with Optuna."""
    storage = optuna.storages.RDBStorage(url, skip_compatibility_check=True)  # ablate checks it, and that takes long
    try:
        return optuna.load_study(study_name=name, storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def summary(url: str) -> dict[float, tuple[str, float | None]]:
    """Return the state and the value of the trial of each tau; check that no tau has two trials."""
    found = frozen(url)
    by_tau = {trial.params["sampler.temperature.tau"]: (trial.state.name, trial.value) for trial in found}
    assert len(by_tau) == len(found)
    return by_tau
