"""Command groups that import a command's module only when the command is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

import click

from ablate.errors import did_you_mean
from ablate.printable import printable

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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names.

        Raises:
            click.UsageError: there is none; the message has a suggestion.
        """
        name, names = args[0], self.list_commands(ctx)
        if name[:1].isalnum() and name not in names and not ctx.resilient_parsing:
            suggestion = did_you_mean(name, names)
            raise click.UsageError(f"No such command '{printable(name)}'{suggestion or '.'}", ctx)
        return super().resolve_command(ctx, args)

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
