"""Groups that know their commands by name, and import the file of one only to call it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyCommand(NamedTuple):
    """A command that is not imported yet: where it is (``"module:name"``), and its help in a line."""

    place: str
    summary: str


class LazyGroup(click.Group):
    """A group some of whose commands are imported late.

    Attributes:
        late: those commands, by name.
    """

    late: Mapping[str, LazyCommand]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for help and completion."""
        return sorted({*super().list_commands(ctx), *self.late})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command or group of that name."""
        if cmd_name not in self.late:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.late[cmd_name].place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line each, without importing them."""
        del ctx
        lines = {name: command.get_short_help_str(100) for name, command in self.commands.items()}
        lines |= {name: late.summary for name, late in self.late.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(lines.items()))


def lazy(late: Mapping[str, LazyCommand]) -> type[LazyGroup]:
    """The class of a group with these late commands."""
    return type("LazyGroup", (LazyGroup,), {"late": late})
