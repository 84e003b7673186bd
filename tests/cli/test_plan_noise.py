"""The plan's advice on samples and replicates, from an earlier run in the home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.report_study import STUDY, Builder

from ablate.cli.study.planning.noise import NO_ADVICE, UNKNOWN_NOISE, noise_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command


def earlier(home: Path, replicates: int, samples: int, name: str = STUDY) -> None:
    builder = Builder(home, ("tau=0.6", "tau=0.8"), replicates, samples)
    builder.plan(name=name)
    with builder.store:
        builder.finish(name)


def planned(ablate: Command) -> dict[str, Any]:
    outcome = ablate("study", "plan", "tau_sweep", "--profile", "smoke", "--json")
    assert not outcome.code, outcome.err
    facts: dict[str, Any] = json.loads(outcome.out)
    return facts


def test_components_of_an_earlier_run_give_the_best_number_of_samples(ablate: Command, tmp_path: Path) -> None:
    earlier(tmp_path / ".ablate", 6, 2)
    noise = planned(ablate)["noise"]
    assert (noise["study"], noise["quantity"]) == (STUDY, "distance.pitch")
    assert (noise["replicates"], noise["samples"]) == (6, 2)
    assert 0 < noise["training_seconds"] < 5, "those of the trainings to run, not the recorded 20 s"
    share, low, high = noise["sampling_share"]
    assert 0 <= low <= share <= high <= 1
    least = noise["optimal_samples"][1]
    ratio = 2 * low / (1 - low)
    assert least == pytest.approx(max(1.0, (ratio * noise["training_seconds"] / noise["sample_seconds"]) ** 0.5))
    text = ablate("study", "plan", "tau_sweep", "--profile", "smoke").out
    assert f"in distance.pitch ({STUDY}: 6 replicates, 2 samples each)" in text


def test_another_profile_of_the_study_serves_too(ablate: Command, tmp_path: Path) -> None:
    earlier(tmp_path / ".ablate", 6, 2, "tau_sweep")
    assert planned(ablate)["noise"]["study"] == "tau_sweep"


@pytest.mark.parametrize(("replicates", "samples"), [(5, 2), (6, 1)])
def test_without_enough_replicates_and_samples_it_is_unknown(
    ablate: Command, tmp_path: Path, replicates: int, samples: int
) -> None:
    earlier(tmp_path / ".ablate", replicates, samples)
    assert planned(ablate)["noise"] is None
    text = ablate("study", "plan", "tau_sweep", "--profile", "smoke").out
    assert "more samples or more replicates? unknown until six replicates" in text


def test_six_replicates_that_exist_are_not_asked_for_again() -> None:
    assert noise_sentence(None, 6, complete=True) == NO_ADVICE
    assert noise_sentence(None, 6, complete=False) == noise_sentence(None, 5, complete=True) == UNKNOWN_NOISE
