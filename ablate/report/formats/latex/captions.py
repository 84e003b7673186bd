"""The caption of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.formats.latex.cells import MARKS
from ablate.report.formats.latex.escape import escape
from ablate.report.formats.latex.names import arrow_of
from ablate.report.statistics.described.floors import FLOORS
from ablate.report.statistics.roles import EXPLORATORY
from ablate.report.statistics.verdicts import WORDS
from ablate.report.text import rules
from ablate.report.text.names import listing
from ablate.report.text.population import population

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ablate.report.formats.latex.names import Labels
    from ablate.report.formats.latex.options import TableOptions
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

_INTERVALS = {
    "brackets": " with 95 % intervals in brackets",
    "pm": " ± half the width of the 95 % interval",
    "none": "",
}


def caption(
    analysis: Analysis,
    options: TableOptions,
    labels: Labels,
    quantities: Sequence[Quantity],
    verdicts: Collection[str],
) -> str:
    """Return the caption as LaTeX.

    Args:
        analysis: the statistics of the study.
        options: of the table.
        labels: of the table.
        quantities: of the table.
        verdicts: those that the table has a mark of, or none of.
    """
    if options.caption == "none":
        return title(analysis, options)
    floors = _floors(analysis, quantities) if options.floors else ""
    sentences = [
        title(analysis, options),
        escape(f"{_values(analysis, quantities)}{_INTERVALS[options.intervals]}."),
        _marks(analysis, labels, verdicts) if options.marks and verdicts else "",
        escape(_population(analysis, options)) if options.marks and verdicts else "",
        escape(_directions(analysis, quantities)),
        _untested(analysis, labels, quantities) if options.marks else "",
        _copying(analysis, labels, options) if options.marks and analysis.primary[0] in quantities else "",
        "Below the rule: reference scores without a model." if floors else "",
    ]
    if options.caption == "full":
        sentences += [escape(floors), escape(rules_of(analysis)) if options.marks else ""]
    return " ".join(filter(None, sentences))


def title(analysis: Analysis, options: TableOptions) -> str:
    """Return the first sentence of the caption: the own title, the question, or the name of the study."""
    text = options.title or str(analysis.study.spec.get("question") or analysis.study.record.name)
    return escape(text if text.rstrip()[-1:] in (".", "?", "!") else f"{text}.")


def _values(analysis: Analysis, quantities: Sequence[Quantity]) -> str:
    rows = analysis.estimates
    of_table = [key in set(quantities) for key in zip(rows["metric"], rows["feature"], strict=True)]
    counts = rows.loc[of_table, "n"]
    few, many = int(counts.min()), int(counts.max())
    number = str(many) if few == many else f"{few} to {many}"
    middle = "Means" if analysis.rules.estimate == "mean" else "Interquartile means"
    return f"{middle} over {number} replicate{'' if many == 1 else 's'}"


def _marks(analysis: Analysis, labels: Labels, verdicts: Collection[str]) -> str:
    marks = [f"{mark} {WORDS[verdict]}" for verdict, mark in MARKS.items() if verdict in verdicts]
    marks += [f"no mark: {WORDS['inconclusive']}"] if "inconclusive" in verdicts else []
    baseline = labels.of_name(analysis.study.variant_levels.baseline).tex
    return f"Marks against the baseline ({baseline}): {escape(', '.join(marks))}."


def _population(analysis: Analysis, options: TableOptions) -> str:
    """Return the population of the verdicts; a short caption leaves out what they are not about."""
    claim, limits = population(analysis.study)
    return f"{claim} {limits}" if options.caption == "full" else claim


def _directions(analysis: Analysis, quantities: Sequence[Quantity]) -> str:
    found = dict.fromkeys(arrow_of(analysis, quantity) for quantity in quantities)
    words = {"↓": "↓ lower is better", "↑": "↑ higher is better"}
    said = ", ".join(words[arrow] for arrow in found if arrow)
    return f"{said}." if said else ""


def _untested(analysis: Analysis, labels: Labels, quantities: Sequence[Quantity]) -> str:
    exploratory = [quantity for quantity in quantities if analysis.role_of[quantity] == EXPLORATORY]
    names = [labels.of_quantity(quantity).tex for quantity in exploratory]
    return f"Not tested, and so without marks: {listing(names)}." if names else ""


def _copying(analysis: Analysis, labels: Labels, options: TableOptions) -> str:
    """Return the variants whose mark + comes with more copies: such a mark must not be apart from its caveat."""
    shown = options.variants or analysis.study.names
    names = [labels.of_name(name).tex for name in analysis.better_by_copying if name in shown]
    return f"Better, but with more copies of the training pieces than the baseline: {listing(names)}." if names else ""


def _floors(analysis: Analysis, quantities: Sequence[Quantity]) -> str:
    known = set(quantities)
    names = {row["floor"] for row in analysis.floor_records if (row["metric"], row["feature"]) in known}
    described = [f"{name.replace('_', ' ')}: {text}" for name, text in FLOORS.items() if name in names]
    band = " (mean, and the range of 95 % of its replicates)"
    text = "; ".join(one + band * one.startswith("resampling") for one in described)
    return f"{text.capitalize()}." if text else ""


def rules_of(analysis: Analysis) -> str:
    """Return the rules of the verdicts, without the marks."""
    return rules.rules_in_words(analysis).partition(" Marks:")[0]


def as_command(text: str, first: str) -> str:
    r"""Return ``\caption`` with the text, and with its first sentence for the list of tables if the text is longer."""
    short = "" if text == first else f"[{{{first}}}]"
    return rf"\caption{short}{{{text}}}"
