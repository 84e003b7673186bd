"""One reader for all viewers: however many there are, the database is read once.

A state consists of parts. Each part has the version in which it changed, so a viewer who was slow gets what has changed
since the version that it has, in one message; the states in between are skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ablate.errors import one_line
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

#: Seconds between two reads, at least.
PAUSE = 1.0
#: The reader rests this many times as long as a read has computed, so that it uses a twentieth of a core at most.
#: The time in which it waited for a lock does not count: after 30 seconds of it, the page would be old for 10 minutes.
REST = 20
#: Seconds between two signs of life to a viewer to whom nothing else is sent.
PING = 10.0


class Hub:
    """Shares what a function reads among viewers; without viewers nothing is read.

    Args:
        read: returns the parts of the state by name, as JSON-ready data; it is called in a thread of the hub.
        pause: seconds between two reads.
        ping: seconds between two signs of life.
    """

    def __init__(self, read: Callable[[], Mapping[str, Any]], pause: float = PAUSE, ping: float = PING) -> None:
        self._read, self._pause, self._ping = read, pause, ping
        self._parts: dict[str, tuple[int, str]] = {}
        self._version = 0
        self._messages: dict[int, bytes] = {}
        self._changed = asyncio.Event()
        self._closed = False
        self._viewers = 0
        self._reader: asyncio.Task[None] | None = None
        # not the threads of the event loop, for which it would wait at its end
        self._thread = ThreadPoolExecutor(1, "ablate-watch")

    @property
    def viewers(self) -> int:
        """The number of viewers."""
        return self._viewers

    def close(self) -> None:
        """Tell all viewers that the server ends; their streams end."""
        self._closed = True
        self._thread.shutdown(wait=False)
        self._wake()

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """Yield the whole state, then its changes, as messages of a stream, until the server ends."""
        self._viewers += 1
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_often())
        try:
            seen = 0
            while not self._closed:
                if self._version > seen:
                    # before it is sent: there may be a newer version afterwards
                    message, seen = self._message(seen), self._version
                    yield message
                    continue
                changed = self._changed
                try:
                    async with asyncio.timeout(self._ping):
                        await changed.wait()
                except TimeoutError:
                    yield event("ping", "")
            yield event("end", "")
        finally:
            self._viewers -= 1
            if not self._viewers and self._reader:
                # forgotten before it has ended: a viewer who comes meanwhile needs another one
                reader, self._reader = self._reader, None
                reader.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reader

    async def _read_often(self) -> None:
        parts: Mapping[str, Any]
        while True:
            begun, computed = time.monotonic(), 0.0
            try:
                parts, computed = await asyncio.get_running_loop().run_in_executor(self._thread, self._measured_read)
            except Exception as error:  # noqa: BLE001 - a bug, which must not end the page without a word
                parts = {"head": {"phase": "gone", "problem": f"unexpected error: {printable(one_line(error))}"}}
            self._take(parts)
            await asyncio.sleep(max(self._pause, time.monotonic() - begun, REST * computed))

    def _measured_read(self) -> tuple[Mapping[str, Any], float]:
        """Return the parts of the state, and the seconds for which their thread has computed."""
        begun = time.thread_time()
        return self._read(), time.thread_time() - begun

    def _take(self, parts: Mapping[str, Any]) -> None:
        texts = {name: json.dumps(part) for name, part in parts.items()}
        gone = [name for name, (_, text) in self._parts.items() if name not in texts and text != "null"]
        changed = {name: text for name, text in texts.items() if self._parts.get(name, (0, ""))[1] != text}
        changed |= dict.fromkeys(gone, "null")
        if not changed:
            return
        self._version += 1
        self._messages = {}
        self._parts |= {name: (self._version, text) for name, text in changed.items()}
        self._wake()

    def _message(self, seen: int) -> bytes:
        """Return what has changed since a version; viewers with the same one share the message."""
        if seen not in self._messages:
            new = [
                f"{json.dumps(name)}:{text}"
                for name, (version, text) in self._parts.items()
                if version > seen and (seen or text != "null")
            ]
            self._messages[seen] = event("changes" if seen else "state", f"{{{','.join(new)}}}")
        return self._messages[seen]

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def event(kind: str, data: str) -> bytes:
    """Return an event of a stream; ``data`` is one line."""
    return f"event: {kind}\ndata: {data}\n\n".encode()
