"""What variants have in common when they are compared: nothing differs unseen, and tokens can be made equal."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

import ablate
from ablate.errors import StudyFileError
from ablate.registry import get_registry
from ablate.study.file.study_file import StudySpec, read_study
from ablate.study.plan.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
VARIANTS = """
[variants.plain]
[variants.augmented]
augmenter = "tempo"
[variants.five_times]
augmenter = "tempo"
training.batch_counts = "example"
[variants.wide]
training.batch = 4
"""


@pytest.fixture
def of(tiny: Path) -> Callable[..., StudySpec]:
    def loaded(variants: str, top: str = "") -> StudySpec:
        tiny.write_text(top + tiny.read_text(encoding="utf-8").replace(TAU, "") + variants, encoding="utf-8")
        return read_study(str(tiny))

    return loaded


def trainings(bench: Bench, name: str) -> dict[str, dict[str, Any]]:
    """What became of the training of each variant's first replicate."""
    with bench.store() as store:
        runs = [run for run in store.runs(name) if run.replicate == 0]
        stages = store.stages(run.stages["train"] for run in runs)
        return {run.variant: dict(stages[run.stages["train"]].result) for run in runs}


def test_without_a_budget_steps_are_equal_and_tokens_are_not(bench: Bench, of: Callable[..., StudySpec]) -> None:
    bench.run(of(VARIANTS))
    found = trainings(bench, "tiny")
    assert {name: result["steps"] for name, result in found.items()} == dict.fromkeys(found, 6)
    assert {name: result["tokens_seen"] for name, result in found.items()} == {
        "plain": 192,
        "augmented": 192,
        "five_times": 960,
        "wide": 384,
    }


def test_a_budget_of_tokens_equalises_them(bench: Bench, of: Callable[..., StudySpec]) -> None:
    spec = of(VARIANTS, "budget = 'tokens'\n")
    result = bench.run(spec)
    assert not result.failures
    found = trainings(bench, "tiny")
    # 6 steps of 2 windows of 16 tokens; five copies make them 1.2 steps, and there are only whole ones
    assert {name: result["steps"] for name, result in found.items()} == {
        "plain": 6,
        "augmented": 6,
        "five_times": 1,
        "wide": 3,
    }
    assert found["wide"]["tokens_seen"] == found["plain"]["tokens_seen"] == 192
    layout = lay_out(spec, get_registry(), "cpu")
    steps = {run.variant.name: run.configuration.settings["training"]["steps"] for run in layout.runs}
    assert (steps["plain"], steps["wide"]) == (6, 3)


def test_a_budget_shares_its_trainings_with_studies_of_as_many_steps(
    bench: Bench, of: Callable[..., StudySpec]
) -> None:
    bench.run(of("[variants.plain]\n"))
    assert bench.counts(of("[variants.wide]\ntraining.batch = 4\n", "budget = 'tokens'\n"), "train") == (2, 2)


def test_a_baseline_that_counts_by_the_example_has_no_budget_to_give(of: Callable[..., StudySpec]) -> None:
    reason = (
        'budget: "tokens" needs a baseline whose number of tokens is known before training, '
        "but 'b' has training.batch_counts = \"example\""
    )
    with pytest.raises(StudyFileError, match=reason):
        of("[variants.b]\ntraining.batch_counts = 'example'\n[variants.c]\n", "budget = 'tokens'\n")


def test_an_epoch_is_counted_in_steps(bench: Bench, of: Callable[..., StudySpec]) -> None:
    bench.run(of("[variants.plain]\n"))
    with bench.store() as store:
        (run, *_) = store.runs("tiny")
        stages = store.stages(run.stages.values())
        tokens = stages[run.stages["prepare"]].result["tokens"]
        assert stages[run.stages["train"]].result["steps_per_epoch"] == pytest.approx(tokens / (2 * 16))


def test_what_differs_unasked_is_refused(of: Callable[..., StudySpec], offer: Callable[[Any], None]) -> None:
    """An option that looks at something outside would change what is compared behind the study's back."""
    calls = []

    @dataclasses.dataclass(frozen=True)
    class Sly:
        size: int = ablate.option(1, doc="Not what it seems.")

        def __post_init__(self) -> None:
            calls.append(self)
            object.__setattr__(self, "size", len(calls))

    offer(ablate.SamplerSpec(name="sly", summary="Looks outside.", options=Sly, build_rows=lambda rows: None))  # type: ignore[arg-type, return-value]
    spec = of("[sampler.sly]\n[variants.a]\n[variants.b]\ntraining.batch = 4\n")
    with pytest.raises(StudyFileError, match=r"variant 'b' differs from 'a' in sampler.sly.size, which it does not"):
        lay_out(spec, get_registry(), "cpu")


class TestPairing:
    """Replicate k of every variant shares its random streams wherever that makes sense."""

    @pytest.mark.parametrize("model", ["lstm", "gru", "transformer"])
    def test_weights_begin_the_same_where_shapes_agree(self, tiny: Path, model: str) -> None:
        import torch

        from ablate.study.work.components import build_model

        text = tiny.read_text(encoding="utf-8").replace("[model.lstm]\nembedding = 8\nhidden = 16", f"[model.{model}]")
        tiny.write_text(
            text.replace(TAU, "") + "[variants.a]\n[variants.b]\nconditioner = 'tempo'\naugmenter = 'tempo'\n"
        )
        layout = lay_out(read_study(str(tiny)), get_registry(), "cpu")
        models = {}
        for run in layout.runs:
            stage = run.stages.stages["train"]
            torch.manual_seed(stage.config["seeds"]["init"])
            models[run.variant.name, run.replicate] = build_model(stage.config, get_registry()).state_dict()
        plain, told = models["a", 0], models["b", 0]
        assert plain.keys() < told.keys()
        assert all(torch.equal(plain[name], told[name]) for name in plain)
        assert any(not torch.equal(plain[name], models["a", 1][name]) for name in plain)

    def test_windows_and_uniform_numbers_are_shared(self, of: Callable[..., StudySpec]) -> None:
        layout = lay_out(of(VARIANTS), get_registry(), "cpu")
        for kind, key in (("train", "seeds"), ("generate", "seeds")):
            of_replicate: dict[int, set[str]] = {}
            for run in layout.runs:
                seeds = run.stages.stages[kind].config[key]
                of_replicate.setdefault(run.replicate, set()).add(repr(seeds))
            assert all(len(found) == 1 for found in of_replicate.values())
            assert len(set.union(*of_replicate.values())) == len(of_replicate)
