"""``ablate study compare``: what it compares, what it says of it, and what it refuses."""

from __future__ import annotations

import itertools
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as sps
from support.outputs_material import L1, PITCH, RATE, component, drawn, put
from support.store_material import measurements

from ablate.errors import AblateError, UnknownName, UsageError
from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.pairs.compare import compare_pair
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.commands import Command, Outcome
    from support.outputs_material import Floats, Quantity


ALL = (PITCH, L1, RATE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies that share a baseline, and others that each differ from them in one thing."""
    home = tmp_path_factory.mktemp("compare")
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(store, "taus", drawn(1, {"warm": 0.3, "cold": 0.2, "hot": 0.301}, ALL), margins={"notes.rate": 0.5})
        steps = {"training": {"steps": 80}}
        put(store, "steps", drawn(2, {"warm": 0.3, "long": 0.25, "hot": 0.4}, ALL), configs={"long": steps})
        put(store, "taus@seed:2", drawn(3, {"warm": 0.3, "tau:x@y": 0.2}))
        put(store, "other corpus", drawn(4, {"warm": 0.3}), configs={"warm": {"corpus": [component("mozart")]}})
        put(store, "other baseline", drawn(5, {"warm": 0.3, "long": 0.2}), configs={"warm": steps})
        put(store, "other metric", drawn(6, {"warm": 0.3}, [("novelty", "share")]))
        put(store, "more metrics", drawn(7, {"warm": 0.3, "hot": 0.2}, [("novelty", "share"), PITCH]))
        put(store, "alone", drawn(8, {"warm": 0.3, "hot": 0.2}, size=(1, 2)))
    return home


@pytest.fixture(scope="module")
def store(home: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{home / 'ablate.db'}") as opened:
        yield opened


@pytest.fixture
def compare(ablate: Command, home: Path) -> Command:
    """``ablate study compare`` on that home."""
    return lambda *words: ablate("study", "compare", *words, "--home", str(home))


def means(store: Store, study: str, variant: str, quantity: Quantity = PITCH) -> Floats:
    """Of each replicate over its samples, as the database has them."""
    found: dict[int, list[float]] = {}
    for each in measurements(store, study):
        if (each.variant, each.measurement.metric, each.measurement.feature) == (variant, *quantity):
            found.setdefault(each.replicate, []).append(each.measurement.value)
    return np.array([np.mean(found[replicate]) for replicate in sorted(found)])


def by_hand(differences: Floats) -> dict[str, Any]:
    """Mean, Student's interval and the sign-flip p of paired differences."""
    n, mean = len(differences), float(differences.mean())
    half = float(sps.t.ppf(0.975, n - 1)) * differences.std(ddof=1) / math.sqrt(n)
    flipped = np.abs(np.array(list(itertools.product((1, -1), repeat=n))) @ differences) / n
    p = float((flipped >= abs(mean) - 1e-12).mean())
    return {"difference": mean, "low": mean - half, "high": mean + half, "p": p, "n": n}


def numbers(row: Any) -> dict[str, Any]:
    return {key: row[key] for key in ("difference", "low", "high", "p", "n")}


@pytest.mark.parametrize("quantity", ALL)
@pytest.mark.parametrize(("one", "other"), [(("taus", "cold"), ("taus", "hot")), (("steps", "long"), ("taus", "cold"))])
def test_two_variants_differ_by_what_the_store_says(
    store: Store, one: tuple[str, str], other: tuple[str, str], quantity: Quantity
) -> None:
    frame = compare_pair(store, ":".join(one), ":".join(other), quantity[0]).frame
    (row,) = frame[frame["feature"] == quantity[1]].to_dict("records")
    expected = by_hand(means(store, *other, quantity) - means(store, *one, quantity))
    assert numbers(row) == pytest.approx(expected)
    assert (row["comparison"], row["versus"]) == (other[1], one[1])
    if row["verdict"]:
        assert row["p_adjusted"] >= row["p"] - 1e-12, "corrected for the other comparisons of its role"
    else:
        assert (one[0], other[0], quantity) == ("taus", "taus", L1), "exploratory in the report too"


def test_the_other_way_round_is_the_opposite(store: Store) -> None:
    there, back = (compare_pair(store, *pair) for pair in itertools.permutations(("taus:cold", "taus:warm")))
    assert there.frame["difference"].tolist() == (-back.frame["difference"]).tolist()
    assert there.frame["p"].tolist() == pytest.approx(back.frame["p"].tolist())
    assert {there.frame["verdict"].iloc[0], back.frame["verdict"].iloc[0]} == {"worse", "better"}


def test_a_variant_does_not_differ_from_itself(store: Store) -> None:
    found = compare_pair(store, "taus:cold", "taus:cold")
    assert found.differs == []
    assert set(found.frame["difference"]) == {0.0}
    assert set(found.frame["verdict"]) == {"alike"}
    assert found.frame["comparison"].iloc[0] == "cold of taus"


def test_a_variant_beside_the_baseline_is_what_its_own_report_says(store: Store) -> None:
    pair = compare_pair(store, "taus:warm", "taus:cold").frame.set_index(["metric", "feature"])
    own = Analysis(Study.read(store, "taus"), get_registry()).against_baseline
    own = own[own["comparison"] == "cold"].set_index(["metric", "feature"]).loc[pair.index]
    for column in (
        "difference",
        "low",
        "high",
        "p",
        "effect",
        "margin",
        "direction",
        "unit",
        "p_adjusted",
        "verdict",
        "family",
    ):
        pd.testing.assert_series_equal(pair[column], own[column])


def test_the_variants_of_two_studies_stand_against_their_own_baselines(store: Store) -> None:
    frame = compare_pair(store, "taus", "steps", "distance.pitch").frame
    rows = {(row["comparison"], row["feature"]): row for row in frame.to_dict("records")}
    of = {
        (study, variant): f"{variant} of {study}" for study in ("taus", "steps") for variant in ("cold", "long", "hot")
    }
    for quantity in (PITCH, L1):
        for study, variant in (("taus", "cold"), ("taus", "hot"), ("steps", "long"), ("steps", "hot")):
            row = rows[of[study, variant], quantity[1]]
            base = means(store, study, "warm", quantity)
            assert numbers(row) == pytest.approx(by_hand(means(store, study, variant, quantity) - base))
            assert (row["kind"], row["versus"]) == ("variant", "warm")
            report = Analysis(Study.read(store, study), get_registry()).against_baseline
            own = report[(report["comparison"] == variant) & (report["feature"] == quantity[1])].iloc[0]
            assert (row["verdict"], row["family"]) == (own["verdict"], own["family"])
            assert row["p_adjusted"] == pytest.approx(own["p_adjusted"], nan_ok=True)
        row = rows["hot of steps - hot of taus", quantity[1]]
        both = means(store, "steps", "hot", quantity) - means(store, "taus", "hot", quantity)
        assert numbers(row) == pytest.approx(by_hand(both))
        assert (row["kind"], row["family"], row["paired"]) == ("contrast", 1, True)
    assert len(frame) == 2 * 5


def test_it_says_in_which_settings_they_differ(compare: Command) -> None:
    assert compare("taus:warm", "steps:long").out.splitlines()[0] == (
        "they differ in: sampler.temperature.tau, training.steps"
    )
    assert "differ in" not in compare("taus:warm", "steps:warm").out
    assert json.loads(compare("taus:warm", "steps:long", "--json").out)["differs_in"] == [
        "sampler.temperature.tau",
        "training.steps",
    ]


def test_the_table_the_sentences_and_the_json_say_the_same(compare: Command, store: Store) -> None:
    shown = compare("taus:warm", "taus:cold")
    row, _ = json.loads(compare("taus:warm", "taus:cold", "--json").out)["comparisons"]
    expected = by_hand(means(store, "taus", "cold") - means(store, "taus", "warm"))
    assert numbers(row) == pytest.approx(expected)
    assert row["verdict"] == "better"
    (sentence,) = (line for line in shown.out.splitlines() if line.startswith("- "))
    assert sentence.startswith(f"- cold is better than warm: distance.pitch −{-row['difference']:.3g} ")  # noqa: RUF001
    assert "cold - warm" in shown.out.splitlines(), "above the table, which has one comparison"
    (line,) = (line for line in shown.out.splitlines() if line.startswith(" distance.pitch"))
    assert all(f"{row[key]:+.3g}" in line for key in ("difference", "low", "high"))
    assert "better" in line


def test_without_a_metric_the_headlines_are_compared_and_with_one_every_feature(compare: Command) -> None:
    def quantities(*words: str) -> list[tuple[str, str]]:
        rows = json.loads(compare("taus:warm", "taus:cold", "--json", *words).out)["comparisons"]
        return [(row["metric"], row["feature"]) for row in rows]

    assert quantities() == [PITCH, RATE]
    assert quantities("--metric", "distance.pitch") == [PITCH, L1]
    assert quantities("--metric", "notes.rate") == [RATE]


def test_studies_that_measure_more_are_compared_in_what_both_measure(store: Store) -> None:
    found = compare_pair(store, "taus:warm", "more metrics:hot")
    assert list(zip(found.frame["metric"], found.frame["feature"], strict=True)) == [PITCH]
    assert found.differs == ["sampler.temperature.tau"]
    assert [line.split(":")[0] for line in found.sentences] == ["hot is better than warm"]


def refusal(outcome: Outcome, code: int) -> str:
    assert outcome.code == code, outcome
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tauss", "steps"], "unknown study 'tauss' in this home; did you mean 'taus'?"),
        (["taus", "stepz"], "unknown study 'stepz' in this home; did you mean 'steps'?"),
        (["tauss:warm", "taus:cold"], "unknown study 'tauss' in this home; did you mean 'taus'?"),
        (["taus:warm", "taus:colt"], "unknown variant 'colt' of study 'taus'; did you mean 'cold'?"),
        (["taus:warm", "taus:"], "unknown variant '' of study 'taus'. Offered: cold, hot, warm"),
        (["taus:warm", "taus@seed:2:tau:x@z"], "'tau:x@z' of study 'taus@seed:2'; did you mean 'tau:x@y'?"),
        (["taus", "steps", "--metric", "distance.pich"], "'distance.pich' in these studies; did you mean 'distance"),
    ],
)
def test_what_is_misspelt_is_named_with_what_is_meant(compare: Command, words: list[str], expected: str) -> None:
    assert expected in refusal(compare(*words), 2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["taus", "taus:cold"], "compare two variants or two studies, not one of each: taus and taus:cold"),
        (["taus:cold", "steps"], "compare two variants or two studies, not one of each: taus:cold and steps"),
        (
            ["taus:warm", "other corpus:warm"],
            "cannot compare taus:warm with other corpus:warm: the two differ in corpus",
        ),
        (["taus", "other corpus"], "their baselines, warm and warm, differ in corpus"),
        (["taus", "other baseline"], "their baselines, warm and warm, differ in training.steps"),
        (["taus:warm", "other metric:warm"], "the two differ in metric"),
        (["taus", "other metric"], "their baselines, warm and warm, differ in metric"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(compare: Command, words: list[str], expected: str) -> None:
    assert refusal(compare(*words), 2).endswith(expected)


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("measure", {"primer": True}, "measure.primer"),
        ("split", {"validation": 0.0, "test": 0.1}, "split.test"),
        ("metric", [component("distance.pitch", smoothing=0.1)], "metric.distance.pitch.smoothing"),
        ("corpus", [component("bach-prelude", tempo=80)], "corpus.bach-prelude.tempo"),
    ],
)
def test_values_of_another_measure_are_never_compared(tmp_path: Path, section: str, value: Any, said: str) -> None:
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "one", drawn(1, {"warm": 0.3, "hot": 0.2}))
        put(
            store,
            "other",
            drawn(2, {"warm": 0.3, "hot": 0.2}),
            configs={name: {section: value} for name in ("warm", "hot")},
        )
        for pair in (("one:hot", "other:hot"), ("one", "other")):
            with pytest.raises(UsageError, match=rf"differ in {said}$"):
                compare_pair(store, *pair)


def test_another_metric_beside_hides_no_other_settings(tmp_path: Path) -> None:
    """One more metric is no reason to refuse; but the metric that both have must be the same one."""
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "one", drawn(1, {"warm": 0.3}))
        metrics = {"metric": [component("novelty"), component("distance.pitch", smoothing=0.1)]}
        put(store, "other", drawn(2, {"warm": 0.3}, [("novelty", "share"), PITCH]), configs={"warm": metrics})
        with pytest.raises(UsageError, match=r"differ in metric.distance.pitch.smoothing$"):
            compare_pair(store, "one:warm", "other:warm")


def test_a_metric_that_only_one_of_them_measured_is_refused(store: Store) -> None:
    with pytest.raises(UnknownName, match=r"unknown metric .*'notes.rate'.*Offered: distance.pitch"):
        compare_pair(store, "taus:warm", "more metrics:hot", "notes.rate")


def test_names_may_hold_colons_and_at_signs(store: Store, compare: Command) -> None:
    frame = compare_pair(store, "taus@seed:2:tau:x@y", "taus:cold").frame
    expected = by_hand(means(store, "taus", "cold") - means(store, "taus@seed:2", "tau:x@y"))
    assert numbers(frame.to_dict("records")[0]) == pytest.approx(expected)
    assert "tau:x@y of taus@seed:2 - warm" in compare("taus", "taus@seed:2").out


def test_a_study_whose_name_begins_with_anothers_is_found(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "a", drawn(1, {"x": 0.3, "b": 0.2}))
        put(store, "a:b", drawn(2, {"x": 0.3, "y": 0.2}))
        for one, other, study, variant in (("a:x", "a:b:y", "a:b", "y"), ("a:b:x", "a:x", "a", "x")):
            row = compare_pair(store, one, other).frame.to_dict("records")[0]
            start = means(store, *(("a", "x") if one == "a:x" else ("a:b", "x")))
            assert row["difference"] == pytest.approx(float((means(store, study, variant) - start).mean()))


def test_a_single_replicate_has_no_interval_and_none_is_printed(compare: Command) -> None:
    shown = compare("alone:warm", "alone:hot")
    assert shown.code == 0
    assert "Cannot tell hot from warm" in shown.out
    assert "A single replicate has no spread" in shown.out
    assert "nan" not in shown.out
    (row,) = json.loads(compare("alone:warm", "alone:hot", "--json").out)["comparisons"]
    assert (row["low"], row["high"], row["p"], row["n"]) == (None, None, None, 1)


def test_nothing_measured_is_one_line(tmp_path: Path, ablate: Command) -> None:
    (tmp_path / ".ablate").mkdir()
    with Store(f"sqlite:///{tmp_path / '.ablate/ablate.db'}") as store:
        put(store, "planned", {"warm": {PITCH: np.empty((1, 0))}, "hot": {PITCH: np.empty((1, 0))}})
        with pytest.raises(AblateError, match="planned"):
            compare_pair(store, "planned:warm", "planned:hot")
    assert "study 'planned' has no measurements yet" in refusal(ablate("study", "compare", "planned", "planned"), 1)


def test_replicates_that_only_one_of_them_has_are_left_out(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "few", drawn(1, {"warm": 0.3}, size=(6, 1)))
        put(store, "many", drawn(2, {"warm": 0.3}, size=(9, 1)))
        (row,) = compare_pair(store, "few:warm", "many:warm").frame.to_dict("records")
        expected = by_hand(means(store, "many", "warm")[:6] - means(store, "few", "warm"))
    assert numbers(row) == pytest.approx(expected)


def test_the_direction_of_an_objective_is_the_objectives(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        objective = {"metric": "notes.rate", "feature": "value", "direction": "higher"}
        put(store, "study", drawn(1, {"warm": 0.3, "hot": 0.9}, [RATE]), objective=objective)
        assert Analysis(Study.read(store, "study"), get_registry()).against_baseline["verdict"].tolist() == ["better"]
        assert compare_pair(store, "study:warm", "study:hot").frame["verdict"].tolist() == ["better"]


class TestOtherSeeds:
    """Replicates that share nothing: each study against its own baseline, and two groups against each other."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[Store]:
        """Two studies of one design with different seeds, one of them with fewer replicates."""
        with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as opened:
            put(opened, "one", drawn(1, {"warm": 0.3, "cold": 0.2}, ALL), seed=1)
            put(opened, "two", drawn(2, {"warm": 0.9, "cold": 0.8}, ALL, (6, 2)), seed=2)
            put(opened, "same", drawn(3, {"warm": 0.9, "cold": 0.5}, ALL), seed=1)
            yield opened

    def test_every_variant_stands_against_its_own_baseline(self, other: Store) -> None:
        """Against the baseline of the first study, cold of the second one would be 0.5 worse instead of 0.1 better."""
        found = compare_pair(other, "one", "two", "notes.rate")
        assert not found.paired
        rows = {row["comparison"]: row for row in found.frame.to_dict("records")}
        for study in ("one", "two"):
            row = rows[f"cold of {study}"]
            expected = by_hand(means(other, study, "cold", RATE) - means(other, study, "warm", RATE))
            assert numbers(row) == pytest.approx(expected)
            assert row["paired"]

    def test_differences_from_the_baselines_are_two_groups(self, other: Store) -> None:
        rows = {row["comparison"]: row for row in compare_pair(other, "one", "two").frame.to_dict("records")}
        row = rows["cold of two - cold of one, each against its own baseline"]
        one, two = (means(other, study, "cold", RATE) - means(other, study, "warm", RATE) for study in ("one", "two"))
        welch = sps.ttest_ind(two, one, equal_var=False)
        interval = welch.confidence_interval(0.95)
        assert row["difference"] == pytest.approx(two.mean() - one.mean())
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
        assert (row["n"], row["replicates"], row["paired"]) == (14, "8 + 6", False)
        pooled, size = np.concatenate([one, two]), len(one)
        chosen = [list(places) for places in itertools.combinations(range(len(pooled)), size)]
        rest = [[place for place in range(len(pooled)) if place not in places] for places in chosen]
        every = np.abs(sps.ttest_ind(pooled[rest], pooled[chosen], axis=1, equal_var=False).statistic)
        permuted = np.mean(every >= abs(welch.statistic) * (1 - 1e-9))
        assert row["p"] == pytest.approx(max(permuted, welch.pvalue))

    def test_two_variants_are_two_groups(self, other: Store) -> None:
        (row, *_) = compare_pair(other, "one:cold", "two:cold", "notes.rate").frame.to_dict("records")
        assert row["difference"] == pytest.approx(means(other, "two", "cold", RATE).mean() - 0.2, abs=0.02)
        assert (row["comparison"], row["versus"], row["paired"]) == ("cold of two", "cold of one", False)

    def test_with_one_seed_they_are_paired(self, other: Store) -> None:
        found = compare_pair(other, "one:cold", "same:warm", "notes.rate")
        assert found.paired
        (row, *_) = found.frame.to_dict("records")
        assert numbers(row) == pytest.approx(
            by_hand(means(other, "same", "warm", RATE) - means(other, "one", "cold", RATE))
        )

    def test_the_words_say_which_it_was(self, other: Store, ablate: Command, tmp_path: Path) -> None:
        def out(*words: str) -> str:
            return ablate("study", "compare", *words, "--home", str(tmp_path)).out

        assert "Not paired: the studies have the seeds 1 and 2, so their replicates share nothing." in out("one", "two")
        assert "8 + 6 replicates, not paired." in out("one:cold", "two:cold")
        shown = out("one", "same")
        assert "Paired: replicate k of both has the same seeds (study seed 1)." in shown
        assert "not paired" not in shown
        assert json.loads(out("one:cold", "two:cold", "--json"))["paired"] is False


def test_the_table_explains_intervals_and_families(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    shift = np.array([0.9, 1.1, 0.2, 1.4, 0.8, -0.3, 0.7, 1.0])[:, None]
    start, quantities = rng.normal(5.0, 1.0, (8, 1)), [RATE, *((f"m{i}", "value") for i in range(12))]
    values = {
        name: {quantity: start + size + rng.normal(0, 0.6, (8, 1)) * (name == "b") for quantity in quantities}
        for name, size in (("a", 0 * shift), ("b", 0.5 * shift))
    }
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "study", values)
        found = compare_pair(store, "study:a", "study:b")
    apart = [
        (low > 0 or high < 0) and verdict == "inconclusive"
        for low, high, verdict in zip(found.frame["low"], found.frame["high"], found.frame["verdict"], strict=True)
    ]
    assert any(apart)
    assert [row[2].endswith(" *") for row in found.rows] == apart
    assert found.notes[0].startswith("Each interval is for one comparison alone.")
    assert found.notes[1].startswith("* The verdict decides. The interval is for this comparison alone")


def test_a_candidate_that_a_path_did_not_take_is_compared_too(tmp_path: Path) -> None:
    """Its report judges only the steps that the path took."""
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as opened:
        values = drawn(9, {"warm": 0.3, "cold": 0.2, "hot": 0.301}, ALL)
        put(opened, "way", values, design="path", path={"taken": ["warm", "cold"]})
        for pair in (("warm", "hot"), ("hot", "warm"), ("warm", "cold")):
            frame = compare_pair(opened, f"way:{pair[0]}", f"way:{pair[1]}").frame.set_index(["metric", "feature"])
            differences = means(opened, "way", pair[1]) - means(opened, "way", pair[0])
            assert frame.loc[PITCH, "difference"] == pytest.approx(differences.mean())
