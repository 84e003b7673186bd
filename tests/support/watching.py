"""A server of ``ablate watch`` in a thread, and what a viewer without a browser does."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from typing import TYPE_CHECKING, Any

from ablate.watch.server.guard import Access
from ablate.watch.server.serve import listen, make_server
from ablate.watch.source import Place
from ablate.watch.watched import Home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: Names that would like to be code: of variants and errors, and of a study.
HACK = "</script><script>window.hacked=1</script>"
IMAGE = "<img src=x onerror=window.hacked=1>"
HOSTILE = f"{IMAGE}&study=x@smoke"
#: Seconds that a server or a message may take on a busy machine.
PATIENCE = 60


@contextlib.contextmanager
def served(path: Path, *, only: str = "", token: str = "", host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Serve the studies of a home, and yield the port."""
    with listen(host, port) as listening:
        found: int = listening.getsockname()[1]
        home = Home(Place(path), only)
        ready = threading.Event()
        server = make_server(home, Access(host, found, token), ready.set)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield found
        finally:
            home.close()
            server.should_exit = True
            thread.join(PATIENCE)
    assert not thread.is_alive()


def get(
    port: int, path: str, headers: Mapping[str, str] = {}, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers by their names in lower case, and the body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()


class Viewer:
    """A viewer who reads a stream of events.

    Attributes:
        parts: the state, from all messages so far.
        kinds: the kind of each message, in order.
    """

    def __init__(self, port: int, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._connection.request("GET", path)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        self.parts: dict[str, Any] = {}
        self.kinds: list[str] = []

    def take(self) -> str:
        """Wait for the next message, and return its kind; empty at the end of the stream."""
        kind = self._answer.readline().decode().removeprefix("event: ").strip()
        data = self._answer.readline().decode().removeprefix("data: ").strip()
        self._answer.readline()
        if kind == "state":
            self.parts = {}
        if kind in ("state", "changes"):
            self.parts |= json.loads(data)
            self.parts = {name: part for name, part in self.parts.items() if part is not None}
        self.kinds.append(kind)
        return kind

    def close(self) -> None:
        """Leave."""
        self._answer.close()
        self._connection.close()
