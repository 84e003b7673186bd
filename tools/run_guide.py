"""Does what the first section of writing-a-plugin.md says, word for word: ``python tools/run_guide.py``.

In an empty folder, with the commands of the environment whose interpreter this is. The first command that fails ends
the run with an error. Afterwards the guide's plugin is uninstalled.
"""  # noqa: INP001 - a script

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parent.with_name("docs") / "guides" / "writing-a-plugin.md"
#: What the guide installs; its folder does not outlast the run.
UNINSTALL = "pip uninstall --yes --quiet ablate-loudness"


def first_section(page: str) -> str:
    """Return the text between the first heading of the second level and the next one."""
    return page.split("\n## ")[1]


def steps(section: str) -> Iterator[tuple[str, str]]:
    """Yield the steps in order: ``("run", command)`` and ``("edit", diff)``."""
    for language, block in re.findall(r"^```(console|diff)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE):
        if language == "diff":
            yield "edit", block
        else:
            yield from (("run", line.removeprefix("$ ")) for line in block.splitlines() if line.startswith("$ "))


def run(command: str, folder: Path) -> None:
    """Run one command line with bash in ``folder``.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    # not resolved: in a virtual environment the interpreter is a link to one elsewhere
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if name != "ABLATE_HOME"}
    line = ["bash", "-euo", "pipefail", "-c", command]
    subprocess.run(line, cwd=folder, env={**env, "PATH": path}, check=True)  # noqa: S603 - the page's own commands


def edit(diff: str, folder: Path) -> None:
    """Change a file as a diff of one hunk says.

    Raises:
        ValueError: what the hunk takes away is not in the file exactly once.
    """
    header, _, hunk = diff.partition("\n@@\n")
    file = folder / header.rpartition("+++ ")[2]
    lines = hunk.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] in f" {sign}") for sign in "-+")
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{file} holds the old lines of this change {text.count(old)} times, not once:\n{diff}")
    file.write_text(text.replace(old, new), encoding="utf-8")


def main() -> None:
    """Do all steps, and say how long each took."""
    section = first_section(GUIDE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as at_the_end:
        folder = Path(name)
        at_the_end.callback(run, UNINSTALL, folder)
        for kind, text in steps(section):
            sys.stdout.write(f"== {kind}: {text}\n")
            sys.stdout.flush()
            began = time.monotonic()
            {"run": run, "edit": edit}[kind](text, folder)
            sys.stdout.write(f"== took {time.monotonic() - began:.1f} s\n")


if __name__ == "__main__":
    main()
