"""The command ``ablate``, started from outside of its package.

On the package index, the name ``ablate`` belongs to another distribution, whose package has the same name as ours. If
it is installed after ours, it replaces ``ablate/__init__.py``, and no module of ours in that package can be imported.
It does not touch this module, which can therefore explain the failure.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distributions

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
    try:
        return Distribution.from_name(PACKAGE)
    except PackageNotFoundError:
        return None


def _providers() -> list[Distribution]:
    """Return all other distributions that install a package ``ablate``; reads the lists of files of all of them."""
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
