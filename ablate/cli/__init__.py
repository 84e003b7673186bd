"""The command line: one thin module for each command or group, imported when it is called.

Commands parse, call the library, and print: results to stdout, progress and errors to stderr.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import TYPE_CHECKING

import click

import ablate
from ablate.cli.echo import echo
from ablate.cli.lazy import LazyCommand, lazy
from ablate.cli.leaving import leave
from ablate.cli.streams import lost_output, prepare_streams
from ablate.errors import AblateError, UsageError
from ablate.interrupts import mark_ctrl_c
from ablate.printable import has_bytes, printable
from ablate.stdout import reserve_stdout, results

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "clean": LazyCommand("ablate.cli.clean:command", "Remove what no study refers to."),
    "corpus": LazyCommand("ablate.cli.corpus:group", "Inspect MIDI files and corpora."),
    "db": LazyCommand("ablate.cli.db:group", "Manage the results database."),
    "generate": LazyCommand(
        "ablate.cli.generate:command", "Generate MIDI files with a model that a study has trained."
    ),
    "judge": LazyCommand("ablate.cli.judge:command", "Judge results that somebody else computed."),
    "plugin": LazyCommand("ablate.cli.plugin:group", "List components and start your own plugin."),
    "study": LazyCommand("ablate.cli.study:group", "Run studies and show their results."),
    "watch": LazyCommand("ablate.cli.watch:command", "Show a running study in the browser."),
}
#: The commands that take any path, because they store none.
_STORING_NOTHING = ("corpus", "generate")


@click.group(cls=lazy(_COMMANDS), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ablate.__version__, prog_name="ablate")
def cli() -> None:
    """Find out which part of a symbolic-music model makes a difference, and whether the difference is real.

    Example: ablate study run tau_sweep
    """


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line (by default that of this process) and return its exit code.

    Errors meant for people become lines on stderr; anything else is a bug and is raised. The exit codes are listed in
    docs/reference/commands.md.
    """
    try:
        _check_arguments(sys.argv[1:] if args is None else args)
        code = cli.main(args, prog_name="ablate", standalone_mode=False)
        _check_output()
    except AblateError as error:
        echo(*(f"error: {line}" for line in str(error).split("\n")), err=True)
        return 2 if isinstance(error, UsageError) else 1
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        echo(*text.getvalue().rstrip("\n").split("\n"), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None  # click takes every such error for the end of the input
        echo(_stopped(sys.argv[1:] if args is None else args, error), err=True)
        return 130
    return code if isinstance(code, int) else 0


def _stopped(args: Sequence[str], error: BaseException) -> str:
    """Return the line of a stopped command; after Ctrl-C in the start of a study it names the way to continue."""
    is_interrupt = isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)
    if is_interrupt and list(args[:2]) == ["study", "run"]:
        return "stopped; finished results are kept. To continue, run the same command again"
    return "stopped"


def _check_output() -> None:
    """Check that all results have been printed.

    Raises:
        AblateError: they could not be written; a reader that wanted no more of them (``ablate ... | head``) is none.
    """
    results().flush()
    problem = lost_output(results())
    if problem:
        raise AblateError(f"cannot write to standard output: {problem.strerror}")


def _check_arguments(args: Sequence[str]) -> None:
    """Check that no argument has bytes that are no UTF-8, unless the command stores nothing.

    Raises:
        UsageError: one has; no database, report or bundle could hold the name. Or the locale has no UTF-8.
    """
    wrong = [arg for arg in args if has_bytes(arg)]
    if not wrong or args[0] in _STORING_NOTHING:
        return
    try:
        text = os.fsencode(wrong[0]).decode()
    except UnicodeError:
        raise UsageError(
            f"'{printable(wrong[0])}' is not valid UTF-8, and names are stored as text; rename the file or folder"
        ) from None
    raise UsageError(
        f"'{text}' is not text in the encoding of this locale ({sys.getfilesystemencoding()}); use one with UTF-8: "
        "LC_ALL=C.UTF-8, or PYTHONUTF8=1"
    )


def main() -> None:
    """Run the command line of this process, as the console script does."""
    gc.set_threshold(50_000)  # imported objects live until exit; scanning them repeatedly is wasted time
    prepare_streams()
    mark_ctrl_c()
    reserve_stdout()
    os.environ["MPLBACKEND"] = "Agg"  # that of a notebook cannot be imported everywhere, and no command shows a window
    code = run()
    # the last search for cycles at exit would take longer than some commands
    gc.freeze()
    leave(code)
