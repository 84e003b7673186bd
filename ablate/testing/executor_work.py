"""The work of the tasks of :class:`ablate.testing.ExecutorContract` in their workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.interfaces.executor import Channel

#: The number of messages that a task ``count`` sends, and the bytes of every tenth one.
MESSAGES, LARGE = 40, 300_000
#: Seconds after which a task that waits gives up: whatever fails, no worker stays for ever.
_LONGEST = 120.0


def perform(data: bytes, channel: Channel) -> None:
    """Do one of the tasks below, named with its arguments in JSON."""
    name, *arguments = json.loads(data)
    _TASKS[name](channel, *arguments)


def _tell(channel: Channel, what: Any) -> None:
    channel.send(json.dumps(what).encode())


def _where(channel: Channel) -> None:
    """Send the machine, the process, the device, and the home as the worker sees it."""
    home = channel.home and sorted(path.name for path in channel.home.iterdir())
    _tell(channel, [socket.gethostname(), os.getpid(), channel.device, home])


def _count(channel: Channel) -> None:
    """Send numbered messages, some of them large."""
    for number in range(MESSAGES):
        channel.send(str(number).encode().ljust(LARGE if number % 10 == 0 else 1))


def _fail(_: Channel) -> None:
    """Raise an exception."""
    raise ValueError("on purpose")


def _die(channel: Channel) -> None:
    """Be killed from outside, after a message and a sign."""
    _where(channel)
    channel.sign("metric 'x'")
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _wait(channel: Channel) -> None:
    """Wait until the driver wants this task to stop, with signs of progress."""
    _where(channel)
    deadline = time.monotonic() + _LONGEST
    while not channel.should_stop() and time.monotonic() < deadline:
        channel.sign("waiting")
        time.sleep(0.02)
    _tell(channel, "stopped")


def _hang(channel: Channel) -> None:
    """Wait, whatever the driver wants."""
    _where(channel)
    time.sleep(_LONGEST)


def _fetch(channel: Channel, *digests: str) -> None:
    """Send contents back."""
    for digest in digests:
        channel.send(channel.fetch(digest))


def _print(channel: Channel) -> None:
    """Print to both streams, as components do, then send a message."""
    print("printed by a task")  # noqa: T201
    print("printed by a task", file=sys.stderr)  # noqa: T201
    _tell(channel, "printed")


_TASKS = {
    "where": _where,
    "count": _count,
    "fail": _fail,
    "die": _die,
    "wait": _wait,
    "hang": _hang,
    "fetch": _fetch,
    "print": _print,
}
