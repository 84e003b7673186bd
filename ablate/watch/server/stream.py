"""Server-sent events. A viewer who takes nothing for a while is dropped, and nobody waits for one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

#: Seconds that a viewer may take for one message.
PATIENCE = 30.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies would keep the events back
]


class EventStream:
    """A response that sends messages as they come, until they end or the viewer leaves.

    Args:
        messages: events, as bytes.
        patience: seconds for one message.
    """

    def __init__(self, messages: AsyncGenerator[bytes, None], patience: float = PATIENCE) -> None:
        self._messages, self._patience = messages, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        del scope
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        sending, leaving = asyncio.create_task(self._send(send)), asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await task
            await self._messages.aclose()

    async def _send(self, send: Send) -> None:
        try:
            async for message in self._messages:
                body = {"type": "http.response.body", "body": message, "more_body": True}
                async with asyncio.timeout(self._patience):  # wait_for of Python 3.11 can lose a cancellation
                    await send(body)
        except TimeoutError:
            return  # the server closes the connection of a response without an end
        await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
