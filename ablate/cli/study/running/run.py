"""``ablate study run``."""

from __future__ import annotations

import functools
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.output import duration, json_option
from ablate.cli.study.planning.looks import declared, keep_replicates, run_until_decided
from ablate.cli.study.planning.replace import confirm_replacing
from ablate.cli.study.planning.request import (
    check_comparable,
    complete_from_bundle,
    make_request_plan,
    read_request,
    study_options,
    with_replicates,
)
from ablate.cli.study.planning.reuse import decide_reuse, forget_results, reuse_options
from ablate.cli.study.planning.shard import shard_option, shard_request
from ablate.cli.study.running.executor import chosen_executor, executor_option, split_settings
from ablate.cli.study.running.interrupt import stop_on_signals
from ablate.cli.study.running.observe import chosen_observers, observe_option, observing, verdicts
from ablate.cli.study.stored.drawing import audio_option
from ablate.errors import PluginError, UsageError
from ablate.names import shell_name
from ablate.registry import get_registry
from ablate.study.run.executor.protocol import STALL_LIMIT, Working

if TYPE_CHECKING:
    from ablate.cli.study.planning.request import StudyRequest
    from ablate.settings import LookSettings
    from ablate.store.store import Store
    from ablate.study.observe.observers import Observers
    from ablate.study.run.adaptive import AdaptiveRunner
    from ablate.study.run.listener import Listener
    from ablate.study.run.result import StudyResult
    from ablate.study.run.runner import StudyRunner

#: Ask a person at a terminal first if the estimated time is longer, in seconds.
ASK_FROM_SECONDS = 1800


@click.command("run")
@study_options
@reuse_options
@click.option(
    "--report/--no-report", "with_report", default=True, help="Write the report at the end (default), or not."
)
@audio_option
@click.option(
    "--until-decided",
    is_flag=True,
    help="Add replicates from look to look, as the study file declares, until every primary comparison is decided.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask before what takes more than half an hour, or replaces another study of this name.",
)
@click.option(
    "--checkpoint-seconds",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds between checkpoints.",
)
@click.option(
    "--stall-limit",
    type=click.FloatRange(min=0),
    default=STALL_LIMIT,
    show_default=True,
    help="Seconds without progress after which a component counts as stuck and its stage fails; 0 for none.",
)
@click.option(
    "--fuse/--no-fuse",
    "fused",
    default=None,
    help="Run models of equal shape on a GPU as one (default), or one after another.",
)
@executor_option
@shard_option
@observe_option
@json_option
def run(
    *,
    with_report: bool,
    until_decided: bool,
    yes: bool,
    checkpoint_seconds: float,
    stall_limit: float,
    executor: str,
    observe: tuple[str, ...],
    as_json: bool,
    **values: Any,
) -> int:
    """Run what is missing of a study, then compare its variants.

    Finished stages are reused. After a crash or Ctrl-C, run the same command again to resume. --replicates N adds
    replicates to those of the study file; the report corrects its verdicts for every look. --shard K/N runs a part of
    the study, on another machine than the other parts if you like. If the source of a component or a file of its
    options has changed, this command asks before it reuses what was computed before.

    Example: ablate study run tau_sweep --corpus performance.mid --replicates 8
    """
    begun = time.monotonic()
    values["settings"], executor_settings = split_settings(values["settings"])
    chosen = chosen_executor(executor, executor_settings, get_registry())
    elsewhere = bool(chosen and chosen.spec.name != "local")
    request = read_request(values, make_home=True, computes=True, elsewhere=elsewhere)
    if values["fused"] and request.device == "cpu":
        raise UsageError("--fuse: models are fused on a GPU only; leave the option out")
    request = shard_request(request, values["shard"], until_decided=until_decided)
    looks = declared(request, values) if until_decided else None
    from ablate.cli.study.running.results import exit_code, print_results
    from ablate.store.store import Store
    from ablate.study.run.home import only_command

    working = Working(checkpoint_seconds, stall_limit, isolated=True, executor=chosen, fused=values["fused"])
    name, observers = request.layout.spec.name, chosen_observers(observe, request)
    with only_command(request.home, request.url, name), Store(request.url) as store:
        most = _with_all_replicates(request, store, looks, values["replicates"])
        confirm_replacing(most, store, yes=yes)
        if complete_from_bundle(most, store):
            values["keep_results"] = not values["recompute"]
        recompute = decide_reuse(most, store, values)
        check_comparable(most, store, recompute)
        # the cost of work on other machines is not known here
        _confirm(most, store, recompute, yes=yes or elsewhere, at_most=bool(looks), fused=values["fused"])
        forget_results(request, store, recompute)
        with observing(observers, request, store) as observed:
            run_once = functools.partial(_run, store=store, working=working, observed=observed)
            if looks:
                request, result = run_until_decided(request, store, looks, run_once)
            else:
                request, result = most, run_once(most)
            analysis, drawn = print_results(
                request, store, result, begun, with_report=with_report, as_json=as_json, sound=values["audio"]
            )
            sentences = verdicts(analysis) if analysis and observers else []
            observed.finish(stopped=result.stopped, verdicts=sentences, report=str(drawn.page or ""))
    return exit_code(result, request.layout.plain(), drawn)


def _with_all_replicates(
    request: StudyRequest, store: Store, looks: LookSettings | None, given: int | None
) -> StudyRequest:
    """Return the request with every replicate that may run; that of a shard does not depend on what is done."""
    if request.layout.part:
        return request
    return with_replicates(request, looks.most) if looks else keep_replicates(request, store, given)


def _confirm(
    request: StudyRequest, store: Store, recompute: frozenset[str], *, yes: bool, at_most: bool, fused: bool | None
) -> None:
    """Ask a person at a terminal before starting what takes long."""
    if yes or not sys.stdin.isatty():
        return
    from ablate.study.plan.expected import expected_cost
    from ablate.study.plan.music.corpora import PlannedMusic

    music = PlannedMusic(request.layout.registry, request.home)
    study_plan = make_request_plan(request, store, recompute)
    try:
        expected = expected_cost(study_plan, request.device, request.workers, music, store, fused=fused)
    except PluginError:
        return  # the run says what is wrong, and what it costs
    if expected.seconds > ASK_FROM_SECONDS:
        about = "at most" if at_most else "about"
        click.confirm(f"This will take {about} {duration(expected.seconds)}. Continue?", abort=True, err=True)


def _run(request: StudyRequest, *, store: Store, working: Working, observed: Observers) -> StudyResult:
    from ablate.cli.study.running.progress import make_listener
    from ablate.study.run.listener import Listeners
    from ablate.study.run.live import LiveNote

    name = request.layout.spec.name
    with make_listener(request.layout, hint=_hint(request)) as progress, LiveNote(request.home, name) as live:
        runner = _make_runner(request, store, Listeners([progress, observed, live]), working)
        with stop_on_signals(runner, progress.say), observed.saying(progress.say):
            return runner.run()


def _hint(request: StudyRequest) -> str:
    """Return the line that names ``ablate watch``; empty where its command would contain a database's address."""
    from ablate.home import home_path
    from ablate.store.database.address import home_url

    if request.url != home_url(request.home):
        return ""
    option = "" if request.home == home_path().resolve() else f"--home {shlex.quote(str(request.home))} "
    return f"to follow this study in a browser: ablate watch {option}{shell_name(request.layout.spec.name)}"


def _make_runner(
    request: StudyRequest, store: Store, listener: Listener, working: Working
) -> StudyRunner | AdaptiveRunner:
    from ablate.study.path.runner import PathRunner
    from ablate.study.run.runner import StudyRunner
    from ablate.study.search.search import SearchRunner

    settings: dict[str, Any] = {
        "device": request.device,
        "workers": request.workers,
        "listener": listener,
        "working": working,
    }
    layout = request.layout
    runners: dict[str, type[AdaptiveRunner]] = {"search": SearchRunner, "path": PathRunner}
    if layout.spec.design in runners:
        return runners[layout.spec.design](layout.spec, layout.registry, store, request.home, **settings)
    return StudyRunner(layout, store, request.home, **settings)
