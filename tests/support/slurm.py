"""A SLURM cluster of one node, from the system's packages: in a temporary folder, with ports and a key of its own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The cores that the node pretends to have.
CORES = 2
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "unshare")
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
MpiDefault=none
SwitchType=switch/none
KillWait=5
JobRequeue=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=16000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=60 OverSubscribe=NO State=UP
PartitionName=closed Nodes={host} MaxTime=60 State=DOWN
"""


def missing() -> str:
    """Return what a cluster lacks here; empty if nothing."""
    programs = [name for name in _PROGRAMS if not _program(name)]
    if programs:
        return f"{', '.join(programs)} (Debian: apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "the rights of root, which the daemons of SLURM need"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Cluster:
    """Daemons that end with this process, however it ends.

    Attributes:
        folder: with the state, the logs and the settings.
        environment: for the commands of SLURM and for ``ablate``.
        hidden: a folder that the node does not see; on it, another and empty one is there.
        shared: a folder that the node sees.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "slurm.conf"
        self.environment = {"SLURM_CONF": str(self.settings)}
        self.hidden, self.shared = folder / "hidden", folder / "shared"
        for name in ("state", "spool", "hidden", "shared"):
            (folder / name).mkdir()
        self._ports = {"controller": _free_port(), "node": _free_port()}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all daemons, and wait until the node takes jobs."""
        host = socket.gethostname().partition(".")[0]
        self.settings.write_text(_SETTINGS.format(host=host, folder=self.folder, cores=CORES, **self._ports))
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        places = {"socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log", "seed-file": "munge.seed"}
        words = [f"--{option}={self.folder / name}" for option, name in places.items()]
        self._start("munged", "--foreground", f"--key-file={key}", *words)
        self.start_controller()
        # the node has a file system of its own at one place
        see = 'mount -t tmpfs none "$0" && exec "$@"'
        node = [_program("slurmd") or "", "-D", "-f", str(self.settings), "-N", host]
        self._start("unshare", "-m", "sh", "-c", see, str(self.hidden), *node, name="slurmd")
        self._until(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), "the node does not take jobs")

    def start_controller(self) -> None:
        """Start the daemon that schedules, and wait until it answers and knows its node."""
        self._start("slurmctld", "-D", "-f", str(self.settings))
        self._until(lambda: "UP" in self.ask("scontrol", "ping"), "the controller does not answer")
        if "slurmd" in self._processes:  # until it has heard of the node again, it refuses jobs
            self._until(lambda: not re.search(r"\*|unk", self.ask("sinfo", "-h", "-o", "%T")), "the node is not back")

    def kill_controller(self) -> None:
        """Kill the daemon that schedules."""
        process = self._processes.pop("slurmctld")
        process.kill()
        process.wait()

    def ask(self, *words: str) -> str:
        """Run a command of SLURM, and return what it prints."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=60)
        return done.stdout + done.stderr

    def jobs(self) -> list[str]:
        """Return the jobs that wait or run, one line for each."""
        return self.ask("squeue", "-h", "-r", "-o", "%i %T %j %r").splitlines()

    def stop(self) -> None:
        """End the jobs and the daemons."""
        if "slurmctld" in self._processes and self.jobs():
            self.ask("scancel", "--signal=KILL", "--full", "-u", "root")
            self.ask("scancel", "-u", "root")
            with contextlib.suppress(AssertionError):
                self._until(lambda: not self.jobs(), "jobs stay")
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, program: str, *words: str, name: str = "") -> None:
        with (self.folder / f"{name or program}.out").open("ab") as out:
            self._processes[name or program] = subprocess.Popen(
                [_program(program) or program, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it calls the system alone
            )

    def _until(self, condition: object, problem: str) -> None:
        deadline = time.monotonic() + 30
        while not condition():  # type: ignore[operator]
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            assert not ended, "\n".join((self.folder / f"{name}.out").read_text(errors="replace") for name in ended)
            assert time.monotonic() < deadline, f"{problem}: {self.ask('sinfo', '-R')}"
            time.sleep(0.05)


@contextlib.contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a cluster, and remove it with everything in it."""
    with tempfile.TemporaryDirectory(prefix="ablate-slurm-") as folder:
        Path(folder).chmod(0o711)  # munged wants everybody to reach its socket
        cluster = Cluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
