"""Adapt the help of commands to pages: whole names as titles, examples in a block, and no Python in defaults."""

from __future__ import annotations

import re
from typing import Any

import click
from docutils import nodes

from ablate.cli import cli

_EXAMPLE = re.compile(r"^Example: (.*)")
_DEFAULT = re.compile(r"``(?:PosixPath\()?'(.*?)'\)?``")
#: Characters that mean something in the markup of Sphinx: a single star, and what makes STUDY@smoke an address of mail.
_MARKUP = re.compile(r"(?<!\*)\*(?!\*)|@")


def load(group: click.Group) -> None:
    """Import the commands of a group: sphinx-click finds those that are imported late only in groups without others."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            group.commands[name] = command
        if isinstance(command, click.Group):
            load(command)


def describe(_app: Any, _context: Any, lines: list[str]) -> None:
    """Put the example of a command into a block of its own."""
    lines[:] = [part for line in lines for part in _block(line)]


def options(_app: Any, _context: Any, lines: list[str]) -> None:
    """Take markup out of the help of options, and Python's notation out of their defaults."""
    lines[:] = [_closed(_DEFAULT.sub(r"``\1``", _plain(line))) for line in lines]


def _plain(line: str) -> str:
    """Return a line with its markup escaped."""
    return _MARKUP.sub(r"\\\g<0>", line)


def _closed(line: str) -> str:
    """Return the line of an option with the bracket at the end of its value, which sphinx-click takes away."""
    opened = line.startswith(".. option::") and line.count("[") > line.count("]")
    return f"{line.removesuffix('>')}]>" if opened else line


def name_sections(_app: Any, document: nodes.document) -> None:
    """Give the section of a command its whole name: ``ablate study run`` instead of ``run``."""
    for section in document.findall(nodes.section):
        for name in section["names"]:
            if name.startswith("ablate ") or name == "ablate":
                section.replace(section[0], nodes.title("", "", nodes.literal(name, name)))


def _block(line: str) -> list[str]:
    example = _EXAMPLE.match(line)
    return [".. code-block:: sh", "", f"   {example[1]}", ""] if example else [_plain(line)]


def setup(app: Any) -> dict[str, bool]:
    """Listen to sphinx-click, and change titles before the tables of contents are collected."""
    load(cli)
    app.connect("sphinx-click-process-description", describe)
    app.connect("sphinx-click-process-options", options)
    app.connect("doctree-read", name_sections, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
