"""The splits of a planned study, as ``ablate study plan`` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.cli.echo import echo
from ablate.cli.output import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.music.performance import Performance
    from ablate.study.plan.music.pieces import PlannedSplit

#: The most splits that are listed, and the most pieces of each use that are named.
MOST_SPLITS, MOST_NAMES = 6, 4


def split_facts(splits: Sequence[PlannedSplit]) -> list[dict[str, Any]]:
    """Return the splits with every piece, ready for JSON."""
    return [
        {
            "replicates": list(split.replicates),
            "variants": list(split.variants),
            "pieces": {use: [_piece(piece) for piece in part] for use, part in split.pieces._asdict().items()},
        }
        for split in splits
    ]


def _piece(piece: Performance) -> dict[str, Any]:
    return {"name": piece.name, "notes": len(piece), "seconds": round(piece.seconds, 3)}


def print_splits(splits: Sequence[PlannedSplit], variants: int) -> None:
    """Print the number of pieces, their seconds and their names, by split and use.

    Args:
        splits: see :func:`ablate.study.plan.music.pieces.planned_splits`.
        variants: the number of variants of the study.
    """
    rows = []
    for split in splits[:MOST_SPLITS]:
        label = "all replicates" if len(splits) == 1 else f"replicate {', '.join(map(str, split.replicates))}"
        if len(split.variants) < variants:
            label = f"{label} of {', '.join(split.variants)}"
        for use, part in split.pieces._asdict().items():
            if part:
                seconds = sum(piece.seconds for piece in part)
                rows.append((label, use, str(len(part)), f"{seconds:,.1f}", _names(part)))
                label = ""
    if rows:
        print_table(["split", "use", "pieces", "seconds", "names"], rows, prose=4)
    if len(splits) > MOST_SPLITS:
        echo(f"and {len(splits) - MOST_SPLITS} more splits; --json lists all")


def _names(part: Sequence[Performance]) -> str:
    names = ", ".join(piece.name or "without a name" for piece in part[:MOST_NAMES])
    more = len(part) - MOST_NAMES
    return f"{names} and {more} more" if more > 0 else names
