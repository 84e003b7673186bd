"""Everything that commands print for people goes through here, so that no name reaches a terminal as it is.

Names, questions and errors come from study files, databases, archives and plugins. Their escape codes could move the
cursor, change the title of the window, or write what ablate has not said.
"""

from __future__ import annotations

import sys

from ablate.cli.folding import fold_sentence, terminal_width
from ablate.cli.streams import visible, write_data
from ablate.stdout import results


def echo(*lines: str, err: bool = False) -> None:
    """Print lines for people, by default an empty one, to stdout or stderr.

    Each of them stays one line: line breaks in it become spaces, other characters that cannot be printed are escaped,
    and those that the encoding of the stream lacks are written in another way.
    """
    stream = sys.stderr if err else results()
    stream.write("".join(f"{visible(line, stream)}\n" for line in lines or ("",)))
    stream.flush()


def note(line: str) -> None:
    """Print a line about something that is not as it should be, on stderr."""
    echo(f"note: {line}", err=True)


def echo_sentence(text: str, start: str = "", *, err: bool = False) -> None:
    """Print a sentence, folded to the width of the terminal.

    Args:
        text: the sentence.
        start: begins the first line; the others are indented as far.
        err: print to stderr.
    """
    text = visible(text, sys.stderr if err else results())
    echo(*fold_sentence(text, start, width=terminal_width()).split("\n"), err=err)


def echo_data(data: bytes) -> None:
    """Print data for programs, text in UTF-8: as it is to a file or a pipe, as text for people to a terminal."""
    stream = results()
    if stream.isatty():
        echo(*data.decode("utf-8", "replace").removesuffix("\n").split("\n"))
    else:
        write_data(stream, data)
