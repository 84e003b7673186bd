"""``ablate study plan --shards``: the script that runs a study as shards on a SLURM cluster."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo, note
from ablate.cli.output import duration, plural, print_json
from ablate.cli.study.planning.request import make_request_plan
from ablate.cli.study.planning.shard import check_divisible
from ablate.errors import PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.cli.study.planning.request import StudyRequest
    from ablate.study.plan.estimate import Estimate
    from ablate.study.plan.music.corpora import PlannedMusic

shards_option = click.option(
    "--shards",
    type=click.IntRange(min=1, max=10_000),
    help="Print an sbatch script instead, which runs the study in this number of parts on a SLURM cluster.",
)
#: The options of the study that the script repeats, by the names of their values.
_OPTIONS = {
    "corpus": "--corpus",
    "name": "--name",
    "n_variants": "--variants",
    "replicates": "--replicates",
    "seed": "--seed",
    "profile": "--profile",
}


def print_script(
    request: StudyRequest, values: Mapping[str, Any], shards: int, music: PlannedMusic, *, as_json: bool
) -> None:
    """Print the script, which reuses nothing: every shard begins with an empty home.

    Raises:
        UsageError: the study cannot be divided into shards, or these would share a database.
    """
    from ablate.study.shards.script import Array, script
    from ablate.study.shards.shard import trainings

    check_divisible(request, "--shards")
    if values["store"]:
        raise UsageError("--shards gives each shard a home with a database of its own; leave out --store")
    count, spec = len(trainings(request.layout)), request.layout.spec
    if shards > count:
        note(f"{plural(count, 'training')} fill {count} shards, so {shards - count} of {shards} have nothing to do")
    expected = _longest(request, shards, music)
    gpus = spec.program.gpus if spec.program else float(request.device != "cpu")
    words = ("ablate", "study", "run", *_words(values))
    array = Array(spec.name, shards, words, request.workers, gpus, expected.seconds, expected.bytes)
    text = script(array)
    if as_json:
        facts = {**dataclasses.asdict(array), "trainings": count, "script": text}
        print_json({**facts, "seconds": None if math.isnan(array.seconds) else array.seconds})
        return
    echo(*text.removesuffix("\n").split("\n"))
    if not math.isnan(array.seconds):
        note(f"the longest of {plural(shards, 'shard')} is expected to take {duration(array.seconds)} here")


def _longest(request: StudyRequest, shards: int, music: PlannedMusic) -> Estimate:
    """Return the expected cost of the first shard, which is one of the largest, or of an average one."""
    from ablate.study.plan.estimate import Estimate
    from ablate.study.plan.expected import expected_cost
    from ablate.study.shards.shard import Shard, shard_layout

    first = dataclasses.replace(request, layout=shard_layout(request.layout, Shard(1, shards)))
    plans = [make_request_plan(each, None) for each in (first, request)]
    try:
        own, whole = (expected_cost(plan, request.device, request.workers, music, None) for plan in plans)
    except PluginError:
        return Estimate(math.nan, 0)  # the run says what is wrong, and what it costs
    seconds = math.nan if math.isnan(own.seconds) else max(own.seconds, whole.seconds / shards)
    return Estimate(seconds, max(own.bytes, whole.bytes))


def _words(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words that the study was named with, for ``study run``."""
    asked = values["study"]
    yield f"./{asked}" if asked.startswith("-") else asked
    for name, option in _OPTIONS.items():
        if values[name] not in (None, ""):
            yield from (option, str(values[name]))
    for text in values["settings"]:
        yield from ("--set", text)
    if values["skip_bad"]:
        yield "--skip-bad"
    if values["device"] != "auto":
        yield from ("--device", values["device"])
