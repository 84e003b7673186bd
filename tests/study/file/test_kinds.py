"""A level or change that names a component has the options of the file, of its profile and of ``--set``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import StudyFileError, UsageError
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
LSTM = "[model.lstm]\nembedding = 8\nhidden = 16\n"
SAMPLER = "[sampler.temperature]\n"
SMALLER = "[profiles.smaller]\ntraining.steps = 3\n"


@pytest.fixture
def study(tiny: Path) -> Callable[..., StudySpec]:
    """Return a function that reads the tiny study without its axis and with more sections."""

    def read(rest: str, *changes: tuple[str, str], **overrides: Any) -> StudySpec:
        text = tiny.read_text(encoding="utf-8").replace(TAU, "")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tiny.with_name("kinds.toml")
        path.write_text(text + rest, encoding="utf-8")
        return read_study(str(path), Overrides(**overrides))

    return read


def options_of(
    spec: StudySpec, kind: str = "model", names: tuple[str, ...] = ("embedding", "hidden")
) -> dict[str, Any]:
    """Return for each variant, its components of a kind with some of their options."""
    registry = get_registry()
    choices = {v.name: spec.configuration(v, registry).choices[kind] for v in spec.variants()}
    return {
        name: [(choice.name, *(choice.options.get(option) for option in names)) for choice in each]
        for name, each in choices.items()
    }


def baseline_of(spec: StudySpec) -> str:
    return next(variant.name for variant in spec.variants() if variant.baseline)


def refusal(study: Callable[..., StudySpec], rest: str, *changes: tuple[str, str], **overrides: Any) -> list[str]:
    with pytest.raises(StudyFileError) as refused:
        study(rest, *changes, **overrides)
    return refused.value.problems


TWO = '[axes]\nmodel = ["lstm", "gru"]\n'


class TestModels:
    def test_a_level_has_the_options_of_the_file(self, study: Callable[..., StudySpec]) -> None:
        spec = study(TWO)
        assert options_of(spec) == {"model=lstm": [("lstm", 8, 16)], "model=gru": [("gru", 128, 256)]}
        assert baseline_of(spec) == "model=lstm"

    def test_a_table_of_a_level_changes_what_it_sets(self, study: Callable[..., StudySpec]) -> None:
        spec = study('[axes]\nmodel = ["lstm", { lstm = { hidden = 12 } }]\n')
        assert list(options_of(spec).values()) == [[("lstm", 8, 16)], [("lstm", 8, 12)]]

    def test_the_options_of_a_profile_and_of_the_command_line(self, study: Callable[..., StudySpec]) -> None:
        profile = "[profiles.tiny]\nmodel.lstm = { embedding = 4, hidden = 4 }\nmodel.gru.hidden = 5\n"
        spec = study(TWO + profile, profile="tiny")
        assert options_of(spec) == {"model=lstm": [("lstm", 4, 4)], "model=gru": [("gru", 128, 5)]}
        spec = study(TWO, settings=(("model.lstm.hidden", 3), ("model.gru.embedding", 2)))
        assert options_of(spec) == {"model=lstm": [("lstm", 8, 3)], "model=gru": [("gru", 2, 256)]}
        assert baseline_of(spec) == "model=lstm"

    def test_a_table_for_each_model(self, study: Callable[..., StudySpec]) -> None:
        both = (LSTM, f"[model.gru]\nhidden = 7\n{LSTM}")
        spec = study(TWO, both)
        assert options_of(spec) == {"model=lstm": [("lstm", 8, 16)], "model=gru": [("gru", 128, 7)]}
        assert baseline_of(spec) == "model=gru", "the first table is the base configuration"
        assert list(spec.config["model"]) == ["gru"]
        assert baseline_of(study(TWO + '[baseline]\nmodel = "lstm"\n', both)) == "model=lstm"
        named = study('[variants.a]\nmodel = "lstm"\n[variants.b]\n[variants.c]\nmodel = ["gru"]\n', both)
        assert list(options_of(named).values()) == [[("lstm", 8, 16)], [("gru", 128, 7)], [("gru", 128, 7)]]

    def test_two_tables_without_an_axis(self, study: Callable[..., StudySpec]) -> None:
        problems = refusal(study, TAU, (LSTM, f"[model.gru]\n{LSTM}"))
        assert problems == [
            "model: exactly one model is needed, found 2: gru, lstm. Offered: "
            + ", ".join(get_registry().names("model"))
        ]

    def test_an_axis_of_an_option_next_to_it(self, study: Callable[..., StudySpec]) -> None:
        rest = TWO + '"model.lstm.dropout" = { levels = [0.0, 0.5], when = { model = "lstm" } }\n'
        found = options_of(study(rest), names=("hidden", "dropout"))
        assert list(found.values()) == [[("lstm", 16, 0.0)], [("lstm", 16, 0.5)], [("gru", 256, 0.0)]]


@pytest.mark.parametrize(
    ("rest", "changes", "overrides", "expected"),
    [
        (
            '[axes]\nmodel = ["gru", "transformer"]\n[baseline]\nmodel = "gru"\n',
            (),
            {},
            "model.lstm.hidden: no variant uses this option: none has the model 'lstm' (levels of axes.model: gru, ",
        ),
        (
            '[axes]\nmodel = [{ lstm = { hidden = 12 } }, "gru"]\n[baseline]\nmodel = "gru"\n',
            (),
            {},
            "model.lstm.hidden: no variant uses this option: each model 'lstm' sets its own (levels of axes.model: ",
        ),
        (
            '[variants.a]\nmodel = "gru"\n[variants.b]\nmodel = "transformer"\n',
            (),
            {},
            "model.lstm.embedding: no variant uses this option: none has the model 'lstm' (in [variants]: gru, ",
        ),
        (
            TWO,
            ((LSTM, f"{LSTM}[model.transformer]\n"),),
            {},
            "model.transformer: no variant has this model (levels of axes.model: lstm, gru); remove it",
        ),
        (
            '[axes]\nmodel = ["lstm", { gru = { hidden = 12 } }]\n[profiles.p]\nmodel.gru.hidden = 2\n',
            (),
            {"profile": "p"},
            "model.gru.hidden: no variant uses this option: each model 'gru' sets its own",
        ),
        (
            '[axes]\nmodel = ["lstm", { gru = { hidden = 12 } }]\n',
            (),
            {"settings": (("model.gru.hidden", 2),)},
            "model.gru.hidden: no variant uses this option: each model 'gru' sets its own",
        ),
        (
            TWO + "[profiles.p]\nmodel.transformer.layers = 1\n",
            (),
            {},
            "profiles.p.model.transformer: a profile cannot change the study's model (lstm, gru)",
        ),
        (
            "[axes]\nmodel.lstm.hidden = [16, 32]\n[profiles.p]\nmodel.lstm.hidden = 8\n",
            (),
            {"profile": "p"},
            "profiles.p.model.lstm.hidden: changes nothing: axes.model.lstm.hidden sets its value in each variant",
        ),
        (
            "[variants.a]\ntraining.steps = 2\n[variants.b]\ntraining.steps = 3\n",
            (),
            {"profile": "smaller"},
            "profiles.smaller.training.steps: changes nothing: each of [variants] sets its own value",
        ),
    ],
)
def test_what_no_variant_uses(
    study: Callable[..., StudySpec],
    rest: str,
    changes: tuple[tuple[str, str], ...],
    overrides: dict[str, Any],
    expected: str,
) -> None:
    problems = refusal(study, rest, *changes, **overrides)
    assert any(problem.startswith(expected) for problem in problems), problems


def test_a_model_that_no_level_has(study: Callable[..., StudySpec]) -> None:
    with pytest.raises(
        UsageError, match=r"--set model.gruu.hidden: this study has no model 'gruu'; did you mean 'gru'\?"
    ):
        study(TWO, settings=(("model.gruu.hidden", 2),))


class TestChains:
    def test_samplers(self, study: Callable[..., StudySpec]) -> None:
        own = (SAMPLER, f"{SAMPLER}tau = 0.7\n[sampler.top_p]\np = 0.8\n")
        rest = (
            '[axes]\nsampler = ["temperature", ["temperature", "top_p"], { top_p = {}, temperature = { tau = 0.9 } }]\n'
        )
        spec = study(rest, own)
        assert list(options_of(spec, "sampler", ("tau", "p")).values()) == [
            [("temperature", 0.7, None)],
            [("temperature", 0.7, None), ("top_p", None, 0.8)],
            [("top_p", None, 0.8), ("temperature", 0.9, None)],
        ]
        assert baseline_of(spec) == "sampler=temperature+top_p", "the chain of the file"

    def test_conditioners_in_variants(self, study: Callable[..., StudySpec]) -> None:
        own = (SAMPLER, f'{SAMPLER}[conditioner.tempo]\nsource = "uniform"\n')
        rest = '[variants.without]\nconditioner = "none"\n[variants.told]\nconditioner = "tempo"\n[variants.plain]\n'
        found = options_of(study(rest, own), "conditioner", ("source",))
        assert found == {"without": [], "told": [("tempo", "uniform")], "plain": [("tempo", "uniform")]}

    def test_a_setting_names_a_component(self, study: Callable[..., StudySpec]) -> None:
        own = (SAMPLER, f"{SAMPLER}tau = 0.7\n")
        spec = study("", own, settings=(("sampler", ["temperature", "top_p"]), ("model", "lstm")))
        assert options_of(spec, "sampler", ("tau",)) == {"base": [("temperature", 0.7), ("top_p", None)]}
        assert options_of(spec) == {"base": [("lstm", 8, 16)]}

    def test_a_path_to_a_target(self, study: Callable[..., StudySpec]) -> None:
        rest = (
            '[axes]\nmodel = ["lstm", "gru", "transformer"]\nsampler.temperature.tau = [1.0, 0.8]\n'
            '[target]\nmodel = "gru"\n'
        )
        spec = study(rest, ("seed = 5", 'seed = 5\ndesign = "path"'), (LSTM, f"{LSTM}[model.gru]\nhidden = 7\n"))
        assert options_of(spec) == {"base": [("lstm", 8, 16)], "target": [("gru", 128, 7)]}


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ('model = ["lstm", "lstm"]', "duplicate level lstm"),
        ('model = ["lstm", { lstm = { hidden = 16 } }]', "duplicate level lstm(hidden=16)"),
        ("training.steps = [1, 1.0]", "duplicate level 1.0"),
        (
            'measure.primer = ["true", true]',
            '"true" and true are two levels, but their names are alike (true); give each a name of its own, or ',
        ),
        (
            'primer.piece = ["étude", "e\u0301tude"]',
            '"étude" and "e\u0301tude" are two levels, but their names are alike',
        ),
        ('primer.piece = ["a b", "a  b"]', '"a b" and "a  b" are two levels, but their names are alike (a  b); '),
        (
            'primer.file = ["/a/x.mid", "/b/x.mid"]',
            '"/a/x.mid" and "/b/x.mid" are two levels, but their names are alike (x); a file is named by the last part',
        ),
    ],
)
def test_levels_that_are_alike(study: Callable[..., StudySpec], axis: str, expected: str) -> None:
    path = axis.partition(" ")[0]
    problems = refusal(study, f"[primer]\nnotes = 2\n[axes]\n{axis}\n")
    assert any(problem.startswith(f"axes.{path}: {expected}") for problem in problems), problems
