"""The server: its socket, and its end by Ctrl-C with viewers connected."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import uvicorn

from ablate.errors import UsageError
from ablate.watch.server.app import make_app
from ablate.watch.server.guard import Access, Guard, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import FrameType

    from ablate.watch.watched import Home

#: Seconds that requests may take to end when the server ends.
_GRACE = 1
#: Added to the priority number of the process: a study that runs on this machine goes first.
_NICE = 10


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: an address or a name of this machine.
        port: 0 for a free one.

    Raises:
        UsageError: the port is in use or may not be used, or the host is no address of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror as error:
        raise UsageError(f"--host {host} is no address of this machine ({error.strerror}); try 127.0.0.1") from error
    except OverflowError as error:
        raise UsageError(f"--port {port}: ports go from 1 to 65535; 0 takes a free one") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} of {host} is in use, maybe by another ablate watch; choose another one: "
                f"--port {port + 1}, or --port 0 for a free one"
            ) from error
        if error.errno == errno.EACCES:
            raise UsageError(f"port {port} may not be used by you; choose one above 1023, or --port 0") from error
        raise UsageError(f"cannot listen at {host}, port {port} ({error.strerror}); try --host 127.0.0.1") from error


def address_of(access: Access, study: str) -> str:
    """Return the link to the page."""
    name = access.host
    if name in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not listened at
        name = socket.getfqdn()
    query = ({"token": access.token} if access.token else {}) | ({"study": study} if study else {})
    shown = f"[{name}]" if ":" in name else name
    return f"http://{shown}:{access.port}/{'?' if query else ''}{urlencode(query)}"


class Server(uvicorn.Server):
    """A server that ends the streams of its viewers when it is asked to end."""

    def __init__(self, config: uvicorn.Config, home: Home, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._home, self._ready = home, ready
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """See :class:`uvicorn.Server`."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See :class:`uvicorn.Server`; from here on, a signal ends the server in good order."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """See :class:`uvicorn.Server`; a terminal that is closed ends the server in good order too."""
        with super().capture_signals(), _captured_hangup(self.handle_exit):
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See :class:`uvicorn.Server`."""
        super().handle_exit(sig, frame)
        if self._loop:
            self._loop.call_soon_threadsafe(self._home.close)


@contextlib.contextmanager
def _captured_hangup(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle SIGHUP, unless something else does: ``nohup`` lets a command outlive its terminal."""
    number = getattr(signal, "SIGHUP", None)  # not every system has it
    in_main = threading.current_thread() is threading.main_thread()
    if number is None or not in_main or signal.getsignal(number) is not signal.SIG_DFL:
        yield
        return
    signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL)


def make_server(home: Home, access: Access, ready: Callable[[], object]) -> Server:
    """Return a server that runs as soon as it has a socket, and calls ``ready`` when it answers."""
    config = uvicorn.Config(
        Guard(make_app(home), access),
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="asyncio",
        http="h11",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )
    return Server(config, home, ready)


def serve(home: Home, access: Access, listening: socket.socket, ready: Callable[[], object]) -> None:
    """Answer until Ctrl-C.

    Args:
        home: the studies.
        access: who may ask.
        listening: from :func:`listen`.
        ready: called when it answers.
    """
    with contextlib.suppress(OSError, AttributeError):  # not every system has priorities
        os.nice(_NICE)
    with _only_tracebacks(), contextlib.suppress(KeyboardInterrupt), listening:
        # uvicorn raises the signal again at its end
        make_server(home, access, ready).run([listening])
    home.close()


@contextlib.contextmanager
def _only_tracebacks() -> Iterator[None]:
    """Keep the lines of uvicorn away from the terminal, except errors of ours."""

    def is_bug(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return error is not None and not isinstance(error, asyncio.CancelledError)

    logger = logging.getLogger("uvicorn.error")
    logger.addFilter(is_bug)
    try:
        yield
    finally:
        logger.removeFilter(is_bug)


def needs_token(host: str) -> bool:
    """Return whether a server at this address needs a token."""
    return not is_loopback(host)
