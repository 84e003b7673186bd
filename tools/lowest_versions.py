"""Print the lowest versions that pyproject.toml allows: ``python tools/lowest_versions.py [EXTRA ...]``.

The output is a pip requirements file, one ``name==version`` a line. Extras such as ``dev`` are added on request.
"""  # noqa: INP001 - a script

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
#: ``name>=version``, with nothing behind the version and maybe with an extra of the name: the only form that the
#: project's dependencies use.
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+(\[[a-z]+\])?)>=(?P<version>[0-9][A-Za-z0-9.]*)")


def lowest(requirement: str) -> str:
    """Return ``name==version`` for a requirement ``name>=version``.

    Raises:
        ValueError: the requirement has another form, so its lowest version is unclear.
    """
    match = REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise ValueError(f"pyproject.toml: {requirement!r} has no lower bound; write it as 'name>=version'")
    return f"{match['name']}=={match['version']}"


def lowest_versions(extras: list[str]) -> list[str]:
    """Return the lowest versions of all dependencies and of those of the named extras, sorted.

    Raises:
        KeyError: pyproject.toml has no extra of one of the names.
    """
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    return sorted({lowest(requirement) for requirement in requirements}, key=str.lower)


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest_versions(sys.argv[1:])) + "\n")
