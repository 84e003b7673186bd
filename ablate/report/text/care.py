"""Sentences about the limits of verdicts: why some cannot be given, and why others need care."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ablate.music.corpus.short import few_notes
from ablate.report.data.corpora import loaded_corpora
from ablate.report.text.lines import Line
from ablate.report.text.names import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from ablate.report.data.study import Study
    from ablate.report.statistics.doubts import Doubts


def short_corpora(study: Study) -> Iterator[str]:
    """Yield a warning about each corpus that is too short for any verdict about music."""
    facts = dict.fromkeys(few_notes(corpus.counts.get("notes", math.inf)) for corpus in loaded_corpora(study))
    for fact in filter(None, facts):
        yield (
            f"{fact[0].upper()}{fact[1:]}, so no verdict about music is possible: a model can only repeat them. Run "
            "the study with more music."
        )


def withheld(rows: pd.DataFrame) -> Iterator[Line]:
    """Yield each reason against the verdict "no difference that matters" once, with the comparisons it is about.

    Args:
        rows: of :func:`ablate.report.statistics.effects.judge`.
    """
    open_rows = rows[(rows["withheld"] != "") & (rows["verdict"] != "alike")]
    for reason, part in open_rows.groupby("withheld", sort=False):
        names = listing(list(part["comparison"]))
        yield Line("", f"Whether the difference is too small to matter is left open for {names}: {reason}.")


def incomparable(names: Sequence[str], baseline: str, label: str) -> Iterator[Line]:
    """Yield a sentence about the variants that cannot be compared in a quantity of tokens."""
    if names:
        yield Line(
            "",
            f"{listing(names)} cannot be compared with {baseline}: other tokenizers. A token is not the same for them, "
            f"so {label} has another unit for each.",
        )


def care(doubts: Doubts) -> Iterator[Line]:
    """Yield the reasons to read the verdicts of a quantity with care."""
    if doubts.leaning:
        yield Line(
            "",
            "Read with care: the values lean to one side. If a variant is rarely much worse than usual, few replicates "
            "may miss that and call it better although its mean is not.",
        )
    if doubts.outlying:
        has = "has a replicate" if len(doubts.outlying) == 1 else "have replicates"
        yield Line(
            "",
            f"Read with care: {listing(doubts.outlying)} {has} far from the others, and a mean depends on how often "
            "that happens.",
        )
    if doubts.few:
        yield Line(
            "",
            f"Read with care: this is measured on {doubts.few} only, so it may be different for other pieces, however "
            "many replicates there are.",
        )
    if doubts.missing:
        names = listing([f"{name} ({count})" for name, count in doubts.missing])
        yield Line(
            "",
            f"Read with care: there are missing replicates of {names}. If runs fail where they would be bad, the "
            "others look better than the variant is.",
        )
