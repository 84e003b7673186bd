"""A home under attack: the commands that run in it, and everything in it that has to be as without the fault."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The studies of the campaign, which come with it.
STUDIES = Path(__file__).parent / "studies"
#: Seconds after which a command counts as one that hangs.
PATIENCE = 300.0
#: Files of a home that may differ between two runs: logs, locks, and the database, which is compared by its rows.
_MAY_DIFFER = ("ablate.db", "ablate-saved-", "logs/", "run.lock", "reports/")
#: Everything that identifies a result, without times, machines and ids, which differ between two runs.
_QUERIES = {
    "runs": """SELECT study.name, variant.name, run.replicate, run.state, run.error_class, run.error
        FROM ablate_runs AS run JOIN ablate_variants AS variant ON variant.id = run.variant_id
        JOIN ablate_studies AS study ON study.id = variant.study_id ORDER BY 1, variant.position, 3""",
    "stages": "SELECT fingerprint, kind FROM ablate_stages ORDER BY 1",
    "results": """SELECT study, variant, replicate, sample, metric, feature, value, unit, direction, n
        FROM ablate_results ORDER BY 1, 2, 3, 4, 5, 6""",
    "measurements": """SELECT fingerprint, sample, metric, feature, floor, value FROM ablate_measurements
        ORDER BY 1, 2, 3, 4, 5, 6""",
    "histograms": """SELECT fingerprint, sample, metric, feature, floor, edges, generated FROM ablate_histograms
        ORDER BY 1, 2, 3, 4, 5""",
    "trials": "SELECT number, state FROM trials ORDER BY 1",
    "values": """SELECT trial.number, value.objective, value.value FROM trial_values AS value
        JOIN trials AS trial USING (trial_id) ORDER BY 1, 2""",
    "steps": """SELECT trial.number, value.step, value.intermediate_value FROM trial_intermediate_values AS value
        JOIN trials AS trial USING (trial_id) ORDER BY 1, 2""",
}


@dataclasses.dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code (None: it hung and was killed), and what it printed."""

    code: int | None
    out: str
    err: str
    seconds: float

    def problem(self, *codes: int) -> str:
        """Return what is wrong with the way it ended, where ``codes`` would be right; empty where nothing is."""
        if self.code is None:
            return f"hung for {PATIENCE:g} s"
        if "Traceback (most recent call last)" in self.err + self.out:
            return f"a traceback: {self.last}"
        return "" if self.code in codes else f"exit code {self.code}: {self.last}"

    @property
    def last(self) -> str:
        """The last line on stderr."""
        return next((line for line in reversed(self.err.splitlines()) if line.strip()), "(nothing on stderr)")


class Home:
    """A home in a temporary folder.

    Args:
        study: the name of a study of the campaign.
        folder: the home; by default one that does not exist yet, in a temporary folder.
        workers: processes of a run.
    """

    def __init__(self, study: str, folder: Path | None = None, workers: int = 2) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True)
        self.work = Path(self._temporary.name)
        self.study, self.folder, self.workers = study, folder or self.work / "home", workers
        self.database = self.folder / "ablate.db"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def copy(self) -> Home:
        """Return a copy of this home."""
        other = Home(self.study, workers=self.workers)
        shutil.copytree(self.folder, other.folder, symlinks=True)
        return other

    def words(self, *command: str) -> list[str]:
        """Return the words of a command in this home; of a run if there are none."""
        run = ("study", "run", str(STUDIES / f"{self.study}.toml"), "--no-report", "--workers", str(self.workers))
        home = ("--home", str(self.folder))
        return [sys.executable, "-P", "-m", "ablate", *(command or (*run, "--checkpoint-seconds", "0.2")), *home]

    @contextlib.contextmanager
    def started(self, *command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
        """Start a command in a session of its own; nothing of it outlives the block."""
        with (self.work / "out.txt").open("w") as out, (self.work / "err.txt").open("w") as err:
            streams = {"stdout": out, "stderr": err, "stdin": subprocess.DEVNULL, **options}
            process = subprocess.Popen(  # noqa: S603 - words of our own
                self.words(*command), cwd=self.work, start_new_session=True, text=True, **streams
            )
        try:
            yield process
        finally:
            end_session(process.pid)
            process.wait()

    def ended(self, process: subprocess.Popen[str], seconds: float = PATIENCE) -> Ended:
        """Wait for a command of :meth:`started` to end."""
        begun = time.monotonic()
        try:
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        texts = [(self.work / name).read_text(errors="replace") for name in ("out.txt", "err.txt")]
        return Ended(code, *texts, time.monotonic() - begun)

    def run(self, *command: str) -> Ended:
        """Run a command to its end; the study if there are no words."""
        with self.started(*command) as process:
            return self.ended(process)

    def differences(self, wanted: Contents) -> str:
        """Return what differs from what should be in this home, in a few words; empty where nothing does."""
        found = contents(self.folder)
        differ = [name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)]
        return "; ".join(f"{name} differ{_which(name, wanted, found)}" for name in differ)

    def count(self, query: str) -> int:
        """Return a number from the database; 0 while it does not have the tables."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)) as opened:
                return int(opened.execute(query).fetchone()[0])
        except sqlite3.Error:
            return 0


Contents = dict[str, Any]


def _which(name: str, wanted: Contents, found: Contents) -> str:
    """Return the first files that are missing, too many or different."""
    if name != "files":
        return ""
    one, two = wanted[name], found[name]
    names = [each for each in sorted(one.keys() | two.keys()) if one.get(each) != two.get(each)]
    return f" ({', '.join(names[:3])})"


def contents(folder: Path) -> Contents:
    """Return everything in a home that has to be equal in two runs: the rows of the database, and its files."""
    with contextlib.closing(sqlite3.connect(folder / "ablate.db", timeout=30)) as opened:
        found: Contents = {name: opened.execute(query).fetchall() for name, query in _QUERIES.items()}
        found["integrity"] = opened.execute("PRAGMA integrity_check").fetchall()
        found["foreign keys"] = opened.execute("PRAGMA foreign_key_check").fetchall()
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    found["files"] = {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(paths.items())
        if not name.startswith(_MAY_DIFFER)
    }
    return found


def session(leader: int) -> list[int]:
    """Return the living processes of a session, without those that have ended and were not waited for."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, _group, its_session = path.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == leader and state != "Z":
                found.append(int(path.parent.name))
    return found


def end_session(leader: int) -> None:
    """Kill every process of a session."""
    for pid in session(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def write_reference(study: str) -> tuple[Home, Contents, float]:
    """Run a study without faults; return its home, its contents and the seconds that it took."""
    home = Home(study)
    done = home.run()
    problem = done.problem(0)
    if problem:
        raise SystemExit(f"the study {study} fails without any fault: {problem}")
    return home, contents(home.folder), done.seconds
