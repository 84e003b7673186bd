"""``make bench``: every group of benchmarks, or those named.

python tests/benchmarks [GROUP ...] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from harness import machine, show, write

GROUPS = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> None:
    """Run the groups asked for, print their tables and write them as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"one of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--out", type=Path, default=Path("bench-results"), help="folder for the JSON files")
    asked = parser.parse_args()
    unknown = set(asked.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group '{unknown.pop()}'; choose from {', '.join(GROUPS)}")
    facts = machine()
    print(f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}, torch {facts['packages']['torch']}")
    for group in asked.groups or GROUPS:
        tables = []
        for table in importlib.import_module(f"bench_{group}").tables():
            show(table)
            tables.append(table)
            write(asked.out, group, tables)  # each time, so that a run that is cut short keeps what it has
            sys.stdout.flush()


if __name__ == "__main__":  # the worker processes of a benchmark import this module too
    main()
