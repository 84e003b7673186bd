"""Standard streams that are closed, full, without a reader, or in an old encoding."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ablate.cli.echo import echo, echo_data, echo_sentence
from ablate.cli.streams import _prepared, lost_output, visible
from ablate.printable import READABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = f"{sys.executable} -P -m ablate plugin show temperature"


def _shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_device_is_one_line() -> None:
    full = _shell(f"{COMMAND} >/dev/full")
    assert (full.returncode, full.stderr) == (1, "error: cannot write to standard output: No space left on device\n")


def test_closed_streams_are_no_error_and_lend_their_numbers_to_no_file() -> None:
    script = (
        "import os; from ablate.cli.streams import prepare_streams as p; p(); f = open(os.devnull); print(f.fileno())"
    )
    assert _shell(f"{COMMAND} <&- >&- 2>&-").returncode == 0
    assert int(_shell(f'{sys.executable} -P -c "{script}" <&- 2>&-').stdout) > 2


@pytest.fixture
def pipe() -> Iterator[tuple[io.TextIOWrapper, int]]:
    end, start = os.pipe()
    stream = _prepared(os.fdopen(start, "w", encoding="ascii"), start)
    yield stream, end
    stream.close()
    with contextlib.suppress(OSError):
        os.close(end)


def test_a_reader_that_has_gone_is_no_error(
    pipe: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, end = pipe
    os.close(end)
    monkeypatch.setattr("sys.stdout", stream)
    echo("one", "two")
    echo("three")
    assert isinstance(stream.problem, BrokenPipeError)
    assert lost_output(stream) is None


def test_lines_for_people_and_data_for_programs(
    pipe: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, end = pipe
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("COLUMNS", "20")
    assert stream.errors == READABLE
    echo("a\x1b[31m\nb±", "夜")
    echo_sentence("The\r\nvariant \x9b2Jx is not better than y.", "- ")
    echo_data("name\n'\x1b[31m夜\n".encode())
    stream.close()
    with os.fdopen(end, "rb") as file:
        assert file.read().decode() == (
            "a\\x1b[31m b+/-\n\\u591c\n- The variant\n  \\x9b2Jx is not\n  better than y.\nname\n'\x1b[31m夜\n"
        )


def test_text_is_visible_in_the_encoding_of_its_stream() -> None:
    assert visible("tab\t\u202e", io.StringIO()) == r"tab\x09\u202e"


def test_a_name_that_only_the_locale_lacks_says_so() -> None:
    variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    refused = _shell(f"{sys.executable} -P -m ablate study show möwe", **variables)
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        r"error: 'm\xf6we' is not text in the encoding of this locale (ascii); use one with"
    )
