"""Attack running studies, and say what was lost: ``python tools/faults [KIND ...]``.

Each attack runs a study of seconds as real processes, injects faults, runs the same command again, and compares the
home with one that was not attacked: every row, every trial and every byte of every file. Attack number N of a seed is
the same choice each time, but not to the millisecond. The whole campaign takes about half an hour on 2 cores.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults import database, disk, files, kills, merges, readers, signals
from faults.home import write_reference
from faults.kinds import Kind, Reference
from faults.table import table, write_table

KINDS = {
    kind.name: kind
    for kind in (
        *kills.KINDS,
        *merges.KINDS,
        *signals.KINDS,
        *database.KINDS,
        *files.KINDS,
        *disk.KINDS,
        *readers.KINDS,
    )
}


def main() -> int:
    """Run the campaign; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of: {', '.join(KINDS)}; default: all")
    parser.add_argument("--faults", type=int, help="faults of each kind; default: as many as the kind states")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="studies that are attacked side by side")
    parser.add_argument("--write", action="store_true", help="write their rows into docs/explanation/reliability.md")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    chosen = [KINDS[name] for name in options.kinds or KINDS]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore Ctrl-C
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    studies = {study for kind in chosen for study in kind.studies}
    with contextlib.ExitStack() as stack:
        references = {study: Reference(study, *write_reference(study)) for study in sorted(studies)}
        for reference in references.values():
            stack.enter_context(reference.home)
        pool = stack.enter_context(ThreadPoolExecutor(options.jobs))
        rows = list(pool.map(lambda kind: attacked(kind, options, references), chosen))
    print(table(rows))  # noqa: T201
    if options.write:
        write_table(rows, list(KINDS))
    return int(any(wrong for *_, wrong in rows))


def attacked(
    kind: Kind, options: argparse.Namespace, references: dict[str, Reference]
) -> tuple[str, str, int, int, int]:
    """Run all attacks of a kind, and return its row of the table."""
    begun, outcomes = time.monotonic(), []
    for outcome in kind.attacks(options.faults or kind.faults, options.seed, references):
        outcomes.append(outcome)
        if outcome.problem:
            print(f"{kind.name}, attack {len(outcomes) - 1}: {outcome.problem}", flush=True)  # noqa: T201
    faults, wrong = sum(each.faults for each in outcomes), sum(bool(each.problem) for each in outcomes)
    seconds = time.monotonic() - begun
    print(f"{kind.name}: {faults} faults, {wrong} of {len(outcomes)} wrong, {seconds:.0f} s", flush=True)  # noqa: T201
    return kind.name, kind.about, faults, len(outcomes), wrong


if __name__ == "__main__":
    sys.exit(main())
