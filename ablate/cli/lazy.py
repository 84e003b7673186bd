"""Command groups that import a command's module only when the command is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyCommand(NamedTuple):
    """A command that is not imported yet: its target (``"module:name"``), and its help in one line."""

    target: str
    summary: str


class LazyGroup(click.Group):
    """A group that imports some of its commands late.

    Attributes:
        lazy_commands: these commands, by name.
    """

    lazy_commands: Mapping[str, LazyCommand]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, for help and completion."""
        return sorted({*super().list_commands(ctx), *self.lazy_commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command or group by its name."""
        if cmd_name not in self.lazy_commands:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.lazy_commands[cmd_name].target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line of help for each command, without importing it."""
        del ctx
        summaries = {name: command.get_short_help_str(100) for name, command in self.commands.items()}
        summaries |= {name: command.summary for name, command in self.lazy_commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(summaries.items()))


def lazy(commands: Mapping[str, LazyCommand]) -> type[LazyGroup]:
    """Return the class of a group with these commands."""
    return type("LazyGroup", (LazyGroup,), {"lazy_commands": commands})
