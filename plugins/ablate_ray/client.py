"""The process that talks with Ray for the driver: commands come and reports go over one connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from ablate.errors import AblateError, named_line, one_line
from ablate.interfaces.executor import Noted
from ablate_ray.connection import connected
from ablate_ray.contents import Contents
from ablate_ray.messages import Command, End, Failed, Leave, Places, Put, Report, Start, Stop, Submit
from ablate_ray.nodes import Nodes
from ablate_ray.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.interfaces.executor import Event

#: Seconds between two looks at the machines of the cluster.
_LOOK = 2.0


def main(descriptor: int) -> None:
    """Serve the driver, until it leaves or is gone."""
    connection = Connection(descriptor)
    try:
        start: Start = pickle.loads(connection.recv_bytes())  # noqa: S301 - the driver has packed it
        with connected(start.options, start.workers):
            # Ray has handlers of its own by now; the driver alone decides when this process ends
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda *_: None)
            asyncio.run(_serve(connection, start))
    except (EOFError, _GoneError):
        pass  # the driver knows what it means that nothing comes any more
    except AblateError as error:
        _report(connection, Failed(one_line(error)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver shows it as one line
        _report(connection, Failed(f"executor 'ray' has failed: {named_line(error)}"))
    connection.close()
    os._exit(0)  # threads of Ray may still run


def _report(connection: Connection, report: Report | list[Event]) -> None:
    with contextlib.suppress(OSError):  # the driver is gone, which the other direction shows
        connection.send_bytes(pickle.dumps(report))


async def _serve(connection: Connection, start: Start) -> None:
    await _Client(connection, start).serve()


class _GoneError(Exception):
    """The cluster does not answer."""


class _Client:
    """Takes commands to the pool, and brings events to the driver."""

    def __init__(self, connection: Connection, start: Start) -> None:
        self._connection = connection
        self._contents = Contents()
        self._nodes = Nodes(start)
        self._pool = Pool(start, self._nodes, self._contents, lambda events: _report(connection, events))

    async def serve(self) -> None:
        """Serve until the driver leaves."""
        commands: asyncio.Queue[Command] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        await self._nodes.look()
        _report(self._connection, Places(self._nodes.places))
        threading.Thread(
            target=_listen,
            args=(self._connection, lambda command: loop.call_soon_threadsafe(commands.put_nowait, command)),
            daemon=True,
        ).start()
        looking = asyncio.create_task(self._follow())
        serving = asyncio.create_task(self._take(commands))
        done, _ = await asyncio.wait((looking, serving, self._pool.problem), return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()

    async def _take(self, commands: asyncio.Queue[Command]) -> None:
        while True:
            command = await commands.get()
            if isinstance(command, Put):
                self._contents.add(command.digest, command.path)
            elif isinstance(command, Submit):
                self._pool.submit(command.task)
            elif isinstance(command, End):
                self._pool.end(command.task)
            elif isinstance(command, Stop):
                self._pool.stop()
            elif isinstance(command, Leave):
                await self._pool.leave(command.seconds)
                return

    async def _follow(self) -> None:
        """Follow the cluster as machines come and go, and look whether tasks wait for it."""
        while True:
            await asyncio.sleep(_LOOK)
            try:
                changed = await self._nodes.look()
            except Exception as error:  # Ray's exceptions for this are many
                raise _GoneError from error
            if changed:
                _report(self._connection, Places(self._nodes.places))
            notes: list[Event] = [Noted("", text) for text in self._pool.notes()]
            if notes:
                _report(self._connection, notes)
            self._pool.fill()


def _listen(connection: Connection, take: Callable[[Command], None]) -> None:
    """Take commands until the driver leaves or is gone."""
    try:
        while True:
            command: Command = pickle.loads(connection.recv_bytes())  # noqa: S301 - the driver has packed it
            take(command)
    except (EOFError, OSError):
        take(Leave(0.0))
