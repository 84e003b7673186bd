"""The command line: one thin file a command group, loaded when it is called.

Commands parse, call the library, and print; tables and results go to stdout, progress and errors to stderr.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import click

import ablate
from ablate.cli.lazy import LazyCommand, lazy
from ablate.errors import AblateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "corpus": LazyCommand("ablate.cli.corpus:group", "Look at music before learning from it."),
    "db": LazyCommand("ablate.cli.db:group", "Look after the database."),
    "generate": LazyCommand("ablate.cli.generate:command", "Write MIDI files with weights that a study has trained."),
    "plugin": LazyCommand("ablate.cli.plugin:group", "See which components there are, and begin your own."),
    "study": LazyCommand("ablate.cli.study:group", "Run studies and read their results."),
}


@click.group(cls=lazy(_COMMANDS), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ablate.__version__, prog_name="ablate")
def cli() -> None:
    """Which part of a symbolic-music model made the difference, and is the difference real?

    Example: ablate study run tau_sweep
    """


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line (by default the process's own) and return its exit code.

    Errors meant for people become lines on stderr; anything else is a bug and comes through.
    """
    try:
        code = cli.main(args, prog_name="ablate", standalone_mode=False)
        sys.stdout.flush()
    except AblateError as error:
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        return 2 if isinstance(error, UsageError) else 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except BrokenPipeError:  # `ablate ... | head` is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def main() -> None:
    """The console script."""
    gc.set_threshold(50_000)  # what is imported stays, so that looking at it again and again is in vain
    code = run()
    # the process is over: searching all that was imported for cycles, one last time, takes longer than some commands
    gc.freeze()
    sys.exit(code)
