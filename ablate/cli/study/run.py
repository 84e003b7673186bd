"""``ablate study run``."""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.output import duration, json_option
from ablate.cli.study.request import make_request_plan, read_request, study_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.cli.study.request import StudyRequest
    from ablate.store.store import Store
    from ablate.study.run.adaptive import AdaptiveRunner
    from ablate.study.run.listener import Listener
    from ablate.study.run.result import StudyResult
    from ablate.study.run.runner import StudyRunner

#: Ask a person at a terminal first if the estimated time is longer, in seconds.
ASK_FROM_SECONDS = 1800


@click.command("run")
@study_options
@click.option(
    "--report/--no-report", "with_report", default=True, help="Write the report at the end (default), or not."
)
@click.option("--yes", is_flag=True, help="Do not ask before starting what takes more than half an hour.")
@click.option(
    "--checkpoint-seconds",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds between checkpoints.",
)
@json_option
def run(with_report: bool, yes: bool, checkpoint_seconds: float, as_json: bool, **values: Any) -> int:  # noqa: FBT001
    """Run what is missing of a study, then compare its variants.

    Finished stages are reused. After a crash or Ctrl-C, run the same command again to resume.

    Example: ablate study run tau_sweep --corpus performance.mid --replicates 8
    """
    request = read_request(values, make_home=True)
    from ablate.cli.study.progress import make_listener
    from ablate.cli.study.results import exit_code, print_results
    from ablate.store.store import Store
    from ablate.study.run.home import only_command

    name = request.layout.spec.name
    with only_command(request.home, request.url, name), Store(request.url) as store:
        with make_listener(request.layout) as listener:
            result = _run(request, store, listener, checkpoint_seconds, yes=yes)
        print_results(request, store, result, with_report=with_report, as_json=as_json)
    return exit_code(result)


def _run(
    request: StudyRequest, store: Store, listener: Listener, checkpoint_seconds: float, *, yes: bool
) -> StudyResult:
    runner = _make_runner(request, store, listener, checkpoint_seconds)
    if not yes and sys.stdin.isatty():
        from ablate.study.plan.estimate import estimate

        expected = estimate(make_request_plan(request, store), request.device, request.workers)
        if expected.seconds > ASK_FROM_SECONDS:
            click.confirm(f"This will take about {duration(expected.seconds)}. Continue?", abort=True, err=True)
    with _stop_on_ctrl_c(runner):
        return runner.run()


def _make_runner(
    request: StudyRequest, store: Store, listener: Listener, checkpoint_seconds: float
) -> StudyRunner | AdaptiveRunner:
    from ablate.study.path.runner import PathRunner
    from ablate.study.run.runner import StudyRunner
    from ablate.study.search.search import SearchRunner

    settings: dict[str, Any] = {
        "device": request.device,
        "workers": request.workers,
        "listener": listener,
        "checkpoint_seconds": checkpoint_seconds,
    }
    layout = request.layout
    runners: dict[str, type[AdaptiveRunner]] = {"search": SearchRunner, "path": PathRunner}
    if layout.spec.design in runners:
        return runners[layout.spec.design](layout.spec, layout.registry, store, request.home, **settings)
    return StudyRunner(layout, store, request.home, **settings)


@contextlib.contextmanager
def _stop_on_ctrl_c(runner: StudyRunner | AdaptiveRunner) -> Iterator[None]:
    """Stop the study after its current step at the first Ctrl-C; end the program at the second one."""
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        click.echo("stopping after the current step; press Ctrl-C again to stop at once", err=True)
        signal.signal(signal.SIGINT, before)
        runner.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
