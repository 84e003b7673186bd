"""``ablate study run`` and ``plan``."""

from __future__ import annotations

import collections
import dataclasses
import os
import signal
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.locations import home_option, store_option
from ablate.cli.output import duration, json_option, options, plural, print_answer, print_json, print_table
from ablate.errors import AblateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.store.store import Store
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.estimate import Estimate
    from ablate.study.plan.layout import Layout
    from ablate.study.plan.plan import Plan
    from ablate.study.run.listener import Listener
    from ablate.study.run.result import StudyResult
    from ablate.study.run.runner import StudyRunner
    from ablate.study.search.search import SearchRun

#: From this estimate on, a person at a terminal is asked first.
ASK_FROM_SECONDS = 1800
#: Stages as people count them.
NOUNS = {
    "train": "training",
    "generate": "generation",
    "measure": "measurement",
    "floor": "floor",
    "resample": "resampling floor",
}


def parse_setting(text: str, option: str = "--set") -> tuple[str, Any]:
    """``key.path=value`` as (path, value); the value is TOML, and text needs no quotes."""
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        raise UsageError(f"{option} {text}: write it as key.path=value")
    try:
        return path.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return path.strip(), value.strip()


study_options = options(
    click.argument("study", metavar="NAME_OR_FILE"),
    click.option(
        "--corpus", metavar="PATH|NAME", default="", help="Learn from this instead: MIDI, a folder, a corpus."
    ),
    click.option("--skip-bad", is_flag=True, help="Leave out files of --corpus that cannot be read, and say which."),
    click.option("--name", default="", help="What to store the study under; default: a name made of what is changed."),
    click.option("--variants", "n_variants", type=click.IntRange(min=2), help="How many variants a search tries."),
    click.option("--replicates", type=click.IntRange(min=1), help="Repetitions of each variant under other seeds."),
    click.option("--seed", type=click.IntRange(min=0), help="The study seed, from which every stream derives."),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."),
    click.option("--profile", default="", help="A profile of the study file, e.g. smoke."),
    click.option("--set", "settings", multiple=True, metavar="KEY.PATH=VALUE", help="Change a setting; repeatable."),
    click.option(
        "--workers", type=click.IntRange(min=1), default=None, help="Processes on a CPU; default: one a core."
    ),
    home_option,
    store_option,
)


@dataclasses.dataclass(frozen=True)
class Request:
    """What ``run`` and ``plan`` were asked, made ready."""

    layout: Layout
    home: Path
    url: str
    device: str
    workers: int


def _request(values: dict[str, Any], *, make_home: bool) -> Request:
    from ablate.registry import get_registry
    from ablate.study.file.overrides import Overrides
    from ablate.study.file.study_file import read_study
    from ablate.study.run.home import open_home, store_url

    given = {
        name: values[name] for name in ("profile", "corpus", "replicates", "n_variants", "seed", "skip_bad", "name")
    }
    settings = tuple(parse_setting(text) for text in values["settings"])
    registry = get_registry()
    # first what costs nothing to find wrong; torch comes after it
    spec = read_study(values["study"], Overrides(**given, settings=settings), registry)
    home = open_home(values["home"]) if make_home else values["home"].resolve()
    from ablate.engine.devices import resolve_device
    from ablate.study.plan.layout import lay_out

    device = resolve_device(values["device"])
    workers = values["workers"] or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0])
    return Request(lay_out(spec, registry, device), home, values["store"] or store_url(home), device, workers)


@click.command("run")
@study_options
@click.option("--report/--no-report", "with_report", default=True, help="Write the report at the end, or leave it.")
@click.option("--yes", is_flag=True, help="Do not ask before a run of more than half an hour.")
@click.option(
    "--checkpoint-seconds",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="The longest stretch of training that a crash can cost.",
)
@json_option
def run(with_report: bool, yes: bool, checkpoint_seconds: float, as_json: bool, **values: Any) -> None:  # noqa: FBT001
    """Run what is missing of a study, then compare its variants.

    Stages whose results are there are reused; after a crash or Ctrl-C the same command goes on.

    Example: ablate study run tau_sweep --corpus performance.mid --replicates 8
    """
    request = _request(values, make_home=True)
    from ablate.cli.progress import make_listener
    from ablate.store.store import Store
    from ablate.study.run.home import only_run

    name = request.layout.spec.name
    with only_run(request.home, request.url, name), Store(request.url) as store:
        with make_listener(request.layout) as listener:
            result = _run(request, store, listener, checkpoint_seconds, yes=yes)
        _conclude(request, store, result, with_report=with_report, as_json=as_json)
    _leave(result)


def _run(request: Request, store: Store, listener: Listener, checkpoint_seconds: float, *, yes: bool) -> StudyResult:
    from ablate.registry import get_registry
    from ablate.study.plan.estimate import estimate
    from ablate.study.run.runner import StudyRunner
    from ablate.study.search.search import SearchRun

    settings: dict[str, Any] = {
        "device": request.device,
        "workers": request.workers,
        "listener": listener,
        "checkpoint_seconds": checkpoint_seconds,
    }
    study_run: StudyRunner | SearchRun
    if request.layout.spec.design == "search":
        study_run = SearchRun(request.layout.spec, get_registry(), store, request.home, **settings)
    else:
        study_run = StudyRunner(request.layout, store, request.home, **settings)
    if not yes and sys.stdin.isatty():
        expected = estimate(_planned(request, store), request.device, request.workers)
        if expected.seconds > ASK_FROM_SECONDS:
            click.confirm(f"This will take about {duration(expected.seconds)}. Go on?", abort=True, err=True)
    with _stopped_by_ctrl_c(study_run):
        return study_run.run()


def _planned(request: Request, store: Store | None) -> Plan:
    """What would run of a study; of a search, of what it has chosen so far."""
    from ablate.registry import get_registry
    from ablate.study.plan.plan import make_plan
    from ablate.study.search.search import search_layout

    layout = request.layout
    if layout.spec.design == "search":
        layout = search_layout(layout.spec, get_registry(), store, request.device)
    return make_plan(layout, store, request.home)


class _stopped_by_ctrl_c:  # noqa: N801 - reads as what it does
    """The first Ctrl-C stops the run after its step; the second one ends the program at once."""

    def __init__(self, study_run: StudyRunner | SearchRun) -> None:
        self._run = study_run

    def __enter__(self) -> None:
        self._old = signal.signal(signal.SIGINT, self._stop)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._old)

    def _stop(self, *_: object) -> None:
        click.echo("stopping after the current step; press Ctrl-C again to stop at once", err=True)
        signal.signal(signal.SIGINT, self._old)
        self._run.stop()


def _conclude(request: Request, store: Store, result: StudyResult, *, with_report: bool, as_json: bool) -> None:
    """Write the report, and print what there is to say."""
    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis import Analysis
    from ablate.report.statistics.summary import comparison, comparison_table, response_table, responses
    from ablate.report.text.sentences import answer

    study = Study.read(store, result.name)
    frame = study.frame
    report = _report(request, store, result) if with_report and not frame.empty else None
    analysis = None if frame.empty else Analysis(study)
    if as_json:
        rows = comparison(frame).to_dict("records") if analysis else []
        effects = analysis.everything.drop(columns="values").to_dict("records") if analysis else []
        said = {"report": str(report) if report else None, "comparison": rows, "effects": effects}
        print_json({**dataclasses.asdict(result), **said})
        return
    if analysis:
        table = comparison_table(frame)
        print_table(
            table.headers,
            table.rows,
            title=f"{result.name}: mean ± standard deviation over replicates",
            right=len(table.headers) - 1,
        )
        followed = response_table(responses(frame))
        if followed.rows:
            title = "does the music follow what it is asked for? lines through the levels, over replicates"
            print_table(followed.headers, followed.rows, title=title, right=3)
        print_answer(answer(analysis))
    click.echo(_account(result))
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if report:
        click.echo(f"report: {report}")


def _report(request: Request, store: Store, result: StudyResult) -> Path:
    from ablate.files import file_name
    from ablate.report.formats.html import write_report

    page = request.home / "reports" / file_name(result.name) / "index.html"
    if not result.changed and page.is_file():
        return page  # drawing its figures again would take longer than the run
    return write_report(store, request.home, result.name)


def _account(result: StudyResult) -> str:
    ran = [plural(count, noun) for kind, noun in NOUNS.items() if (count := result.ran.get(kind, 0))]
    reused = [plural(count, noun) for kind, noun in NOUNS.items() if (count := result.reused.get(kind, 0))]
    if not ran and not result.failures and not result.stopped:
        return f"nothing to run: every result is there; reused {', '.join(reused)}"
    return f"ran {', '.join(ran) or 'nothing'} in {duration(result.seconds)}; reused {', '.join(reused) or 'nothing'}"


def _leave(result: StudyResult) -> None:
    """Exit as the result deserves."""
    reasons: dict[str, list[str]] = {}
    for failure in result.failures:
        reason = f"{failure.error_class}: {failure.error}"
        reasons.setdefault(reason, []).append(f"{failure.variant}, replicate {failure.replicate}")
    for reason, runs in reasons.items():
        more = f"; and {len(runs) - 3} more" if len(runs) > 3 else ""
        click.echo(f"failed: {'; '.join(runs[:3])}{more}: {reason}", err=True)
    if result.stopped:
        begun = (
            f", and so are the checkpoints of {plural(result.checkpoints, 'training')}" if result.checkpoints else ""
        )
        click.echo(f"stopped; everything finished is kept{begun}. To go on, run the same command again", err=True)
        sys.exit(130)
    if result.failures:
        early = " before training, so nothing was trained" if result.refused else ""
        count = plural(len(result.failures), "run")
        raise AblateError(f"{count} failed{early}; see: ablate study show '{result.name}'")


@click.command("plan")
@study_options
@json_option
def plan(as_json: bool, **values: Any) -> None:  # noqa: FBT001
    """Show what a run would do and what it would reuse, and how long it should take; runs nothing.

    Example: ablate study plan tau_sweep --replicates 10
    """
    request = _request(values, make_home=False)
    from ablate.store.store import Store

    if values["store"] or (request.home / "ablate.db").is_file():
        with Store(request.url) as store:
            made = _planned(request, store)
    else:
        made = _planned(request, None)
    from ablate.study.plan.estimate import estimate

    _print_plan(request, made, estimate(made, request.device, request.workers), as_json=as_json)


def _print_reach(spec: StudySpec, variants: int) -> None:
    """Say it before anything runs where so few replicates will not tell anything."""
    from ablate.options import validate
    from ablate.report.statistics.verdicts import out_of_reach
    from ablate.settings import StatisticsSettings

    rules = validate(StatisticsSettings, spec.reading["statistics"])
    comparisons = (spec.search.n_variants if spec.design == "search" else variants) - 1
    out = out_of_reach(spec.replicates, comparisons, rules) if comparisons else ""
    if out:
        click.echo(f"{out} (see docs/statistics.md)")


def _print_plan(request: Request, made: Plan, expected: Estimate, *, as_json: bool) -> None:
    from ablate.study.design import aliases
    from ablate.study.stage import CODE

    spec, layout = request.layout.spec, made.layout
    counts = {kind: made.count(kind) for kind in CODE}
    unclear = aliases(spec.axes) if spec.design == "fractional" else []
    if as_json:
        print_json(
            {
                "study": spec.name,
                "design": spec.design,
                "variants": [variant.name for variant in layout.variants],
                "aliases": dict(unclear),
                "replicates": spec.replicates,
                "stages": {kind: {"run": run, "reuse": reuse} for kind, (run, reuse) in counts.items()},
                "device": request.device,
                "estimated_seconds": expected.seconds,
                "estimated_bytes": expected.bytes,
                "fused_groups": list(expected.fused_groups),
            }
        )
        return
    click.echo(f"{spec.name}: {spec.design.replace('_', ' ')} design, {plural(len(layout.variants), 'variant')}")
    for variant in layout.variants:
        click.echo(f"  {variant.name}{' (baseline)' if variant.baseline else ''}")
    if spec.design == "search":
        from ablate.study.search.propose import algorithm

        left = max(spec.search.n_variants - len(layout.variants), 0)
        click.echo(f"  and {left} more, which {algorithm(spec)} chooses while it runs")
    for effect, alias in unclear:
        click.echo(f"  {effect} cannot be told from {alias}")
    precision = layout.runs[0].configuration.settings["training"]["precision"]
    click.echo(
        f"{plural(spec.replicates, 'replicate')}, {plural(len(layout.runs), 'run')}, "
        f"{request.device} in {precision}, {plural(request.workers, 'worker')}"
    )
    _print_reach(spec, len(layout.variants))
    print_table(["stage", "to run", "reused"], [(kind, *count) for kind, count in counts.items()], right=2)
    if not made.missing and not (spec.design == "search" and left):
        click.echo("nothing to run: every result is there")
    else:
        if expected.fused_groups:
            click.echo(f"trained together (fused) on the GPU: {_group_sizes(expected.fused_groups)}")
            for reason in expected.alone:
                click.echo(f"  {reason}")
        click.echo(f"estimated time: {duration(expected.seconds)}, and some seconds to start and to measure")
        if expected.bytes:
            click.echo(f"estimated memory: {expected.bytes / 2**30:.1f} GiB{_where(request)}")


def _group_sizes(sizes: Sequence[int]) -> str:
    """Describe fused groups, such as ``2 groups of 20 models, 1 model alone``."""
    counts = sorted(collections.Counter(sizes).items(), reverse=True)
    return ", ".join(
        f"{plural(n, 'group')} of {size} models" if size > 1 else f"{plural(n, 'model')} alone" for size, n in counts
    )


def _where(request: Request) -> str:
    """Whose memory it is, where that is not the system's."""
    return " of each GPU" if request.device != "cpu" else ""
