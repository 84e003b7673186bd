"""The hypothesis of a study file: a text, or a text with predictions; every slip named with what is meant."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import StudyFileError
from ablate.study.file.reading.hypothesis import Hypothesis, Prediction
from ablate.study.file.sections import parse
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path

BETTER = Prediction(variant="tau=0.8", direction="better")


def predicted(raw: dict[str, Any], toml: str) -> tuple[Hypothesis, list[str]]:
    """Parse the study with these predictions."""
    hypothesis = {"text": "Colder is closer.", **tomllib.loads(f"predictions = [{toml}]")}
    sections, problems = parse({**raw, "hypothesis": hypothesis})
    return sections.hypothesis, [f"{key}: {text}" for key, text in problems]


def test_a_text_alone_is_a_hypothesis(raw: dict[str, Any]) -> None:
    assert parse({**raw, "hypothesis": "Yes."})[0].hypothesis == Hypothesis("Yes.")
    assert parse(raw)[0].hypothesis == Hypothesis()


def test_a_table_has_a_text_and_predictions(raw: dict[str, Any]) -> None:
    found, problems = predicted(raw, '{ variant = "tau=0.8", direction = "better" }, { best = "tau=0.8" }')
    assert problems == []
    assert found == Hypothesis("Colder is closer.", (BETTER, Prediction(best="tau=0.8")))
    assert [one.plain() for one in found.predictions] == [
        {"variant": "tau=0.8", "direction": "better"},
        {"best": "tau=0.8"},
    ]


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("{ direction = 'better' }", "[0]: needs exactly one of variant, contrast, effect, trend, best, and has none"),
        (
            "{ variant = 'a', best = 'b' }",
            "[0]: needs exactly one of variant, contrast, effect, trend, best, and has v",
        ),
        ("{ variant = 'a' }", "[0]: needs a direction: better, worse, higher, lower or equivalent"),
        (
            "{ trend = 'a', direction = 'equivalent' }",
            "[0].direction: a trend has no margin; predict better, worse",
        ),
        ("{ best = 'a', direction = 'better' }", "[0].direction: does not go with best"),
        ("{ contrast = 'a', than = 'b', direction = 'better' }", "[0].than: only goes with variant, not with contrast"),
        ("{ variant = 'a', direction = 'up' }", '[0].direction: must be "better" or "worse"'),
        ("{ variantt = 'a' }", "[0].variantt: unknown key; did you mean 'variant'?"),
        ("3", ": must be a list of tables with one of variant, contrast, effect, trend, best, and with direction, not"),
    ],
)
def test_every_slip_of_shape_is_named(raw: dict[str, Any], toml: str, expected: str) -> None:
    _, problems = predicted(raw, toml)
    assert len(problems) == 1
    assert problems[0].startswith(f"hypothesis.predictions{expected}"), problems


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, "hypothesis: must be text, or a table with text and predictions, not 3"),
        ({"texts": "a"}, "hypothesis.texts: unknown key; did you mean 'text'? (known: text, predictions)"),
        ({"text": 3}, "hypothesis.text: must be text, not 3"),
    ],
)
def test_the_key_itself(raw: dict[str, Any], value: Any, expected: str) -> None:
    assert [f"{key}: {text}" for key, text in parse({**raw, "hypothesis": value})[1]] == [expected]


AXES = "model.lstm.layers = [1, 2]\nsampler.temperature.tau = [0.8, 1.0, 1.2]"


def read(tiny: Path, predictions: str, axes: str = "sampler.temperature.tau = [0.8, 1.0]", rest: str = "") -> Any:
    text = tiny.read_text(encoding="utf-8").replace("[axes]\nsampler.temperature.tau = [0.8, 1.0]", f"[axes]\n{axes}")
    assert axes in text
    tiny.write_text(f"{text}\n[hypothesis]\ntext = 'x'\npredictions = [{predictions}]\n{rest}", encoding="utf-8")
    return read_study(str(tiny))


def test_one_other_variant_or_several(raw: dict[str, Any]) -> None:
    for toml in ("'tau=1.0'", "['tau=1.0']"):
        found, problems = predicted(raw, f"{{ variant = 'tau=0.8', than = {toml}, direction = 'better' }}")
        assert problems == []
        assert found.predictions[0].plain()["than"] == ["tau=1.0"]


def test_a_study_hands_them_to_its_report(tiny: Path) -> None:
    spec = read(tiny, "{ variant = 'tau=0.8', direction = 'better' }")
    assert spec.hypothesis == "x"
    assert spec.plain()["predictions"] == [{"variant": "tau=0.8", "direction": "better"}]


def test_crossed_axes_have_effects_and_trends(tiny: Path) -> None:
    predictions = (
        "{ effect = 'layers=2', direction = 'better' }, { effect = 'layers=2 x tau=0.8', direction = 'lower' },"
        "{ trend = 'sampler.temperature.tau', direction = 'higher', metric = 'distance.pitch' }"
    )
    assert len(read(tiny, predictions, AXES).reading["predictions"]) == 3


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ("variant = 'tau=0.9', direction = 'better'", ".variant: this study has no such variant; did you mean 'tau=0."),
        ("best = 'tau=0.9'", ".best: this study has no such variant; did you mean 'tau=0.8'? (variants: tau=0.8; tau"),
        ("variant = 'tau=1.0', direction = 'worse'", ".variant: 'tau=1.0' cannot be compared with itself"),
        (
            "variant = 'tau=0.8', than = 'tau=0.8', direction = 'worse'",
            ".variant: 'tau=0.8' cannot be compared with it",
        ),
        ("contrast = 'all', direction = 'better'", ".contrast: this study has no such contrast (offered: none)"),
        ("effect = 'tau=0.8', direction = 'better'", ".effect: this study has no such main effect or interaction"),
        (
            "trend = 'sampler.temperature.tau', direction = 'higher'",
            ".trend: this study has no such numeric axis of 3 ",
        ),
        ("best = 'tau=0.8', metric = 'distance.pich'", ".metric: this study has no metric 'distance.pich'; did you me"),
        ("variant = 'tau=0.8', direction = 'equivalent'", ".direction: equivalent needs a margin: state one for 'dist"),
    ],
)
def test_every_name_is_checked(tiny: Path, prediction: str, expected: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read(tiny, f"{{ {prediction} }}")
    (problem,) = caught.value.problems
    assert problem.startswith(f"hypothesis.predictions[0]{expected}"), problem


def test_a_predicted_equivalence_needs_a_margin(tiny: Path) -> None:
    rest = "[margins]\n'distance.velocity' = '5 %'\n"
    spec = read(tiny, "{ variant = 'tau=0.8', direction = 'equivalent' }", rest=rest)
    assert spec.reading["margins"] == {"distance.velocity": "5 %"}


def test_a_predicted_equivalence_needs_a_margin_for_its_feature(tiny: Path) -> None:
    prediction = "{ variant = 'tau=0.8', direction = 'equivalent', feature = 'l2' }"
    with pytest.raises(StudyFileError, match="state one for the feature 'l2' of 'distance"):
        read(tiny, prediction, rest="[margins]\n'distance.velocity' = { l1 = 0.1 }\n")


@pytest.mark.parametrize("written", ["0 %", "101 %", "-5 %", "5", "five %"])
def test_a_share_is_above_0_and_at_most_all(raw: dict[str, Any], written: str) -> None:
    ((key, text),) = parse({**raw, "margins": {"distance.pitch": written}})[1]
    assert key == 'margins."distance.pitch"'
    assert text == f'must be a number above 0, a share such as "10 %", or a table of these, not "{written}"'
