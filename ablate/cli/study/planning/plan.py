"""``ablate study plan``."""

from __future__ import annotations

import collections
import math
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo, echo_sentence
from ablate.cli.locations import has_store
from ablate.cli.output import duration, json_option, plural, print_json, print_table
from ablate.cli.study.planning.noise import known_noise, noise_sentence
from ablate.cli.study.planning.replace import replaced_sentence
from ablate.cli.study.planning.request import make_request_plan, read_request, study_options
from ablate.cli.study.planning.reuse import Reuse, planned_reuse, reuse_options
from ablate.cli.study.planning.shards import print_script, shards_option
from ablate.cli.study.planning.splits import print_splits, split_facts
from ablate.errors import EmptyStoreError, StudyFileError
from ablate.kinds import KINDS, LOAD
from ablate.site import page

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ablate.cli.study.planning.request import StudyRequest
    from ablate.store.store import Store
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.estimate import Estimate
    from ablate.study.plan.plan import Plan


@click.command("plan")
@study_options
@reuse_options
@shards_option
@json_option
def plan(*, shards: int | None, as_json: bool, **values: Any) -> None:
    """List what 'study run' would run and what it would reuse, with the expected time.

    Nothing is run, and nothing is written. With --shards it prints a script for a SLURM cluster instead:
    'ablate study plan tau_sweep --shards 7 > tau_sweep.sh'.

    Example: ablate study plan tau_sweep --replicates 10
    """
    request = read_request(values, make_home=False)
    from ablate.study.plan.expected import expected_cost
    from ablate.study.plan.music.corpora import PlannedMusic
    from ablate.study.plan.music.instruments import check_instruments
    from ablate.study.plan.music.pieces import check_references, planned_splits
    from ablate.study.run.replaced import replaced

    music = PlannedMusic(request.layout.registry, request.home)
    check_instruments(request.layout, music)
    check_references(request.layout, music)
    if shards:
        print_script(request, values, shards, music, as_json=as_json)
        return
    noise, splits, reuse, earlier = None, planned_splits(request.layout, music), Reuse(), None
    spec, features = request.layout.spec, {}
    store = _store(request, values["store"])
    if store:
        with store:
            reuse = planned_reuse(request, store, values)
            study_plan = reuse.plan or make_request_plan(request, store)
            music.check(study_plan.missing.values())
            expected = expected_cost(study_plan, request.device, request.workers, music, store)
            noise = known_noise(request.layout, store, expected)
            earlier = replaced(request.layout, store)
            features = {each.metric: store.features(spec.name, each.metric) for each in spec.objectives}
    else:
        study_plan = make_request_plan(request, None)
        music.check(study_plan.missing.values())
        expected = expected_cost(study_plan, request.device, request.workers, music, None)
    _check_objectives(spec, {**features, **expected.features})
    said = music.said if any(stage.kind == LOAD for stage in study_plan.missing.values()) else []
    if as_json:
        facts = {**_facts(request, study_plan, expected), "splits": split_facts(splits), "changed": reuse.facts()}
        facts["replaces"] = list(earlier.changes) if earlier else []
        print_json({**facts, "noise": noise and noise.facts(), "music": said})
        return
    _print_variants(study_plan)
    _print_runs(request, study_plan)
    for line in said:
        echo_sentence(line, "note: ")
    print_splits(splits, len(study_plan.layout.variants))
    if earlier:
        echo_sentence(replaced_sentence(spec.name, earlier), "note: ")
    for line in filter(None, [study_plan.lost_line(), *reuse.lines]):
        echo_sentence(line)
    # a program has few of the stages of a model
    counts = {kind: count for kind, count in _counts(study_plan).items() if any(count) or not spec.program}
    print_table(["stage", "to run", "reused"], [(kind, *count) for kind, count in counts.items()], right=2)
    complete = not study_plan.missing and not study_plan.layout.unchosen
    if complete:
        echo("nothing to run: all results exist")
    else:
        _print_estimate(request, expected)
    if noise or not spec.program or spec.program.midi:
        echo_sentence(noise_sentence(noise, spec.replicates, complete=complete))


def _store(request: StudyRequest, url: str | None) -> Store | None:
    """Return the store with what has been run, open for reading; None if nothing has."""
    from ablate.store.store import Store

    if not has_store(request.home, url):
        return None
    try:
        return Store(request.url, writing=False)
    except EmptyStoreError:
        return None


def _check_objectives(spec: StudySpec, features: Mapping[str, Collection[str]]) -> None:
    """Check the features of the objectives, as far as their metrics have measured something.

    Raises:
        StudyFileError: a metric does not have the feature.
    """
    from ablate.study.trials.objectives import objective_problems

    problems = objective_problems(spec, features)
    if problems:
        raise StudyFileError(spec.source, problems)


def _facts(request: StudyRequest, study_plan: Plan, expected: Estimate) -> dict[str, Any]:
    spec = request.layout.spec
    return {
        "study": spec.name,
        "design": spec.design,
        "variants": [variant.name for variant in study_plan.layout.variants],
        "variants_to_choose": study_plan.layout.unchosen,
        "aliases": _aliases(spec),
        "replicates": spec.replicates,
        "stages": {kind: {"run": run, "reuse": reuse} for kind, (run, reuse) in _counts(study_plan).items()},
        "device": request.device,
        "estimated_seconds": None if math.isnan(expected.seconds) else expected.seconds,
        "estimated_bytes": expected.bytes,
        "fused_groups": list(expected.fused_groups),
    }


def _counts(study_plan: Plan) -> dict[str, tuple[int, int]]:
    """Return for each kind of stage how many are to run, and how many are reused."""
    return {kind: study_plan.count(kind) for kind in KINDS}


def _aliases(spec: StudySpec) -> dict[str, str]:
    """Return the effects that a fractional design cannot separate from others."""
    from ablate.study.blocks import compared
    from ablate.study.design import aliases

    return dict(aliases(compared(spec.axes))) if spec.design == "fractional" else {}


def _print_variants(study_plan: Plan) -> None:
    spec, variants = study_plan.layout.spec, study_plan.layout.variants
    echo_sentence(f"{spec.name}: {spec.design.replace('_', ' ')} design, {plural(len(variants), 'variant')}")
    for variant in variants:
        echo_sentence(f"{variant.name}{' (baseline)' if variant.baseline else ''}", "  ")
    if spec.design == "search":
        from ablate.study.search.propose import algorithm

        echo(f"  and {study_plan.layout.unchosen} more, chosen by {algorithm(spec)} while the search runs")
    if spec.design == "path":
        _print_path(study_plan)
    for effect, alias in _aliases(spec).items():
        echo_sentence(f"{effect} cannot be separated from {alias}", "  ")


def _print_path(study_plan: Plan) -> None:
    from ablate.study.path.follow import run_limits

    layout = study_plan.layout
    echo(f"  and at most {layout.unchosen} more, chosen while the study follows its path")
    if len(layout.taken) > 1:
        echo(f"  path so far: {' > '.join(layout.taken)}")
    fewest, most = run_limits(layout.spec)
    echo(f"  the whole path needs {fewest} to {most} runs" if fewest < most else f"  the path needs {most} runs")


def _print_runs(request: StudyRequest, study_plan: Plan) -> None:
    from ablate.study.plan.music.pieces import fold_problem

    layout = study_plan.layout
    training = layout.runs[0].configuration.settings.get("training")
    precision = f" in {training['precision']}" if training else ""
    echo_sentence(
        f"{plural(layout.spec.replicates, 'replicate')}, {plural(len(layout.runs), 'run')}, "
        f"{request.device}{precision}, {plural(request.workers, 'worker')}"
    )
    if layout.spec.looks:
        numbers = ", ".join(str(number) for number in layout.spec.looks.numbers)
        echo_sentence(f"with --until-decided: looks at {numbers} replicates, until every primary comparison is decided")
        idle = _looks_without_claims(layout.spec)
        if idle:
            echo_sentence(f"the looks at {', '.join(map(str, idle))} replicates are too early for any claim", "  ")
    problem = fold_problem(layout)
    if problem:
        echo_sentence(problem)
    warning = _too_few_replicates(layout.spec)
    if warning and len(layout.variants) > 1:
        echo_sentence(f"{warning} (see {page('explanation/verdicts')})")


def _looks_without_claims(spec: StudySpec) -> list[int]:
    """Return the declared numbers of replicates at which no result can be significant with the alpha spent so far."""
    from ablate.options import validate
    from ablate.report.statistics.inference.flips import smallest_p
    from ablate.report.statistics.inference.sequential import spending
    from ablate.settings import StatisticsSettings

    alpha = validate(StatisticsSettings, spec.reading["statistics"]).alpha
    looks = spec.looks
    if looks is None:
        return []
    shares = {n: spending(n / looks.most, looks.spending, alpha) for n in looks.numbers}
    return [n for n, share in shares.items() if smallest_p(n) > alpha * share]


def _too_few_replicates(spec: StudySpec) -> str:
    """Return a warning if the replicates are too few for any significant result, or an empty string."""
    from ablate.options import validate
    from ablate.report.statistics.verdicts import out_of_reach
    from ablate.settings import StatisticsSettings

    blocks = math.prod(len(axis.levels) for axis in spec.axes if axis.block)
    return out_of_reach(spec.replicates * blocks, validate(StatisticsSettings, spec.reading["statistics"]))


def _print_estimate(request: StudyRequest, expected: Estimate) -> None:
    if expected.fused_groups:
        echo(f"fused trainings on the GPU: {_group_sizes(expected.fused_groups)}")
        for reason in expected.alone:
            echo(f"  {reason}")
    if math.isnan(expected.seconds):
        echo("estimated time: unknown until a run of the program has ended")
        return
    echo_sentence(f"estimated time: {duration(expected.seconds)}, plus some seconds to start and to load")
    if expected.bytes:
        owner = "" if request.device == "cpu" else " of each GPU"
        echo(f"estimated memory: {expected.bytes / 2**30:.1f} GiB{owner}")


def _group_sizes(sizes: Sequence[int]) -> str:
    """Format the sizes of fused groups: ``2 groups of 20, 1 alone``."""
    counts = sorted(collections.Counter(sizes).items(), reverse=True)
    return ", ".join(f"{plural(n, 'group')} of {size}" if size > 1 else f"{n} alone" for size, n in counts)
