"""The program of a job: starts workers, hands them the tasks of the driver, and passes on what comes of them.

A pilot that has to end asks its tasks to stop after their step, so that what they have reached is sent. It has to end
before the time limit of the job, when SLURM cancels the job, and when there is no sign of the driver.
"""

from __future__ import annotations

import multiprocessing.connection
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.interfaces.executor import Begun, Died
from ablate_slurm.log import Reader, Writer
from ablate_slurm.messages import (
    Beat,
    Begin,
    Bye,
    End,
    Hello,
    Leave,
    Leaving,
    Stop,
)
from ablate_slurm.node.news import News
from ablate_slurm.node.process import WorkerProcess
from ablate_slurm.pace import Pace
from ablate_slurm.session import BEAT, FROM, PLACE, TO, read_beat, read_setup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.interfaces.executor import Event

#: Seconds for tasks to end after their step when SLURM ends the job; it kills after 30 s by default.
_GRACE = 20.0
#: Why a pilot has to end, as the end of a sentence.
LIMIT, SLURM = "its job has come near its time limit", "SLURM has ended its job"
#: Seconds that count as silence of the driver between two looks, at most: a file server that hangs is no silence.
_MOST = 1.0
#: Seconds between two looks for workers that end.
_LOOK = 0.01


class Pilot:
    """The pilot of a job.

    Args:
        session: the folder that is shared with the driver.
        environment: of this process.
    """

    def __init__(self, session: Path, environment: Mapping[str, str]) -> None:
        self._session, self._environment = session, environment
        self._setup = read_setup(session)
        name = f"{_job(environment)}.{environment.get('SLURM_RESTART_COUNT', '0')}"
        folder, hidden = session / name, session / f".{name}"
        hidden.mkdir()
        Writer(hidden, FROM).create()
        Writer(hidden, TO).create()
        hidden.rename(folder)
        self._orders = Reader(folder, TO)
        self._workers: list[WorkerProcess] = []
        self._dismissed: list[WorkerProcess] = []
        self._waiting: list[Begin] = []
        self._stopping, self._over = False, False
        self._asked_tasks: list[str] = []
        self._why = ""
        self._leaving_until, self._asked = 0.0, False
        self._pace = Pace()
        self._news = News(Writer(folder, FROM), self._pace)
        self._beat, self._silent, self._looked, self._beaten = b"", 0.0, time.monotonic(), 0.0

    def run(self) -> None:
        """Work until there is no more to do here."""
        self._news.tell(Hello(socket.gethostname(), self._setup.workers))
        self._workers = [self._new_worker(index) for index in range(self._setup.workers)]
        while not self._over:
            self._take_orders()
            self._assign()
            self._listen()
            self._watch_driver()
            self._end_in_time()
            if not self._news.send(at_once=self._over):
                self._over = True  # the driver has removed the folder
        for worker in self._workers:
            self._dismiss(worker)
        while self._dismissed:
            self._reap()
            time.sleep(_LOOK)
        self._news.tell(Bye(tuple(self._asked_tasks), self._why))
        self._news.send(at_once=True)

    def leave(self, why: str, seconds: float) -> None:
        """End within some seconds: a signal handler calls it."""
        self._why = self._why or why
        until = time.monotonic() + seconds
        self._leaving_until = min(self._leaving_until, until) if self._leaving_until else until

    def _new_worker(self, index: int) -> WorkerProcess:
        environment = dict(self._environment)
        gpus = [each for each in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if each]
        if self._setup.device != "cpu" and gpus:
            environment["CUDA_VISIBLE_DEVICES"] = gpus[index % len(gpus)]
        return WorkerProcess(self._session, environment)

    def _take_orders(self) -> None:
        if not self._pace.is_due():
            return
        try:
            orders = self._orders.read()
        except FileNotFoundError:
            orders = []  # the driver has removed the folder; its sign of life decides
        for order in orders:
            self._take(order)

    def _take(self, order: Any) -> None:
        self._pace.moved()
        if isinstance(order, Begin):
            self._waiting.append(order)
        elif isinstance(order, End):
            self._end(order.task)
        elif isinstance(order, Stop):
            self._stopping = True
            for worker in self._workers:
                worker.stop()
        elif isinstance(order, Leave):
            self._over = True

    def _end(self, task: str) -> None:
        if any(each.task == task for each in self._waiting):  # both orders came at once
            self._waiting = [each for each in self._waiting if each.task != task]
            self._news.tell(Died(task, "was ended by ablate"))
        for worker in self._workers:
            if worker.task and worker.task.task == task:
                worker.kill()

    def _assign(self) -> None:
        while self._waiting and not self._leaving_until:
            index = next((index for index, worker in enumerate(self._workers) if worker.task is None), None)
            if index is None:
                return
            task = self._waiting.pop(0)
            if task.alone or self._workers[index].gone:
                self._renew(index)
            self._workers[index].begin(task, stopping=self._stopping)
            self._news.tell(Begun(task.task, PLACE))

    def _renew(self, index: int) -> None:
        self._dismiss(self._workers[index])
        self._workers[index] = self._new_worker(index)

    def _dismiss(self, worker: WorkerProcess) -> None:
        worker.dismiss()
        self._dismissed.append(worker)

    def _reap(self) -> None:
        self._dismissed = [worker for worker in self._dismissed if not worker.has_left()]

    def _listen(self) -> None:
        """Hear the workers, at the latest when there is something else to do."""
        alive = [worker.connection for worker in self._workers if not worker.gone]
        if alive and self._news.room > 0:
            multiprocessing.connection.wait(alive, self._pace.pause)
        else:
            time.sleep(self._pace.pause)
        for index, worker in enumerate(self._workers):
            task = worker.task
            for event in worker.events(self._news.room):
                if not self._is_kept(event):
                    self._news.tell(event)
            if task and worker.task is None:
                self._pace.moved()
                if task.alone or worker.gone:
                    self._renew(index)
        self._reap()

    def _is_kept(self, event: Event) -> bool:
        """Keep the end of a task that SLURM wanted for the last message: by then SLURM has its reason."""
        if not isinstance(event, Died) or not event.asked or event.how != SLURM:
            return False
        self._asked_tasks.append(event.task)
        return True

    def _watch_driver(self) -> None:
        now = time.monotonic()
        if now - self._looked < _MOST:
            return
        self._silent, self._looked = self._silent + _MOST, now
        if now - self._beaten >= BEAT and not self._news.has(Beat):
            self._news.tell(Beat())
            self._beaten = now
        beat = _beat(self._session) or self._beat
        if beat != self._beat:
            self._beat, self._silent = beat, 0.0
        elif self._silent > self._setup.patience and not self._leaving_until:
            why = f"its job had no sign of this command for {self._setup.patience:g} s"
            print(f"ablate: {why}", file=sys.stderr)  # noqa: T201
            self.leave(why, min(_GRACE, self._setup.patience))

    def _end_in_time(self) -> None:
        if not self._leaving_until:
            return
        if not self._asked:
            self._asked = True
            self._news.tell(Leaving())
            for worker in self._workers:
                worker.ask_to_leave(self._why)
        working = any(worker.task for worker in self._workers)
        self._over = self._over or not working or time.monotonic() > self._leaving_until


def _beat(session: Path) -> bytes:
    try:
        return read_beat(session)
    except OSError:
        return b""


def _job(environment: Mapping[str, str]) -> str:
    """Return the job as squeue shows it."""
    array, index = (environment.get(f"SLURM_ARRAY_{each}", "") for each in ("JOB_ID", "TASK_ID"))
    return f"{array}_{index}" if array else environment.get("SLURM_JOB_ID", "")


def main() -> None:
    """Run the pilot: SESSION, and the seconds of notice before the time limit."""
    session, notice = Path(sys.argv[1]), float(sys.argv[2])
    pilot = Pilot(session, os.environ)
    signal.signal(signal.SIGUSR1, lambda *_: pilot.leave(LIMIT, notice))
    signal.signal(signal.SIGTERM, lambda *_: pilot.leave(SLURM, _GRACE))
    pilot.run()


if __name__ == "__main__":
    main()
