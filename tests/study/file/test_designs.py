"""Designs in a study file: the variants that result, and the problems that are reported."""

from __future__ import annotations

import time
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

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
PARTS = """
[axes]
augmenter = ["none", "tempo"]
conditioner = ["none", "tempo"]
model.lstm.dropout = [0.0, 0.2]
"""
NUCLEUS = """
[axes]
sampler = ["temperature", ["temperature", "top_p"]]
"sampler.top_p.p" = {{ {p}, when = {{ sampler = [["temperature", "top_p"]] }} }}
"""


@pytest.fixture
def of(tiny: Path) -> Callable[..., StudySpec]:
    """Load the study with other axes and other keys at its top."""

    def loaded(axes: str, top: str = "", rest: str = "", **overrides: Any) -> StudySpec:
        text = tiny.read_text(encoding="utf-8")
        assert TAU in text
        tiny.write_text(top + text.replace(TAU, "") + axes + rest, encoding="utf-8")
        return read_study(str(tiny), Overrides(**overrides))

    return loaded


def names(spec: StudySpec) -> list[str]:
    return [variant.name for variant in spec.variants()]


def baseline(spec: StudySpec) -> dict[str, Any]:
    (found,) = [variant.levels for variant in spec.variants() if variant.baseline]
    return dict(found)


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("factorial", 8),
        ("one_at_a_time", ["base", "augmenter=tempo", "conditioner=tempo", "dropout=0.2"]),
        ("leave_one_out", ["full", "without augmenter", "without conditioner", "dropout=0.0"]),
        ("add_one_in", ["bare", "with augmenter=tempo", "with conditioner=tempo", "with dropout=0.2"]),
        ("fractional", 4),
    ],
)
def test_a_design_makes_variants_that_can_be_laid_out(
    of: Callable[..., StudySpec], design: str, expected: int | list[str]
) -> None:
    spec = of(PARTS, f'design = "{design}"\n')
    assert (names(spec) if isinstance(expected, list) else len(names(spec))) == expected
    assert sum(variant.baseline for variant in spec.variants()) == 1
    layout = lay_out(spec, get_registry(), "cpu")
    assert len(layout.runs) == len(spec.variants()) * spec.replicates
    assert spec.plain()["design"] == design


def test_the_full_model_has_the_last_level_by_default(of: Callable[..., StudySpec]) -> None:
    assert baseline(of(PARTS, 'design = "leave_one_out"\n'))["model.lstm.dropout"] == 0.2


def test_the_baseline_chooses_the_level_of_the_full_model(of: Callable[..., StudySpec]) -> None:
    spec = of(PARTS, 'design = "leave_one_out"\n', "[baseline]\nmodel.lstm.dropout = 0.0\n")
    assert baseline(spec) == {"augmenter": "tempo", "conditioner": "tempo", "model.lstm.dropout": 0.0}
    assert names(spec)[-1] == "dropout=0.2"


def test_a_range_can_be_divided_into_levels(of: Callable[..., StudySpec]) -> None:
    spec = of("[axes]\nsampler.temperature.tau = { low = 0.6, high = 1.4, levels = 5 }\n")
    assert names(spec) == [f"tau={tau}" for tau in (0.6, 0.8, 1.0, 1.2, 1.4)]
    assert baseline(spec) == {"sampler.temperature.tau": 0.6}


def test_an_axis_may_exist_for_some_levels_of_another(of: Callable[..., StudySpec]) -> None:
    spec = of(NUCLEUS.format(p="levels = [0.8, 0.9]"))
    assert names(spec) == [
        "sampler=temperature",
        "sampler=temperature+top_p, p=0.8",
        "sampler=temperature+top_p, p=0.9",
    ]
    layout = lay_out(spec, get_registry(), "cpu")
    chains = {run.variant.name: [c.plain() for c in run.configuration.choices["sampler"]] for run in layout.runs}
    assert [choice["name"] for choice in chains["sampler=temperature"]] == ["temperature"]
    assert chains["sampler=temperature+top_p, p=0.8"][1]["options"]["p"] == 0.8


def test_a_search_has_its_baseline_before_it_runs(of: Callable[..., StudySpec]) -> None:
    text = NUCLEUS.format(p="low = 0.7, high = 1.0")
    spec = of(text, 'design = "search"\n', '[search]\nn_variants = 9\nobjectives = [{ metric = "distance.pitch" }]\n')
    assert names(spec) == ["sampler=temperature"]
    assert spec.search.n_variants == 9
    assert spec.plain()["axes"]["sampler.top_p.p"] == {
        "low": 0.7,
        "high": 1.0,
        "log": False,
        "step": None,
        "when": {"sampler": [["temperature", "top_p"]]},
    }
    assert spec.plain()["search"]["objectives"] == [{"metric": "distance.pitch", "feature": "", "direction": ""}]


def test_more_variants_extend_a_search_as_more_replicates_do(of: Callable[..., StudySpec]) -> None:
    spec = of(NUCLEUS.format(p="low = 0.7, high = 1.0"), 'design = "search"\n', n_variants=40)
    assert (spec.search.n_variants, spec.name, spec.overrides) == (40, "tiny", ())
    with pytest.raises(UsageError, match=r'--variants needs design = "search"; the design of .* is factorial'):
        read_study("tau_sweep", Overrides(n_variants=3))


P = "axes.sampler.temperature.tau"
LAYERS = "[axes]\nmodel.lstm.layers = [1, 2]\n"


@pytest.mark.parametrize(
    ("axes", "top", "expected"),
    [
        (TAU, 'design = "factoral"\n', "design: must be one of factorial, one_at_a_time, leave_one_out"),
        (
            TAU,
            "design = 3\n",
            "design: must be one of factorial, one_at_a_time, leave_one_out, add_one_in, fractional, search, path",
        ),
        ("", 'design = "add_one_in"\n', 'design: "add_one_in" needs axes to vary'),
        (
            "[axes]\nsampler.temperature.tau = [0.8, 1.0, 1.2]\n",
            'design = "leave_one_out"\n',
            f'{P}: "leave_one_out" needs two levels, without the part and with it, not 3',
        ),
        (
            TAU,
            'design = "fractional"\n',
            'design: "fractional" needs 3 or more axes of two levels; use "factorial" for fewer',
        ),
        (
            TAU,
            "search.n_variants = 3\n",
            'search: only design = "search" uses this table; the design of this study is "factorial"',
        ),
        (
            f"[axes]\ntraining.steps = {list(range(1, 101))}\ngeneration.tokens = {list(range(1, 101))}\n",
            "",
            "axes: 10,000 variants are too many (at most 5,000); use fewer levels, or a search",
        ),
        (
            "[axes]\nsampler.temperature.tau = { low = 0.5, high = 2.0 }\n",
            "",
            f'{P}: a range without levels needs design = "search"; for a factorial design add levels = 5, say',
        ),
        (
            "[axes]\nsampler.temperature.tau = { low = 2.0, high = 0.5 }\n",
            "",
            f"{P}: low must be less than high, not 2.0 and 0.5",
        ),
        ("[axes]\nsampler.temperature.tau = { low = 0.5 }\n", "", f"{P}.high: is required"),
        (
            "[axes]\nsampler.temperature.tau = { low = 0.5, high = 1.0, lgo = true, levels = 2 }\n",
            "",
            f"{P}.lgo: unknown key; did you mean 'low'?",
        ),
        (
            "[axes]\nsampler.temperature.tau = { low = 0.0, high = 1.0, log = true, levels = 2 }\n",
            "",
            f"{P}.log: needs a low above 0, not 0.0",
        ),
        (
            "[axes]\nsampler.temperature.tau = { low = 0.5, high = 1.0, step = 0.1, levels = 2 }\n",
            "",
            f"{P}.step: cannot be combined with log or levels, which already space the numbers",
        ),
        (
            "[axes]\nsampler.temperature.tau = { low = 0.5, high = 1.0, levels = 1 }\n",
            "",
            f"{P}.levels: must be a whole number ≥ 2, not 1",
        ),
        (
            "[axes]\nsampler.temperature.tau = { low = -0.5, high = 1.0, levels = 2 }\n",
            "",
            f"{P}[0]: must be a number ≥ 0, not -0.5",
        ),
        (
            "[axes]\nsampler.temperature.tau = { levels = [0.5, 1.0], when = { smapler = 'temperature' } }\n",
            "",
            f"{P}.when.smapler: no earlier axis has this path (earlier axes: none)",
        ),
        (
            f"{LAYERS}sampler.temperature.tau = {{ levels = [0.5, 1.0], when = {{ model.lstm.layers = 3 }} }}\n",
            "",
            f"{P}.when.model.lstm.layers: 3 is not a level of that axis (levels: 1, 2)",
        ),
        (
            f"{LAYERS}sampler.temperature.tau = {{ levels = [0.5, 1.0], when = {{ model.lstm.layers = 1 }} }}\n",
            'design = "one_at_a_time"\n',
            f'{P}.when: needs design = "factorial" or "search", not "one_at_a_time"',
        ),
        (
            "[axes]\nsampler.temperature.tau = { low = 2.0, high = 3.0 }\n[baseline]\nsampler.temperature.tau = 1.0\n",
            'design = "search"\n',
            "baseline.sampler.temperature.tau: the baseline 1.0 is not in the range 2.0 to 3.0",
        ),
        (TAU, "search = 3\n", "search: must be a table of settings, not 3"),
        (
            TAU,
            "[search]\nn_variants = 1\n[statistics]\nalpa = 0.1\n",
            "search.n_variants: must be a whole number ≥ 2, not 1",
        ),
        (TAU, "[statistics]\nalpa = 0.1\n", "statistics.alpa: unknown key; did you mean 'alpha'?"),
        (TAU, "[statistics]\nalpha = 0.7\n", "statistics.alpha: must be a number > 0 and < 0.5, not 0.7"),
        (
            TAU,
            "[search]\nprune_after = 1\n",
            "search.prune_after: must be 2 or more, or 0 for never: one replicate is not enough to prune a variant",
        ),
        (
            TAU,
            "[search]\nobjectives = [{ metric = 'distance.pich' }]\n",
            "search.objectives[0].metric: this study has no metric 'distance.pich'; did you mean 'distance.pitch'?",
        ),
        (TAU, "[search]\nobjectives = [{ feature = 'l1' }]\n", "search.objectives[0]: needs a metric"),
        (
            TAU,
            "[search]\nobjectives = 3\n",
            "search.objectives: must be a list of tables with metric, feature and direction, not 3",
        ),
        (
            TAU,
            "[search]\nprune_after = 2\nobjectives = [{metric = 'distance.pitch'}, {metric = 'distance.velocity'}]\n",
            "search.prune_after: only a search with one objective can find that a variant is worse than the best",
        ),
        (TAU, "budget = 'epochs'\n", 'budget: must be "steps" or "tokens", not "epochs"'),
        (
            "[axes]\ntraining.steps = [6, 12]\n",
            "budget = 'tokens'\n",
            'axes.training.steps: budget = "tokens" computes the steps of each variant, so they cannot be varied',
        ),
        (
            TAU,
            "[margins]\n'distance.pich' = 0.1\n",
            "margins.\"distance.pich\": this study has no such metric; did you mean 'distance.pitch'?",
        ),
        (
            TAU,
            "[margins]\n'distance.pitch' = -1\n",
            'margins."distance.pitch": must be a number above 0, a share such as "10 %", or a table of these, not -1',
        ),
        (
            TAU,
            "[contrasts]\nall = { 'tau=0.8' = 1 }\n",
            'contrasts."all": the weights of a contrast must add up to 0 and not all be 0; these add up to 1',
        ),
        (
            TAU,
            "[contrasts]\nall = { 'tau=0.8' = 1, 'tau=0.9' = -1 }\n",
            'contrasts."all"."tau=0.9": this study has no such variant; did you mean \'tau=0.8\'?',
        ),
    ],
)
def test_each_problem_is_reported_with_its_key(
    of: Callable[..., StudySpec], axes: str, top: str, expected: str
) -> None:
    with pytest.raises(StudyFileError) as caught:
        # tables stand behind the keys of the top in TOML
        of(axes, *(("", top) if top.startswith("[") else (top, "")))
    assert any(problem.startswith(expected) for problem in caught.value.problems), caught.value.problems


NAMED = """
[variants.bare]
[variants.a]
training.batch = 3
[variants.b]
training.window = 9
[variants.ab]
training.batch = 3
training.window = 9
"""
MISSING = "parts: every combination of the parts needs a named variant; missing:"
FOUR = "bare = []\na = ['a']\nb = ['b']\nab = ['a', 'b']\n"


def test_parts_reach_the_report(of: Callable[..., StudySpec]) -> None:
    spec = of(NAMED, rest=f"[parts]\n{FOUR}")
    assert spec.reading["parts"] == {"bare": [], "a": ["a"], "b": ["b"], "ab": ["a", "b"]}


@pytest.mark.parametrize(
    ("variants", "parts", "expected"),
    [
        (NAMED, FOUR.replace("ab =", "aab ="), "parts.aab: this study has no such named variant; did you mean 'ab'?"),
        (NAMED, FOUR.replace("ab = ['a', 'b']", ""), f"{MISSING} a + b"),
        (NAMED, FOUR.replace("bare = []", ""), f"{MISSING} no part"),
        (NAMED, FOUR.replace("b = ['b']", "b = ['a']"), "parts.b: has the same parts as 'a'; leave the one out"),
        (NAMED, FOUR.replace("['a', 'b']", "['a', 'b', 'a']"), "parts.ab: lists a part twice"),
        (NAMED, FOUR.replace("['b']", "'b'"), 'parts.b: must be a list of the parts that it has, not "b"'),
        (NAMED, FOUR.replace("['b']", "[3]"), "parts.b: must be a list of the parts that it has, not [3]"),
        (NAMED, "bare = []\na = ['a']\n", "parts: needs 2 or more parts"),
        (NAMED, f"ab = {[str(number) for number in range(13)]}\n", "parts: 13 parts are too many (at most 12)"),
        (TAU, FOUR, "parts.bare: this study has no such named variant; parts are of [variants.NAME]"),
        (NAMED, "bare = []\nab = ['a', 'b', 'c']\n", f"{MISSING} a; b; c; a + b and 2 more"),
    ],
)
def test_problems_of_parts(of: Callable[..., StudySpec], variants: str, parts: str, expected: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        of(variants, rest=f"[parts]\n{parts}")
    assert any(problem.startswith(expected) for problem in caught.value.problems), caught.value.problems


def test_a_study_of_parts_is_a_table(of: Callable[..., StudySpec]) -> None:
    with pytest.raises(StudyFileError) as caught:
        of(NAMED, "parts = 3\n")
    assert caught.value.problems == ["parts: must be a table of named variant = list of parts, not 3"]


def test_set_reaches_design_statistics_and_floors(tiny: Path) -> None:
    settings = (("design", "one_at_a_time"), ("statistics.alpha", 0.01), ("floors.draws", 3))
    spec = read_study(str(tiny), Overrides(settings=settings))
    assert (spec.design, spec.floors.draws) == ("one_at_a_time", 3)
    assert spec.reading["statistics"]["alpha"] == 0.01


def test_metrics_of_copying_are_listed(of: Callable[..., StudySpec]) -> None:
    spec = of(TAU, rest='[metric."memorization.covered"]\n')
    assert spec.reading["copying"] == ["memorization.covered"]


def test_thousands_of_levels_are_checked_in_seconds(tiny: Path) -> None:
    text = tiny.read_text(encoding="utf-8").replace("sampler.temperature.tau = 1.0", "training.steps = 1")
    levels = "training.steps = { low = 1, high = 5000, levels = 5000 }"
    tiny.write_text(text.replace("sampler.temperature.tau = [0.8, 1.0]", levels), encoding="utf-8")
    start = time.process_time()
    assert len(read_study(str(tiny)).variants()) == 5000
    assert time.process_time() - start < 8


@pytest.mark.parametrize(
    ("axes", "replicates", "expected"),
    [
        (
            f"training.steps = {list(range(1, 5002))}",
            2,
            "axes.training.steps: 5,001 levels are too many (at most 5,000)",
        ),
        (
            "training.steps = { low = 1, high = 9, levels = 1000000000 }",
            2,
            "axes.training.steps.levels: must be a whole n",
        ),
        (
            "training.steps = { low = 1, high = 5000, levels = 5000 }",
            11,
            "replicates: 5,000 variants in 11 replicates are too many runs (at most 50,000); use fewer",
        ),
        ("\n".join(f"labels.a{i} = [1]" for i in range(101)), 2, "axes: 101 axes are too many (at most 100)"),
        (f"sampler = [{['temperature', *map(str, range(6000))]}]", 2, "axes.sampler[0]: 6,001 components are too many"),
        ("".join(f"\n[metric.m{i}]" for i in range(6000)), 2, "metric: 6,002 components are too many (at most 100)"),
    ],
)
def test_studies_that_are_too_large(tiny: Path, axes: str, replicates: int, expected: str) -> None:
    text = tiny.read_text(encoding="utf-8").replace("replicates = 2", f"replicates = {replicates}")
    text = text.replace("[baseline]\nsampler.temperature.tau = 1.0\n", "")
    tiny.write_text(text.replace("sampler.temperature.tau = [0.8, 1.0]", axes), encoding="utf-8")
    with pytest.raises(StudyFileError) as refused:
        read_study(str(tiny))
    assert any(problem.startswith(expected) for problem in refused.value.problems), refused.value.problems
