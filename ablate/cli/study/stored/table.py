"""``ablate study table``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from ablate.cli.destination import output_option, write_output
from ablate.cli.echo import echo
from ablate.cli.locations import check_stored, existing_store, home_option, store_option, stored_study
from ablate.cli.output import combine_options
from ablate.cli.study.planning.shard import note_part
from ablate.errors import AblateError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.report.formats.latex.table import LatexTable
    from ablate.store.store import Store

_content_options = combine_options(
    click.option(
        "--quantity",
        "quantities",
        metavar="NAME",
        multiple=True,
        help="Metric, or 'METRIC FEATURE' (repeatable, in order); default: all that the report judges.",
    ),
    click.option(
        "--variant", "variants", metavar="NAME", multiple=True, help="Variant (repeatable, in order); default: all."
    ),
    click.option(
        "--label",
        "labels",
        metavar="NAME TEXT",
        nargs=2,
        multiple=True,
        help="Own name of a variant, a floor or a quantity (repeatable).",
    ),
    click.option(
        "--tex-label",
        "tex_labels",
        metavar="NAME LATEX",
        nargs=2,
        multiple=True,
        help=r"The same, written as it is, e.g. tau=0.8 '$\tau = 0.8$' (repeatable).",
    ),
    click.option("--floors/--no-floors", default=True, show_default=True, help="Show the floors below the variants."),
    click.option(
        "--intervals",
        type=click.Choice(["brackets", "pm", "none"]),
        default="brackets",
        show_default=True,
        help="95 % intervals: their ends, ± half their width, or none.",
    ),
    click.option("--marks/--no-marks", default=True, show_default=True, help="Mark verdicts against the baseline."),
    click.option(
        "--caption",
        type=click.Choice(["full", "short", "none"]),
        default="short",
        show_default=True,
        help="With the rules of the verdicts; without them; only the first sentence.",
    ),
    click.option("--title", metavar="TEXT", default="", help="First sentence of the caption; default: the question."),
)
_width_options = combine_options(
    click.option(
        "--columns",
        type=click.Choice(["1", "2"]),
        default="1",
        show_default=True,
        help="Columns of the paper: 1 is 397 pt wide (NeurIPS, ICLR), each of 2 is 233 pt (ISMIR, ICML).",
    ),
    click.option("--span", is_flag=True, help="With 2 columns: a table* across both, 487 pt wide."),
    click.option("--width", metavar="PT", type=float, help="Another greatest width."),
)


@click.command("table")
@click.argument("name")
@_content_options
@_width_options
@output_option("File; default, and -: standard output.")
@stored_study("name")
@home_option
@store_option
def table(
    *,
    name: str,
    columns: str,
    labels: tuple[tuple[str, str], ...],
    tex_labels: tuple[tuple[str, str], ...],
    output: Path | None,
    home: Path,
    store: str | None,
    **options: Any,
) -> None:
    """Print the LaTeX table of a study: values, floors, and verdicts against the baseline.

    The table is no wider than the paper: columns that do not fit are in a further part below the first.

    Example: ablate study table tau_sweep --quantity distance.average --intervals pm -o table.tex
    """
    number: Literal[1, 2] = 1 if columns == "1" else 2
    options.update(columns=number, labels=_labels(labels), tex_labels=_labels(tex_labels))
    with existing_store(home, store) as opened:
        check_stored(opened, name, home)
        note_part(opened, name)
        made = _make(opened, name, options)
    for note in made.notes:
        echo(f"note: {note}", err=True)
    write_output(made.tex.encode(), output)
    if output is not None:
        echo(f"table: {output}")


def _labels(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the labels by name.

    Raises:
        UsageError: a name has two labels.
    """
    labels = dict(pairs)
    if len(labels) < len(pairs):
        twice = next(name for name in labels if sum(name == other for other, _ in pairs) > 1)
        raise UsageError(f"'{twice}' has two labels; leave out one of them")
    return labels


def _make(store: Store, name: str, options: dict[str, Any]) -> LatexTable:
    from ablate.registry import get_registry
    from ablate.report.data.study import Study
    from ablate.report.formats.latex.options import TableOptions
    from ablate.report.formats.latex.table import latex_table
    from ablate.report.statistics.analysis.analysis import Analysis

    chosen, study = TableOptions(**options), Study.read(store, name)
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements yet, so there is no table; run it first")
    return latex_table(Analysis(study, get_registry()), chosen)
