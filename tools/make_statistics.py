"""Write the simulated tables of docs/explanation/simulations.md: ``python tools/make_statistics.py [topic ...]``.

Each topic is a module in a folder of tools/simulations, which simulates studies and judges them with the functions that
judge real ones. All topics take about an hour on two cores; with topics named, only their tables are written again.
"""  # noqa: INP001 - a script

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

PAGE = Path(__file__).parent.with_name("docs") / "explanation" / "simulations.md"
BEGIN, END = "<!-- simulated tables: begin -->\n", "<!-- simulated tables: end -->\n"
#: The number of simulated studies, for topics that have no number of their own.
STUDIES = 2000
#: The topics with the folders of their modules, in the order of the page.
TOPICS = {
    **dict.fromkeys(("pages", "families", "nulls"), "claims"),
    "doubts": "inference",
    "best_set": "claims",
    "slopes": "inference",
    "stopping": "claims",
    **dict.fromkeys(("equivalence", "intervals", "ranges"), "inference"),
    **dict.fromkeys(("shares", "blocks", "path"), "claims"),
    **dict.fromkeys(("variance", "samples_or_replicates", "unpaired", "independent", "inside", "limits"), "inference"),
}


def simulation(topic: str) -> ModuleType:
    """Return the module of a topic."""
    return importlib.import_module(f"simulations.{TOPICS[topic]}.{topic}")


def table(topic: str, studies: int | None = None) -> str:
    """Return the table of a topic as Markdown, with its title and text.

    Args:
        topic: one of :data:`TOPICS`.
        studies: the number of simulated studies; by default that of the topic.
    """
    module: Any = simulation(topic)
    own = getattr(module, "STUDIES", None)
    used = studies or own or STUDIES
    count = "" if used == own else f"\n\n{used:,} studies for each row."
    rows = module.rows(used)
    return f"## {module.TITLE}\n\n{module.TEXT}{count}\n\n{_markdown(module.HEADER, rows)}"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def tables(text: str) -> dict[str, str]:
    """Return the tables of a page by title."""
    inside = text.partition(BEGIN)[2].partition(END)[0]
    found = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", inside, flags=re.MULTILINE | re.DOTALL)
    return {title: f"## {title}\n{body.rstrip()}\n" for title, body in found}


def main(topics: Sequence[str]) -> None:
    """Put the tables of these topics, or of all, into the page."""
    unknown = set(topics) - set(TOPICS)
    if unknown:
        sys.exit(f"no such topic: {', '.join(sorted(unknown))} (topics: {', '.join(TOPICS)})")
    for topic in topics or TOPICS:
        made = table(topic)
        text = PAGE.read_text(encoding="utf-8")  # again for each one, because they take long
        known = tables(text) | {simulation(topic).TITLE: made}
        ordered = [known[title] for one in TOPICS if (title := simulation(one).TITLE) in known]
        before, _, remainder = text.partition(BEGIN)
        _, _, after = remainder.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{chr(10).join(ordered)}\n{END}{after}", encoding="utf-8")
        sys.stdout.write(f"wrote the table of {topic}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
