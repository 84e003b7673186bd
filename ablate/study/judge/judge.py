"""Make a judged study of a source of results, as a command asks for it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import UnknownName, UsageError
from ablate.printable import printable
from ablate.settings import share_of
from ablate.study.judge.columns import Wanted, listed, resolve_columns
from ablate.study.judge.observations import observations
from ablate.study.judge.reading import Table, read_table
from ablate.study.judge.record import JudgedStudy
from ablate.study.judge.runs import judged_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

DIRECTIONS = ("lower", "higher", "none")


@dataclasses.dataclass(frozen=True)
class Source:
    """Results that somebody else computed.

    Attributes:
        kind: ``table``, ``optuna``, ``mlflow`` or ``wandb``.
        table: the results.
        identity: the same for the same results at another time, and different for others: a path, or an address.
        name: of the study, unless the command gives one.
        wanted: the columns that the source itself tells apart.
        directions: the better directions that the source states, by metric.
    """

    kind: str
    table: Table
    identity: str
    name: str
    wanted: Wanted = dataclasses.field(default_factory=Wanted)
    directions: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Request:
    """The options of a command that judges results.

    Attributes:
        wanted: the columns that it names.
        baseline: see :func:`ablate.study.judge.runs.judged_runs`.
        directions: the better direction of metrics, as (metric, ``lower`` or ``higher``).
        margins: the smallest difference that matters, as (metric, number or share such as ``"10 %"``).
        name: of the study; empty for that of the source.
        command: the words of the command.
    """

    wanted: Wanted = dataclasses.field(default_factory=Wanted)
    baseline: Sequence[str] = ()
    directions: Iterable[tuple[str, str]] = ()
    margins: Iterable[tuple[str, float | str]] = ()
    name: str = ""
    command: Sequence[str] = ()


def table_source(path: Path, encoding: str = "") -> Source:
    """Return a table as a source; raises like :func:`ablate.study.judge.reading.read_table`."""
    return Source("table", read_table(path, encoding), str(path.resolve()), path.stem)


def judged_study(source: Source, request: Request) -> JudgedStudy:
    """Return the study of a source's results.

    Raises:
        TableError: the results cannot be judged.
        UnknownName: no column, metric or variant has a name that the request gives.
        UsageError: options that do not fit together, or a value that is none.
    """
    table, wanted = source.table, _merged(request.wanted, source.wanted)
    columns = resolve_columns(table, wanted)
    given = _checked_directions(request.directions, columns.metrics)
    margins = checked_margins(request.margins, columns.metrics)
    # the primary metric is the first that the command says something about
    metrics = dict.fromkeys([*request.wanted.metrics, *given, *margins, *columns.metrics])
    directions = {metric: given.get(metric, source.directions.get(metric, "none")) for metric in metrics}
    primary = [f"primary metric: {next(iter(metrics))}; another one: --metric"] if len(metrics) > 1 else []
    found = observations(table, columns)
    runs = judged_runs(found, request.baseline, table.source, columns.replicate)
    guessed = [f"guessed: {'; '.join(columns.guessed)}"] if columns.guessed else []
    return JudgedStudy(
        name=request.name or printable(source.name),
        kind=source.kind,
        source=table.source,
        identity=source.identity,
        digest=table.digest,
        metrics=directions,
        margins=margins,
        runs=runs,
        notes=(*table.notes, *guessed, *columns.notes, *found.notes, *runs.notes, *primary, *_undirected(directions)),
        command=tuple(request.command),
    )


def _undirected(directions: Mapping[str, str]) -> Iterator[str]:
    """Yield a line if metrics have no better direction."""
    names = [metric for metric, direction in directions.items() if direction == "none"]
    if names:
        yield (
            f"no direction for {listed(names)}: verdicts are higher and lower; for better and worse: --direction "
            f"{names[0]}=lower"
        )


def _merged(own: Wanted, default: Wanted) -> Wanted:
    """Return the columns that the command names, and for the other roles those of the source."""
    fields = (field.name for field in dataclasses.fields(Wanted))
    return Wanted(**{name: getattr(own, name) or getattr(default, name) for name in fields})


def _checked_directions(given: Iterable[tuple[str, str]], metrics: Sequence[str]) -> dict[str, str]:
    directions = dict(given)
    for metric, direction in directions.items():
        _known(metric, metrics)
        if direction not in DIRECTIONS:
            raise UsageError(f"--direction {metric}={direction}: give one of {', '.join(DIRECTIONS)}")
    return directions


def checked_margins(given: Iterable[tuple[str, float | str]], metrics: Sequence[str]) -> dict[str, float | str]:
    """Return margins by metric; raises :class:`UnknownName` and :class:`UsageError`."""
    margins = dict(given)
    for metric, size in margins.items():
        _known(metric, metrics)
        valid = share_of(size) is not None if isinstance(size, str) else not isinstance(size, bool) and size > 0
        if not valid:
            raise UsageError(f'--margin {metric}={size}: give a number above 0, or a share such as "{metric}=10 %"')
    return margins


def _known(metric: str, metrics: Sequence[str]) -> None:
    if metric not in metrics:
        raise UnknownName("metric", metric, metrics, where="among those that are judged")
