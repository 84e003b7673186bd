"""Put the tables of ``make bench`` into the page of benchmarks: ``python tools/make_performance.py [FOLDER]``."""  # noqa: INP001 - a script

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.with_name("docs") / "explanation" / "benchmarks.md"
#: Groups in the order of the page.
GROUPS = (
    "study",
    "training",
    "recipe",
    "generation",
    "gpu",
    "data",
    "metrics",
    "store",
    "driver",
    "observers",
    "watch",
    "start",
    "readers",
    "report",
)


def main(folder: Path) -> None:
    """Replace what stands between the markers of each group that the folder has."""
    page = PAGE.read_text(encoding="utf-8")
    for group in GROUPS:
        path = folder / f"{group}.json"
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            start, end = f"<!-- {group} -->", f"<!-- end of {group} -->"
            between = re.compile(f"{start}.*?{end}", re.DOTALL)
            # split, because a replacement's backslashes would mean something
            before, after = between.split(page, maxsplit=1)
            page = f"{before}{start}\n\n{rendered(found)}\n{end}{after}"
    PAGE.write_text(page, encoding="utf-8")


def rendered(group: dict[str, Any]) -> str:
    """Return the tables of a group as Markdown, with the machine that they were measured on."""
    facts = group["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    gpu = f"{facts['gpu']}; " if "gpu" in facts else ""
    parts = [f"*{gpu}{facts['processor']}, {facts['cores']} cores; Python {facts['python']}, {packages}.*\n"]
    for table in group["tables"]:
        lines = [f"**{table['title']}**\n", f"| case | median s | spread | {table['unit']}/s | ratio | target | |"]
        lines.append("|---|--:|--:|--:|--:|--:|---|")
        lines += [f"| {' | '.join(_cells(row))} |" for row in table["rows"]]
        lines += ["", *(f"- {note}" for note in table["notes"]), ""] if table["notes"] else [""]
        parts.append("\n".join(lines))
    return "\n".join(parts)


def _cells(row: dict[str, Any]) -> list[str]:
    wanted = [f"≥ {row['target']:g}" for _ in range(bool(row["target"]))] + [
        f"≤ {row['most']:g} s" for _ in range(bool(row["most"]))
    ]
    met = row["ratio"] >= row["target"] and (not row["most"] or row["seconds"] <= row["most"])
    return [
        row["name"].replace("|", "\\|"),
        f"{row['seconds']:.4g}",
        f"{row['spread']:.0%}",
        f"{row['rate']:,.0f}" if row["rate"] >= 10 else f"{row['rate']:.3g}",
        f"{row['ratio']:.2f}" if row["ratio"] < 10 else f"{row['ratio']:.1f}",
        ", ".join(wanted),
        ("met" if met else "missed") if wanted else "",
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "bench-results"))
