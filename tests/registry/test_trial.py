"""Plugins that hang or end their process while they are loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from ablate.registry import GROUP
from ablate.registry.trial import try_to_load

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="plugins are tried on Linux only")

MODULES = {
    "closes": "import os, time\nos.closerange(3, 256)\ntime.sleep(99)\n",
    "crashes": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "fine": "import ablate\nprint('a print')\n@ablate.hookimpl\ndef ablate_metrics():\n    return []\n",
    "greedy": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')\n",
    "hangs": "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass\n",
    "hook-hangs": (
        "import ablate, time\n@ablate.hookimpl\ndef ablate_metrics():\n    while True:\n        time.sleep(9)\n"
    ),
    "interrupts": "raise KeyboardInterrupt\n",
    "leaves": "import os\nos._exit(0)\n",
    "never-stops": (
        "import ablate, itertools\n@ablate.hookimpl\ndef ablate_metrics():\n    for n in itertools.count():\n"
        "        yield ablate.MetricSpec(name=f'm{n}', summary='.', build=print)\n"
    ),
}
SECONDS = 1.0  # more than a busy machine needs for the others
SLOW, DEAD = f"it was not loaded within {SECONDS:g} s", "while it was loaded"
PROBLEMS = {
    "closes": SLOW,
    "crashes": f"it was killed by SIGSEGV {DEAD}",
    "greedy": SLOW,
    "hangs": SLOW,
    "hook-hangs": SLOW,
    "leaves": f"it ended its process (exit code 0) {DEAD}",
}


def modules(folder: Path) -> list[EntryPoint]:
    """Write the modules, and return their entry points."""
    for name, text in MODULES.items():
        (folder / f"trial_{name.replace('-', '_')}.py").write_text(text, encoding="utf-8")
    return [EntryPoint(name, f"trial_{name.replace('-', '_')}", GROUP) for name in MODULES]


def test_only_those_that_hang_or_end_their_process_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    entry_points = modules(tmp_path)
    started = time.monotonic()
    problems = try_to_load(entry_points, SECONDS)
    assert {entry_points[index].name: problem for index, problem in problems.items()} == PROBLEMS
    assert time.monotonic() - started < 60


def test_a_command_goes_on_without_them(tmp_path: Path) -> None:
    about = tmp_path / "trial-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: trial\nVersion: 1\n", encoding="utf-8")
    lines = [f"{each.name} = {each.value}" for each in modules(tmp_path)]
    (about / "entry_points.txt").write_text("[ablate]\n" + "\n".join(lines), encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "ABLATE_PLUGIN_SECONDS": str(SECONDS)}
    command = [sys.executable, "-P", "-m", "ablate", "plugin", "list", "--kind", "metric", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    listed = json.loads(done.stdout)
    assert {each["name"] for each in listed["failed"]} == {*PROBLEMS, "interrupts", "never-stops"}
    assert "distance.pitch" in {each["name"] for each in listed["components"]}
    for name, problem in PROBLEMS.items():
        assert f"is left out: {problem}; ABLATE_PLUGINS=-{name} leaves it out" in done.stderr
    assert "Traceback" not in done.stderr
