"""A Ray cluster of the tests: several nodes on this machine, with processes of their own, that end with the tests.

The nodes belong to a helper process, so that Ray is not loaded into the process of the tests, and ends surely.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Only processes with this secret reach the nodes, which listen on loopback, and nothing is sent anywhere.
SURROUNDINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # a lost head is found lost sooner than after a minute, on a loaded machine too
    "RAY_gcs_rpc_server_reconnect_timeout_s": "10",
}


def missing() -> str:
    """Return what a cluster lacks here; empty if nothing."""
    if importlib.util.find_spec("ray") is None:
        return "ray (pip install 'ablate-music[ray]')"
    return "" if sys.platform == "linux" else "Linux: elsewhere Ray has no clusters"


class RayCluster:
    """A head, and other nodes with one core each; the head lends a core only if it is alone.

    Args:
        nodes: the number of nodes, the head included.
    """

    def __init__(self, nodes: int) -> None:
        self.port, self._nodes = _free_port(), nodes
        self._start()

    def _start(self) -> None:
        from ablate.processes import process_folder  # not for the helper process

        self._folder = contextlib.ExitStack()
        folder = self._folder.enter_context(process_folder("ablate-test-ray-"))
        (folder / "ray").mkdir()  # Ray writes the address of the head into it
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._nodes), str(self.port), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **SURROUNDINGS, "RAY_TMPDIR": str(folder)},
            start_new_session=True,
            text=True,
        )
        assert self._answer() == "ready"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the cluster has ended"
        return json.loads(line)

    def do(self, command: str) -> Any:
        """Do a command: ``kill`` the busiest node, ``kill-head``, or list the ``workers`` of all."""
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._answer()

    def restart_alone(self) -> None:
        """End all nodes that are left, and start the head again, alone and at the same address."""
        self.close()
        self._nodes = 1
        self._start()

    def close(self) -> None:
        """End all nodes."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._folder.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main() -> None:
    """Keep a cluster until standard input ends."""
    nodes, port, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with _cluster(nodes, port, folder) as cluster:
        _say("ready")
        for line in sys.stdin:
            _say(_COMMANDS[line.strip()](cluster))


@contextlib.contextmanager
def _cluster(nodes: int, port: int, folder: str) -> Iterator[Any]:
    out = os.dup(1)
    os.dup2(2, 1)  # what Ray prints is no answer
    sys.stdout = os.fdopen(out, "w", buffering=1)
    from ray.cluster_utils import Cluster

    options = {
        "num_cpus": 1 if nodes == 1 else 0,
        "gcs_server_port": port,
        "include_dashboard": False,
        "temp_dir": folder,
        "include_log_monitor": False,
        "no_monitor": True,  # nothing asks the cluster to grow
    }
    cluster = Cluster(initialize_head=True, head_node_args=options)
    try:
        for _ in range(nodes - 1):
            cluster.add_node(wait=False)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()


def _say(what: Any) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def _kill(cluster: Any) -> list[int]:
    """Kill the node that computes most, with SIGKILL; return its processes."""
    processes = {node: _processes(node) for node in cluster.worker_nodes}
    before = {node: _ticks(processes[node]) for node in processes}
    time.sleep(0.3)
    node = max(processes, key=lambda each: _ticks(processes[each]) - before[each])
    cluster.remove_node(node, allow_graceful=False)
    return processes[node]


def _ticks(processes: list[int]) -> int:
    """Return the time that processes have computed, in ticks of the system."""
    ticks = 0
    for process in processes:
        with contextlib.suppress(OSError):
            user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
            ticks += int(user) + int(system)
    return ticks


def _kill_head(cluster: Any) -> str:
    cluster.remove_node(cluster.head_node, allow_graceful=False)
    return "killed"


def _workers(cluster: Any) -> list[int]:
    """Return the processes on all nodes."""
    return [process for node in (cluster.head_node, *cluster.worker_nodes) for process in _processes(node)]


def _processes(node: Any) -> list[int]:
    """Return the processes of the raylet of a node, and those that they have started."""
    (raylet,) = node.all_processes["raylet"]
    return below(raylet.process.pid)


def running(process: int) -> bool:
    """Return whether a process runs; not if it has ended and nobody has noticed."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def below(process: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started."""
    found: list[int] = []
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in tasks.read_text().split()]
    return [each for child in found for each in (child, *below(child))]


_COMMANDS = {"kill": _kill, "kill-head": _kill_head, "workers": _workers}

if __name__ == "__main__":
    main()
