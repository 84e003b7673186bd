"""The home folder's path, as people write it: on the command line, in ``ABLATE_HOME`` and in Python."""

from __future__ import annotations

import os
from pathlib import Path

from ablate.errors import HomeError

#: The home of those who name none, in the current folder.
DEFAULT_HOME = Path(".ablate")
#: The environment variable that names another one; an empty one is no variable.
VARIABLE = "ABLATE_HOME"
#: The name of the home's own database.
DATABASE = "ablate.db"


def home_path(home: str | os.PathLike[str] | None = None) -> Path:
    """Return the path of a home: a ``~`` at its beginning is the folder of a person.

    Args:
        home: as it was given; default ``$ABLATE_HOME``, or else ``.ablate``.

    Raises:
        HomeError: it is empty, or there is no such person.
    """
    text = os.fspath(home if home is not None else os.environ.get(VARIABLE) or DEFAULT_HOME)
    if not text:
        raise HomeError("the home is empty text; name a folder, such as --home .ablate")
    if not text.startswith("~"):
        return Path(text)
    expanded = os.path.expanduser(text)  # noqa: PTH111 - that of pathlib raises where there is no such person
    if expanded.startswith("~"):
        raise HomeError(f"the home {text} is in the folder of nobody here; name a folder, or write ./{text}")
    return Path(expanded)
