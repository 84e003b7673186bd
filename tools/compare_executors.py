"""Run studies on every executor and as shards, compare all results, and write the table of docs/guides/scaling.md.

python tools/compare_executors.py tau_sweep tempo_ablation@smoke --write: a study may be followed by its profile. The
cluster of Ray has a head that lends no cores and two nodes with a core each, that of SLURM is a real one of one node
with two cores, and the shards run one after another; all of them are on this machine, and start and end with this
command.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from compare_homes import contents, differences

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from support import ray_cluster, slurm  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = ROOT / "docs" / "guides" / "scaling.md"
SHARDS = 4
_HEAD = ["| study | where | time | beside local | results |", "|---|---|--:|--:|---|"]
_BETWEEN = re.compile("(<!-- executors -->\n).*?(<!-- end of executors -->)", re.DOTALL)
_ROW = re.compile(r"^\| `(.+?)` \|.*\|$", re.MULTILINE)


class Way:
    """A way to run a study.

    Args:
        study: and its profile (``"tau_sweep@smoke"``).
        home: the folder for the results.
        environment: of the commands.
    """

    def __init__(self, study: str, home: Path, environment: dict[str, str]) -> None:
        name, _, profile = study.partition("@")
        self.words = [name, *(("--profile", profile) if profile else ())]
        self.home, self.environment = home, {**os.environ, **environment}

    def run(self, *options: str, home: Path | None = None) -> float:
        """Run the study, and return the seconds that the command took."""
        return self.call("study", "run", *self.words, "--no-report", "--home", str(home or self.home), *options)

    def call(self, *words: str) -> float:
        """Run a command of ablate, and return its seconds.

        Raises:
            subprocess.CalledProcessError: it has failed; what it printed was printed here.
        """
        begun = time.monotonic()
        command = [sys.executable, "-P", "-m", "ablate", *words]
        done = subprocess.run(  # noqa: S603 - ablate itself
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stdout[-2000:], done.stderr[-2000:], sep="\n")  # noqa: T201
            done.check_returncode()
        return time.monotonic() - begun


def local(study: str, home: Path) -> float:
    """Run a study with the workers of this machine."""
    return Way(study, home, {}).run()


def on_ray(study: str, home: Path) -> float:
    """Run a study on a cluster of three nodes, which see nothing of the home."""
    if lacking := ray_cluster.missing():
        raise SystemExit(f"Ray lacks {lacking}")
    with contextlib.closing(ray_cluster.RayCluster(3)) as cluster:
        options = ("--executor", "ray", "--set", f"executor.ray.address={cluster.address}")
        return Way(study, home, ray_cluster.SURROUNDINGS).run(*options)


def on_slurm(study: str, home: Path) -> float:
    """Run a study in jobs of SLURM, in a home that the node sees."""
    if lacking := slurm.missing():
        raise SystemExit(f"SLURM lacks {lacking}")
    with slurm.running_cluster() as cluster:
        return Way(study, home, cluster.environment).run("--executor", "slurm", "--set", "executor.slurm.jobs=2")


def in_shards(study: str, home: Path) -> float:
    """Run a study as shards, and merge them; return the seconds of the longest one and the merge."""
    way, parts = Way(study, home, {}), [home.with_name(f"{home.name}-{k}") for k in range(1, SHARDS + 1)]
    longest = max(way.run("--shard", f"{k}/{SHARDS}", home=part) for k, part in enumerate(parts, 1))
    return longest + way.call("db", "merge", *map(str, parts), "--home", str(home))


WAYS: dict[str, tuple[str, Callable[[str, Path], float]]] = {
    "local": ("2 workers of this machine", local),
    "ray": ("`--executor ray`, a head and 2 nodes with 1 core each", on_ray),
    "slurm": ("`--executor slurm`, 2 jobs of a node with 2 cores", on_slurm),
    "shards": (f"{SHARDS} shards, the longest one and the merge", in_shards),
}


def compared(study: str, folder: Path) -> Iterator[tuple[str, bool]]:
    """Run a study in all ways; yield a row of the table for each, and whether its results equal the first one's."""
    wanted, first = {}, 0.0
    for name, (about, run) in WAYS.items():
        home = folder / f"{study}-{name}"
        seconds, found = run(study, home), contents(home)
        wanted, first = wanted or found, first or seconds
        lines = differences(wanted, found)
        counts = f"{len(found['measurements']):,} measurements, {len(found['files']):,} files"
        result = f"{len(lines)} kinds differ" if lines else f"equal: {counts}" if name != "local" else counts
        yield f"| `{study}` | {about} | {seconds:,.0f} s | {seconds / first:.2f} | {result} |", not lines
        print("\n  ".join([f"{study}, {name}: {seconds:.1f} s, {result}", *lines]), flush=True)  # noqa: T201


def write(rows: list[str]) -> None:
    """Put rows between the markers of docs/guides/scaling.md; those of other studies stay as they are."""
    page = PAGE.read_text(encoding="utf-8")
    between = _BETWEEN.search(page)
    new = {found[1] for row in rows if (found := _ROW.match(row))}
    kept = [found[0] for found in _ROW.finditer(between[0] if between else "") if found[1] not in new]
    text = "\n".join([*_HEAD, *kept, *rows])
    PAGE.write_text(_BETWEEN.sub(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", page), encoding="utf-8")


def main() -> int:
    """Run the studies of the command line; return 1 if anything differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("studies", nargs="+", metavar="STUDY[@PROFILE]")
    parser.add_argument("--keep", type=Path, help="a new folder for the homes; default: a temporary one")
    parser.add_argument("--write", action="store_true", help="write the rows into docs/guides/scaling.md")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ablate-executors-")))
        folder.mkdir(parents=True, exist_ok=True)
        found = [each for study in options.studies for each in compared(study, folder)]
    if options.write:
        write([row for row, _ in found])
    return int(not all(equal for _, equal in found))


if __name__ == "__main__":
    sys.exit(main())
