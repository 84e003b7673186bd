"""The script for SLURM: bash reads it, SLURM's requests are in it, and it can be run."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from ablate.study.shards.script import Array, script

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

COMMAND = ("ablate", "study", "run", "a study.toml", "--set", "model.lstm.hidden=8", "--set", "question=$HOME `id` 'x'")


def array(**changes: object) -> Array:
    facts: dict[str, object] = {
        "study": "tau_sweep",
        "shards": 20,
        "command": COMMAND,
        "cores": 4,
        "gpus": 0.0,
        "seconds": 3600.0,
        "bytes": 2**30,
    }
    return Array(**(facts | changes))  # type: ignore[arg-type]


def requests(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["tau_sweep", "a b", "-x", "$(id)", "a'b\"c", "ä/ö", "50%", "#"])
def test_bash_reads_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / "script.sh"
    file.write_text(script(array(study=name)), encoding="utf-8")
    done = subprocess.run(["bash", "-n", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_asks_for_what_the_estimate_says() -> None:
    asked = requests(script(array()))
    assert (asked["array"], asked["cpus-per-task"], asked["mem"]) == ("1-20", "4", "3G")
    assert asked["time"] == "0-02:10:00"  # twice the hour, and 10 min
    assert "gpus" not in asked
    assert requests(script(array(gpus=0.5)))["gpus"] == "1"
    assert requests(script(array(seconds=math.nan, bytes=0)))["time"] == "1-00:00:00"


def test_slurm_finds_its_requests_before_the_first_command() -> None:
    lines = script(array()).splitlines()
    first = next(index for index, line in enumerate(lines) if line and not line.startswith("#"))
    assert lines[0] == "#!/bin/bash"
    assert not any(line.startswith("#SBATCH") for line in lines[first:])
    assert not any(" #" in line for line in lines if line.startswith("#SBATCH"))


def test_its_words_arrive_as_they_are(tmp_path: Path) -> None:
    fake = tmp_path / "ablate"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    file = tmp_path / "script.sh"
    file.write_text(script(array()), encoding="utf-8")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": "7"}
    done = subprocess.run(["bash", file], capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
    home = ["--shard", "7/20", "--home", "shards/tau_sweep/7", "--workers", "4", "--yes"]
    assert done.stdout.splitlines() == [*COMMAND[1:], *home]
    done = subprocess.run(["bash", file, "merge"], capture_output=True, text=True, check=True, env=environment)
    words = done.stdout.splitlines()
    assert words[:2] == ["db", "merge"]
    assert words[2:22] == [f"shards/tau_sweep/{number}" for number in range(1, 21)]
    assert words[22:] == ["--home", ".ablate", "study", "report", "--home", ".ablate", "tau_sweep"]


def test_plan_prints_the_script_alone(ablate: Command, tiny: Path, tmp_path: Path) -> None:
    words = [*("--replicates", "3"), *("--set", "training.steps=2"), *("--workers", "1")]
    done = ablate("study", "plan", str(tiny), *words, "--shards", "5", "--home", str(tmp_path / "none"))
    assert done.code == 0
    assert "note: 3 trainings fill 3 shards, so 2 of 5 have nothing to do" in done.err
    assert done.out.startswith("#!/bin/bash\n")
    assert not (tmp_path / "none").exists()
    command = shlex.split(done.out.partition("exec ")[2].replace("\\\n", ""))
    assert command[:3] == ["ablate", "study", "run"]
    assert str(tiny) in command
    assert {"--replicates", "3", "--set", "training.steps=2"} <= set(command)
    assert 'ablate db merge "$shards"/{1..5}' in done.out
