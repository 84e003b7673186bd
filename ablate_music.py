"""The command ``ablate``, started from outside of its package.

On the package index, the name ``ablate`` belongs to another distribution, whose package has the same name as ours. If
it is installed after ours, it replaces ``ablate/__init__.py``, and no module of ours in that package can be imported.
It does not touch this module, which can therefore explain the failure.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

#: Our distribution. The package, the command, the folder of results and the groups of entry points are called ablate.
NAME = "ablate-music"
PACKAGE = "ablate"


def main() -> None:
    """Run the command line of this process; warn if another distribution provides the package ``ablate`` too."""
    try:
        from ablate.cli import main as command
    except (ImportError, AttributeError) as error:
        others = _providers()
        if not others:
            raise
        sys.exit(f"error: {_advice(others)} ({type(error).__name__}: {error})")
    other = _namesake()
    if other is not None:
        sys.stderr.write(f"warning: {_advice([other])}\n")
    command()


def _namesake() -> Distribution | None:
    """Return the distribution ``ablate`` if it is installed; takes less than a millisecond, so each command asks."""
    if not any(map(_holds_namesake, sys.path)):
        return None
    from importlib.metadata import Distribution, PackageNotFoundError  # takes as long as a short command

    try:
        return Distribution.from_name(PACKAGE)
    except PackageNotFoundError:
        return None


def _holds_namesake(folder: str) -> bool:
    """Return whether a folder of the module path may hold the distribution ``ablate``; a file is taken for one."""
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 - importing pathlib takes longer than the rest
    except NotADirectoryError:
        return True
    except OSError:
        return False
    return any(name.lower().startswith((f"{PACKAGE}-", f"{PACKAGE}.")) and name.endswith("-info") for name in names)


def _providers() -> list[Distribution]:
    """Return all other distributions that install a package ``ablate``; reads the lists of files of all of them."""
    from importlib.metadata import distributions

    return [each for each in distributions() if each.name != NAME and _provides(each)]


def _provides(distribution: Distribution) -> bool:
    files = distribution.read_text("RECORD") or ""
    return distribution.name == PACKAGE or f"\n{PACKAGE}/" in f"\n{files}"


def _advice(others: list[Distribution]) -> str:
    listed = " and ".join(f"{each.name} {each.version}" for each in others)
    names = " ".join(each.name for each in others)
    return (
        f"{listed} and {NAME} both install a package '{PACKAGE}', and only one of them can work: run pip uninstall "
        f"{names}, then install {NAME} again with --force-reinstall --no-deps"
    )
