"""Print results: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo, echo_sentence
from ablate.cli.folding import terminal_width
from ablate.cli.streams import is_utf_8
from ablate.cli.terminal_tables import render_table, render_tables
from ablate.errors import UsageError
from ablate.printable import escaped_json
from ablate.stdout import results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ablate.report.text.sentences import Answer

#: A line about failed runs names this many of them.
_LISTED_RUNS = 3
#: The name of a stage's log.
_FINGERPRINT = re.compile(r"\b[0-9a-f]{64}\b")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def print_json(data: Any) -> None:
    """Print data as JSON; see :func:`json_text`. Where stdout is not UTF-8, all letters but ASCII are escaped."""
    echo(*json_text(data, only_ascii=not is_utf_8(results())).split("\n"))


def json_text(data: Any, *, only_ascii: bool = False) -> str:
    """Return data as indented JSON; NaN and infinity (the spread of a single replicate) become null.

    Every name can be read back as it is, and no character of it does anything to a terminal.
    """
    return escaped_json(json.dumps(_finite(data), indent=2, ensure_ascii=only_ascii, allow_nan=False, default=str))


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    right: int = 0,
    parts: int = 0,
    prose: int | None = None,
    path: int | None = None,
) -> None:
    """Print a table as wide as the terminal.

    Args:
        headers: of the columns.
        rows: cells, as text; None is an empty cell.
        title: the line above.
        right: number of columns at the end that are aligned to the right.
        parts: number of columns at the end that a narrow terminal shows in several tables below each other.
        prose: index of a column of sentences, which a narrow terminal shows below their rows; not with ``parts``.
        path: index of a column of paths, which are never folded; not with ``parts`` or ``prose``.
    """
    width = terminal_width()
    if parts:
        table = render_tables(headers, rows, parts=parts, right=right, width=width)
    else:
        table = render_table(headers, rows, right=right, width=width, prose=prose, path=path)
    echo_sentence(title)
    echo(*table.split("\n"), "")


def print_answer(answer: Answer) -> None:
    """Print the verdicts of a study, the most important last: a terminal shows the end of what was printed."""
    blocks = [answer.hypothesis, *answer.blocks] if answer.hypothesis else answer.blocks
    for block in reversed(blocks):
        echo_sentence(block.heading)
        for line in block.lines:
            echo_sentence(line.text, "  - ")
        echo()


def print_cautions(answer: Answer) -> None:
    """Print what to know before the verdicts: what was left out, the warnings, the error rates, the population."""
    print_left_out(answer.left_out, answer.problems)
    if answer.warnings:
        echo("before you trust a difference")
        for warning in answer.warnings:
            echo_sentence(warning, "  - ")
        echo()
    for sentence in (answer.promise, answer.population):
        if sentence:
            echo_sentence(sentence)
            echo()


def print_left_out(sentences: Sequence[str], problems: Sequence[str]) -> None:
    """Print the music that a study left out, with counts, and the number of problems with its files."""
    if not sentences and not problems:
        return
    echo("left out or odd")
    listed = [f"{plural(len(problems), 'problem')} with files; the report lists them all."] if problems else []
    for sentence in (*sentences, *listed):
        echo_sentence(sentence, "  - ")
    echo()


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


def confirm(question: str, nothing: str) -> None:
    """Ask a question that ``--yes`` answers.

    Args:
        question: the question.
        nothing: what was not done without an answer (``"nothing was removed"``).

    Raises:
        UsageError: nobody answers, because the input has ended.
        click.Abort: the answer is no.
    """
    try:
        click.confirm(question, abort=True)
    except click.Abort as stopped:
        if not isinstance(stopped.__context__, EOFError):
            raise
        echo("")
        raise UsageError(f"{nothing}, because nobody has answered; --yes does it without asking") from None


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
