"""Properties of splits: complete, disjoint, deterministic, whole groups, the same for all variants."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from ablate.errors import CorpusError, InvalidOptions
from ablate.options import plain, validate
from ablate.settings import SplitSettings
from ablate.study.split import Rule, Use, replicate_split, uses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A corpus in folders of composers and works, as ASAP is.
corpora = st.lists(
    st.tuples(st.sampled_from(["bach", "chopin", "liszt", "ravel"]), st.sampled_from("ab"), st.integers(0, 20)).map(
        lambda parts: "/".join(map(str, parts))
    ),
    min_size=8,
    max_size=40,
    unique=True,
)
parts = st.floats(0.0, 0.45)
rules = st.builds(
    lambda validation, test, by, seed: Rule(SplitSettings(validation, test, by=by, seed=seed)),
    parts,
    parts,
    st.sampled_from(["piece", "folder", "top-folder"]),
    st.integers(0, 3),
)
GROUP = {"piece": lambda name: name, "folder": lambda name: name.rpartition("/")[0], "top-folder": lambda n: n[:4]}


def used(names: Sequence[str], rule: Rule) -> dict[str, Use]:
    return dict(zip(names, uses_of(names, [{}] * len(names), rule), strict=True))


def of_use(uses: dict[str, Use], use: Use) -> set[str]:
    return {name for name, own in uses.items() if own == use}


@given(corpora, rules, st.randoms())
def test_a_split_holds_out_whole_groups_whatever_the_order(names: list[str], rule: Rule, random: Any) -> None:
    groups = {GROUP[rule.settings.by](name) for name in names}
    asked = {"train", *rule.settings.shares}
    assume(len(groups) >= len(asked))
    uses = used(names, rule)
    assert set(uses.values()) == asked, "no part is empty, and none is there that is not asked for"
    for group in groups:
        assert len({uses[name] for name in names if GROUP[rule.settings.by](name) == group}) == 1
    shuffled = list(names)
    random.shuffle(shuffled)
    assert used(shuffled, rule) == uses


@given(st.lists(st.sampled_from(["bach/a", "chopin/b"]), min_size=1, unique=True), rules)
def test_too_few_groups_are_an_error(names: list[str], rule: Rule) -> None:
    groups, needed = {GROUP[rule.settings.by](name) for name in names}, 1 + len(rule.settings.shares)
    assume(len(groups) < needed)
    with pytest.raises(CorpusError, match=rf"needs {needed} .* or more .*; the corpus has {len(groups)}"):
        used(names, rule)


@given(st.integers(2, 60), parts, st.sampled_from(["validation", "test"]), st.integers(0, 3))
def test_a_share_of_pieces_is_the_closest_whole_number(count: int, share: float, use: Use, seed: int) -> None:
    uses = used([str(i) for i in range(count)], Rule(SplitSettings(**{use: share}, seed=seed)))
    error = abs(len(of_use(uses, use)) - share * count)
    assert error <= 0.5 or len(of_use(uses, use)) == 1


def test_a_share_of_groups_passes_over_those_that_are_too_large() -> None:
    names = [f"large/{i}" for i in range(50)] + [f"{folder}/{i}" for folder in "abcdefghij" for i in range(5)]
    for seed in range(10):
        uses = used(names, Rule(SplitSettings(0.1, 0.2, by="folder", seed=seed)))
        assert len(of_use(uses, "test")) == 20
        assert len(of_use(uses, "validation")) == 10


@given(st.integers(3, 40), parts, parts, st.integers(0, 3))
def test_a_new_piece_moves_at_most_one_other_into_or_out_of_a_part(
    count: int, validation: float, test: float, seed: int
) -> None:
    rule, names = Rule(SplitSettings(validation, test, seed=seed)), [f"piece {i}" for i in range(count + 1)]
    before, after = used(names[:-1], rule), used(names, rule)
    for use in ("validation", "test"):
        assert len(of_use(before, use) - of_use(after, use)) <= 1
        assert len(of_use(after, use) - of_use(before, use)) <= 1


def test_one_share_does_not_change_the_other_part() -> None:
    names = [str(i) for i in range(30)]
    both = used(names, Rule(SplitSettings(validation=0.2, test=0.3)))
    assert of_use(both, "test") == of_use(used(names, Rule(SplitSettings(test=0.3))), "test")
    assert of_use(both, "validation") == of_use(used(names, Rule(SplitSettings(validation=0.2))), "validation")


class TestNames:
    NAMES = ("bach/a", "bach/b", "chopin/a", "etude", "liszt/x/a", "liszt/x/b")

    def test_names_and_shares_can_be_mixed(self) -> None:
        uses = used(self.NAMES, Rule(SplitSettings(validation=0.2, test=("etude",))))
        assert of_use(uses, "test") == {"etude"}
        assert len(of_use(uses, "validation")) == 1

    @pytest.mark.parametrize("by", ["piece", "folder", "top-folder"])
    def test_a_folder_stands_for_its_pieces(self, by: str) -> None:
        uses = used(self.NAMES, Rule(SplitSettings(("chopin/a",), ("liszt",), by=by)))
        assert of_use(uses, "test") == {"liszt/x/a", "liszt/x/b"}
        assert of_use(uses, "validation") == {"chopin/a"}

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"test": ("bach",)}, "unknown piece 'bach'"),
            ({"test": ("bahc/a",)}, "did you mean 'bach/a'"),
            ({"test": ("lizst/x",)}, "did you mean 'liszt/x'"),
            ({"test": ("bach/a",), "by": "folder"}, "split.test: 'bach/a' belongs to one group with 'bach/b'"),
            ({"test": ("bach",), "validation": ("bach/b",)}, "split.test: 'bach/b' is in split.validation too"),
            ({"test": NAMES}, "validation and test name every piece; leave some to train on"),
            ({"validation": 0.1, "test": NAMES[:-1]}, "needs 2 pieces or more"),
        ],
    )
    def test_what_names_no_whole_groups_is_an_error(self, settings: dict[str, Any], message: str) -> None:
        names = [name for name in self.NAMES if not message.endswith("'bach'") or "/" not in name]
        with pytest.raises(CorpusError) as raised:
            used(names, Rule(SplitSettings(**settings)))
        assert message in str(raised.value)

    def test_pieces_with_one_name_are_counted_and_cannot_be_named(self) -> None:
        uses = uses_of(["score"] * 24, [{}] * 24, Rule(SplitSettings(0.1, 0.1)))
        assert sorted(map(uses.count, ("validation", "test"))) == [2, 2]
        with pytest.raises(CorpusError, match=r"split\.test: 24 pieces of the corpus are named 'score'"):
            uses_of(["score"] * 24, [{}] * 24, Rule(SplitSettings(test=("score",))))


class TestLabels:
    def test_pieces_with_equal_labels_stay_together(self) -> None:
        labels = [{"composer": float(i % 4)} for i in range(20)]
        names = [str(i) for i in range(20)]
        uses = uses_of(names, labels, Rule(SplitSettings(0.25, 0.25, by="composer")))
        assert {use: uses.count(use) for use in uses} == {"train": 10, "validation": 5, "test": 5}
        assert uses == uses[:4] * 5

    @pytest.mark.parametrize(("own", "known"), [({}, "it has no labels"), ({"key": 1.0}, "its labels: key")])
    def test_a_piece_without_the_label_is_named(self, own: dict[str, float], known: str) -> None:
        with pytest.raises(CorpusError) as raised:
            uses_of(["a", "b"], [{"composer": 1.0}, own], Rule(SplitSettings(test=0.5, by="composer")))
        assert f"split.by = 'composer': the piece 'b' has no such label ({known})" in str(raised.value)

    def test_too_few_values(self) -> None:
        with pytest.raises(CorpusError, match="needs 2 values of the label 'composer' or more"):
            uses_of(["a", "b"], [{"composer": 1.0}] * 2, Rule(SplitSettings(test=0.5, by="composer")))


class TestFolds:
    @given(corpora, st.integers(2, 4), st.sampled_from(["piece", "folder"]), parts, st.booleans(), st.integers(0, 9))
    def test_each_piece_is_tested_once_in_as_many_replicates_as_folds(
        self, names: list[str], folds: int, by: str, validation: float, per_replicate: Any, seed: int
    ) -> None:
        groups = {GROUP[by](name) for name in names}
        assume(len(groups) >= (4 if folds == 2 else folds))
        settings = plain(SplitSettings(validation, folds=folds, by=by, per_replicate=per_replicate))
        uses = [used(names, Rule.of(replicate_split(settings, seed, r))) for r in range(2 * folds)]
        for half in (uses[:folds], uses[folds:]):
            assert all(sum(one[name] == "test" for one in half) == 1 for name in names)
        for one in uses:
            assert set(one.values()) == {"train", "test", *(["validation"] if validation else [])}
            for group in groups:
                assert len({one[name] for name in names if GROUP[by](name) == group}) == 1
        assert per_replicate or uses[:folds] == uses[folds:]

    @given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 9))
    def test_folds_of_pieces_are_equal_and_a_new_piece_moves_few(self, count: int, folds: int, seed: int) -> None:
        assume(count >= folds)
        settings, names = SplitSettings(folds=folds, seed=seed), [f"piece {i}" for i in range(count + 1)]
        for fold in range(folds):
            before, after = (of_use(used(names[:n], Rule(settings, fold)), "test") for n in (count, count + 1))
            assert len(before) in (count // folds, -(-count // folds))
            assert len(before - after) <= 1
            assert len(after - before) <= 2

    def test_more_folds_than_groups(self) -> None:
        with pytest.raises(CorpusError, match="needs 5 pieces or more to hold some out; the corpus has 4"):
            used(list("abcd"), Rule(SplitSettings(folds=5)))

    def test_named_validation_pieces_are_never_tested(self) -> None:
        for fold in range(3):
            uses = used(list("abcdefg"), Rule(SplitSettings(("a",), folds=3), fold))
            assert of_use(uses, "validation") == {"a"}
            assert len(of_use(uses, "test")) == 2

    def test_validation_pieces_differ_between_folds(self) -> None:
        names = [str(i) for i in range(20)]
        held = [of_use(used(names, Rule(SplitSettings(0.2, folds=5), fold)), "validation") for fold in range(5)]
        assert len(set.union(*held)) == 20


class TestReplicates:
    def test_all_replicates_share_one_split_unless_asked(self) -> None:
        settings = plain(SplitSettings(0.1, 0.1, seed=4))
        splits = [replicate_split(settings, seed=1, replicate=r) for r in range(3)]
        assert splits == [splits[0]] * 3
        assert splits[0]["seed"] == 4

    def test_each_replicate_has_a_split_of_its_own_where_asked(self) -> None:
        settings = plain(SplitSettings(0.1, 0.1, per_replicate=True))
        names = [str(i) for i in range(40)]

        def tested(study: int, replicate: int, **changes: Any) -> frozenset[str]:
            config = replicate_split({**settings, **changes}, study, replicate)
            return frozenset(of_use(used(names, Rule.of(config)), "test"))

        assert len({tested(0, r) for r in range(20)}) > 15
        assert tested(0, 1) != tested(1, 1)
        assert tested(0, 1) != tested(0, 1, seed=1)

    def test_without_a_held_out_piece_there_is_no_split(self) -> None:
        assert replicate_split(plain(SplitSettings(seed=3, by="folder")), 0, 0) == {}
        assert set(used(["a"], Rule.of({})).values()) == {"train"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
        ({"validation": ["a"], "test": ["b", "a"]}, "name the piece 'a' twice"),
        ({"test": ["a", "a"]}, "name the piece 'a' twice"),
        ({"folds": 1}, "folds must be 2 or more"),
        ({"folds": 3, "test": 0.1}, "folds and test cannot be combined"),
        ({"folds": 3, "test": ["a"]}, "folds and test cannot be combined"),
        ({"per_replicate": True}, "per_replicate has nothing to draw"),
        ({"per_replicate": True, "test": ["a"]}, "per_replicate has nothing to draw"),
        ({"test": 1.0}, "must be a number ≥ 0 and < 1 or a list of text"),
        ({"held_out": 0.1}, "unknown key"),
    ],
)
def test_settings_that_contradict_each_other(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptions) as raised:
        validate(SplitSettings, values)
    assert message in str(raised.value)


def test_every_field_of_the_settings_reaches_the_stages() -> None:
    config = replicate_split(plain(SplitSettings(0.1, folds=3, by="folder", per_replicate=True)), 0, 4)
    fields = {field.name for field in dataclasses.fields(SplitSettings)}
    assert config.keys() == fields - {"per_replicate"} | {"fold"}
    assert config["fold"] == 1
