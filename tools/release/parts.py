"""The list of parts of a default installation (SBOM, CycloneDX), made from the wheel installed alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from release.projects import ROOT, Commit

if TYPE_CHECKING:
    from pathlib import Path

CONSTRAINTS = ROOT / "constraints.txt"


def install_alone(wheel: Path, folder: Path) -> None:
    """Create an environment in ``folder`` with a wheel and its dependencies in the versions of constraints.txt."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python]
    subprocess.run([*pip, "install", "--constraint", CONSTRAINTS, wheel], check=True)  # noqa: S603


def bill_of_materials(environment: Path, commit: Commit) -> str:
    """Return the list of parts of an environment as JSON, equal for equal commits and versions.

    A build such as torch's ``+cpu`` is no part of a version: constraints.txt leaves the build open.
    """
    words = (
        "environment",
        "--output-reproducible",
        "--pyproject",
        ROOT / "pyproject.toml",
        environment / "bin" / "python",
    )
    variables = {**os.environ, "SOURCE_DATE_EPOCH": str(commit.epoch)}
    command = [sys.executable, "-m", "cyclonedx_py", *words]
    text = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout  # noqa: S603
    bom = json.loads(re.sub(r"(==|@|\"version\": \")([0-9][0-9a-z.]*)(\+|%2B)[a-z0-9.]+(?=\")", r"\1\2", text))
    bom["metadata"]["component"].update(version=commit.version, purl=f"pkg:pypi/ablate-music@{commit.version}")
    return json.dumps(bom, indent=2, sort_keys=True) + "\n"


def problems(bom: str) -> list[str]:
    """Return which parts are no version of constraints.txt, and which have no licence."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    components: list[dict[str, Any]] = json.loads(bom)["components"]
    versions = {each["name"]: (each["version"], pinned.get(canonicalize_name(each["name"]))) for each in components}
    return [
        *([] if components else ["the list of parts is empty"]),
        *(
            f"{name} {version}: constraints.txt has {pin}"
            for name, (version, pin) in versions.items()
            if version != pin
        ),
        *(f"{each['name']}: no licence" for each in components if not each.get("licenses")),
    ]
