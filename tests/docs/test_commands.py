"""Every command line of the documentation can be given, and prints what the documentation shows."""

from __future__ import annotations

import enum
import re
import tomllib
from typing import TYPE_CHECKING, Any

import click
import pytest
from support.checkout import ROOT
from support.doc_blocks import Block, blocks, of, simple_commands, spans
from support.pop import pop
from support.queries import explain

from ablate.cli import cli
from ablate.cli.settings import parse_setting
from ablate.errors import AblateError
from ablate.study.file.locate import shipped_studies
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command

#: Programs of others that the pages call; those with their own rule are in ``RULES``.
OTHERS = {
    ".", "bash", "cd", "createdb", "diff", "echo", "eval", "export", "for", "done", "git", "ls", "optuna-dashboard",
    "open", "pre-commit", "python", "python3", "ray", "ruff", "sbatch", "source", "ssh", "tensorboard", "xdg-open",
}  # fmt: skip
#: The types of options whose values are checked; a value in capitals stands for one.
CHECKED_TYPES = (click.Choice, click.IntRange, click.FloatRange)
#: Pages that are read in the folder of a plugin.
OF_A_PLUGIN = re.compile("plugin|docs/examples")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
#: The components that the pages themselves define.
OWN = {name for block in blocks() for name in re.findall(r'Spec\(\s*name="([\w.-]+)"', block.text)}


def check_ablate(words: list[str], page: str = "") -> None:
    """Parse a command line as click does, check the values that have a fixed choice, and read the study."""
    del page
    command: click.Command = cli
    context = click.Context(cli, info_name="ablate", **cli.context_settings)
    while True:
        values, rest, _ = command.make_parser(context).parse_args(list(words))
        given = {name: value for name, value in values.items() if not isinstance(value, enum.Enum)}  # click's "unset"
        for parameter in command.params:
            for value in values_of(given.get(parameter.name or "")):
                if isinstance(parameter.type, CHECKED_TYPES) and not value.isupper():
                    parameter.type.convert(value, parameter, context)
        if given.get("_click_default_help") or given.get("version") or (command is cli and not rest):
            return
        if not isinstance(command, click.Group):
            break
        assert rest, f"{context.command_path}: names no command"
        inner = command.get_command(context, rest[0])
        assert inner is not None, f"{context.command_path} has no command '{rest[0]}'"
        command, words = inner, rest[1:]
        context = click.Context(command, context, info_name=inner.name, **command.context_settings)
    lacking = [p.name for p in command.params if p.required and not given.get(p.name or "")]
    assert (rest, lacking) == ([], []), context.command_path
    if context.command_path in ("ablate study run", "ablate study plan"):
        check_study(given)


def values_of(value: Any) -> list[str]:
    flat = value if isinstance(value, list) else [value]
    return [text for text in flat if isinstance(text, str)]


def check_study(given: dict[str, Any]) -> None:
    """Read a shipped study with the profile and the settings of a command line."""
    name = given["study"]
    settings = [text for text in given.get("settings") or [] if not text.startswith("executor.")]
    if any(own in text for own in OWN for text in settings):
        return
    if name in shipped_studies():
        overrides = Overrides(profile=given.get("profile") or "", settings=tuple(map(parse_setting, settings)))
        read_study(name, overrides)
    else:
        assert name.endswith((".toml", ".zip")) or name.isupper() or "/" in name, f"'{name}' is no shipped study"


def check_pip(words: list[str], page: str) -> None:
    prefix = "ablate-music" if OF_A_PLUGIN.search(page) else ("ablate-music", ".[")
    ours = " ".join(word for word in words if word.startswith(prefix))
    extras = {each for some in re.findall(r"\[([\w,]+)\]", ours) for each in some.split(",")}
    assert extras <= PROJECT["optional-dependencies"].keys()


def check_make(words: list[str], page: str) -> None:
    del page
    assert {word for word in words if "=" not in word and not word.startswith("-")} <= TARGETS, words


def check_path(words: list[str], page: str) -> None:
    paths = [word.partition("::")[0] for word in words if "/" in word and not word.startswith("ablate-")]
    assert OF_A_PLUGIN.search(page) or all((ROOT / path).exists() for path in paths), words


def check_sql(words: list[str], page: str) -> None:
    del page
    explain(words[1])


#: The check of a program's arguments.
RULES: dict[str, Callable[[list[str], str], None]] = {
    "ablate": check_ablate,
    "pip": check_pip,
    "make": check_make,
    "pytest": check_path,
    "sqlite3": check_sql,
    ".ci/run": check_path,
}


@of("sh", "console")
def test_commands_can_be_given(block: Block) -> None:
    for line in block.commands():
        for program, *words in simple_commands(line):
            assert program in RULES or program in OTHERS, f"{block}: no rule for the program '{program}'"
            if program in RULES:
                RULES[program](words, block.page)


def test_commands_in_sentences_can_be_given() -> None:
    """Those that are cut off with an ellipsis are names of commands, and need not be complete."""
    problems = []
    for span in spans():
        for program, *words in simple_commands(span.text):
            try:
                if program == "ablate" and not {"...", "…"} & set(words):
                    check_span(words)
            except click.BadOptionUsage as error:  # the option alone, where a sentence speaks of it
                if error.option_name != words[-1]:
                    problems.append(f"{span}: {span.text}: {error}")
            except (AssertionError, click.ClickException, AblateError) as error:
                problems.append(f"{span}: {span.text}: {error or 'is no command'}")
    assert not problems, "\n".join(problems)


def check_span(words: list[str]) -> None:
    """Check a whole command line, or the name of a command or group alone (``ablate study run``)."""
    command: click.Command | None = cli
    for word in words:
        command = command.get_command(click.Context(cli), word) if isinstance(command, click.Group) else None
    if command is None:
        check_ablate(words)


SHOWN = [block for block in blocks() if block.output()]


@pytest.mark.parametrize("block", SHOWN, ids=map(str, SHOWN))
def test_output_is_what_commands_print(block: Block, ran: Command, tmp_path: Path) -> None:
    """Of commands that train nothing, after the smoke profile of tau_sweep; ``...`` stands for what is left out."""
    (tmp_path / "pop.mid").write_bytes(pop())
    printed = ""
    for line in block.commands():
        for program, *words in simple_commands(line):
            assert program == "ablate", f"{block}: shows output of another program"
            outcome = ran(*words)
            printed += outcome.out + outcome.err
    lines = {" ".join(line.split()) for line in printed.splitlines()}
    if not {" ".join(line.split()) for line in block.output()} <= lines:  # rows may be left out, and lines be folded
        whole = " ".join(printed.replace(f"{ROOT}/studies/", "").split())
        wanted = " ".join(" ".join(block.output()).split()).split("...")
        assert [part for part in wanted if part.strip() not in whole] == [], printed
