"""The output of ``ablate study run`` at its end, and its exit code."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from ablate.cli.echo import echo, echo_sentence, note
from ablate.cli.output import duration, failure_lines, plural, print_answer, print_cautions, print_json, print_table
from ablate.cli.study.planning.looks import record_look
from ablate.cli.study.planning.shard import print_part
from ablate.cli.study.running.interrupt import STOPPED
from ablate.cli.study.stored.drawing import Drawn, draw_report, reporting
from ablate.errors import AblateError
from ablate.kinds import KINDS
from ablate.names import replicate_name, shell_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ablate.cli.study.planning.request import StudyRequest
    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.store.store import Store
    from ablate.study.run.result import StudyResult


def print_results(
    request: StudyRequest,
    store: Store,
    result: StudyResult,
    begun: float,
    *,
    with_report: bool,
    as_json: bool,
    sound: bool = True,
) -> tuple[Analysis | None, Drawn]:
    """Write the report if asked to, and print the results of a study; return its analysis and what became of it.

    A shard is a part of a study: it has no verdicts, and no report.

    Args:
        request: of the command.
        store: the database.
        result: of the command.
        begun: when the command began, as :func:`time.monotonic` counts (seconds).
        with_report: whether to write the report.
        as_json: whether to print JSON instead of text for people.
        sound: whether the report has sound.
    """
    if request.layout.part:
        print_part(request, store, result, _account(result, begun), as_json=as_json)
        return None, Drawn()
    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis.analysis import Analysis

    study, registry = Study.read(store, result.name), request.layout.registry
    # the verdicts of a study that was stopped would be one more look
    analysed = not (study.frame.empty or result.stopped)
    analysis, drawn = None, Drawn()
    with reporting(request.home, result.name, wanted=with_report and analysed, changed=result.changed):
        if analysed:
            analysis = Analysis(study, registry)
            record_look(store, analysis)
        if with_report and analysed:
            drawn = draw_report(store, request.home, result.name, registry, changed=result.changed, sound=sound)
    if as_json:
        _print_json(result, study, analysis, drawn.page)
        return analysis, drawn
    if analysis:
        print_analysis(result.name, analysis)
    echo_sentence(_account(result, begun, "start-up and report" if with_report and analysed else "start-up"))
    for line in (*result.notes, *_looks_left(request, analysis)):
        note(line)
    if drawn.page:
        echo(f"report: {drawn.page}")
    return analysis, drawn


def exit_code(result: StudyResult, spec: Mapping[str, Any], drawn: Drawn) -> int:
    """Print what has failed or stopped, and return the exit code.

    Args:
        result: of the command.
        spec: the study as plain data.
        drawn: what became of the report.

    Raises:
        AblateError: some runs have failed, or the report could not be drawn.
    """
    _print_failures(result, spec)
    if result.stopped:
        trainings = plural(result.checkpoints, "unfinished training")
        checkpoints = f", including checkpoints of {trainings}" if result.checkpoints else ""
        echo(f"stopped; finished results are kept{checkpoints}. To continue, run the same command again", err=True)
        return STOPPED
    if result.failures:
        early = " before training, so nothing was trained" if result.refused else ""
        count = plural(len(result.failures), "run")
        failed = f"{count} failed{early}; see: ablate study show {shell_name(result.name)}"
        raise AblateError("\n".join([failed, drawn.problem] if drawn.problem else [failed]))
    drawn.check()
    return 0


def _print_json(result: StudyResult, study: Study, analysis: Analysis | None, report: Path | None) -> None:
    from ablate.report.data.left_out import left_out
    from ablate.report.statistics.described.summary import summarise

    rows = summarise(analysis.study.frame).to_dict("records") if analysis else []
    effects = analysis.all_effects.drop(columns="values").to_dict("records") if analysis else []
    lacking = left_out(study.runs, study.stages, study.spec)
    facts: dict[str, Any] = {"report": str(report) if report else None, "comparison": rows, "effects": effects}
    facts |= {"left_out": lacking.sentences, "problems": lacking.problems}
    print_json({**dataclasses.asdict(result), **facts})


def print_analysis(name: str, analysis: Analysis) -> None:
    """Print the means of a study's variants, the reasons for caution, its looks, and at the end its verdicts."""
    from ablate.report.statistics.described.responses import responses
    from ablate.report.text.looks import facts
    from ablate.report.text.sentences import answer
    from ablate.report.text.tables.terminal import meanings, response_table, summary_table

    table = summary_table(analysis.study.frame, analysis.study.details)
    title = f"{name}: mean ± standard deviation over replicates"
    quantities = len(table.headers) - 1
    print_table(table.headers, table.rows, title=title, right=quantities, parts=quantities)
    legend = list(meanings(table.namesakes, analysis.registry))
    for line in legend:
        echo_sentence(line)
    if legend:
        echo()
    response = response_table(responses(analysis.study.frame))
    if response.rows:
        title = "Does the music follow its labels? A line fitted through the levels, for each replicate"
        print_table(response.headers, response.rows, title=title, right=3)
    answered = answer(analysis)
    print_cautions(answered)
    for label, text in facts(analysis):
        echo(f"{label.lower()} {text}", "")
    print_answer(answered)


def _account(result: StudyResult, begun: float, rest: str = "start-up") -> str:
    """Return a line that counts what has run and what was reused, with the time of the stages and of the command.

    Args:
        result: of the command.
        begun: when the command began, as :func:`time.monotonic` counts (seconds).
        rest: what else the command has spent time on.
    """
    new, reused = _counted(result.ran), _counted(result.reused)
    if not new and not result.failures and not result.stopped:
        return f"nothing to run: all results exist; reused {reused}"
    seconds, whole = duration(result.seconds), duration(time.monotonic() - begun)
    return f"ran {new or 'nothing'} in {seconds} ({whole} with {rest}); reused {reused or 'nothing'}"


def _looks_left(request: StudyRequest, analysis: Analysis | None) -> Iterator[str]:
    """Yield a note if the study file declares more looks and the comparisons are not decided."""
    from ablate.report.statistics.looks import reason

    looks = request.layout.spec.looks
    if looks and analysis and not reason(analysis.states, analysis.looks):
        count = plural(request.layout.spec.replicates, "replicate")
        yield (
            f"these are {count} of at most {looks.most}; to continue until every primary comparison is decided, run "
            "the same command with --until-decided"
        )


def _counted(stages: Mapping[str, int]) -> str:
    return ", ".join(
        plural(stages[kind.name], kind.noun) for kind in KINDS.values() if kind.noun and stages.get(kind.name)
    )


def _print_failures(result: StudyResult, spec: Mapping[str, Any]) -> None:
    """Print one line for each reason, with the first of the runs that failed for it."""
    failures = [
        (f"{each.variant}, replicate {replicate_name(spec, each.variant, each.replicate)}", each)
        for each in result.failures
    ]
    for line in failure_lines((run, f"{each.error_class}: {each.error}") for run, each in failures):
        echo(line, err=True)
