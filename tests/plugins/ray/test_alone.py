"""A Ray that is started for a run: only its own processes reach it, and nothing of it stays."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from support import ray_cluster

import ablate_ray
from ablate.errors import ExecutorError
from ablate.interfaces.executor import Setup
from ablate.processes import process_folder
from ablate.testing.executor_log import Log
from ablate.testing.executor_work import perform

(RAY,) = ablate_ray.ablate_executors()
#: Asks the head of a cluster for a list, as every client does.
ASK = "import sys; from ray._raylet import GcsClient; GcsClient(sys.argv[1]).internal_kv_keys(b'', None, timeout=20)"
#: Addresses of loopback as Linux writes them: 127.0.0.0/8, the same within IPv6, and ::1.
LOOPBACK = re.compile(r"(0{16}FFFF0000)?[0-9A-F]{6}7F|0{24}01000000")
#: The state of a socket that listens.
LISTENS = "0A"


def listening(process: int) -> list[tuple[str, int]]:
    """Return the addresses, in hexadecimal digits, and the ports on which a process listens."""
    own, tables = set(), list[str]()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        tables += [Path(f"/proc/{process}/net/{table}").read_text() for table in ("tcp", "tcp6")]
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was closed since
                own.add(str(descriptor.readlink()))
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]": row[1].split(":") for row in rows if row[3] == LISTENS}
    return [(address, int(port, 16)) for socket, (address, port) in sockets.items() if socket in own]


def ask(port: int, **variables: str) -> str:
    """Ask the head of a cluster as another process; return the last line of the refusal, or nothing."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    words = [sys.executable, "-c", ASK, f"127.0.0.1:{port}"]
    done = subprocess.run(words, env=clean | variables, stderr=subprocess.PIPE, text=True, check=False)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


@pytest.mark.slow
def test_a_ray_of_this_machine_listens_on_loopback_with_a_token_and_ends_with_its_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = ray_cluster.missing()
    if lacking:
        pytest.skip(f"no Ray: {lacking}")
    with tempfile.TemporaryDirectory(prefix="r-", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("TMPDIR", folder)
        with RAY.build(RAY.parse({}), Setup(perform, tmp_path)) as executor:
            log = Log(executor, 60)
            log.submit("where")
            log.until_over()
            client = executor._process.pid
            processes = [client, *ray_cluster.below(client)]
            check_that_nobody_else_gets_in(processes)
            os.kill(client, signal.SIGKILL)
            with pytest.raises(ExecutorError, match="Ray on this machine is gone"):
                log.until(lambda: False)
        deadline = time.monotonic() + 20
        while any(map(ray_cluster.running, processes)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [process for process in processes if ray_cluster.running(process)]
        (left,) = Path(folder).glob("ablate-ray-*")
        monkeypatch.setattr(tempfile, "tempdir", folder)
        with process_folder("ablate-ray-"):  # as the next run begins
            assert not left.exists()


def program(process: int) -> str:
    """Return the path of the program of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def check_that_nobody_else_gets_in(processes: list[int]) -> None:
    found = {process: listening(process) for process in processes}
    assert all(LOOPBACK.fullmatch(address) for addresses in found.values() for address, _ in addresses), found
    (head,) = (process for process in processes if "gcs_server" in program(process))
    ((_, port),) = found[head]
    token = dict(re.findall(r"(RAY_AUTH_TOKEN)=(\w+)", Path(f"/proc/{head}/environ").read_text()))
    assert not ask(port, RAY_AUTH_MODE="token", **token)
    assert "InvalidAuthToken" in ask(port)
