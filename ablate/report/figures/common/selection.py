"""The quantities and variants that figures show where a study has too many for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

#: With more variants than this, figures show only the features that stand for their metric.
MOST_DETAILED = 20
#: The panels of a figure with one panel for each headline quantity, with few and with many variants.
PANELS = (8, 3)
#: With more variants than this, only some have histograms, piano rolls and clips.
MOST_REPRESENTATIVES = 12
#: The number of variants that have them then.
FEW_REPRESENTATIVES = 6


def is_large(analysis: Analysis) -> bool:
    """Check whether a study has more variants than detailed figures can show."""
    return len(analysis.study.names) > MOST_DETAILED


def panel_quantities(analysis: Analysis) -> list[Quantity]:
    """Return the quantities that have a panel."""
    return analysis.in_order[: PANELS[is_large(analysis)]]


def panels_note(analysis: Analysis) -> str:
    """Return a sentence for a caption if only some quantities have a panel; otherwise an empty text."""
    shown, total = len(panel_quantities(analysis)), len(analysis.in_order)
    return f" The first {shown} of {total} quantities are drawn; the table has all." if total > shown else ""


def representatives(analysis: Analysis) -> list[str]:
    """Return the variants to draw: all, or of the first block the baseline and those that differ most from it."""
    blocks = analysis.study.blocks
    names, baseline = analysis.study.names, analysis.study.variant_levels.baseline
    if len(names) <= MOST_REPRESENTATIVES:
        return names
    rows = rows_of(analysis.against_baseline, analysis.primary[0])
    order = rows.sort_values("effect", key=lambda e: -e.abs(), kind="stable")["comparison"]
    chosen = {baseline, *order[: FEW_REPRESENTATIVES - 1]}
    return [name for name in names if blocks.of[name][0] == 0 and blocks.of[name][1] in chosen]


def selection_note(analysis: Analysis, names: list[str]) -> str:
    """Return a sentence for a caption if only some variants are shown; otherwise an empty text."""
    total = len(analysis.study.names)
    return f" {len(names)} of {total} variants are shown." if total > len(names) else ""
