"""What observers cost a training: the steps that are sent, and writers in the same process."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Case, Table, compare, threads

from ablate.kinds import KINDS, TRAIN
from ablate.registry import get_registry
from ablate.store.database.address import home_url
from ablate.store.store import Store
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.observe.choice import build_observers
from ablate.study.observe.observers import Observers
from ablate.study.plan.layout import lay_out
from ablate.study.plan.plan import make_plan
from ablate.study.run.home import open_home
from ablate.study.work import train
from ablate.study.work.dispatch import work
from ablate.study.work.messages import Context, Job, News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.study.plan.plan import Plan
    from ablate.study.stage import Stage

STEPS, ROUNDS = 100, 21
#: Seconds between two steps that are sent: as usual, and at every check of the loss (25 steps), the worst case.
USUAL, WORST = train.LOG_SECONDS, 0.0


def prepared(home: Path) -> tuple[Plan, Stage]:
    """Prepare the examples of a training that five runs share; return the plan and the training."""
    settings = {"training.steps": STEPS}
    overrides = Overrides(profile="smoke", replicates=1, settings=tuple(settings.items()))
    layout = lay_out(read_study("tau_sweep", overrides), get_registry(), "cpu")
    plan = make_plan(layout, None, home)
    for stage in plan.missing.values():
        if KINDS[stage.kind].early:
            _work(stage, home, lambda news: None)
    return plan, next(stage for stage in plan.missing.values() if stage.kind == TRAIN)


def _work(stage: Stage, home: Path, tell: Callable[[News], None]) -> None:
    list(work(Job(stage.kind, (stage,)), Context(home, "cpu", get_registry(), tell, lambda: False)))


def tables() -> Iterator[Table]:
    """The group's table."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        home = open_home(Path(folder))
        plan, training = prepared(home)
        store = stack.enter_context(Store(home_url(home)))

        def case(name: str, seconds: float, *observers: str, target: float = 0.0) -> Case:
            built = build_observers(observers, get_registry(), home)
            observed = Observers(plan.layout.spec.name, built, store, print)
            observed.begun(plan)

            def run() -> float:
                train.LOG_SECONDS = seconds
                _work(training, home, observed.news)
                train.LOG_SECONDS = USUAL
                while any(delivery._events for delivery in observed._deliveries):  # their work counts
                    time.sleep(0.001)
                return float(STEPS)

            return Case(name, run, target=target)

        cases = [
            case("the first and the last step are sent", float("inf")),
            case("a step is sent each second", USUAL, target=0.98),
            case("tensorboard, a step each second", USUAL, "tensorboard"),
            case("tensorboard, a step at every check of the loss", WORST, "tensorboard"),
            case("mlflow, a step each second", USUAL, "mlflow"),
        ]
        notes = ["Time of the whole process, so the work of the observers' threads is counted too."]
        title = f"{STEPS:,} steps of a small LSTM that five runs share"
        with threads(1):
            yield compare(title, "steps", cases, ROUNDS, notes, time.process_time)
