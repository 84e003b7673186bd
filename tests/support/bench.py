"""A home in which tests run studies."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.registry import get_registry
from ablate.store.database.address import home_url
from ablate.store.store import Store
from ablate.study.plan.layout import lay_out
from ablate.study.plan.plan import make_plan
from ablate.study.run.home import open_home
from ablate.study.run.runner import StudyRunner
from ablate.study.trials.storage import close_storage, open_storage
from support.store_material import measurements

if TYPE_CHECKING:
    from ablate.study.file.study_file import StudySpec
    from ablate.study.run.result import StudyResult


@functools.cache
def empty_database() -> bytes:
    """Return a database with all tables and no rows: copying it takes less than making Optuna's tables again."""
    with tempfile.TemporaryDirectory() as folder:
        url = home_url(Path(folder))
        with Store(url):
            close_storage(open_storage(url))
        return (Path(folder) / "ablate.db").read_bytes()


class Bench:
    """A home in which studies run, and what they left there."""

    def __init__(self, home: Path) -> None:
        self.home = open_home(home)
        self.url = home_url(self.home)
        if not (self.home / "ablate.db").exists():
            (self.home / "ablate.db").write_bytes(empty_database())

    def run(self, spec: StudySpec, **options: Any) -> StudyResult:
        layout = lay_out(spec, get_registry(), "cpu")
        with Store(self.url) as store:
            run = StudyRunner(layout, store, self.home, **options)
            if "listener" in options:
                options["listener"].run = run
            return run.run()

    def counts(self, spec: StudySpec, kind: str) -> tuple[int, int]:
        """Return how many stages of a kind are to run, and how many are reused."""
        with Store(self.url) as store:
            return make_plan(lay_out(spec, get_registry(), "cpu"), store, self.home).count(kind)

    def numbers(self, name: str) -> list[Any]:
        """Return every measurement, by run."""
        with Store(self.url) as store:
            return sorted(measurements(store, name), key=repr)

    def states(self, name: str) -> dict[tuple[str, int], str]:
        with Store(self.url) as store:
            return {(run.variant, run.replicate): run.state for run in store.runs(name)}

    def store(self) -> Store:
        return Store(self.url)
