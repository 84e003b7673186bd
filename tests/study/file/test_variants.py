from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import StudyFileError, UsageError
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study
from ablate.study.plan.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

NAMED = """
[variants.plain]
[variants.long]
training.steps = 9
generation = { tokens = 90, samples = 1 }
[variants.told]
conditioner = { tempo = { source = "uniform" } }
augmenter = "tempo"
"sampler.temperature.tau" = 0.5
"""


@pytest.fixture
def named(tiny: Path) -> Callable[..., StudySpec]:
    """Load the study with named variants instead of its axis."""

    def loaded(variants: str = NAMED, rest: str = "") -> StudySpec:
        text = tiny.read_text(encoding="utf-8")
        text = text.replace(
            "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n", ""
        )
        tiny.write_text(text + variants + rest, encoding="utf-8")
        return read_study(str(tiny))

    return loaded


def test_a_named_variant_changes_the_keys_in_its_table_only(named: Callable[..., StudySpec]) -> None:
    spec = named()
    made = {v.name: spec.configuration(v, get_registry()).plain() for v in spec.variants()}
    assert list(made) == ["plain", "long", "told"]
    assert [v.name for v in spec.variants() if v.baseline] == ["plain"]
    plain, long, told = made.values()
    assert {key for key in plain if plain[key] != long[key]} == {"training", "generation"}
    assert (long["training"]["steps"], long["generation"]["tokens"], long["generation"]["samples"]) == (9, 90, 1)
    assert {key for key in plain if plain[key] != told[key]} == {"conditioner", "augmenter", "sampler", "labels"}
    assert told["conditioner"][0]["options"]["source"] == "uniform"
    assert told["sampler"][0]["options"]["tau"] == 0.5


def test_named_variants_cross_with_axes(named: Callable[..., StudySpec]) -> None:
    spec = named(rest='[axes]\nlabels.tempo = [0.9, 1.1]\n[baseline]\nvariants = "told"\nlabels.tempo = 1.1\n')
    names = [v.name for v in spec.variants()]
    assert names == [f"{v}, tempo={t}" for v in ("plain", "long", "told") for t in (0.9, 1.1)]
    assert [v.name for v in spec.variants() if v.baseline] == ["told, tempo=1.1"]
    labels = {v.name: spec.configuration(v, get_registry()).labels for v in spec.variants()}
    assert labels["told, tempo=0.9"] == {"tempo": 0.9}
    assert labels["plain, tempo=0.9"] == {}, "a label that nothing reads is not asked"
    plain = [c for c in lay_out(spec, get_registry(), "cpu").runs if c.variant.name.startswith("plain")]
    assert len({c.stages.fingerprints()["generate"] for c in plain if c.replicate == 0}) == 1


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        ("[variants]\nlong = 3\n", "variants.long: must be a table of its changes, not 3"),
        (
            "[variants.long]\ntraining.stpes = 3\n",
            "variants.long.training.stpes: [training] has no setting 'stpes'; did you mean 'steps'?",
        ),
        ("[variants.long]\ntraining.steps = 0\n", "variants.long: training.steps: must be a whole number ≥ 1, not 0"),
        (
            '[variants.long]\nmetric = "distance.pitch"\n',
            "variants.long.metric: metrics measure the variants and cannot be varied",
        ),
        ('[variants.long]\nmodel = "lstn"\n', "variants.long: model.lstn: unknown model 'lstn'; did you mean 'lstm'?"),
        (
            "[variants.long]\ntraining.steps = 3\n[axes]\ntraining.steps = [3, 6]\n",
            "variants.long.training.steps: is also an axis of this study; vary it in one place only",
        ),
        (
            "[variants.a]\n[variants.b]\n[baseline]\nvariants = 'c'\n",
            "baseline.variants: the baseline c is not a level of this axis (levels: a, b)",
        ),
        (
            '[variants.a]\n[variants.b]\nconditioner = "tempo"\n[axes]\nlabels.tempo = [1.0, -1.0]\n',
            "labels: tempo must be greater than 0, not -1 (in variant 'b, tempo=-1.0')",
        ),
    ],
)
def test_each_problem_of_a_variant_is_reported_with_its_key(
    named: Callable[..., StudySpec], variants: str, expected: str
) -> None:
    with pytest.raises(StudyFileError) as error:
        named(variants)
    assert any(problem.startswith(expected) for problem in error.value.problems), error.value.problems


PERFORMER = '[variants.a]\nconditioner = { performer = { performers = ["001", "008"] } }\nlabels.performer = "%s"\n'


def test_labels_with_names_become_their_position(named: Callable[..., StudySpec]) -> None:
    spec = named(PERFORMER % "008")
    (variant,) = spec.variants()
    assert spec.configuration(variant, get_registry()).labels == {"performer": 1.0}


def test_a_name_that_no_category_has_is_refused(named: Callable[..., StudySpec]) -> None:
    with pytest.raises(StudyFileError, match=r"unknown value '009'; did you mean '008'\? \(known: 001, 008\)"):
        named(PERFORMER % "009")


def test_a_study_of_named_variants_runs(bench: Bench, named: Callable[..., StudySpec]) -> None:
    result: Any = bench.run(named())
    assert not result.failures
    assert set(bench.states("tiny").values()) == {"done"}
    assert result.ran["train"] == 6
    with bench.store() as store:
        assert {v.name: v.levels for v in store.variants("tiny")} == {
            name: {"variants": name} for name in ("plain", "long", "told")
        }


def test_a_kind_is_replaced_before_its_options_are_set(named: Callable[..., StudySpec]) -> None:
    spec = named('[variants.a]\n"conditioner.tempo.source" = "uniform"\nconditioner = "tempo"\naugmenter = "tempo"\n')
    (variant,) = spec.variants()
    (choice,) = spec.configuration(variant, get_registry()).choices["conditioner"]
    assert choice.options["source"] == "uniform"


def test_an_unquoted_path_does_not_replace_a_kind_unseen(named: Callable[..., StudySpec]) -> None:
    with pytest.raises(StudyFileError, match=r'variants.a.model: would replace the whole model; .*"model.NAME.OPTION"'):
        named("[variants.a]\nmodel.lstm.layers = 2\n")


def test_set_reaches_named_variants_and_never_passes_them_by(named: Callable[..., StudySpec]) -> None:
    spec = named()
    changed = read_study(spec.source, Overrides(settings=(("variants.long.training.steps", 12),)))
    steps = [changed.configuration(v, get_registry()).settings["training"]["steps"] for v in changed.variants()]
    assert steps == [6, 12, 6]
    with pytest.raises(
        UsageError, match=r"variant 'long' sets its own value; .* --set variants\.long\.training\.steps="
    ):
        read_study(spec.source, Overrides(settings=(("training.steps", 12),)))
    with pytest.raises(UsageError, match="no variant of that name; did you mean 'long'"):
        read_study(spec.source, Overrides(settings=(("variants.lng.training.steps", 12),)))


def test_equal_labels_are_one_generation_however_they_are_written(named: Callable[..., StudySpec]) -> None:
    told = '[variants.a]\nconditioner = "tempo"\n[variants.b]\nconditioner = "tempo"\nlabels.tempo = 1\n'
    spec = named(told + '[variants.c]\nconditioner = "tempo"\nlabels.tempo = 1.0\n')
    runs = [run for run in lay_out(spec, get_registry(), "cpu").runs if run.replicate == 0]
    assert len({run.stages.fingerprints()["generate"] for run in runs}) == 1


def test_a_number_is_looked_for_among_the_names(named: Callable[..., StudySpec]) -> None:
    text = '[variants.a]\nconditioner = { performer = { performers = ["2", "1", "0"] } }\nlabels.performer = 2\n'
    spec = named(text)
    assert spec.configuration(spec.variants()[0], get_registry()).labels == {"performer": 0.0}


@pytest.mark.parametrize("value", ["1" + "0" * 400, "true", "'fast'"])
def test_a_label_is_a_number(named: Callable[..., StudySpec], value: str) -> None:
    with pytest.raises(StudyFileError, match=r"labels.tempo: must be a (whole )?number.*, not "):
        named(f'[variants.a]\nconditioner = "tempo"\nlabels.tempo = {value}\n')
