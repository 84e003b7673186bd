"""Install the wheel and run the main job and quick tests on every supported Python: ``python tools/pythons.py WHEEL``.

Interpreters are looked for as ``pythonX.Y`` on the path and in pyenv's folder; ``--python PATH`` adds one. A line is
printed for each Python that is supported, also for those that were not found. Nothing of the checkout is imported
but the tests. ``TESTS`` are the folders of tests to run.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The tests of the code that differs most between Pythons: numbers, files, processes, plugins, the database.
TESTS = ("music", "engine", "plugins", "registry", "store")


def main() -> int:
    """Try the wheel on each Python; return the number of Pythons on which something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("wheel", type=Path, help="the wheel to install")
    parser.add_argument("--python", type=Path, action="append", default=[], help="an interpreter (repeatable)")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="folders in tests/; none: only the main job")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "pythons", help="where environments are kept")
    options = parser.parse_args()
    failed = 0
    for version in supported():
        python = interpreter(version, options.python)
        if python is None:
            print(f"{version}: not tried, no interpreter found", flush=True)  # noqa: T201
            continue
        begun = time.monotonic()
        problem = tried(python, options.wheel.resolve(), options.folder.resolve() / version, options.tests)
        failed += bool(problem)
        print(f"{version}: {problem or 'ok'} ({time.monotonic() - begun:.0f} s, {python})", flush=True)  # noqa: T201
    return failed


def supported() -> list[str]:
    """Return the Pythons that pyproject.toml names, such as ``3.11``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [line.rpartition(" ")[2] for line in project["classifiers"] if line.startswith("Programming Language :: ")]
    return [name for name in names if name.startswith("3.")]


def interpreter(version: str, given: list[Path]) -> Path | None:
    """Return an interpreter of a version, or None; one that does not start is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    candidates = [*given, *sorted(pyenv.glob(f"{version}.*/bin/python")), *([Path(on_path)] if on_path else [])]
    return next((path for path in candidates if _version(path) == version), None)


def _version(python: Path) -> str:
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", question], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return done.stdout.strip()


def tried(python: Path, wheel: Path, folder: Path, tests: list[str]) -> str:
    """Install a wheel with its tests' packages, run the main job twice, and the tests; return the first problem."""
    if not (folder / "bin" / "python").exists():
        subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)  # noqa: S603
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", folder / "bin" / "python"]
    # wheels only: a version without a wheel for this Python is a finding, not a reason to compile
    install = [*pip, "install", "--only-binary", ":all:", "--constraint", ROOT / "constraints.txt", f"{wheel}[dev]"]
    with tempfile.TemporaryDirectory(prefix="ablate-python-") as empty:
        variables = {**os.environ, "MPLCONFIGDIR": empty, "ABLATE_HOME": f"{empty}/.ablate"}
        variables.pop("PYTHONPATH", None)
        run = [folder / "bin" / "ablate", "study", "run", "tau_sweep", "--profile", "smoke"]
        test = [folder / "bin" / "python", "-P", "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
        steps = [
            ("installation", [*install], ""),
            ("the main job", run, "report"),
            ("the main job, once more", run, "nothing to run"),
            *([("the tests", [*test, *(ROOT / "tests" / name for name in tests)], "passed")] if tests else []),
        ]
        for name, command, expected in steps:
            done = subprocess.run(  # noqa: S603
                command,
                cwd=empty,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode or expected not in done.stdout:
                return f"{name} failed:\n{done.stdout[-4000:]}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
