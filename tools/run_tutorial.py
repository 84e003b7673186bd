"""Do what the pages of docs/tutorial say, word for word, and compare what the commands print.

``python tools/run_tutorial.py`` does all pages, ``python tools/run_tutorial.py 2 3`` two of them, in an empty folder,
with the commands of the environment whose interpreter this is. The installation of ablate itself is left out. A block
of text behind commands is their output: numbers may differ, and ``...`` stands for what is left out. The first
difference and the first command that fails end the run. It takes some minutes, and prints those of each page.
"""  # noqa: INP001 - a script

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from run_guide import edit

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = sorted((Path(__file__).parent.with_name("docs") / "tutorial").glob("[0-9]-*.md"))
#: What the pages install; its folder does not outlast the run.
UNINSTALL = "pip uninstall --yes --quiet ablate-register"
#: Commands that install ablate, or open a window.
LEFT_OUT = re.compile(r"git clone|python3 -m venv|\. env|pip install \./ablate|xdg-open")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SAVED = re.compile(r"[Ss]ave this as `([\w.]+)`")


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Yield the language and the text of each block of a page, and the sentences before it."""
    end = 0
    for match in _FENCE.finditer(page):
        yield match[1], match[2], page[end : match.start()]
        end = match.end()


def run(command: str, folder: Path) -> str:
    """Run one command line with bash in ``folder``, and return what it printed.

    Raises:
        SystemExit: it failed.
    """
    # not resolved: in a virtual environment the interpreter is a link to one elsewhere
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if name != "ABLATE_HOME"}
    done = subprocess.run(  # noqa: S603 - the page's own commands
        ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607 - of whoever runs it
        cwd=folder,
        env={**env, "PATH": path, "COLUMNS": "80"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stdout}")
    return done.stdout


def plain(text: str) -> str:
    """Return a text without its numbers, lines of tables and breaks."""
    return " ".join(re.sub(r"[─=]{3,}", " ", re.sub(r"[-+−]?\d[\d.,]*\d|\d", "#", text)).split())  # noqa: RUF001 - the minus of reports


def missing(shown: str, printed: str) -> list[str]:
    """Return the parts of a shown output that were not printed."""
    whole = plain(printed)
    return [part.strip() for part in plain(shown).split("...") if part.strip() not in whole]


def do(page: str, folder: Path) -> None:
    """Do all steps of one page.

    Raises:
        SystemExit: a command failed, or printed something else.
    """
    printed = ""
    for language, text, before in blocks(page):
        if saved := _SAVED.search(before):
            (folder / saved[1]).write_text(text, encoding="utf-8")
        elif language == "diff":
            edit(text, folder)
        elif language == "console":
            commands = [line.removeprefix("$ ") for line in text.splitlines() if not LEFT_OUT.search(line)]
            printed = "".join(run(command, folder) for command in commands)
        elif printed and (parts := missing(text, printed)):
            raise SystemExit(f"not printed: {parts}\n\n{printed}")
        if language != "console":
            printed = ""


def main() -> None:
    """Do all pages in one folder, and print the minutes of each."""
    with tempfile.TemporaryDirectory(prefix="ablate-tutorial-") as name:
        for page in (page for page in PAGES if not sys.argv[1:] or page.name.split("-")[0] in sys.argv[1:]):
            began = time.monotonic()
            do(page.read_text(encoding="utf-8"), Path(name))
            sys.stdout.write(f"{page.name}: {(time.monotonic() - began) / 60:.1f} min of commands\n")
            sys.stdout.flush()
        run(UNINSTALL, Path(name))


if __name__ == "__main__":
    main()
