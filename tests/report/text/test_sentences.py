"""The top of a report, for studies in a real store whose values are known."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.effects_material import NAN, Stored

from ablate.registry import get_registry
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.verdicts import BESIDES, MARKS, WORDS, sentence
from ablate.report.text.lines import Block, Line
from ablate.report.text.rules import rules_in_words
from ablate.report.text.sentences import MOST_SENTENCES, Answer, answer
from ablate.report.text.tables.comparisons import verdict_grid
from ablate.study.design import Axis, Variant, aliases, factorial, fractional

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Values = Mapping[str, Sequence[float] | np.ndarray]
    Analyse = Callable[..., Analysis]

MINUS = "\N{MINUS SIGN}"
DISTANCE = ("distance", "average")
STEADY = np.random.default_rng(0).normal(5.0, 1.0, 8)
#: Differences in every replicate, of one sign and about this size.
ABOUT_1 = np.array([1.0, 1.1, 0.9, 1.2, 0.8, 1.05, 0.95, 1.0])
#: Differences that say nothing.
NOISE = np.array([0.3, -0.2, 0.1, -0.3, 0.2, -0.1, 0.25, -0.2])


@pytest.fixture
def analyse(tmp_path: Path) -> Analyse:
    """What a study shows that has these values of ``distance average``, unless it has others."""

    counter = itertools.count()

    def put(levels: Mapping[str, Mapping[str, Any]], values: Any, **given: Any) -> Analysis:
        of_material = {key: given.pop(key) for key in ("directions", "tokens", "draws") if key in given}
        by_quantity = values if isinstance(next(iter(values)), tuple) else {DISTANCE: values}
        spec = {"objective": {"metric": "distance", "feature": "", "direction": ""}, **given}
        return Analysis(
            Stored(tmp_path / str(next(counter)), levels, by_quantity, **of_material).put(**spec), get_registry()
        )

    return put


def taus(*values: float) -> dict[str, dict[str, Any]]:
    return {f"tau={value}": {"sampler.temperature.tau": value} for value in values}


def named(*names: str) -> dict[str, dict[str, Any]]:
    return {name: {"variants": name} for name in names}


def block(found: Answer, start: str) -> Block:
    (only,) = [each for each in found.blocks if each.heading.startswith(start)]
    return only


def texts(found: Answer, start: str = "distance") -> list[str]:
    return [line.text for line in block(found, start).lines]


def only_line(found: Answer, start: str) -> Line:
    (line,) = [line for each in found.blocks for line in each.lines if line.text.startswith(start)]
    return line


class TestComparisons:
    def test_a_few_have_a_sentence_each(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY + NOISE}
        analysis = analyse(named("a", "b", "c"), values)
        found = answer(analysis)
        assert [each.heading for each in found.blocks] == ["distance (lower is better), against a"]
        rows = analysis.against_baseline.to_dict("records")
        lines = [Line(row["verdict"], sentence(row, analysis.rules, "distance")) for row in rows]  # type: ignore[arg-type]
        assert list(found.blocks[0].lines[:2]) == lines
        assert lines[0] == Line(
            "better",
            f"b is better than a: distance {MINUS}1 (95 % interval {MINUS}1.1 to {MINUS}0.898), better in 8 "
            "of 8 replicates, p = 0.0078.",
        )
        assert lines[1].verdict == "inconclusive"
        assert found.warnings == ()

    def test_many_are_counted_by_verdict_the_largest_effects_first(self, analyse: Analyse) -> None:
        rng = np.random.default_rng(1)
        better = [f"b{place}" for place in range(MOST_SENTENCES)]
        start = np.random.default_rng(2).normal(5.0, 1.0, 12)
        values = {"a": start, "noise": start + rng.normal(0, 0.3, 12)}
        for place, name in enumerate(better):
            values[name] = start - (place + 1) - rng.normal(0, 0.1, 12)
        found = answer(analyse(named(*values), values))
        counts = block(found, "distance").lines[:2]
        assert [line.verdict for line in counts] == ["better", "inconclusive"]
        assert counts[0].text.startswith("8 of 9: better (")
        assert counts[0].text.endswith(" and 2 more).")
        listed = counts[0].text.partition("(")[2].partition(" and ")[0].split(", ")
        effects = {name: abs(_g(values[name] - start)) for name in better}
        assert listed == sorted(better, key=lambda name: -effects[name])[:6]
        assert counts[1].text == "1 of 9: cannot tell (noise)."

    def test_as_many_as_are_shown_are_not_counted(self, analyse: Analyse) -> None:
        values = {f"v{place}": STEADY[:2] + place for place in range(MOST_SENTENCES + 1)}
        found = texts(answer(analyse(named(*values), values)))
        assert sum(text.startswith("Cannot tell") for text in found) == MOST_SENTENCES

    def test_counts_say_where_no_number_of_that_kind_could_be_told(self, analyse: Analyse) -> None:
        values = {f"v{place}": (STEADY + place * ABOUT_1)[:5] for place in range(MOST_SENTENCES + 2)}
        (count, *_) = texts(answer(analyse(named(*values), values)))
        assert count.startswith("9 of 9: cannot tell (")
        assert count.endswith("5 replicates are too few: no result can reach p < 0.05; at least 6 are needed.")

    def test_a_metric_without_better_direction_is_higher_or_lower(self, analyse: Analyse) -> None:
        found = answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY + ABOUT_1}, directions={"distance": "none"}))
        assert found.blocks[0].heading == "distance, against a"
        assert found.blocks[0].lines[0].verdict == "higher"

    @pytest.mark.parametrize("feature", ["", "average"])
    def test_an_objectives_direction_is_the_studys(self, analyse: Analyse, feature: str) -> None:
        """Also where the file leaves the feature to the metric."""
        objective = {"metric": "distance", "feature": feature, "direction": "higher"}
        found = answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY + ABOUT_1}, objective=objective))
        assert found.blocks[0].heading == "distance (higher is better), against a"
        assert found.blocks[0].lines[0].verdict == "better"

    def test_the_objective_is_answered_and_nothing_else(self, analyse: Analyse) -> None:
        one, other = {"a": STEADY, "b": STEADY + ABOUT_1}, {"a": STEADY, "b": STEADY - ABOUT_1}
        values = {("pitch", "l1"): one, ("pitch", "l2"): other, ("rate", "value"): one}
        analysis = analyse(named("a", "b"), values, objective={"metric": "pitch", "feature": "l2"})
        assert [each.heading for each in answer(analysis).blocks] == ["pitch l2 (lower is better), against a"]
        assert analysis.in_order == [("pitch", "l2"), ("pitch", "l1"), ("rate", "value")]

    def test_without_an_objective_that_was_measured_the_first_quantity_stands_for_it(self, analyse: Analyse) -> None:
        values = {("pitch", "l1"): {"a": STEADY, "b": STEADY}, ("pitch", "average"): {"a": STEADY, "b": STEADY}}
        assert analyse(named("a", "b"), values, objective={"metric": "gone"}).primary == [("pitch", "average")]

    def test_statistics_are_the_study_files(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1}
        found = answer(analyse(named("a", "b"), values, statistics={"alpha": 0.001, "power": 0.9}))
        (line,) = found.blocks[0].lines
        assert line.verdict == "inconclusive"
        assert "8 replicates are too few: no result can reach p < 0.001; at least 11 are needed" in line.text

    def test_margins_are_the_studys_alone(self, analyse: Analyse) -> None:
        values, draws = {"a": STEADY, "b": STEADY + 0.1 * ABOUT_1}, {"distance": [0.0, 0.1, 0.2, 0.3, 0.4]}
        (line,) = answer(analyse(named("a", "b"), values, margins={"distance": 0.5}, draws=draws)).blocks[0].lines
        assert line.verdict == "equivalent"
        assert "within ±0.5 (the study's margin)" in line.text
        (line,) = answer(analyse(named("a", "b"), values, draws=draws)).blocks[0].lines
        assert line.verdict == "worse", "without a stated margin, a resampling band makes none"

    def test_a_margin_may_be_a_share_of_the_baselines_mean(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY + 0.01 * ABOUT_1}
        (line,) = answer(analyse(named("a", "b"), values, margins={"distance": "10 %"})).blocks[0].lines
        assert line.verdict == "equivalent"
        assert f"within ±{abs(STEADY.mean()) / 10:.3g} (10 % of the baseline's mean)" in line.text

    def test_a_margin_of_something_else_is_a_warning(self, analyse: Analyse) -> None:
        margins = {"distance": {"l1": 0.1, "average": 0.5}}
        found = answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY}, margins=margins))
        assert found.warnings == ("[margins] names what the study has not measured: distance l1.",)

    def test_no_difference_in_any_replicate_is_alike(self, analyse: Analyse) -> None:
        (line,) = answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY})).blocks[0].lines
        assert line == Line("alike", "b and a are alike in every replicate: distance, 8 replicates.")

    def test_an_interval_without_0_beside_cannot_tell_is_explained(self, analyse: Analyse) -> None:
        rng = np.random.default_rng(5)
        noise = {name: STEADY + rng.normal(0, 1.0, 8) for name in "cdefgh"}
        shift = np.array([0.9, 1.1, 0.2, 1.4, 0.8, -0.3, 0.7, 1.0])
        analysis = analyse(named("a", "b", *noise), {"a": STEADY, "b": STEADY + shift, **noise})
        row = analysis.against_baseline.iloc[0]
        assert row["low"] > 0
        line = only_line(answer(analysis), "Cannot tell b from a")
        assert "The interval is for this comparison alone, p for all comparisons of its family." in line.text
        foot = verdict_grid(analysis).foot
        assert foot.endswith(f"* The verdict decides. {BESIDES['apart']}.")
        assert verdict_grid(analysis).rows[0].cells[0].text.endswith(" ?*")

    def test_the_families_and_their_error_rates_are_named(self, analyse: Analyse) -> None:
        one = {"a": STEADY, "b": STEADY + ABOUT_1, "c": STEADY - ABOUT_1}
        values = {DISTANCE: one, ("distance", "l1"): one, ("rate", "value"): one}
        found = answer(analyse(named("a", "b", "c"), values, objective={"metric": "distance"}))
        assert found.promise == (
            "Each p is that of a sign-flip test over paired replicates, and is corrected for all comparisons of its "
            "family together (max-T; for no difference that matters, Holm): distance (primary, 2 comparisons); the "
            "other quantities in the table (secondary, 2 comparisons). In each family, at most 5 % of studies in which "
            "no variants differ have any false claim of a difference. The best variant is excluded by mistake in at "
            "most 5 % of studies. All other quantities are exploratory: they have intervals and no verdict."
        )
        found = answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY + ABOUT_1}, statistics={"alpha": 0.01}))
        assert found.promise == (
            "Each p is that of a sign-flip test over paired replicates, and is corrected for all comparisons of its "
            "family together (max-T; for no difference that matters, Holm): distance (primary, 1 comparison). In each "
            "family, at most 1 % of studies in which no variants differ have any false claim of a difference."
        )


def _g(values: np.ndarray) -> float:
    return float(values.mean() / values.std(ddof=1))


class TestBest:
    def best(self, analyse: Analyse, values: Values, **spec: Any) -> list[str]:
        found = texts(answer(analyse(named(*values), values, **spec)))
        return [text for text in found if text.startswith(("The best variant is", "The variant with the best mean"))]

    def test_one_that_is_ahead_of_all_others(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY + ABOUT_1}
        assert self.best(analyse, values) == ["The best variant is b, with 95 % confidence."]

    def test_some_that_cannot_be_told_apart(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY - ABOUT_1 + NOISE}
        assert self.best(analyse, values) == ["The variant with the best mean is b; c may also be the best one."]

    def test_all_of_them(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY + NOISE, "c": STEADY - NOISE}
        (found,) = self.best(analyse, values)
        assert found == "The variant with the best mean is c; none of the others can be excluded as the best one."

    def test_more_than_are_listed(self, analyse: Analyse) -> None:
        rng = np.random.default_rng(4)
        start = rng.normal(size=9)
        values = {f"v{place}": start + rng.normal(0, 0.5, 9) for place in range(9)} | {"bad": start + 9}
        (found,) = self.best(analyse, values)
        assert found.endswith("and 2 more may also be the best one.")
        assert found.count(", ") == 5
        assert "bad" not in found

    def test_of_two_the_comparison_says_it(self, analyse: Analyse) -> None:
        assert self.best(analyse, {"a": STEADY, "b": STEADY - ABOUT_1}) == []

    def test_its_confidence_is_alphas(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY + ABOUT_1}
        assert self.best(analyse, values, statistics={"alpha": 0.1}) == ["The best variant is b, with 90 % confidence."]

    def test_without_a_better_direction_there_is_none(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY + ABOUT_1}
        assert self.best(analyse, values, directions={"distance": "none"}) == []


class TestCopying:
    LEVELS = named("a", "b", "c", "d")

    def values(self) -> dict[tuple[str, str], Any]:
        """B is better and copies more, c is better and does not, d copies more and is not better."""
        share = np.array([0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.20])
        small = 0.01 * NOISE
        return {
            DISTANCE: {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY - ABOUT_1, "d": STEADY + NOISE},
            ("covered", "share"): {"a": share, "b": share + 0.4, "c": share + small, "d": share + 0.4},
        }

    def test_what_is_better_by_copying_more_is_part_of_the_sentence(self, analyse: Analyse) -> None:
        found = answer(analyse(self.LEVELS, self.values(), copying=["covered"]))
        start = "b is better than a, but 60 % of a sample is copied from the training pieces (a: 20 %): distance "
        assert only_line(found, "b is").text.startswith(start)
        assert only_line(found, "c is").text.startswith("c is better than a: distance ")

    def test_the_best_one_never_stands_apart_from_its_copies(self, analyse: Analyse) -> None:
        values = self.values()
        values[DISTANCE]["b"] = STEADY - 2 * ABOUT_1
        found = answer(analyse(self.LEVELS, values, copying=["covered"]))
        assert only_line(found, "The best variant").text == (
            "The best variant is b, with 95 % confidence, but 60 % of a sample is copied from the training pieces "
            "(a: 20 %)."
        )

    def test_much_copying_is_a_caveat_also_where_all_copy_alike(self, analyse: Analyse) -> None:
        values = self.values()
        values[DISTANCE]["b"] = STEADY - 2 * ABOUT_1
        for share, expected in (
            (0.99, ", but 99 % of a sample is copied from the training pieces (a: 99 %)."),
            (0.0, "."),
        ):
            values["covered", "share"] = {name: np.full(8, share) for name in "abcd"}
            found = answer(analyse(self.LEVELS, values, copying=["covered"]))
            text = only_line(found, "The best variant").text
            assert text == f"The best variant is b, with 95 % confidence{expected}"

    def test_among_many_those_that_copy_more_are_named(self, analyse: Analyse) -> None:
        names = [f"v{place}" for place in range(MOST_SENTENCES + 2)]
        values = {
            DISTANCE: {name: STEADY - place * ABOUT_1 for place, name in enumerate(names)},
            ("covered", "share"): {
                name: 0.2 + 0.5 * (place in (2, 3)) + 0.01 * NOISE * place for place, name in enumerate(names)
            },
        }
        (line, *_) = texts(answer(analyse(named(*names), values, copying=["covered"])))
        assert line.startswith("9 of 9: better (")
        assert ", but 2 of these copy more from the training pieces than v0 (share of a sample: v" in line
        assert line.endswith(" 70 %; v0 20 %).")

    def test_whatever_direction_a_share_of_copies_was_given(self, analyse: Analyse) -> None:
        directions = {"covered": "none"}
        analysis = analyse(self.LEVELS, self.values(), copying=["covered"], directions=directions)
        assert analysis.better_by_copying == ["b"]

    def test_the_share_of_copies_is_the_feature_that_the_metric_names(self, analyse: Analyse) -> None:
        values = self.values()
        shares = values.pop(("covered", "share"))
        values["memorization.covered", "another"] = dict(zip("abcd", reversed(shares.values()), strict=True))
        values["memorization.covered", "share"] = shares
        analysis = analyse(self.LEVELS, values, copying=["memorization.covered"])
        assert analysis.copying == ("memorization.covered", "share")
        assert analysis.better_by_copying == ["b"]

    def test_where_nothing_copies_more_or_nobody_looks_there_is_no_such_line(self, analyse: Analyse) -> None:
        values = self.values()
        values["covered", "share"] = dict.fromkeys("abcd", values["covered", "share"]["a"])
        study = analyse(self.LEVELS, values, copying=["covered"]).study
        for metrics in (["covered"], [], ["gone"]):
            record = dataclasses.replace(study.record, spec={**study.spec, "copying": metrics})
            analysis = Analysis(dataclasses.replace(study, record=record), get_registry())
            assert analysis.better_by_copying == []
            assert not any("copied" in line.text for line in answer(analysis).blocks[0].lines)


class TestTrendsAndContrasts:
    def test_a_numeric_axis_has_its_trend(self, analyse: Analyse) -> None:
        values = {f"tau={tau}": STEADY + 10 * (tau - 0.6) for tau in (0.6, 0.8, 1.0)}
        found = texts(answer(analyse(taus(0.6, 0.8, 1.0), values)))
        assert found[-1].startswith(
            "With tau, distance rises: +10 for each 1 of tau (95 % interval +10 to +10), rank correlation"
        )

    def test_contrasts_have_a_block(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY + ABOUT_1}
        contrasts = {"b against c": {"b": 1, "c": -1}, "a against both": {"a": -1, "b": 0.5, "c": 0.5}}
        found = answer(analyse(named("a", "b", "c"), values, contrasts=contrasts))
        lines = block(found, "The study's contrasts, distance").lines
        assert [line.verdict for line in lines] == ["better", "alike"]
        assert lines[1].text == "a against both: 0 in every replicate: distance, 8 replicates."
        assert lines[0].text.startswith(f"b against c: better: distance {MINUS}2 (95 % interval")
        assert found.warnings == ()

    def test_a_contrast_of_what_is_not_there_is_a_warning(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY, "c": [NAN] * 8}
        contrasts = {"gone": {"b": 1, "d": -1}, "there": {"a": 1, "b": -1}}
        found = answer(analyse(named("a", "b"), {k: values[k] for k in "ab"}, contrasts=contrasts))
        assert len(block(found, "The study's contrasts").lines) == 1
        assert found.warnings == ("Skipped, because some of its variants have no results: contrast gone.",)
        contrasts = {"gone": {"b": 1, "d": -1}, "unmeasured": {"a": 1, "c": -1}}
        found = answer(analyse(named("a", "b", "c"), values, contrasts=contrasts))
        assert found.warnings == (
            "Skipped, because some of their variants have no results: contrasts gone, unmeasured.",
        )
        assert not [each for each in found.blocks if each.heading.startswith("The study's contrasts")]


def designed(variants: list[Variant]) -> dict[str, Mapping[str, Any]]:
    """Levels by variant, the baseline first."""
    return {variant.name: variant.levels for variant in sorted(variants, key=lambda variant: not variant.baseline)}


AXES = [Axis("sampler.tau", (0.8, 1.0)), Axis("model.size", ("small", "large")), Axis("augmenter", ("none", "tempo"))]
BASE = {"sampler.tau": 1.0, "model.size": "small", "augmenter": "none"}


def of_parts(levels: Mapping[str, Mapping[str, Any]], **sizes: float) -> dict[str, np.ndarray]:
    """Values to which each part that is not the baseline's adds its size, a little differently in every replicate."""
    paths = {path.rpartition(".")[2]: path for path in BASE}
    return {
        name: STEADY + sum(size for label, size in sizes.items() if own[paths[label]] != BASE[paths[label]]) * ABOUT_1
        for name, own in levels.items()
    }


class TestCrossed:
    def test_main_effects_and_interactions_have_a_block(self, analyse: Analyse) -> None:
        levels = designed(factorial(AXES[:2], BASE))
        found = answer(analyse(levels, of_parts({n: {**BASE, **own} for n, own in levels.items()}, tau=-1.0, size=2.0)))
        lines = block(found, "Main effects and interactions, distance").lines
        assert [line.verdict for line in lines] == ["better", "worse", "alike"]
        assert lines[0].text.startswith(
            f"tau=0.8 is better than tau=1.0, on average over the other axes: distance {MINUS}1 (95 %"
        )
        assert lines[2].text == "tau=0.8 x size=large: 0 in every replicate: distance, 8 replicates."

    def test_of_one_axis_or_another_design_there_are_none(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY + ABOUT_1, "c": STEADY - ABOUT_1}
        levels = {"a": {"x": 1, "y": 1}, "b": {"x": 2, "y": 1}, "c": {"x": 1, "y": 2}}
        for given, spec in ((levels, {"design": "one_at_a_time"}), (named("a", "b", "c"), {"design": "factorial"})):
            analysis = analyse(given, values, **spec)
            assert analysis.factorial_effects.empty
            no_shares = spec["design"] == "one_at_a_time"  # a block that names the designs which would give them
            assert len(answer(analysis).blocks) == 1 + no_shares
        assert len(analysis.all_effects) == 2

    def test_half_a_factorial_says_what_it_cannot_tell_apart(self, analyse: Analyse) -> None:
        levels = designed(fractional(AXES, BASE))
        aliased = dict(aliases(AXES))
        analysis = analyse(
            levels, of_parts(levels, tau=-1.0, size=2.0, augmenter=0.0), design="fractional", aliases=aliased
        )
        found = answer(analysis)
        assert found.warnings == (
            (
                "Half a factorial cannot separate these effects: tau from -size x augmenter; "
                "size from -tau x augmenter; augmenter from -tau x size."
            ),
        )
        rows = analysis.factorial_effects.set_index("comparison")
        assert rows["alias"].to_dict() == {
            "tau=0.8": "-size x augmenter",
            "size=large": "-tau x augmenter",
            "augmenter=tempo": "-tau x size",
            "tau=0.8 x size=large": "-augmenter",
            "tau=0.8 x augmenter=tempo": "-size",
            "size=large x augmenter=tempo": "-tau",
        }
        main = rows["difference"].to_dict()
        assert (main["tau=0.8"], main["size=large"], main["augmenter=tempo"]) == pytest.approx((-1.0, 2.0, 0.0))
        assert main["size=large x augmenter=tempo"] == pytest.approx(2.0), (
            "minus twice that of tau, which is all there is"
        )

    def test_everything_is_every_kind(self, analyse: Analyse) -> None:
        levels = designed(factorial(AXES[:2], BASE))
        first, *_, last = levels
        values = of_parts({n: {**BASE, **own} for n, own in levels.items()}, tau=-1.0, size=2.0)
        analysis = analyse(levels, values, contrasts={"ends": {first: 1, last: -1}})
        kinds = analysis.all_effects["kind"].value_counts().to_dict()
        attributed = {"share": 2, "dependence": 1, "total": 1, "add one in": 2, "leave one out": 2}
        assert kinds == {"variant": 3, "contrast": 1, "main effect": 2, "interaction": 1, **attributed}


class TestWarnings:
    def test_a_search_is_said_to_flatter(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": STEADY - ABOUT_1, "c": STEADY + NOISE}
        objectives = [{"metric": "rate"}, {"metric": "distance", "direction": "higher"}, {"metric": "gone"}]
        found = answer(
            analyse(
                {name: {"x": place, "y": place % 2} for place, name in enumerate(values)},
                {DISTANCE: values, ("rate", "value"): values},
                design="search",
                search={"objectives": objectives},
            )
        )
        assert found.warnings == (
            (
                "3 variants were tried and chosen by their results, so the best one looks better than it is. "
                "Run it again with another seed before you trust its value."
            ),
        )
        assert [each.heading for each in found.blocks] == [
            "rate (lower is better), against a",
            "distance (higher is better), against a",
        ]

    def test_named_variants_that_change_several_settings_are_said_to(self, analyse: Analyse) -> None:
        changes = {"a": {}, "one": {"steps": 2}, "two": {"steps": 2, "rate": 0.1}, "three": {"x": 1, "y": 2, "z": 3}}
        levels = {name: {"variants": change} for name, change in changes.items()}
        values = dict.fromkeys(changes, STEADY + NOISE)
        assert answer(analyse(levels, values, variants=changes)).warnings == (
            "two, three change several settings at once: the difference cannot be attributed to any single change.",
        )
        fewer = {name: levels[name] for name in ("a", "one", "two")}
        assert answer(analyse(fewer, {name: values[name] for name in fewer}, variants=changes)).warnings == (
            "two changes several settings at once: the difference cannot be attributed to any single change.",
        )
        assert answer(analyse(fewer, {name: values[name] for name in fewer})).warnings == (), (
            "what is crossed is meant so"
        )

    def test_what_follows_from_a_level_is_said(self, analyse: Analyse) -> None:
        found = answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY}, tokens={"a": 1000, "b": 5000}))
        assert found.warnings == (
            "Tokens seen in training differ from the baseline: b 5 times. This alone may explain a difference.",
        )

    def test_every_variant_inside_the_band_is_said_and_the_baseline_is_one(self, analyse: Analyse) -> None:
        draws = {"distance": [0.0, 10.0]}
        (warning,) = answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY + NOISE}, draws=draws)).warnings
        assert warning == (
            "distance: every variant is as close to the reference as notes resampled from the reference are by chance. "
            "Longer samples may show differences."
        )
        assert answer(analyse(named("a", "b"), {"a": STEADY + 20, "b": STEADY}, draws=draws)).warnings == ()
        assert answer(analyse(named("a", "b"), {"a": STEADY, "b": STEADY + 20}, draws=draws)).warnings == ()


class TestLittleToSay:
    def test_one_variant_has_nothing_to_be_compared_with(self, analyse: Analyse) -> None:
        assert answer(analyse({"base": {}}, {"base": STEADY})) == Answer((), ())

    def test_before_anything_is_measured_there_is_no_answer(self, analyse: Analyse) -> None:
        assert answer(analyse(named("a", "b"), {"a": [NAN], "b": [NAN]})) == Answer((), ())

    def test_a_single_replicate_says_so(self, analyse: Analyse) -> None:
        (block_of_one,) = answer(analyse(named("a", "b"), {"a": [1.0], "b": [2.0]})).blocks
        assert block_of_one.lines == (
            Line(
                "inconclusive",
                "Cannot tell b from a: distance +1, 1 replicate, p unknown. "
                "A single replicate has no spread: run more replicates.",
            ),
        )

    def test_what_is_half_measured_is_compared_as_far_as_it_goes(self, analyse: Analyse) -> None:
        values = {"a": STEADY, "b": [*(STEADY - ABOUT_1)[:6], NAN, NAN], "c": [NAN] * 8}
        (line, *_) = texts(answer(analyse(named("a", "b", "c"), values)))
        assert line.startswith("b is better than a")
        assert line.endswith("better in 6 of 6 replicates, p = 0.031.")


def test_rules_are_said_in_words(analyse: Analyse) -> None:
    usual = analyse(named("a", "b"), {"a": STEADY, "b": STEADY})
    marks = (
        "+ better, - worse, > higher, < lower, = no difference that matters, 0 alike in every replicate, ? cannot tell"
    )
    assert ", ".join(f"{mark} {WORDS[verdict]}" for verdict, mark in MARKS.items() if verdict) == marks
    assert rules_in_words(usual) == (
        "Differences of the mean over replicates, paired by seed; each 95 % interval is for one comparison alone. "
        "Better, worse, higher or lower: the replicates' differences lean to one side (sign-flip test, p < 0.05). p is "
        "corrected for all comparisons of the primary quantity together, and for those of all secondary quantities "
        "together: in each of these two families, at most 5 % of studies in which no variants differ have any false "
        f"claim. Marks: {marks}."
    )
    usual.rules = dataclasses.replace(usual.rules, estimate="iqm", alpha=0.01)
    found = rules_in_words(usual)
    assert found.startswith("Differences of the interquartile mean over replicates")
    assert "at most 1 % of studies" in found
