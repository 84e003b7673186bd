"""Compare the results of homes: every run, every number of every stage, and every byte of every file.

python tools/compare_homes.py HOME HOME...: exit code 1 if one of them differs from the first.
"""  # noqa: INP001 - a script

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

#: What does not depend on the machine and the time; numbers are compared bit for bit.
_QUERIES = {
    "runs": """SELECT study.name, variant.name, run.replicate, run.state, link.name, link.fingerprint
        FROM ablate_run_stages AS link JOIN ablate_runs AS run ON run.id = link.run_id
        JOIN ablate_variants AS variant ON variant.id = run.variant_id
        JOIN ablate_studies AS study ON study.id = variant.study_id""",
    "stages": "SELECT fingerprint, kind, artifact, config, result, files FROM ablate_stages",
    "measurements": """SELECT fingerprint, sample, metric, feature, floor, value, unit, direction, n
        FROM ablate_measurements""",
    "histograms": """SELECT fingerprint, sample, metric, feature, floor, unit, edges, reference, generated
        FROM ablate_histograms""",
}
#: The facts of a result that say how fast it was computed, and beside which others.
_OF_THE_MACHINE = ("together", "product_rate", "tokens_per_second", "joules", "program_seconds", "gpus")
_RESULT = 4


def contents(home: Path) -> dict[str, dict[str, int]]:
    """Return everything that has to be equal, as texts with how often each is there."""
    found: dict[str, dict[str, int]] = {}
    with contextlib.closing(sqlite3.connect(f"file:{home / 'ablate.db'}?mode=ro", uri=True)) as opened:
        for name, query in _QUERIES.items():
            rows = found.setdefault(name, {})
            for row in opened.execute(query):
                text = repr(_plain(name, row))
                rows[text] = rows.get(text, 0) + 1
    paths = sorted(path for path in (home / "artifacts").rglob("*") if path.is_file())
    digests = (f"{path.relative_to(home)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths)
    found["files"] = dict.fromkeys(digests, 1)
    return found


def _plain(name: str, row: tuple[Any, ...]) -> list[Any]:
    values = [value.hex() if isinstance(value, float) else value for value in row]
    if name == "stages":
        result = json.loads(values[_RESULT])
        values[_RESULT] = {key: value for key, value in sorted(result.items()) if key not in _OF_THE_MACHINE}
    return values


def differences(wanted: dict[str, dict[str, int]], found: dict[str, dict[str, int]]) -> list[str]:
    """Return a line for each part of the contents that differs, with the first difference."""
    lines = []
    for name, rows in wanted.items():
        own = found[name]
        texts = [text for text in {**rows, **own} if rows.get(text) != own.get(text)]
        if texts:
            lines.append(f"{len(texts)} {name} differ: {texts[0][:200]}")
    return lines


def main() -> int:
    """Compare the homes of the command line, and print what differs."""
    first, *others = (Path(name) for name in sys.argv[1:])
    wanted, wrong = contents(first), 0
    print(f"{first}: {', '.join(f'{len(rows):,} {name}' for name, rows in wanted.items())}")  # noqa: T201
    for home in others:
        lines = differences(wanted, contents(home))
        wrong += bool(lines)
        print("\n  ".join([f"{home}: {'differs' if lines else 'equal'}", *lines]))  # noqa: T201
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
