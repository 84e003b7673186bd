"""The checks of every request: a token for everything but loopback, a name of this machine, reading only.

A page of somebody else in the browser of a viewer is kept out as well. It could reach a server on loopback by a name of
its own that leads here (DNS rebinding), which the check of names refuses; or ask for something that costs time, which
browsers mark as coming from another site.
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The headers of every answer: nothing from elsewhere is loaded, no other site may use an answer, nothing is kept.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server at this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclasses.dataclass(frozen=True)
class Access:
    """The rules for those who ask.

    Attributes:
        host: the address that the server listens at.
        port: its port.
        token: that every viewer needs; empty if none is needed.
    """

    host: str
    port: int
    token: str = ""

    @property
    def cookie(self) -> str:
        """The name of the cookie; browsers send cookies to all ports of a host."""
        return f"ablate-watch-{self.port}"

    def knows(self, host: str) -> bool:
        """Return whether a ``Host`` header is a name of this machine."""
        name = _without_port(host)
        if name in (*LOOPBACK, self.host.lower()):
            return True
        if is_loopback(self.host):
            return False
        if name in (socket.gethostname().lower(), socket.getfqdn().lower()):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # an address is nobody's name

    def admits(self, text: str) -> bool:
        """Return whether a text is the token; how long it takes does not depend on the text."""
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self.token.encode())


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


class Guard:
    """Lets an application answer only those who may ask, and adds the headers.

    Args:
        app: the application.
        access: who may ask.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # the server closes the connection

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).update(HEADERS)
            await send(message)

        answer = self._refusal(scope) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to somebody who may not ask; None if the application answers."""
        headers = Headers(scope=scope)
        if not self._access.knows(headers.get("host", "")):
            return PlainTextResponse(
                "This server does not answer to this name. Use the address that ablate watch has printed.\n", 421
            )
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("This server can only be read.\n", 405, {"Allow": "GET, HEAD"})
        is_visit = scope["path"] == "/" and headers.get("sec-fetch-mode", "navigate") == "navigate"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not is_visit:
            return PlainTextResponse("Another site may not ask this server for anything.\n", 403)
        return self._token_refusal(scope, headers) if self._access.token else None

    def _token_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        query = QueryParams(scope["query_string"])
        given = query.get("token")
        if given is not None and scope["path"] == "/" and self._access.admits(given):
            # the token leaves the address of the page, which people copy
            rest = urlencode([(key, value) for key, value in query.multi_items() if key != "token"])
            answer = RedirectResponse(f"/?{rest}" if rest else "/", 303)
            answer.set_cookie(self._access.cookie, self._access.token, httponly=True, samesite="lax")
            return answer
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        sent = bearer.strip() if scheme.lower() == "bearer" else Request(scope).cookies.get(self._access.cookie, "")
        if sent and self._access.admits(sent):
            return None
        if given or sent:
            return PlainTextResponse("This token is not that of this server. Use the link that it has printed.\n", 403)
        text = "This server needs a token. Use the link that ablate watch has printed.\n"
        return PlainTextResponse(text, 401, {"WWW-Authenticate": "Bearer"})
