"""The answer at the top of a report, in plain sentences: verdicts first, then warnings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.report.data.left_out import left_out
from ablate.report.statistics import margins, verdicts
from ablate.report.statistics.hypothesis import answers
from ablate.report.statistics.rows import count_verdicts, records, rows_of
from ablate.report.text import blocks, care, hypothesis, looks, rules
from ablate.report.text.advice import advice_sentence
from ablate.report.text.lines import Block, Line
from ablate.report.text.names import listing
from ablate.report.text.path import path_blocks, path_warning
from ablate.report.text.population import population_sentence
from ablate.report.text.shares import share_blocks
from ablate.report.text.trends import trend_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.doubts import Doubts
    from ablate.report.statistics.rows import Quantity

#: With more comparisons than this, the answer counts the verdicts; the tables list them.
MOST_SENTENCES = 8


@dataclasses.dataclass(frozen=True)
class Answer:
    """The top of a report.

    Attributes:
        blocks: verdicts, the most important first.
        promise: the error rates of the verdicts.
        hypothesis: the answers to its predictions; None if the study file states none.
        warnings: reasons for caution with these verdicts.
        problems: one line for each file that was left out or is odd.
        population: what the verdicts are about, and what they are not about; empty without verdicts.
        left_out: the music that was left out, with counts: of the corpus, by each tokenizer, of the samples of others.
    """

    blocks: tuple[Block, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...] = ()
    promise: str = ""
    hypothesis: Block | None = None
    population: str = ""
    left_out: tuple[str, ...] = ()


def answer(analysis: Analysis) -> Answer:
    """Return the verdicts of a study and the warnings about them."""
    parts = [*_primary(analysis), *path_blocks(analysis), *_contrasts(analysis)]
    parts += [*_factorial_effects(analysis), *share_blocks(analysis), *_in_blocks(analysis)]
    kept = tuple(block for block in parts if block.lines)
    lacking = left_out(analysis.study.runs, analysis.study.stages, analysis.study.spec)
    return Answer(
        kept,
        tuple(_warnings(analysis)),
        lacking.problems,
        rules.promise_in_words(analysis) if kept else "",
        _hypothesis(analysis),
        population_sentence(analysis.study) if kept else "",
        lacking.sentences,
    )


def _hypothesis(analysis: Analysis) -> Block | None:
    answered = answers(analysis)
    if not answered:
        return None
    lines = (Line(one.answer, hypothesis.sentence(analysis, one)) for one in answered)
    return Block(hypothesis.heading(answered), tuple(lines))


def _primary(analysis: Analysis) -> Iterator[Block]:
    baseline = analysis.study.variant_levels.baseline
    for quantity in analysis.primary:
        direction = analysis.directions[quantity]
        better = f" ({direction} is better)" if direction in ("lower", "higher") else ""
        lines = [
            *_verdict_lines(analysis, analysis.against_baseline, quantity),
            *care.incomparable(analysis.incomparable.get(quantity, []), baseline, analysis.label(quantity)),
            *care.care(_doubts(analysis, quantity)),
            *_best(analysis, quantity),
            *_trends(analysis, quantity),
            *_noise(analysis, quantity),
        ]
        over = f", on average over {analysis.study.blocks.label}" if analysis.study.blocks else ""
        heading = f"{analysis.label(quantity)}{better}, against {baseline}{over}"
        yield Block(heading, tuple(lines))


def _doubts(analysis: Analysis, quantity: Quantity) -> Doubts:
    """Return the reasons for care; of a path, those about the variants that have verdicts."""
    found = analysis.doubts[quantity]
    return found.about(analysis.path.taken) if analysis.path else found


def _verdict_lines(analysis: Analysis, frame: pd.DataFrame, quantity: Quantity) -> list[Line]:
    """Return a sentence for each comparison, or for each verdict if there are many comparisons."""
    rows = rows_of(frame, quantity)
    if len(rows) <= MOST_SENTENCES:
        lines = [Line(verdict, text) for verdict, text in analysis.sentences(rows, quantity)]
        return [
            *_common_ending_last(lines, _out_of_reach(rows, analysis)),
            *care.withheld(rows),
        ]
    lines = []
    for verdict, count in count_verdicts(rows).items():
        part = rows[rows["verdict"] == verdict].sort_values("effect", key=lambda e: -e.abs(), kind="stable")
        ending = _out_of_reach(part, analysis) if verdict == "inconclusive" else ""
        line = Line(verdict, "")
        names = list(part["comparison"])
        caveat = _copying(analysis, names, quantity) if verdict == "better" else ""
        text = f"{count} of {len(rows)}: {line.words} ({listing(names)}){caveat}.{ending}"
        lines.append(dataclasses.replace(line, text=text))
    return [*lines, *care.withheld(rows)]


def _copying(analysis: Analysis, names: Sequence[str], quantity: Quantity) -> str:
    """Return a clause about those of several better variants that copy more than the baseline."""
    copying = [name for name in names if analysis.caveat(name, quantity)]
    if not copying:
        return ""
    shares = [f"{name} {verdicts.percent(analysis.copied[name])}" for name in copying]
    base = analysis.study.variant_levels.baseline
    baseline = verdicts.percent(analysis.copied.get(base, float("nan")))
    return (
        f", but {len(copying)} of these copy more from the training pieces than {base} "
        f"(share of a sample: {listing(shares)}; {base} {baseline})"
    )


def _common_ending_last(lines: list[Line], ending: str) -> list[Line]:
    """Move an ending shared by several sentences into a sentence of its own."""
    if not ending or sum(line.text.endswith(ending) for line in lines) < 2:
        return lines
    shorter = [dataclasses.replace(line, text=line.text.removesuffix(ending)) for line in lines]
    return [*shorter, Line("", ending.strip())]


def _out_of_reach(rows: pd.DataFrame, analysis: Analysis) -> str:
    """Return a sentence if there are too few replicates for any significant result."""
    if rows.empty:
        return ""
    if not analysis.study.paired:
        reasons = {verdicts.out_of_reach_of(row, analysis.rules) for row in records(rows)}
        return f" {reasons.pop()}." if len(reasons) == 1 and "" not in reasons else ""
    out = verdicts.out_of_reach(int(rows["n"].max()), analysis.rules)
    return f" {out}." if out else ""


def _best(analysis: Analysis, quantity: Quantity) -> Iterator[Line]:
    """Yield a sentence about the variants that may be the best one."""
    best, names = analysis.best.get(quantity), list(analysis.study.variant_levels.levels)
    if best is None or len(names) < 3:
        return  # with two variants, their comparison is enough
    if set(rows_of(analysis.against_baseline, quantity)["verdict"]) == {"alike"}:
        return
    caveat = analysis.caveat(best.name, quantity, best=True)
    if len(best.candidates) == 1:
        confidence = f"with {verdicts.percent(1 - analysis.rules.alpha)} confidence"
        yield Line("", f"The best variant is {best.name}, {confidence}{caveat}.", best=True)
        return
    start = f"The variant with the best mean is {best.name}{caveat}"
    if len(best.candidates) == len(names):
        yield Line("", f"{start}; none of the others can be excluded as the best one.", best=True)
        return
    others = [name for name in best.candidates if name != best.name]
    yield Line("", f"{start}; {listing(others)} may also be the best one.", best=True)


def _trends(analysis: Analysis, quantity: Quantity) -> Iterator[Line]:
    rows = {row["comparison"]: row for row in records(rows_of(analysis.of_kind("trend"), quantity))}
    for trend in analysis.trends:
        label = analysis.study.axis_labels[trend.axis]
        if (trend.metric, trend.feature) == quantity and label in rows:
            yield Line("", trend_sentence(rows[label], trend, analysis.label(quantity)))


def _noise(analysis: Analysis, quantity: Quantity) -> Iterator[Line]:
    """Yield the advice on samples and replicates if some comparison is undecided."""
    verdict = rows_of(analysis.against_baseline, quantity)["verdict"]
    if quantity == analysis.primary[0] and (verdict == "inconclusive").any() and analysis.advice:
        looks = analysis.looks
        last = looks.settings is None or looks.now.replicates >= looks.settings.most
        other = analysis.study.spec.get("seed", 0) + 1 if last else None
        yield Line("", advice_sentence(analysis.advice, analysis.label(quantity), other_seed=other))


def _contrasts(analysis: Analysis) -> Iterator[Block]:
    for quantity in analysis.primary:
        lines = [Line(verdict, text) for verdict, text in analysis.sentences(analysis.contrasts, quantity)]
        lines += care.withheld(rows_of(analysis.contrasts, quantity))
        yield Block(f"The study's contrasts, {analysis.label(quantity)}", tuple(lines))


def _factorial_effects(analysis: Analysis) -> Iterator[Block]:
    for quantity in analysis.primary:
        lines = _verdict_lines(analysis, analysis.factorial_effects, quantity)
        yield Block(f"Main effects and interactions, {analysis.label(quantity)}", tuple(lines))


def _in_blocks(analysis: Analysis) -> Iterator[Block]:
    for quantity in analysis.primary if analysis.study.blocks else ():
        lines = [Line("", text) for text in blocks.holding_sentences(analysis, quantity)]
        yield Block(f"In how many blocks does it hold? {analysis.label(quantity)}", tuple(lines))


def _warnings(analysis: Analysis) -> Iterator[str]:
    spec, study = analysis.study.spec, analysis.study
    yield from care.short_corpora(study)
    yield from looks.warnings(analysis)
    yield from analysis.warnings()
    several = [name for name, paths in analysis.changes.items() if len(paths) > 1]
    if several and spec.get("variants"):
        yield (
            f"{listing(several)} change{'s' if len(several) == 1 else ''} several settings at once: the difference "
            "cannot be attributed to any single change."
        )
    if spec.get("aliases"):
        pairs = "; ".join(f"{effect} from {alias}" for effect, alias in spec["aliases"].items())
        yield f"Half a factorial cannot separate these effects: {pairs}."
    if spec.get("design") == "search":
        yield (
            f"{len(study.variants)} variants were tried and chosen by their results, so the best one looks better than "
            "it is. Run it again with another seed before you trust its value."
        )
    yield from path_warning(analysis)
    unknown = margins.unmeasured(spec.get("margins") or {}, analysis.replicates.quantities)
    if unknown:
        yield f"[margins] names what the study has not measured: {listing(unknown)}."
    missing = [name for name in spec.get("contrasts") or {} if name not in set(analysis.contrasts["comparison"])]
    if missing:
        one = len(missing) == 1
        yield (
            f"Skipped, because some of {'its' if one else 'their'} variants have no results: "
            f"contrast{'' if one else 's'} {listing(missing)}."
        )
