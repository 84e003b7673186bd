"""Sentences about the shares of a study's parts in the total difference."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ablate.report.statistics import verdicts
from ablate.report.statistics.comparisons.attribution import FEWEST, FEWEST_FOR_PAIRS, MOST
from ablate.report.text.lines import Block, Line
from ablate.report.text.tables.grid import signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.answers.shares import Share, Shares
    from ablate.report.statistics.rows import Quantity

#: With more parts than this, the answer names the largest shares; the table lists all.
MOST_PARTS = 6
#: Designs that change one part at a time.
ONE_BY_ONE = ("leave_one_out", "add_one_in", "one_at_a_time")


def share_blocks(analysis: Analysis) -> Iterator[Block]:
    """Yield a block for each primary quantity; or one that tells why there are no shares."""
    parts = analysis.parts
    if not parts.cells:
        reason = _no_shares(analysis)
        if reason:
            yield Block("Shares of the total difference", (Line("", reason),))
        return
    for quantity in analysis.primary:
        shares = analysis.shares.get(quantity)
        lines = _lines(analysis, shares, quantity) if shares else [Line("", _nothing(analysis, quantity))]
        yield Block(f"Shares of the total difference, {analysis.label(quantity)}", tuple(lines))


def _nothing(analysis: Analysis, quantity: Quantity) -> str:
    """Return why a quantity has no shares, in a study that has every combination of its parts."""
    if not analysis.comparable(analysis.study.variant_levels.levels, quantity):
        return f"{analysis.label(quantity)} cannot be compared between tokenizers, so there are no shares."
    return "No replicate has every combination of the parts, so there are no shares."


def _no_shares(analysis: Analysis) -> str:
    """Return why a study with parts has no shares, and which design would give them; empty without parts."""
    design, variants = analysis.study.spec.get("design", "factorial"), analysis.study.variant_levels
    count = len(analysis.parts.parts)
    if design in ONE_BY_ONE:
        count = sum(len(variants.axis_levels(path)) == 2 for path in variants.axes)
        if not FEWEST <= count <= MOST:
            return ""
        half = f', and design = "fractional" with {2 ** (count - 1)}' if count > FEWEST else ""
        return (
            f'design = "{design}" changes one part at a time, so the total difference cannot be shared among the '
            f'parts. design = "factorial" would give their shares with {2**count} variants{half}.'
        )
    if count > MOST:
        return f"There are no shares of {count} parts; {MOST} are the most."
    if count >= FEWEST:
        return "Not every combination of the parts has a variant, so the total difference cannot be shared among them."
    return ""


def _lines(analysis: Analysis, shares: Shares, quantity: Quantity) -> Iterator[Line]:
    exact, digits = analysis.rules.estimate == "mean", shares.decimals
    values, total = shares.printed(exact=exact)
    yield Line("", _first(analysis, shares, values, total, analysis.label(quantity)))
    listed = sorted(range(len(shares.shares)), key=lambda place: -abs(values[place]))[:MOST_PARTS]
    for place in sorted(listed):
        share = shares.shares[place]
        caveat = _copies(analysis, quantity, place)
        yield Line(share.row["verdict"], f"{_share(share, values[place], digits, caveat)}{_open(analysis, share)}")
    out = verdicts.out_of_reach(int(shares.total["n"]), analysis.rules)
    if out:
        yield Line("", f"{out}.")
    yield from _interactions(shares, digits)
    yield from _notes(analysis, shares, exact=exact)


def _first(analysis: Analysis, shares: Shares, values: list[float], total: float, label: str) -> str:
    """Return the sentence that shares the total among the parts."""
    parts, digits, row = analysis.parts, shares.decimals, shares.total
    own = zip(shares.shares, values[: len(shares.shares)], strict=True)
    each = [f"{share.name} accounts for {signed(value, digits)}" for share, value in own]
    order = sorted(range(len(each)), key=lambda place: -abs(values[place]))
    texts = [each[place] for place in order[:MOST_PARTS]]
    others = [Fraction(str(values[place])) for place in order[MOST_PARTS:]]
    if others:
        texts.append(f"the other {len(others)} parts together for {signed(float(sum(others)), digits)}")
    if shares.rest:
        texts.append(f"interactions of three or more parts, which belong to no share, for {signed(values[-1], digits)}")
    predicted = " (predicted, because the full model was not run)" if parts.half and len(parts.parts) % 2 else ""
    over = f", on average over the levels of {', '.join(parts.over)}" if parts.over else ""
    count = f"{row['n']} replicate{'s' if row['n'] > 1 else ''}"
    size = f"{signed(total, digits)}{_interval(row, digits)}"
    start = f"Of the total difference of {size} in {label} between {parts.ends}{predicted}{over}, {count}"
    return f"{start}: {'; '.join(texts)}."


def _copies(analysis: Analysis, quantity: Quantity, place: int) -> str:
    """Return a clause, with a comma before it, if a part also adds copies of the training pieces; otherwise empty."""
    copying = analysis.copying
    shares = analysis.shares.get(copying) if copying and copying != quantity else None
    row = shares.shares[place].row if shares else None
    if row is None or row["verdict"] not in verdicts.DIFFERENT or row["difference"] <= 0:
        return ""
    return f", but {verdicts.percent(row['difference'])} more of a sample is copied from the training pieces"


def _open(analysis: Analysis, share: Share) -> str:
    """Return what it takes to settle an open share, after a space; empty for other verdicts."""
    row = share.row
    if row["verdict"] != "inconclusive":
        return ""
    beside = verdicts.beside_text(row)
    if verdicts.out_of_reach_of(row, analysis.rules):
        return beside  # a line of its own states the number that is needed
    return f"{beside} {verdicts.what_it_takes(row, analysis.rules)}"


def _share(share: Share, value: float, digits: int, caveat: str) -> str:
    """Return the verdict about one share; the caveat goes with the claim that it makes it better."""
    row, verdict = share.row, share.row["verdict"]
    size = f"{signed(value, digits)}{_interval(row, digits)}"
    p = verdicts.p_text(row["p_equivalent"] if verdict == "equivalent" else row["p_adjusted"])
    if verdict == "alike":
        return f"{share.name} changes nothing: its share is 0 in every replicate."
    if verdict == "equivalent":
        text = f"The share of {share.name} is no difference that matters: {size}, within ±{row['margin']:.3g}, {p}"
    elif verdict == "inconclusive":
        text = f"Cannot tell whether {share.name} has a share: {size}, {p}"
    else:
        claim = f"{verdicts.WORDS[verdict]}{caveat if verdict == 'better' else ''}"
        text = f"{share.name} makes it {claim}: {size}, {p}"
    if share.first and share.last:
        alone, on_top = signed(share.first["difference"], digits), signed(share.last["difference"], digits)
        text += f"; added to the bare model {alone}, as the last part of the full model {on_top}"
    return f"{text}."


def _interactions(shares: Shares, digits: int) -> Iterator[Line]:
    """Yield where leave-one-out and add-one-in disagree by more than chance, and why."""
    judged = [share for share in shares.shares if share.dependence]
    differing = [share for share in judged if share.partner]
    if judged and not differing:
        yield Line(
            "",
            "No part can be shown to depend on the others: where the bare and the full model give a part different "
            "effects, this may be chance.",
        )
    for share in differing[: 1 if len(judged) == FEWEST else MOST_PARTS]:
        row, partner = share.dependence, share.partner
        if row is None or partner is None:
            continue
        change = signed(row["difference"], digits)
        detail = ", ".join(filter(None, (_ends(row, digits), verdicts.p_text(row["p_adjusted"]))))
        if len(judged) == FEWEST:
            yield Line(
                "",
                f"{share.name} and {partner.name} interact: each adds {change} more where the other one is on "
                f"than where it is off ({detail}). The shares give half of this to each.",
            )
            continue
        yield Line(
            "",
            f"What {share.name} adds depends on the other parts: {change} more in the full model than in the bare one "
            f"({detail}). Its largest interaction is with {partner.name} ({signed(partner.size, digits)}); the shares "
            "give half of an interaction to each of the two.",
        )


def _notes(analysis: Analysis, shares: Shares, *, exact: bool) -> Iterator[Line]:
    """Yield the limits of the shares: assumptions, and what is left out."""
    parts, count = analysis.parts, len(analysis.parts.parts)
    if parts.half:
        assumed = "no interaction at all" if count < 4 else "no interaction of three or more parts"
        yield Line(
            "",
            f"Half of the combinations were run, so the shares assume {assumed}: each is a main effect, mixed with the "
            "interaction that the table names.",
        )
        computed = "cannot be computed from this half" if count < FEWEST_FOR_PAIRS else "assume the same"
        yield Line("", f"The effects of one part in the bare and in the full model {computed}.")
    if not exact:
        yield Line("", "Interquartile means do not add up: the shares add up to the total in each replicate only.")
    if shares.missing:
        yield Line(
            "", f"Left out here: {shares.missing} of {analysis.replicates.count} replicates, which lack a variant."
        )
    if parts.left_out:
        yield Line("", f"Left out here: {parts.left_out} variants without all other combinations of the parts.")


def _interval(row: Mapping[str, Any], digits: int) -> str:
    ends = _ends(row, digits)
    return f" ({ends})" if ends else ""


def _ends(row: Mapping[str, Any], digits: int) -> str:
    if math.isnan(row["low"]):
        return ""
    return f"95 % interval {signed(row['low'], digits)} to {signed(row['high'], digits)}"
