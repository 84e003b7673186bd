"""Edit rows of a database by hand, and run every command: ``python tools/fuzz_rows.py --commands 2000 HOME``.

HOME has finished studies of several designs; ``--make`` makes it first. Each edit is made in a copy of its database
(``tests/support/row_edits.py``), then commands read or write that copy, in this process. A command may end well, or in
one line; a traceback, several lines or no answer within 120 s are failures, and are printed with the number of their
edit. Edit number N is always the same, so a run can be repeated or continued (``--first``).
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.row_commands import Ending, ending, load
from support.row_edits import Edit, edit
from support.row_studies import make_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The seconds that a command may take.
LONGEST = 120
#: Commands that every edit meets, and those of which each meets some, because they take seconds.
QUICK = ("list", "show", "show --json", "export", "export --format json", "export --table runs", "table")
SLOW = (
    *("report --format md --no-audio", "report --no-audio", "compare variants", "compare studies", "python", "run"),
    *("delete", "bundle", "plan", "judge", "export --table splits", "generate", "run again", "db"),
)


def say(*words: object) -> None:
    """Print a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def words(command: str, study: str, home: Path, material: Path, rng: random.Random) -> list[str]:
    """Return the words of a command on a study."""
    name = study if study == "judged" else str(material / f"{study}.toml")
    known = json.loads((material / "variants.json").read_text(encoding="utf-8"))
    one, other = (rng.choice(known[study]) for _ in range(2))
    second = rng.choice(sorted(known))
    lines = {
        "list": ["study", "list"],
        "compare variants": ["study", "compare", f"{study}:{one}", f"{study}:{other}"],
        "compare studies": ["study", "compare", study, second],
        "run": ["study", "run", name, "--workers", "1", "--no-report"],
        "run again": ["study", "run", name, "--workers", "1", "--no-report", "--recompute", "measure"],
        "delete": ["study", "delete", study, "--yes"],
        "bundle": ["study", "bundle", study, "-o", str(home.parent / "bundle.zip")],
        "plan": ["study", "plan", name],
        "judge": [
            *("judge", str(material / "table.csv"), "--variant", "model", "--replicate", "seed"),
            *("--baseline", "a", "--direction", "loss=lower", "--name", "judged"),
        ],
        "generate": ["generate", study, "--variant", one, "--out", str(home.parent / "music"), "--count", "1"],
        "db": ["db", rng.choice(["upgrade", "check"])],
    }
    return lines.get(command) or ["study", *command.split()[:1], study, *command.split()[1:]]


def attack(number: int, home: Path, slow: int) -> Iterator[tuple[Edit, str, Ending]]:
    """Make an edit in copies of a home and yield how commands ended."""
    rng = random.Random(f"commands {number}")  # noqa: S311
    with sqlite3.connect(home / "ablate.db") as connection:
        studies = [name for (name,) in connection.execute("SELECT name FROM ablate_studies ORDER BY id")]
    connection.close()
    study = rng.choice(studies)
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        own = Path(folder) / "home"
        shutil.copytree(home, own, copy_function=_linked)
        for command in [*QUICK, *rng.sample(SLOW, slow)]:
            (own / "ablate.db").unlink()  # never write to the linked file
            for left in own.glob("ablate.db-*"):
                left.unlink()
            shutil.copy(home / "ablate.db", own / "ablate.db")
            made = edit(own / "ablate.db", number)
            words_of = functools.partial(words, command, study, own, home.parent / "material", rng)
            yield made, command, _within(LONGEST, words_of, study if command == "python" else "", own)


def _linked(source: str, target: str) -> None:
    """Link a file, because no command writes to one of a home in place; a lock is copied, or homes would share it."""
    if source.endswith(".lock"):
        shutil.copy(source, target)
    else:
        os.link(source, target)


def _within(seconds: int, words_of: Callable[[], list[str]], loaded: str, home: Path) -> Ending:
    def stop(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        return load(loaded, home) if loaded else ending(words_of(), home)
    except TimeoutError:
        return Ending("traceback", f"no answer within {seconds} s")
    finally:
        signal.alarm(0)


def main() -> int:
    """Attack, and print the counts by table; the exit code is 1 if a command failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--make", action="store_true", help="make the home first; takes half a minute")
    parser.add_argument("--commands", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first edit")
    parser.add_argument("--slow", type=int, default=2, help="slow commands for each edit")
    parser.add_argument("--show-lines", action="store_true", help="also print the lines that do not name a row")
    given = parser.parse_args()
    home = given.home.resolve()
    if given.make:
        make_home(home)
    counts: dict[str, Counter[str]] = {}
    begun, done, number = time.monotonic(), 0, given.first
    while done < given.commands:
        for made, command, found in attack(number, home, given.slow):
            done += 1
            counts.setdefault(made.table, Counter())[found.kind] += 1
            if found.failed or (given.show_lines and found.kind == "line"):
                say(f"--- {found.kind}: edit {number}: {made.table}: {made.what}\n    {command}: {found.text}")
        number += 1
    kinds = ("well", "named", "line", "lines", "traceback")
    say(f"{done} commands on {number - given.first} edits in {time.monotonic() - begun:.0f} s\n{'table':32}", *kinds)
    for table in sorted(counts):
        say(f"{table:32}", *(f"{counts[table][kind]:{len(kind)}}" for kind in kinds))
    return int(any(each[kind] for each in counts.values() for kind in ("lines", "traceback")))


if __name__ == "__main__":
    sys.exit(main())
