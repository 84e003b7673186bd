"""A sentence of an answer, divided into its claim and the numbers behind it."""

from __future__ import annotations

import pytest

from ablate.report.text.lines import Line


@pytest.mark.parametrize(
    ("text", "claim", "evidence"),
    [
        ("a is worse than b: x +0.8 (95 % interval 0.7 to 0.9), p = 0.01.", "a is worse than b: x +0.8", 1),
        ("a is better than b and c (a against b: p = 1; a against c: p = 2).", "a is better than b and c", 2),
        ("All are alike. To find less, 9 replicates are needed.", "All are alike.", 1),
        ("The margin is 0.5 for all.", "The margin is 0.5 for all.", 0),
    ],
)
def test_the_parts_add_up_to_the_sentence(text: str, claim: str, evidence: int) -> None:
    found, rest = Line("", text).claim_and_evidence
    assert (found, len(rest)) == (claim, evidence)
    assert found + "".join(rest) == text


def test_the_words_of_the_verdict_are_in_no_part() -> None:
    assert Line("supported", "Supported: a is best (p = 0.01).").claim_and_evidence == ("a is best", [" (p = 0.01)."])
