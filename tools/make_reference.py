"""Writes the pages of commands and components from the code: ``python tools/make_reference.py``."""  # noqa: INP001 - a script

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.cli import cli
from ablate.options import describe, shown
from ablate.registry import get_registry
from ablate.settings import ProgramSettings
from ablate.specs import ALL_SPECS
from ablate.study.file.configuration import SETTINGS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.options import OptionField
    from ablate.registry import Component

FOLDER = Path(__file__).parent.with_name("docs") / "reference"
MADE = "*Made from the code by `python tools/make_reference.py`.*"
#: The distribution whose components the page lists; third-party plugins may be installed beside it.
OURS = "ablate-music"

COMPLETION = """\
## Shell completion

Put the line of your shell where it reads its settings:

```sh
eval "$(_ABLATE_COMPLETE=bash_source ablate)"         # ~/.bashrc
eval "$(_ABLATE_COMPLETE=zsh_source ablate)"          # ~/.zshrc
_ABLATE_COMPLETE=fish_source ablate | source          # ~/.config/fish/completions/ablate.fish
```"""


EXIT_CODES = """\
## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | not done, or not all of it: a study file, the music, the home, a plugin or a run is the reason |
| 2 | the command line has to be changed: an unknown command, option, name or file, or options that do not fit |
| 130 | stopped by Ctrl-C, or by SIGTERM or SIGHUP; finished results are kept |

A value of `--set` is checked as if it stood in the study file, so one that is out of bounds ends with 1."""

STOPPING = """\
## Stopping, and components that do harm

The first Ctrl-C lets `ablate study run` and `ablate judge --midi` stop after the current step.
The second one ends them at once, also where a component is stuck.
A batch system's SIGTERM and the SIGHUP of a closed terminal count as Ctrl-C; under `nohup`, SIGHUP is ignored.
Whatever was finished is kept, and the same command continues.

Components work in other processes, also with `--workers 1`.
One that ends its process (a crash in compiled code, `os._exit`, the end of memory) fails with a line that names it.
Other stages of its job that were finished are kept, and the rest is tried again one by one, each in a new process.
What a process that was killed from outside (for lack of memory, say) worked on is tried again, up to three times.

A component that shows no progress for an hour counts as stuck, and its process is ended.
`--stall-limit SECONDS` sets another limit, and 0 none.
Each stage of such a component waits for this long: give a short limit to end a study whose metric always hangs.
Progress is a step of a training, some tokens of a generation, a finished stage, or a call of another component.
Programs of a study have a limit of their own, `program.time_limit`."""

EXECUTORS = """\
## Where the work is done

`ablate study run NAME --executor NAME` chooses an executor: `local`, processes of this machine, or one of a plugin.
`ablate plugin list --kind executor` lists them, and `ablate plugin show NAME --kind executor` their options.
Where a study runs is no part of it: options stand on the command line or in a config file, never in a study file.

```toml
# ~/.config/ablate/config.toml, in $XDG_CONFIG_HOME/ablate, or where $ABLATE_CONFIG points
[executor.NAME]
OPTION = "value"
```

`--set executor.NAME.OPTION=VALUE` comes before the config file.
Workers must have the same versions of Python, torch, ablate and plugins as this machine; a difference ends the run."""

PLUGINS = """\
## Plugins

Each installed package with an entry point in the group `ablate` is loaded when a command needs components.
This runs its code.
`ablate plugin list --installed` shows the plugins, and loads none of them.

| variable | meaning |
|---|---|
| `ABLATE_PLUGINS` | the plugins to load: `midi,midilike` loads these only, `-chatty` all but this one |
| `ABLATE_STRICT_PLUGINS` | `1` makes the first plugin that cannot be loaded an error |
| `ABLATE_PLUGIN_SECONDS` | the seconds that a plugin may take to load; default: 15 |

A misspelt name is an error.
A plugin that cannot be loaded is left out, and `ablate plugin list` gives the reason.
On Linux this includes plugins that hang or end their process while they are loaded:
another process loads the plugins of other distributions first.
Each of them costs every command the seconds that it may take, until `ABLATE_PLUGINS` leaves it out.
What a plugin prints goes to standard error."""

WIDTH = """\
## Width

Tables and sentences are as wide as the terminal.
In a file or a pipe their lines are not folded, unless the environment variable `COLUMNS` has a number:
`COLUMNS=80 ablate corpus inspect FOLDER`.
`corpus inspect` then leaves out the middle of long file names; `--json` has them whole.

## What cannot be printed

Escape codes and other control characters in names never reach the terminal: they are shown as `\\x1b`.
An encoding such as cp1252 has no `─` and no `夜`.
Such a character is written in another way (`-`, `\\u591c`), and in JSON as an escape.
A reader that goes away (`ablate study run NAME | head`) and a terminal that is closed stop nothing.
A standard output that is full ends the command with one line and exit code 1; what was computed is stored."""


def cli_page() -> str:
    """Every command with its help."""
    start = [
        "# Commands",
        "",
        MADE,
        "",
        COMPLETION,
        "",
        EXIT_CODES,
        "",
        STOPPING,
        "",
        EXECUTORS,
        "",
        PLUGINS,
        "",
        WIDTH,
        "",
    ]
    root = click.Context(cli, info_name="ablate", terminal_width=100, max_content_width=100, **cli.context_settings)
    return "\n".join([*start, *_commands(root)])


def _commands(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"## `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found:
                yield from _commands(click.Context(found, context, info_name=inner))


def components_page() -> str:
    """Every first-party component and every section of settings, with their options."""
    lines = ["# Components and settings", "", MADE, ""]
    for section, settings in {**SETTINGS, "program": ProgramSettings, **TABLES}.items():
        lines += [f"## `[{section}]`", "", *_table(describe(settings)), ""]
    for kind in ALL_SPECS:
        lines += [line for component in get_registry().offered(kind) for line in _component(component)]
    return "\n".join(lines)


def _component(component: Component) -> list[str]:
    if component.plugin.distribution != OURS:
        return []
    spec = component.spec
    fitted = " A study fits it on the training pieces." if getattr(spec, "fitted", False) else ""
    title = f"## {component.kind} `{spec.name}`\n\n{spec.summary}{fitted} Plugin `{component.plugin.name}`.\n"
    return [title, *_table(describe(spec.options)), ""]


def _table(fields: list[OptionField]) -> list[str]:
    if not fields:
        return ["No options."]
    rows = [f"| `{f.name}` | {f.type.replace('|', 'or')} | {_default(f)} | {f.bounds} | {f.doc} |" for f in fields]
    return ["| option | type | default | bounds | meaning |", "|---|---|---|---|---|", *rows]


def _default(field: OptionField) -> str:
    return "required" if field.required else f"`{shown(field.default)}`"


PAGES = {"commands.md": cli_page, "components.md": components_page}

if __name__ == "__main__":
    for page, render in PAGES.items():
        (FOLDER / page).write_text(render(), encoding="utf-8")
