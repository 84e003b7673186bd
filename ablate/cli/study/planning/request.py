"""The options that ``study run`` and ``study plan`` share, and the study that they describe."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.locations import home_option, name_option, store_option
from ablate.cli.output import combine_options
from ablate.cli.settings import parse_setting
from ablate.cli.study.planning.unbundled import device_for, unbundled
from ablate.errors import UsageError
from ablate.study.run.executor.start import start_early

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from ablate.store.store import Store
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout
    from ablate.study.plan.plan import Plan

study_options = combine_options(
    click.argument("study", metavar="NAME_OR_FILE"),
    click.option(
        "--corpus",
        metavar="PATH|NAME",
        default="",
        help="Corpus to use instead: a MIDI file, a folder, or the name of a corpus.",
    ),
    click.option("--skip-bad", is_flag=True, help="Skip files of --corpus that cannot be read, and list them."),
    name_option("Name to store the study under; default: the file's name and the overrides."),
    click.option(
        "--variants",
        "n_variants",
        type=click.IntRange(min=2, max=10_000),
        help="Number of variants that a search tries.",
    ),
    click.option(
        "--replicates", type=click.IntRange(min=1, max=10_000), help="Repetitions of each variant with other seeds."
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0, max=2**63 - 1),
        help="Seed of the study, from which all random streams derive.",
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."),
    click.option("--profile", metavar="NAME", default="", help="Profile of the study file to use, e.g. smoke."),
    click.option("--set", "settings", multiple=True, metavar="KEY.PATH=VALUE", help="Override a setting (repeatable)."),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        default=None,
        help="Worker processes; default: one for each core. On GPUs one for each, the rest work beside them.",
    ),
    home_option,
    store_option,
)


@dataclasses.dataclass(frozen=True)
class StudyRequest:
    """A study that ``study run`` or ``study plan`` was called for, ready to be planned."""

    layout: Layout
    home: Path
    url: str
    device: str
    workers: int


def read_request(
    values: dict[str, Any], *, make_home: bool, computes: bool = False, elsewhere: bool = False
) -> StudyRequest:
    """Read and lay out the study that these option values describe.

    Args:
        values: of the options, by name.
        make_home: whether to make the home if there is none.
        computes: whether workers of this machine will be needed.
        elsewhere: whether an executor chooses the machines.
    """
    from ablate.registry import get_registry
    from ablate.store.database.address import home_url
    from ablate.study.file.overrides import Overrides
    from ablate.study.file.study_file import read_study
    from ablate.study.run.home import open_home

    names = ("profile", "corpus", "replicates", "n_variants", "seed", "skip_bad", "name")
    settings = tuple(parse_setting(text) for text in values["settings"])
    overrides = Overrides(**{name: values[name] for name in names}, settings=settings)
    registry = get_registry()
    url = values["store"] or home_url(values["home"].resolve())
    # check what needs no torch first, because importing torch takes seconds
    spec = unbundled(values, overrides, url, registry) or read_study(values["study"], overrides, registry)
    home = open_home(values["home"]) if make_home else values["home"].resolve()
    if computes:
        start_early(values["workers"] or os.cpu_count() or 1)
    from ablate.engine.devices import cores
    from ablate.study.plan.lanes import device_of
    from ablate.study.plan.layout import lay_out

    if spec.program and values["device"] != "auto":
        raise UsageError("--device: a program uses the GPUs of program.gpus; use --set program.gpus=1 instead")
    device = device_of(spec, device_for(spec, values["device"], elsewhere=elsewhere))
    if elsewhere and device == "cuda":
        _check_precision(spec)
    return StudyRequest(lay_out(spec, registry, device), home, url, device, values["workers"] or cores())


def _check_precision(spec: StudySpec) -> None:
    """Raise UsageError if the precision depends on a GPU, and this machine has none to look at."""
    import torch

    if not torch.cuda.is_available() and spec.config.get("training", {}).get("precision", "auto") == "auto":
        raise UsageError(
            "--device cuda: this machine has no GPU that shows whether bf16 is native on those of the executor; choose "
            "--set training.precision=bf16 or fp32"
        )


def with_replicates(request: StudyRequest, replicates: int) -> StudyRequest:
    """Return the same study with another number of replicates."""
    from ablate.study.plan.layout import lay_out

    layout = request.layout
    spec = dataclasses.replace(layout.spec, replicates=replicates)
    return dataclasses.replace(request, layout=lay_out(spec, layout.registry, request.device))


def make_request_plan(request: StudyRequest, store: Store | None, recompute: Container[str] = ()) -> Plan:
    """Plan a study; of a search or a path, plan the variants that it has chosen so far.

    Args:
        request: the study.
        store: the open store; None if there is none yet.
        recompute: fingerprints of stages whose results do not count.
    """
    from ablate.study.path.runner import path_layout
    from ablate.study.plan.plan import make_plan
    from ablate.study.search.search import search_layout

    layout = request.layout
    layouts = {"search": search_layout, "path": path_layout}
    if layout.spec.design in layouts:
        layout = layouts[layout.spec.design](layout.spec, layout.registry, store, request.device)
    return make_plan(layout, store, request.home, recompute)


def complete_from_bundle(request: StudyRequest, store: Store) -> bool:
    """Return whether a study is from a bundle and nothing of it is missing: then it is only read."""
    if request.layout.spec.elsewhere is None:
        return False
    plan = make_request_plan(request, store)
    return not plan.missing and not plan.layout.unchosen


def check_comparable(request: StudyRequest, store: Store, recompute: Container[str] = ()) -> None:
    """Check that what is missing of a study from a bundle would be computed as its other results were.

    Raises:
        UsageError: this machine has another kind of device, version of torch or precision; or a program would run,
            whose files are not in a bundle.
    """
    spec = request.layout.spec
    there = spec.elsewhere
    if there is None:
        return
    plan = make_request_plan(request, store, recompute)
    if not plan.missing and not plan.layout.unchosen:
        return
    if spec.program and plan.missing:
        _refuse_lost(plan)
        raise UsageError(
            f"study '{spec.name}' came from a bundle, which has no files of its program: its results can be read; to "
            "add some, run its study file where the program is"
        )
    if not there.device:
        return
    from ablate.engine.devices import resolve_precision
    from ablate.study.plan.stages import Setting

    here = Setting.here(spec.seed, request.device)
    pairs = {
        "torch": (there.torch, here.torch),
        "device": (there.device, here.device),
        "precision": (
            there.precision,
            resolve_precision(spec.config.get("training", {}).get("precision", "auto"), here.device),
        ),
    }
    differing = [f"{what} {one} (here {other})" for what, (one, other) in pairs.items() if one != other]
    if differing:
        _refuse_lost(plan)
        raise UsageError(
            f"study '{spec.name}' came from a bundle and was run with {', '.join(differing)}: its results can be read, "
            "but new ones could not be compared with them. Run its study file under another --name instead"
        )


def _refuse_lost(plan: Plan) -> None:
    """Raise UsageError if all that is missing of a study from a bundle are files that are damaged."""
    if plan.damaged and plan.missing.keys() == plan.damaged.keys():
        first = next(damage for found in plan.damaged.values() for damage in found)
        raise UsageError(
            f"{first} and cannot be made again here; bring it from the bundle: ablate study unbundle BUNDLE.zip"
        )
