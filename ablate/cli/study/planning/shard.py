"""``ablate study run --shard``: the option, what cannot be divided, and what is printed at the end of a shard."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo, echo_sentence, note
from ablate.cli.output import plural, print_json
from ablate.errors import UsageError
from ablate.study.design import ADAPTIVE

if TYPE_CHECKING:
    from ablate.cli.study.planning.request import StudyRequest
    from ablate.store.store import Store
    from ablate.study.run.result import StudyResult
    from ablate.study.shards.shard import Shard


def _parsed(context: click.Context, parameter: click.Parameter, text: str | None) -> Shard | None:
    del context, parameter
    if text is None:
        return None
    from ablate.study.shards.shard import Shard

    return Shard.parse(text)


shard_option = click.option(
    "--shard",
    metavar="K/N",
    callback=_parsed,
    help="Run only part K of N of the study; 'ablate db merge' brings the homes of all parts together.",
)


def shard_request(request: StudyRequest, shard: Shard | None, *, until_decided: bool) -> StudyRequest:
    """Return the request for one shard of a study; the request itself if no shard is asked for.

    Raises:
        UsageError: what the study runs next depends on results that another shard has.
    """
    if shard is None:
        return request
    from ablate.study.shards.shard import shard_layout

    check_divisible(request, "--shard", until_decided=until_decided)
    return dataclasses.replace(request, layout=shard_layout(request.layout, shard))


def check_divisible(request: StudyRequest, option: str, *, until_decided: bool = False) -> None:
    """Check that a study can be divided into shards.

    Args:
        request: the study.
        option: the one that divides it, for the message.
        until_decided: whether replicates are added from look to look.

    Raises:
        UsageError: what it runs next depends on results that another shard has.
    """
    spec = request.layout.spec
    if spec.design in ADAPTIVE:
        raise UsageError(
            f'{option}: {spec.source} has design = "{spec.design}", which chooses each variant by the results of those '
            "before it, so its shards would have to wait for each other; run it without shards"
        )
    if until_decided:
        raise UsageError(
            f"{option} and --until-decided contradict each other: a look needs the results of all shards; run the "
            "shards with --replicates, merge them, then use --until-decided in the merged home"
        )


def note_part(store: Store, *names: str) -> None:
    """Say on stderr which of these studies are only parts, for commands that show their numbers."""
    from ablate.store.parts import SHARDS, part_sentence

    for name in names:
        spec = store.study(name).spec
        sentence = part_sentence(spec, store.runs(name)) if spec.get(SHARDS) else ""
        if sentence:
            echo_sentence(sentence, "note: ", err=True)


def print_part(request: StudyRequest, store: Store, result: StudyResult, account: str, *, as_json: bool) -> None:
    """Print what has become of a shard; the verdicts of a part would not be those of the study.

    Args:
        request: the shard.
        store: with its results.
        result: of the command.
        account: a line that counts what has run.
        as_json: print JSON instead.
    """
    from ablate.study.shards.shard import trainings

    own = {(run.variant.name, run.replicate) for run in request.layout.current}
    runs = store.runs(result.name)
    done = sum(run.state == "done" for run in runs if (run.variant, run.replicate) in own)
    facts: dict[str, Any] = {"shard": request.layout.part, "shard_runs": len(own), "runs": len(runs)}
    if as_json:
        print_json({**dataclasses.asdict(result), **facts, "shard_runs_done": done, "report": None})
        return
    part = f"shard {request.layout.part} of {result.name}"
    if not own:
        count = plural(len(trainings(request.layout)), "training")
        echo_sentence(f"{part}: nothing to do, because the study has only {count} to divide")
        return
    echo_sentence(f"{part}: {done:,} of its {plural(len(own), 'run')} done; the study has {len(runs):,}")
    echo(account)
    for line in result.notes:
        note(line)
    if not result.stopped and done == len(own):
        note("no report of a part; when all shards have run: ablate db merge HOME1 HOME2 ... --home ALL")
