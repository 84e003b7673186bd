"""Commands on a home whose database was edited: each ends well, or in one line."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import traceback
from typing import TYPE_CHECKING, Any

from support.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: A line that names the row: a table of ours with its key, or a table that is missing or not as it should be.
_NAMED = re.compile(r"table ablate_\w+, row |no such (table|column)")


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a command ended.

    Attributes:
        kind: ``well``, ``named`` (one line that names the row), ``line`` (another line), or a failure: ``traceback``
            or ``lines`` (an error of several lines, or none).
        text: the last lines of its errors.
    """

    kind: str
    text: str = ""

    @property
    def failed(self) -> bool:
        """True if it neither ended well nor in one line."""
        return self.kind in ("traceback", "lines")


def ending(words: Sequence[str], home: Path) -> Ending:
    """Run a command line on a home, in this process."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _home(home):
        try:
            code: Any = run(list(words))
        except SystemExit as error:
            code = error.code
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | TimeoutError):
                raise
            frames = "".join(traceback.format_exception(error)[-4:])
            return Ending("traceback", f"{frames}{type(error).__name__}: {error}"[-3000:])
    err.flush()
    text = err.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]
    if list(words[:2]) == ["db", "check"] and code == 1 and not text:
        return Ending("well")  # it has found the row, and printed it
    return judged(int(code or 0), text)


def judged(code: int, text: str) -> Ending:
    """Return the ending of a command with this exit code and these errors."""
    if "Traceback (most recent call last)" in text:
        return Ending("traceback", text[-3000:])
    if code == 0:
        return Ending("well")
    lines = [line for line in text.splitlines() if line.lower().startswith("error: ")]
    if not lines or (code not in (1, 2)):
        return Ending("lines", f"exit code {code}: {text[-1000:]}")
    return Ending("named" if all(map(_NAMED.search, lines)) else "line", "\n".join(lines)[-1000:])


@contextlib.contextmanager
def _home(home: Path) -> Iterator[None]:
    before = os.environ.get("ABLATE_HOME")
    os.environ["ABLATE_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["ABLATE_HOME"]
        else:
            os.environ["ABLATE_HOME"] = before


def load(study: str, home: Path) -> Ending:
    """Load a study in Python and ask for everything that it has."""
    import ablate
    from ablate.errors import AblateError

    try:
        results = ablate.load_results(study, home)
        for ask in ("frame", "estimates", "effects", "floors", "runs", "splits", "validation", "verdicts", "latex"):
            getattr(results, ask)()
    except AblateError as error:
        return judged(1, f"error: {error}")
    except Exception as error:  # noqa: BLE001 - as above
        frames = "".join(traceback.format_exception(error)[-4:])
        return Ending("traceback", f"{frames}{type(error).__name__}: {error}"[-3000:])
    return Ending("well")
