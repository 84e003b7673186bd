"""What people see in a real terminal: at 80, 60 and 40 columns, and where it can or must show less."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest
from support.commands import columns

from ablate.cli.folding import rewritable_width
from ablate.cli.study.running.progress import LiveProgress, PlainProgress, make_listener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = (
    ["study", "list"],
    ["study", "show", "tau_sweep@smoke"],
    ["study", "compare", "tau_sweep@smoke:tau=0.6", "tau_sweep@smoke:tau=1.4"],
    ["plugin", "list"],
    ["plugin", "list", "--installed"],
    ["plugin", "show", "lstm"],
    ["corpus", "list"],
    ["judge", "結果.csv", "--variant", "method", "--replicate", "seed", "--baseline", "月光の第二楽章", "--no-report"],
    ["study", "show", "結果"],
)
WIDTHS = (80, 60, 40)
#: Runs the command lines at each width; between the widths is a page feed. Lines of errors, which are never folded, go
#: elsewhere.
SCRIPT = f"""
import fcntl, struct, sys, termios
from ablate.cli import run
for width in {WIDTHS}:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    codes = [run(list(words)) for words in {COMMANDS!r}]
    print(chr(12), flush=True)
    assert codes == [0] * len(codes), codes
"""


def resize(descriptor: int, width: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))


def output_in_terminal(cwd: Path) -> list[str]:
    """Return what the commands write to a terminal of each width."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", SCRIPT],
        cwd=cwd,
        env={**environment, "TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    data = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(65536)
            except OSError:  # the last process has closed it
                break
            if not part:
                break
            data += part
    assert process.wait() == 0
    return data.decode().replace("\r\n", "\n").split("\f")[:-1]


@pytest.fixture
def folder(smoke_home: Path, tmp_path: Path) -> Path:
    """A folder with a study that has run, and a table of results with names in another script."""
    shutil.copytree(smoke_home, tmp_path / ".ablate")
    names = ("月光の第二楽章", "transformer-with-relative-attention of the large size")
    rows = [f"{name},{seed},{0.5 + seed * n / 100}" for n, name in enumerate(names) for seed in range(7)]
    (tmp_path / "結果.csv").write_text("\n".join(["method,seed,loss", *rows]), encoding="utf-8")
    return tmp_path


def test_no_line_is_wider_than_the_terminal(folder: Path) -> None:
    for width, output in zip(WIDTHS, output_in_terminal(folder), strict=True):
        # a terminal wraps a single word without damage, such as a path
        assert [line for line in output.split("\n") if columns(line) > width and " " in line.strip()] == []
        assert "\x1b" not in output
        # no name is broken
        for name in ("memorization.longest", "ablate_memorization", "ablate-music", "月光の第二楽章 (baseline)"):
            assert name in output


class Terminal(io.StringIO):
    """A stream to a terminal."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    resize(theirs, 60)
    yield Terminal(theirs)
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    ("asked", "width"), [("", None), ("wide", None), ("0", 60), ("9999", 60), ("60", 60), ("40", 40)]
)
def test_bars_are_never_wider_than_the_terminal(
    terminal: Terminal, asked: str, width: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", asked)
    assert rewritable_width(terminal) == width


@pytest.mark.parametrize(("term", "kind"), [("xterm-256color", LiveProgress), ("dumb", PlainProgress)])
def test_a_terminal_that_cannot_write_a_line_again_gets_lines(
    terminal: Terminal, term: str, kind: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", term)
    layout: Any = type("Layout", (), {"spec": type("Spec", (), {"name": "mine"})})
    assert type(make_listener(layout)) is kind
