"""``ablate study run --until-decided``, and the looks that every command records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.cli.echo import echo
from ablate.cli.output import plural
from ablate.cli.study.planning.request import make_request_plan, with_replicates
from ablate.errors import StoreError, UsageError
from ablate.study.design import ADAPTIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.cli.study.planning.request import StudyRequest
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.settings import LookSettings
    from ablate.store.store import Store
    from ablate.study.run.result import StudyResult


def declared(request: StudyRequest, values: dict[str, Any]) -> LookSettings:
    """Return the looks that the study file declares.

    Raises:
        UsageError: it declares none, or ``--replicates`` gives a number.
    """
    spec = request.layout.spec
    if values["replicates"] is not None:
        raise UsageError("--until-decided takes the numbers of replicates from the study file; leave out --replicates")
    if spec.looks is None:
        if spec.design in ADAPTIVE:
            raise UsageError(
                f'--until-decided: {spec.source} has design = "{spec.design}", which chooses its variants while it '
                "runs, so it cannot stop when they are decided; give --replicates"
            )
        first = spec.replicates
        example = f"replicates = {{ first = {first}, most = {3 * first} }}"
        raise UsageError(
            f"--until-decided: {spec.source} does not declare how far to go; instead of replicates = {first} write "
            f"{example}"
        )
    return spec.looks


def run_until_decided(
    request: StudyRequest, store: Store, looks: LookSettings, run_once: Callable[[StudyRequest], StudyResult]
) -> tuple[StudyRequest, StudyResult]:
    """Run a study from look to look until every primary comparison is decided, and return its last state.

    Looks whose replicates are complete in the store are not run again, except the last of them.
    """
    from ablate.study.run.replicates import complete_replicates
    from ablate.study.run.result import summed

    complete = complete_replicates(request.layout, store)
    last = max((number for number in looks.numbers if number <= complete), default=looks.first)
    results = []
    for number in looks.numbers[looks.numbers.index(last) :]:
        request = with_replicates(request, number)
        results.append(run_once(request))
        if results[-1].stopped or results[-1].refused or _look(request, store, looks):
            break
    return request, summed(results, sum(result.seconds for result in results), stopped=results[-1].stopped)


def _look(request: StudyRequest, store: Store, looks: LookSettings) -> bool:
    """Look at the results, say what they are, and return whether to stop."""
    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.looks import reason
    from ablate.report.text.looks import REASONS, counted

    spec = request.layout.spec
    study = Study.read(store, spec.name)
    if study.frame.empty:
        return True
    analysis = Analysis(study, request.layout.registry)
    record_look(store, analysis)
    why = reason(analysis.states, analysis.looks)
    ending = f"stopping: {REASONS[why]}" if why else "continuing"
    text = f"look at {spec.replicates} of at most {looks.most} replicates: {counted(analysis)}"
    echo(f"{text}; {ending}", err=True)
    return bool(why)


def record_look_of(store: Store, name: str) -> None:
    """Record that the verdicts of a study are shown; see :func:`record_look`."""
    from ablate.registry import get_registry
    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis.analysis import Analysis

    study = Study.read(store, name)
    if not study.frame.empty:
        record_look(store, Analysis(study, get_registry()))


def record_look(store: Store, analysis: Analysis) -> None:
    """Record that the verdicts of a study are shown, unless a look at as many replicates is recorded already."""
    from ablate.report.statistics import looks

    study = analysis.study
    unfinished = any(run.state in ("pending", "interrupted") for run in study.runs)
    if unfinished or looks.is_recorded(study.looks, analysis.looks, study.fingerprints):
        return
    record = looks.record(analysis.all_effects, analysis.looks, analysis.states, study.fingerprints)
    if store.writing:
        store.put_look(study.record.name, record)
        return
    from ablate.store.store import Store

    try:
        with Store(store.url) as writer:
            writer.put_look(study.record.name, record)
    except StoreError as error:
        echo(f"note: this look at the verdicts is not recorded: {error}", err=True)


def keep_replicates(request: StudyRequest, store: Store, given: int | None) -> StudyRequest:
    """Return the request with all complete replicates of the store, unless a number is given.

    Otherwise a command without ``--replicates`` would leave out replicates that an earlier one has added.
    """
    from ablate.study.run.replicates import complete_replicates

    spec = request.layout.spec
    shown = complete_replicates(request.layout, store)
    most = max(shown, _left_out(request, store, shown))
    if given is not None:
        if given < most:
            count = plural(most - given, "more replicate")
            echo(f"note: {count} of this study will be kept, but not shown: give --replicates {most}", err=True)
        return request
    if most <= spec.replicates:
        return request
    echo(
        f"note: earlier commands completed {most} replicates of this study, and all of them are used; for the "
        f"{spec.replicates} of its file give --replicates {spec.replicates}",
        err=True,
    )
    return with_replicates(request, most)


def _left_out(request: StudyRequest, store: Store, shown: int) -> int:
    """Return how many replicates an earlier command has completed that a later one has left out; 0 without any."""
    from ablate.study.run.replicates import stored_replicates

    most = stored_replicates(request.layout.spec.name, store)
    if not shown or most <= shown:
        return 0
    return 0 if make_request_plan(with_replicates(request, most), store).missing else most
