"""The shape of a study file: parsed once, with every problem reported and defaults for the wrong keys."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.errors import StudyFileError
from ablate.registry import get_registry
from ablate.settings import FloorSettings, StatisticsSettings
from ablate.study.design import NAMED, Axis, Objective, Range
from ablate.study.file.checks.content import content_problems
from ablate.study.file.locate import shipped_studies
from ablate.study.file.overrides import Overrides
from ablate.study.file.sections import parse
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path

TAU = "sampler.temperature.tau"
KEY = f"axes.{TAU}"
LAYERS = """
model.lstm.layers = { levels = [1, 2], when = {} }
model.lstm.dropout = { levels = [0.0, 0.1], when = { model.lstm.layers = 3 } }
"""


def problems_of(raw: dict[str, Any]) -> list[str]:
    return [f"{key}: {text}" for key, text in parse(raw)[1]]


def axis_of(raw: dict[str, Any], value: Any) -> tuple[Axis, list[str]]:
    """Return the axis of the temperature with this value, and its problems."""
    sections, problems = parse({**raw, "axes": {TAU: value}})
    return sections.axes[TAU], [f"{key}: {text}" for key, text in problems]


def test_a_file_without_problems(raw: dict[str, Any]) -> None:
    sections, problems = parse(raw)
    assert problems == []
    assert (sections.top.question, sections.top.seed, sections.top.replicates) == ("Does it run?", 5, 2)
    assert (sections.top.budget, sections.design) == ("steps", "factorial")
    assert sections.axes == {TAU: Axis(TAU, (0.8, 1.0))}
    assert sections.baseline_levels() == {TAU: 1.0}
    assert sections.objective == Objective("", "", ""), "which is filled in by its own module"
    assert (sections.objectives, sections.search) == ((), None)
    assert sections.metrics == ["distance.pitch", "distance.velocity"]
    assert "axes" not in sections.config
    assert sections.config["training"] == raw["training"]


def test_problems_of_every_table_come_at_once(raw: dict[str, Any]) -> None:
    broken = {
        **raw,
        "seed": "five",
        "baseline": 3,
        "floors": {"draws": -1, "pieces": 2},
        "statistics": {"alhpa": 0.1},
        "search": {"n_variants": 1, "prune_after": 1},
        "objective": {"metric": 1, "direction": "up"},
        "margins": {"distance.pitch": True},
        "contrasts": {"all": {"tau=0.8": "1"}},
        "reported": {"source": 1, "pieces": "bach", "values": {"tau=0.8": 2}},
    }
    assert problems_of(broken) == [
        'seed: must be a whole number ≥ 0, not "five"',
        "baseline: must be a table of axis = level, not 3",
        "objective.metric: must be text, not 1",
        'objective.direction: must be "lower" or "higher", not "up"',
        'contrasts."all": must be a table of variant = weight, not { tau=0.8 = "1" }',
        'margins."distance.pitch": must be a number above 0, a share such as "10 %", or a table of these, not true',
        "reported.source: must be text, not 1",
        'reported.pieces: must be a list of names of pieces, not "bach"',
        "reported.values.tau=0.8: must be a table of metrics, not 2",
        "search.n_variants: must be a whole number ≥ 2, not 1",
        "search.prune_after: must be 2 or more, or 0 for never: one replicate is not enough to prune a variant",
        "floors.draws: must be a whole number ≥ 0, not -1",
        "statistics.alhpa: unknown key; did you mean 'alpha'? (known: alpha, estimate, power)",
    ]


def test_wrong_keys_get_their_default_and_the_others_stay(raw: dict[str, Any]) -> None:
    broken = {**raw, "seed": -1, "design": "grid", "floors": {"draws": -1, "pieces": 2}, "statistics": 3}
    sections, _ = parse(broken)
    assert (sections.top.seed, sections.top.replicates) == (0, 2)
    assert sections.floors == FloorSettings(pieces=2)
    assert sections.statistics == StatisticsSettings()
    assert sections.variants() == [], "a design that does not exist makes no variants"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.8, f"{KEY}: must be a list of levels, not 0.8"),
        ([], f"{KEY}: must be a list of levels, not []"),
        ({"low": 1, "high": True}, f"{KEY}.high: must be a number, not true"),
        ({"low": 1, "high": float("inf")}, f"{KEY}.high: must be a number, not inf"),
        ({"low": 1, "high": 10**400}, f"{KEY}.high: is too large for a number with decimals"),
        ({"low": 1, "high": 2, "step": 0}, f"{KEY}.step: must be a number > 0, not 0"),
        ({"low": 1, "high": 2, "when": 3}, f"{KEY}.when: must be a table of axis = level, not 3"),
        ({"levels": 3, "when": {"model": "lstm"}}, f"{KEY}.levels: must be a list of levels, not 3"),
        ({"levels": [1], "when": {"model": []}}, f"{KEY}.when.model: needs at least one level"),
        (
            {"levels": [1], "when": {"model": "lstm"}, "log": True},
            f"{KEY}.log: unknown key (known: levels, when, block)",
        ),
    ],
)
def test_an_axis_of_the_wrong_shape(raw: dict[str, Any], value: Any, expected: str) -> None:
    _, problems = axis_of(raw, value)
    assert problems == [expected]


def test_every_problem_of_a_range_is_reported(raw: dict[str, Any]) -> None:
    axis, problems = axis_of(raw, {"low": 2, "high": 0, "log": True, "step": 1})
    assert axis == Axis(TAU, ())
    assert problems == [
        f"{KEY}: low must be less than high, not 2 and 0",
        f"{KEY}.step: cannot be combined with log or levels, which already space the numbers",
    ]


def test_whole_numbers_stay_whole(raw: dict[str, Any]) -> None:
    axis, problems = axis_of(raw, {"low": 1, "high": 9, "step": 2, "when": {"model.lstm": {"layers": [1, 2]}}})
    assert problems == []
    assert axis == Axis(TAU, (), Range(1, 9, step=2), {"model.lstm.layers": (1, 2)})
    assert axis.range is not None
    assert axis.range.whole


def test_named_variants_come_first_and_only_in_their_own_table(raw: dict[str, Any]) -> None:
    sections, problems = parse({**raw, "variants": {"a": {}, "b": {}}, "axes": {NAMED: ["c"], TAU: [1.0]}})
    assert list(sections.axes) == [NAMED, TAU]
    assert sections.axes[NAMED].levels == ("a", "b")
    assert problems == [("axes.variants", "the named variants are an axis already; give them in [variants.NAME]")]


DATE = "2020-01-01"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "tau = [0.8, 1.0]",
            f"tau = [{DATE}, {DATE}]",
            f'{KEY}[0]: must be text, a number, or true or false, not a date or time; write text in quotes: "{DATE}"',
        ),
        ("steps = 6", "steps = inf", "training.steps: must be a finite number, not inf"),
        (
            "[axes]\n",
            f"[axes]\n{LAYERS}",
            "axes.model.lstm.dropout.when.model.lstm.layers: 3 is not a level of that axis (levels: 1, 2)",
        ),
    ],
    ids=["dates", "infinite", "levels of a table"],
)
def test_broken_values_are_problems_and_not_tracebacks(tiny: Path, old: str, new: str, expected: str) -> None:
    text = tiny.read_text(encoding="utf-8")
    assert old in text
    tiny.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny))
    assert expected in caught.value.problems


@pytest.mark.parametrize("section", ["floors", "statistics", "search", "training", "labels", "axes", "baseline"])
def test_an_override_inside_what_is_no_table(tiny: Path, section: str) -> None:
    text = tiny.read_text(encoding="utf-8").partition("[corpus")[0]
    tiny.write_text(f"{text}\n{section} = 3\n", encoding="utf-8")
    option = {"floors": "draws", "statistics": "alpha", "search": "n_variants", "training": "steps"}.get(section, TAU)
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny), Overrides(settings=((f"{section}.{option}", 1),)))
    assert any(problem.startswith(f"{section}: must be a table of ") for problem in caught.value.problems)


SWEEP = shipped_studies()["tau_sweep"].read_text(encoding="utf-8")
NAMES = st.sampled_from(["", "low", "high", "levels", "when", "metric", "lstm", "tempo", "variants", TAU])
VALUES = st.recursive(
    st.sampled_from([0, -1, True, 0.5, 10**400, float("nan"), "", "none", "lstm", dt.date(2020, 1, 1)]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "axes",
    "variants",
    "baseline",
    "search",
    "labels",
    "sampler",
    "conditioner",
    "margins",
    "contrasts",
    "parts",
    "reported",
]


@given(st.dictionaries(st.sampled_from([*KEYS, "design", "objective", "profiles", "training"]), VALUES, min_size=1))
def test_no_value_of_a_key_is_a_traceback(changes: dict[str, Any]) -> None:
    sections, problems = parse({**tomllib.loads(SWEEP), **changes})
    assert all(isinstance(text, str) and text for _, text in [*problems, *content_problems(sections, get_registry())])
