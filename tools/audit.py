"""Compare exact versions of packages with the published vulnerabilities, by pip-audit.

Usage: python tools/audit.py constraints.txt [OPTIONS OF PIP-AUDIT]

The exit status is 1 if a version has a known vulnerability, and 0 otherwise: also where the list of vulnerabilities
cannot be reached, which is printed. Any other failure of pip-audit has its exit status.
"""  # noqa: INP001 - a script

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What pip-audit prints last where it reaches no server, or one that answers with something else.
_UNREACHABLE = re.compile(
    r"\b(?:requests\.exceptions\.\w+|\w*ConnectionError|ConnectTimeout|ReadTimeout|ServiceError)\b"
)
_COMMAND = ("-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")


def main(words: Sequence[str]) -> int:
    """Audit the versions in a file; return the exit status."""
    file, *options = words
    command = [sys.executable, *_COMMAND, "--requirement", file, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or [""])[-1]
        unreachable = _UNREACHABLE.search(last)
        if unreachable:
            return _say(f"not audited: the list of vulnerabilities cannot be reached ({unreachable[0]})", 0)
        return _say(done.stderr, done.returncode or 1)
    found = [f"{package['name']} {package['version']}: {_shown(each)}" for package, each in _vulnerabilities(packages)]
    skipped = sum("skip_reason" in package for package in packages)
    if skipped == len(packages):
        return _say(f"not audited: the list of vulnerabilities has none of the {skipped} packages", 0)
    unknown = f"; not audited: {skipped} that the list does not have" if skipped else ""
    return _say("\n".join([*found, f"{len(found)} known vulnerabilities in {len(packages)} packages{unknown}"]), found)


def _vulnerabilities(packages: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(package, each) for package in packages for each in package.get("vulns", ())]


def _shown(vulnerability: dict[str, Any]) -> str:
    fixed = ", ".join(vulnerability["fix_versions"])
    return f"{vulnerability['id']}, {f'fixed in {fixed}' if fixed else 'not fixed yet'}"


def _say(text: str, failed: object) -> int:
    sys.stdout.write(f"{text}\n")
    return failed if isinstance(failed, int) else bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
