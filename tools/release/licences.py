"""The licences of all packages that ablate installs, and the rule which of them are accepted."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE = ROOT / "docs" / "reference" / "licences.md"
#: Extras for those who work on ablate itself; their packages reach no user.
OWN = ("dev", "docs", "release")
RULES = tomllib.loads((ROOT / "tools" / "release" / "licences.toml").read_text(encoding="utf-8"))

INTRODUCTION = """# Licences of the dependencies

This page is made by `python tools/release --licences`, and `make release` compares it with the packages.
ablate itself has the MIT licence.
A package is accepted if its licence allows use in research and in products, and asks nothing of your own code.
The accepted licences and the exceptions are in `tools/release/licences.toml`.
A package with another or an unknown licence stops a release.

On Linux, the torch of the package index also installs NVIDIA's CUDA libraries, which have licences of NVIDIA.
The torch of <https://download.pytorch.org/whl/cpu> has none of them.
"""


def installed() -> dict[str, dict[str, str]]:
    """Return, for the default installation ("") and for each extra, the further packages and their licences.

    Raises:
        SystemExit: a package is not installed, so its licence is unknown.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name not in OWN}
    miditok = tomllib.loads((ROOT / "distributions/ablate-miditok/pyproject.toml").read_text(encoding="utf-8"))
    needs_miditok = [need for need in miditok["project"]["dependencies"] if not need.startswith("ablate-music")]
    licences = _licences()
    default = _closure(project["dependencies"])
    further = {name: _closure(needs) - default for name, needs in {**extras, "ablate-miditok": needs_miditok}.items()}
    return {
        name: {package: licences[package] for package in sorted(packages)}
        for name, packages in {"": default, **further}.items()
    }


def _licences() -> dict[str, str]:
    """Return the licence of each package that is installed here, spelled as SPDX does."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--with-system", "--format=json"]
    rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    return {canonicalize_name(row["Name"]): spelled(row["License"]) for row in rows}


def spelled(licence: str) -> str:
    """Return a licence as an expression of SPDX names; classifiers have several of them between semicolons."""
    return " AND ".join(RULES["spelling"].get(name, name) for name in licence.split("; "))


def _closure(requirements: Iterable[str]) -> set[str]:
    """Return the names of all packages that requirements need on this machine, direct or not."""
    done: set[str] = set()
    names: set[str] = set()
    waiting = [Requirement(requirement) for requirement in requirements]
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in done:
            continue
        done.add(str(requirement))
        names.add(canonicalize_name(requirement.name))
        try:
            needs = importlib.metadata.distribution(requirement.name).requires or []
        except importlib.metadata.PackageNotFoundError:
            raise SystemExit(f"{requirement.name} is not installed; run: pip install -e '.[dev,release]'") from None
        further = [Requirement(need) for need in needs]
        waiting += [need for need in further if _applies(need, {"", *requirement.extras})]
    return names


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def problems(packages: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the packages whose licences are neither accepted nor an exception, and exceptions without a package."""
    licences = {package: licence for group in packages.values() for package, licence in group.items()}
    exceptions: dict[str, str] = RULES["exceptions"]
    return [
        *(
            f"{package} has the licence {licence}, which is not accepted (tools/release/licences.toml)"
            for package, licence in licences.items()
            if not accepted(licence) and package not in exceptions
        ),
        *(f"{name} is an exception without need" for name in exceptions if accepted(licences.get(name, "MIT"))),
    ]


def accepted(licence: str) -> bool:
    """Return whether every part of an expression is accepted; of parts joined by OR, one is enough."""
    names = set(RULES["accepted"]["licences"])
    return all(
        any(name.strip("() ") in names for name in re.split(r"\bOR\b", part)) for part in re.split(r"\bAND\b", licence)
    )


def page(packages: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page that lists the licences."""
    lines = [INTRODUCTION]
    for name, group in packages.items():
        lines += [f"## {_title(name)}\n", "| package | licence |", "|---|---|"]
        lines += _rows(group)
        lines += [
            "",
            *(f"{package}: {RULES['exceptions'][package]}\n" for package in group if package in RULES["exceptions"]),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _rows(group: Mapping[str, str]) -> list[str]:
    return [f"| {package} | {licence} |" for package, licence in group.items()]


def _title(name: str) -> str:
    if not name:
        return "Default installation"
    return f"The distribution `{name}`" if name.startswith("ablate-") else f"The extra `{name}`"


def stale(packages: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the rows that the page in docs/ lacks.

    The page may have more rows than these packages: some are needed on other systems or Pythons only.
    """
    rows = set(PAGE.read_text(encoding="utf-8").splitlines())
    missing = {row for group in packages.values() for row in _rows(group)} - rows
    return [f"{PAGE.relative_to(ROOT)} lacks '{row}'; run: make licences" for row in sorted(missing)]
