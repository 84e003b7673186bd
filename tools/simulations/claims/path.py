"""Claims about the steps of a path whose order was chosen from the same results, and the runs that racing spares."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from ablate.report.statistics.inference import flips
from ablate.settings import PathSettings
from ablate.study.design import Axis, changed_variant, path_ends
from ablate.study.path.follow import Results, follow
from simulations import draws
from simulations.draws import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.arrays import FloatArray
    from ablate.study.design import Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.path.follow import Progress
    from simulations.draws import Draw

STUDIES = 1000
TITLE = "Steps of a path"
TEXT = (
    "Are the steps of a path judged rightly although their order was chosen by the results?\n\n"
    f"{STUDIES:,} studies for each row: a path of six changes, with and without racing.\n"
    "The first of the changes have the effect, in standard deviations of a paired difference, and the others "
    "none.\n"
    "The scatter belongs to the configurations, to the changes (a change has the same effect in a replicate "
    "wherever it is made), or half to each.\n\n"
    "- **any false**, **falsely better**: the share of studies with any false claim about a step, and with a "
    "false claim that a step makes it better. At most 0.05 is allowed for both together.\n"
    "- **exactly these**: the share of studies in which exactly the changes that matter are claimed.\n"
    "- **first null step**: the mean of the first step that does not matter; 0 without the choice of the order.\n"
    "- **runs spared**: the share of runs that racing spares."
)
HEADER = ["replicates", "matter", "effect", "scatter", "racing", "any false", "falsely better", "exactly these"]
HEADER += ["first null step", "runs spared"]
CHANGES = 6
#: The share of the variance of a paired difference that belongs to the configurations; and how their values scatter.
SCATTER: dict[str, tuple[float, Draw]] = {
    "configurations": (1.0, draws.SCATTER["normal"]),
    "changes": (0.0, draws.SCATTER["normal"]),
    "half each": (0.5, draws.SCATTER["normal"]),
    "configurations, exponential": (1.0, draws.SCATTER["exponential"]),
}


class Outcome(NamedTuple):
    """The rates of a setting, in the order of the last five columns of :data:`HEADER`."""

    any_false: float
    falsely_better: float
    exactly: float
    first_null: float
    spared: float


class World:
    """The values of every configuration of one study; lower is better, and a change that matters lowers them."""

    def __init__(self, gains: Sequence[float], replicates: int, scatter: str, rng: np.random.Generator) -> None:
        share, draw = SCATTER[scatter]
        own = draw(rng, (2 ** len(gains), replicates)) * np.sqrt(share / 2)
        changes = draw(rng, (len(gains), replicates)) * np.sqrt(1 - share)
        on = np.array([[number >> place & 1 for place in range(len(gains))] for number in range(2 ** len(gains))])
        self._values = own + on @ changes - (on @ np.array(gains))[:, None]

    @property
    def known(self) -> dict[str, dict[int, float]]:
        """The values by configuration and replicate."""
        rows = zip(_names(), self._values.tolist(), strict=True)
        return {name: dict(enumerate(values)) for name, values in rows}

    def values(self, variant: Variant) -> FloatArray:
        """Return the values of a configuration, [replicates]."""
        return np.asarray(self._values[_names().index(variant.name)])


@functools.cache
def _names() -> list[str]:
    """Return the names of all configurations, in the order of their numbers."""
    axes, baseline = _axes()
    on = [[axis.path for place, axis in enumerate(axes) if number >> place & 1] for number in range(2**CHANGES)]
    return [changed_variant(axes, baseline, changed).name for changed in on]


def _axes() -> tuple[list[Axis], dict[str, bool]]:
    axes = [Axis(f"change{place}", (False, True)) for place in range(CHANGES)]
    return axes, {axis.path: False for axis in axes}


def study(replicates: int, *, racing: bool) -> StudySpec:
    """Return what a path needs of a study."""
    axes, baseline = _axes()
    spec = types.SimpleNamespace(axes=axes, baseline=baseline, replicates=replicates, path=PathSettings(racing=racing))
    spec.variants = lambda: path_ends(axes, baseline)
    return cast("StudySpec", spec)


def walk(spec: StudySpec, world: World) -> tuple[Progress, int]:
    """Follow a path to its end; return it and the number of its runs.

    Every decision uses only the replicates that it is defined on, so the path may know all values from the start.
    """
    progress = follow(spec, Results(world.known))
    held = {name: back.replicates for name, back in progress.held.items()}
    return progress, sum(held.get(variant.name, spec.replicates) for variant in progress.variants)


def outcomes(
    replicates: int, matter: int, effect: float, scatter: str, studies: int, seed: int, *, racing: bool
) -> Outcome:
    """Return the rates of a setting over simulated studies."""
    spec, rng = study(replicates, racing=racing), np.random.default_rng(seed)
    everything = (1 + CHANGES * (CHANGES + 1) // 2) * replicates
    counts = np.zeros(5)
    for _ in range(studies):
        world = World([effect] * matter + [0.0] * (CHANGES - matter), replicates, scatter, rng)
        progress, runs = walk(spec, world)
        values = np.array([world.values(variant) for variant in progress.taken])
        steps = np.diff(values, axis=0)
        claimed = flips.max_t(np.vstack([steps, values[-1] - values[0]])).adjusted[:-1] < ALPHA
        real = np.array([_change(a, b) < matter for a, b in zip(progress.taken, progress.taken[1:], strict=False)])
        means = steps.mean(axis=1)
        false = claimed & ~real
        exactly = (claimed == real).all()
        counts += [false.any(), (false & (means < 0)).any(), exactly, means[~real][0], 1 - runs / everything]
    return Outcome(*(counts / studies).tolist())


def _change(one: Variant, other: Variant) -> int:
    """Return the number of the change between two configurations."""
    return next(place for place, path in enumerate(one.levels) if one.levels[path] != other.levels[path])


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each setting."""
    settings = [(8, 0, 0.0, True), (8, 2, 2.0, True), (8, 2, 2.0, False), (8, 4, 5.0, True), (12, 2, 1.5, True)]
    for replicates, matter, effect, racing in settings:
        for scatter in SCATTER:
            found = outcomes(replicates, matter, effect, scatter, studies, 29, racing=racing)
            cells = [f"{rate:.3f}" for rate in found[:3]]
            cells += [f"{found.first_null:+.2f}".replace("-", "\N{MINUS SIGN}"), f"{found.spared:.0%}"]
            yield [
                str(replicates),
                f"{matter} of {CHANGES}",
                f"{effect:g}" if matter else "-",
                scatter,
                "yes" if racing else "no",
                *cells,
            ]
