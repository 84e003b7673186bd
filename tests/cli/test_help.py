from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from ablate.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.commands import Command


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*path, name))


@pytest.mark.parametrize("path", list(commands(cli)), ids=" ".join)
def test_every_help_has_an_example(ablate: Command, path: tuple[str, ...]) -> None:
    outcome = ablate(*path, "--help")
    assert outcome.code == 0
    assert f"Example: ablate {' '.join(path)}" in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("stduy",), "No such command 'stduy'; did you mean 'study'?"),
        (("study", "rnu"), "No such command 'rnu'; did you mean 'run'?"),
        (("plugin", "lst"), "No such command 'lst'; did you mean 'list'?"),
        (("db", "quartz"), "No such command 'quartz'."),
    ],
)
def test_a_misspelt_command_gets_a_suggestion(ablate: Command, words: tuple[str, ...], line: str) -> None:
    outcome = ablate(*words)
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1] == f"Error: {line}"


def test_completion_knows_commands_and_options() -> None:
    import os
    import subprocess
    import sys

    words = {"COMP_WORDS": "ablate study r", "COMP_CWORD": "2", "_ABLATE_COMPLETE": "bash_complete"}
    code = "from ablate.cli import main; import sys; sys.argv[0] = 'ablate'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["plain,report", "plain,run"]
