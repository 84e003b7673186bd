"""Print results: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.terminal_tables import fold_sentence, render_tables, terminal_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ablate.report.text.sentences import Answer

#: A line about failed runs names this many of them.
_LISTED_RUNS = 3
#: The name of a stage's log.
_FINGERPRINT = re.compile(r"\b[0-9a-f]{64}\b")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def print_json(data: Any) -> None:
    """Print data as indented JSON; NaN and infinity (the spread of a single replicate) become null.

    Every name stays as it is: where the terminal's encoding lacks its letters, they are escaped as JSON has it.
    """
    text = json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2)
    click.echo(text)


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def print_table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", right: int = 0, parts: int = 0
) -> None:
    """Print a table as wide as the terminal.

    Args:
        headers: of the columns.
        rows: cells, as text; None is an empty cell.
        title: the line above.
        right: number of columns at the end that are aligned to the right.
        parts: number of columns at the end that a narrow terminal shows in several tables below each other.
    """
    click.echo(f"{title}\n{render_tables(headers, rows, parts=parts, right=right, width=terminal_width())}\n")


def print_answer(answer: Answer) -> None:
    """Print the hypothesis with its answer, the verdicts of a study, their error rates, then the warnings."""
    width = terminal_width()
    for block in [answer.hypothesis, *answer.blocks] if answer.hypothesis else answer.blocks:
        click.echo(block.heading)
        for line in block.lines:
            click.echo(fold_sentence(line.text, "  - ", width=width))
        click.echo()
    if answer.promise:
        click.echo(fold_sentence(answer.promise, width=width) + "\n")
    if answer.population:
        click.echo(fold_sentence(answer.population, width=width) + "\n")
    print_left_out(answer.left_out, answer.problems)
    if answer.warnings:
        click.echo("before you trust a difference")
        for warning in answer.warnings:
            click.echo(fold_sentence(warning, "  - ", width=width))
        click.echo()


def print_left_out(sentences: Sequence[str], problems: Sequence[str]) -> None:
    """Print the music that a study left out, with counts, and the number of problems with its files."""
    if not sentences and not problems:
        return
    click.echo("left out or odd")
    listed = [f"{plural(len(problems), 'problem')} with files; the report lists them all."] if problems else []
    for sentence in (*sentences, *listed):
        click.echo(fold_sentence(sentence, "  - ", width=terminal_width()))
    click.echo()


def duration(seconds: float) -> str:
    """Format seconds for people: ``8 s``, ``3 min 10 s``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 9.5 else f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def plural(count: int, word: str) -> str:
    """Count a noun: ``1 training``, ``3 trainings``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def combine_options(*decorators: Callable[..., Any]) -> Callable[..., Any]:
    """Combine several click options into one decorator; help lists them in this order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def failure_lines(failures: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each reason, with the first of the runs that failed for it.

    Args:
        failures: each run, as it is shown, with its reason. Reasons that differ in the name of a log only are one, and
            the first log is shown.
    """
    reasons: dict[str, str] = {}
    runs: dict[str, list[str]] = {}
    for run, reason in failures:
        key = _FINGERPRINT.sub("", reason)
        reasons.setdefault(key, reason)
        runs.setdefault(key, []).append(run)
    for key, own in runs.items():
        more = f"; and {len(own) - _LISTED_RUNS} more" if len(own) > _LISTED_RUNS else ""
        yield f"failed: {'; '.join(own[:_LISTED_RUNS])}{more}: {reasons[key]}"
