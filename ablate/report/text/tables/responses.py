"""The table of responses: whether the music follows a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.statistics.described.responses import responses
from ablate.report.text.tables.grid import Cell, Column, Grid, Row
from ablate.report.text.tables.terminal import response_table

if TYPE_CHECKING:
    from ablate.report.data.study import Study


def response_grid(study: Study) -> Grid:
    """Return slope and correlation of what was measured with the label."""
    table = response_table(responses(study.frame))
    columns = tuple(Column(header, words=index < 2) for index, header in enumerate(table.headers[1:]))
    rows = tuple(Row(row[0], tuple(Cell(text) for text in row[1:])) for row in table.rows)
    return Grid("Responses to a label, mean ± sd over replicates", table.headers[0], columns, rows)
