"""Results that would be reused although their source has changed: say so, ask, or refuse."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo
from ablate.cli.output import combine_options, duration, plural
from ablate.cli.study.planning.request import make_request_plan
from ablate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.cli.study.planning.request import StudyRequest
    from ablate.store.store import Store
    from ablate.study.plan.plan import Plan
    from ablate.study.sources.changes import Comparison

keep_option = click.option(
    "--keep-results", is_flag=True, help="Reuse results although the source that they were computed with has changed."
)
reuse_options = combine_options(
    click.option(
        "--recompute",
        multiple=True,
        metavar="CHANGED|KIND|COMPONENT",
        help="Compute results again, with all that depends on them: those whose source has changed, those of a kind "
        "of stage or component (train, metric), or those of a component (distance.pitch). Repeatable.",
    ),
    keep_option,
)
_HOW = "give --recompute CHANGED to compute them again, or --keep-results to reuse them as they are"


@dataclasses.dataclass(frozen=True)
class Reuse:
    """The results that a plan reuses, compared with the present.

    Attributes:
        lines: for people.
        comparison: of the results with the present.
        plan: with the results that the options let it reuse; None before anything has run.
    """

    lines: tuple[str, ...] = ()
    comparison: Comparison | None = None
    plan: Plan | None = None

    def facts(self) -> list[dict[str, Any]]:
        """Return the changes as JSON-ready data."""
        changes = self.comparison.changes if self.comparison else ()
        return [{"component": c.component, "what": list(c.what), "stages": len(c.stages)} for c in changes]


def planned_reuse(request: StudyRequest, store: Store, values: Mapping[str, Any]) -> Reuse:
    """Compare the results of a study with the present, for ``study plan``; nothing is asked."""
    plan, comparison = _compared(request, store)
    recompute = _chosen(plan, comparison, values)
    lines = [*changed_lines(comparison), *unknown_lines(comparison)]
    if comparison.changes and not values["recompute"] and not values["keep_results"]:
        lines.append(
            "  they are counted as reused here; study run will ask, or needs --recompute CHANGED or --keep-results"
        )
    if recompute:
        plan = make_request_plan(request, store, recompute)
    return Reuse(tuple(lines), comparison, plan)


def decide_reuse(request: StudyRequest, store: Store, values: Mapping[str, Any]) -> frozenset[str]:
    """Return the fingerprints of the stages to compute again; ask a person at a terminal where nothing was decided.

    Raises:
        UsageError: results would be reused although their source has changed, and nobody can be asked; or
            ``--recompute`` has a name that is nothing of this study.
        click.Abort: the person stops.
    """
    plan, comparison = _compared(request, store)
    recompute = _chosen(plan, comparison, values)
    left = comparison.stages | comparison.unfinished
    for line in [*changed_lines(comparison), *unknown_lines(comparison)]:
        echo(line, err=True)
    if left <= recompute or values["keep_results"]:
        return recompute
    if not sys.stdin.isatty():
        raise UsageError(f"results would be reused although their source has changed; {_HOW}")
    words = {"recompute": left, "keep": frozenset[str]()}
    answer = click.prompt("recompute them, keep them, or stop?", type=click.Choice([*words, "stop"]), err=True)
    if answer == "stop":
        raise click.Abort
    return recompute | words[answer]


def forget_results(request: StudyRequest, store: Store, recompute: frozenset[str]) -> None:
    """Drop the results that will be computed again, and say which other studies lose some with them."""
    from ablate.study.run.forget import forget

    if recompute:
        for name, count in forget(store, request.home, request.layout.spec.name, recompute).items():
            echo(
                f"study '{name}' loses {plural(count, 'result')} that came from what is computed again; run it again",
                err=True,
            )


def _compared(request: StudyRequest, store: Store) -> tuple[Plan, Comparison]:
    from ablate.study.sources.changes import compare
    from ablate.study.sources.facts import Sources

    plan = make_request_plan(request, store)
    return plan, compare(plan, Sources(request.layout.registry), request.home)


def _chosen(plan: Plan, comparison: Comparison, values: Mapping[str, Any]) -> frozenset[str]:
    from ablate.study.sources.recompute import CHANGED, chosen_stages

    if values["keep_results"] and any(name.upper() == CHANGED for name in values["recompute"]):
        raise UsageError(f"--recompute {CHANGED} and --keep-results contradict each other; give one of them")
    return chosen_stages(values["recompute"], plan.layout.stages(), comparison)


def changed_lines(comparison: Comparison) -> Iterator[str]:
    """Yield what has changed, and how much was computed with it; nothing if nothing has."""
    if not comparison.changes:
        return
    counts = []
    if comparison.stages:
        counts.append(f"{plural(len(comparison.stages), 'finished stage')} ({duration(comparison.seconds)} of work)")
    if comparison.unfinished:
        counts.append(plural(len(comparison.unfinished), "unfinished training"))
    yield f"these have changed under an equal version since {' and '.join(counts)} came from them:"
    for change in comparison.changes:
        kind, _, name = change.component.partition(".")
        yield f"  {kind} '{name}' ({plural(len(change.stages), 'stage')}): {'; '.join(change.what)}"


def unknown_lines(comparison: Comparison) -> Iterator[str]:
    """Yield what cannot be compared."""
    if comparison.unknown:
        count = plural(comparison.unknown, "reused stage")
        yield f"note: nothing is recorded about the source of {count}, so a change of it is not noticed"
    for component, modules in comparison.unreadable.items():
        kind, _, name = component.partition(".")
        yield (
            f"note: {kind} '{name}' has modules without a source that can be read, so a change of them is not noticed: "
            f"{', '.join(modules)}"
        )


def accept_weights(store: Store, study: str, variant: str, replicate: int, *, keep: bool) -> None:
    """Say what has changed since a run was trained, and ask a person at a terminal whether to use its weights.

    Raises:
        UsageError: something has changed, and nobody can be asked.
        click.Abort: the person does not want the weights.
    """
    from ablate.registry import get_registry
    from ablate.study.sources.weights import changes_since_training, versions_since_training

    registry = get_registry()
    versions = versions_since_training(store, study, variant, replicate, registry)
    own = {line.partition(":")[0] for line in versions}
    sources = changes_since_training(store, study, variant, replicate, registry)
    sources = [line for line in sources if line.partition(":")[0] not in own]
    since = f"since '{variant}', replicate {replicate}, was trained:"
    headings = {"these have another version": versions, "these have changed under an equal version": sources}
    for heading, lines in headings.items():
        if lines:
            echo(f"{heading} {since}", *(f"  {line}" for line in lines), err=True)
    if keep or not (versions or sources):
        return
    if not sys.stdin.isatty():
        what, again = ("version", "") if versions else ("source", " with --recompute CHANGED")
        raise UsageError(
            f"music would be generated with weights of another {what}; give --keep-results to use them as they are, or "
            f"train again: ablate study run{again}"
        )
    click.confirm("Generate with these weights?", abort=True, err=True)
