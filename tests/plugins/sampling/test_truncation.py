from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import assume, given

from ablate.errors import InvalidOptions
from ablate.testing import SamplerContract
from ablate_sampling import ablate_samplers

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECS = {spec.name: spec for spec in ablate_samplers()}
NO_HISTORY = torch.empty(0, 0, dtype=torch.int64)
INF = float("inf")
#: Many ties, some forbidden tokens, at least one possible.
LOGITS = st.lists(st.integers(-12, 12).map(lambda n: n / 4) | st.just(-INF), min_size=2, max_size=9).filter(
    lambda logits: max(logits) > -INF
)
SHARE = st.floats(0.01, 0.99)


class TestTopK(SamplerContract):
    spec = SPECS["top_k"]
    options = ({}, {"k": 0}, {"k": 1}, {"k": 7}, {"k": 127}, {"k": 1000})
    identity: dict[str, Any] = {"k": 0}  # noqa: RUF012


class TestTopP(SamplerContract):
    spec = SPECS["top_p"]
    options = ({}, {"p": 0}, {"p": 1e-60}, {"p": 0.3}, {"p": 0.9}, {"p": 1})
    identity: dict[str, Any] = {"p": 1.0}  # noqa: RUF012


class TestMinP(SamplerContract):
    spec = SPECS["min_p"]
    options = ({}, {"share": 0}, {"share": 1e-60}, {"share": 0.01}, {"share": 1})
    identity: dict[str, Any] = {"share": 0.0}  # noqa: RUF012


class TestTypical(SamplerContract):
    spec = SPECS["typical"]
    options = ({}, {"p": 0}, {"p": 1e-60}, {"p": 0.2}, {"p": 0.9}, {"p": 1})
    identity: dict[str, Any] = {"p": 1.0}  # noqa: RUF012


def sampled(name: str, rows: Sequence[dict[str, Any]], logits: torch.Tensor) -> torch.Tensor:
    spec = SPECS[name]
    result: torch.Tensor = spec.build([spec.parse(row) for row in rows], SamplerContract.tokenizer)(logits, NO_HISTORY)
    return result


def kept(name: str, logits: Sequence[float], **options: Any) -> set[int]:
    """The ids that stay possible; what stays is as it was."""
    before = torch.tensor([logits], dtype=torch.float32)
    after = sampled(name, [options], before)
    possible = after > -INF
    assert after[possible].equal(before[possible])
    return set(possible[0].nonzero()[:, 0].tolist())


def probabilities(logits: Sequence[float]) -> list[float]:
    total = math.fsum(map(math.exp, logits))
    return [math.exp(logit) / total for logit in logits]


def holding(p: float, order: Sequence[int], logits: Sequence[float]) -> set[int]:
    """The first tokens of the order that together hold at least ``p``; of possible tokens only."""
    found: set[int] = set()
    held = 0.0
    for token in order:
        assume(abs(held - p) > 1e-5)  # float32 may round to the other side
        if held >= p:
            break
        held += probabilities(logits)[token]
        found.add(token)
    return {token for token in found if logits[token] > -INF}


def logs(*probability: float) -> list[float]:
    return [math.log(p) for p in probability]


@given(LOGITS, st.integers(1, 12))
def test_top_k_keeps_the_first_k_in_order_of_logit_and_id(logits: list[float], k: int) -> None:
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    assert kept("top_k", logits, k=k) == {token for token in order[:k] if logits[token] > -INF}


@given(LOGITS, SHARE)
def test_top_p_keeps_the_fewest_likeliest_tokens_that_hold_p(logits: list[float], p: float) -> None:
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    assert kept("top_p", logits, p=p) == holding(p, order, logits)


@given(LOGITS, SHARE)
def test_min_p_keeps_what_is_likely_enough_beside_the_likeliest(logits: list[float], share: float) -> None:
    ratios = [math.exp(logit - max(logits)) for logit in logits]
    assume(min(abs(ratio - share) for ratio in ratios) > 1e-6)
    assert kept("min_p", logits, share=share) == {token for token, ratio in enumerate(ratios) if ratio > share}


@given(LOGITS, SHARE)
def test_typical_keeps_the_fewest_tokens_nearest_to_the_entropy_that_hold_p(logits: list[float], p: float) -> None:
    information = [-math.log(q) if q else INF for q in probabilities(logits)]
    entropy = math.fsum(q * i for q, i in zip(probabilities(logits), information, strict=True) if q)
    # rounded, so that tokens of equal logits stay equal; those of other logits must be clearly apart
    distance = [round(abs(i - entropy), 9) for i in information]
    by_distance = dict(zip(distance, logits, strict=True))
    assume(all(by_distance[d] == logit for d, logit in zip(distance, logits, strict=True)))
    assume(len(by_distance) == 1 or min(np.diff(sorted(by_distance))) > 1e-5)
    order = sorted(range(len(logits)), key=lambda token: (distance[token], token))
    assert kept("typical", logits, p=p) == holding(p, order, logits)


def test_the_nucleus_of_a_small_distribution() -> None:
    logits = logs(0.1, 0.5, 0.15, 0.25)
    assert [kept("top_p", logits, p=p) for p in (0.4, 0.6, 0.8, 0.95)] == [{1}, {1, 3}, {1, 2, 3}, {0, 1, 2, 3}]


def test_the_likeliest_token_may_be_too_predictable_to_be_typical() -> None:
    # entropy 1.50 nats; information 0.92 of the first, 1.90 of each of the others
    logits = logs(0.4, 0.15, 0.15, 0.15, 0.15)
    assert kept("typical", logits, p=0.4) == {1, 2, 3}
    assert kept("typical", logits, p=0.7) == {0, 1, 2, 3, 4}


def test_of_equal_tokens_the_first_are_kept() -> None:
    equal = [0.0] * 64  # enough for a sort that is not stable to mix them up
    assert kept("top_k", equal, k=3) == {0, 1, 2}
    assert kept("top_p", equal, p=0.5) == kept("typical", equal, p=0.5) == set(range(32))
    assert kept("min_p", equal, share=1.0) == set(range(64))


@given(st.lists(st.floats(width=32, allow_nan=False, max_value=2.0**120), min_size=2, max_size=40))
def test_top_k_tells_any_two_numbers_apart(logits: list[float]) -> None:
    assume(max(logits) > -INF)
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))  # -0.0 and 0.0 are equal
    for k in (1, len(logits) // 2, len(logits) - 1):
        assert kept("top_k", logits, k=max(k, 1)) == {token for token in order[: max(k, 1)] if logits[token] > -INF}


@pytest.mark.parametrize("name", ["top_p", "typical"])
def test_something_is_kept_even_of_no_mass(name: str) -> None:
    assert kept(name, [0.0, 3.0, 3.0], p=0.0) == {1}


@pytest.mark.parametrize(
    ("name", "settings"), [("top_p", {"p": 1.0}), ("typical", {"p": 1.0}), ("min_p", {"share": 0})]
)
def test_nothing_changes_where_all_is_kept_though_sums_are_rounded(name: str, settings: dict[str, float]) -> None:
    # the first token's probability rounds to 1, those of the last ones to 0
    logits = torch.tensor([[90.0, 80.0, -20.0, -INF, -90.0]])
    assert sampled(name, [settings], logits).equal(logits)


ROWS = {
    "top_k": ([{"k": 1}, {"k": 2}, {"k": 0}], [{0}, {0, 1}, {0, 1, 2}]),
    "top_p": ([{"p": 0.1}, {"p": 0.7}, {"p": 1}], [{0}, {0, 1}, {0, 1, 2}]),
    "min_p": ([{"share": 0.9}, {"share": 0.4}, {"share": 0}], [{0}, {0, 1}, {0, 1, 2}]),
    # entropy 0.90 nats; information 0.51, 1.20, 2.30
    "typical": ([{"p": 0.1}, {"p": 0.7}, {"p": 1}], [{1}, {0, 1}, {0, 1, 2}]),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_row_has_its_own_option(name: str) -> None:
    rows, expected = ROWS[name]
    logits = torch.tensor([logs(0.6, 0.3, 0.1)] * 3)
    assert [set(row.nonzero()[:, 0].tolist()) for row in sampled(name, rows, logits) > -INF] == expected


@pytest.mark.parametrize("name", ROWS)
def test_many_rows_of_a_real_vocabulary_do_not_meet(name: str) -> None:
    logits = torch.randn(32, 308, generator=torch.Generator().manual_seed(1))
    logits[:, ::7] = -INF
    rows = (ROWS[name][0] * 11)[:32]
    together = sampled(name, rows, logits)
    for row in range(32):
        assert together[row].equal(sampled(name, rows[row : row + 1], logits[row : row + 1])[0])


@pytest.mark.parametrize("name", ROWS)
def test_a_row_without_a_possible_token_stays_so(name: str) -> None:
    logits = torch.full((3, 4), -INF)
    assert sampled(name, ROWS[name][0], logits).equal(logits)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("top_k", {"k": -1}, "k: must be a whole number ≥ 0, not -1"),
        ("top_k", {"k": 2.5}, r"k: must be a whole number ≥ 0, not 2\.5"),
        ("top_p", {"p": 1.1}, r"p: must be a number ≥ 0 and ≤ 1, not 1\.1"),
        ("top_p", {"k": 3}, "k: unknown key"),
        ("min_p", {"share": -0.1}, r"share: must be a number ≥ 0 and ≤ 1, not -0\.1"),
        ("typical", {"p": 2}, "p: must be a number ≥ 0 and ≤ 1, not 2"),
    ],
)
def test_options_out_of_bounds_are_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptions, match=message):
        SPECS[name].parse(settings)
