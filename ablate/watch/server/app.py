"""The addresses of the server. All of them are read; paths of files are computed from stages that the study has."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ablate.errors import AblateError
from ablate.files import file_name
from ablate.printable import printable
from ablate.watch.server.stream import EventStream
from ablate.watch.verdicts import EARLY

if TYPE_CHECKING:
    from collections.abc import Callable

    import jinja2
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ablate.watch.watched import Home, Watched

#: Files of the page, with their types.
_ASSETS = {"page.js": "text/javascript", "page.css": "text/css"}
_FOLDER = Path(__file__).parent / "page"
#: The digits of the number of a sample, at most.
_LONGEST = 6
#: More viewers at once are refused.
MOST_VIEWERS = 200


def make_app(home: Home) -> Starlette:
    """Return the application that answers for the studies of a home."""
    addresses = _Addresses(home)
    return Starlette(
        routes=[
            Route("/", addresses.page),
            Route("/events", _Endpoint(addresses)),
            Route("/verdicts", addresses.verdicts),
            Route("/sample.{kind:str}", addresses.sample),
            *(Route(f"/{name}", _asset((_FOLDER / name).read_bytes(), kind)) for name, kind in _ASSETS.items()),
        ]
    )


def _asset(content: bytes, kind: str) -> Callable[[Request], Response]:
    return lambda request: Response(content, media_type=kind)


@functools.cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string((_FOLDER / "page.html.j2").read_text(encoding="utf-8"))


class _Endpoint:
    """The stream of a page, as an ASGI application: its response needs the functions of the server itself."""

    def __init__(self, addresses: _Addresses) -> None:
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        from starlette.requests import Request

        answer = await self._addresses.events(Request(scope))
        await answer(scope, receive, send)


class _Addresses:
    """Answers requests; the functions that are not ``async`` run in threads.

    Args:
        home: the studies.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def page(self, request: Request) -> Response:
        """Return the page of a study, or the list of studies."""
        name = request.query_params.get("study", "")
        if not name and "list" not in request.query_params:
            try:
                name = self._home.first()
            except AblateError:
                name = ""  # the page shows why, as soon as it asks for the list
            if name:
                return RedirectResponse(f"/?study={quote(name, safe='')}", 303)
        if name and (lacking := self._lacking(name)):
            return lacking
        text = _template().render(study=printable(name), is_list=not name, several=not self._home.only, early=EARLY)
        return Response(text, media_type="text/html; charset=utf-8")

    def _lacking(self, name: str) -> Response | None:
        try:
            if self._home.get(name):
                return None
        except AblateError as error:
            return PlainTextResponse(f"{printable(str(error))}\n", 503)
        return PlainTextResponse("There is no such study in this home. The list of all: /?list\n", 404)

    def _study(self, request: Request) -> Watched | None:
        try:
            return self._home.get(request.query_params.get("study", ""))
        except AblateError:
            return None

    async def events(self, request: Request) -> ASGIApp:
        """Return the stream of a study, or of the list."""
        from starlette.concurrency import run_in_threadpool

        if self._home.viewers >= MOST_VIEWERS:
            return PlainTextResponse("There are too many viewers.\n", 503)
        if "study" not in request.query_params:
            return EventStream(self._home.list.messages())
        study = await run_in_threadpool(self._study, request)
        if study is None:
            return PlainTextResponse("There is no such study.\n", 404)
        return EventStream(study.hub.messages())

    def verdicts(self, request: Request) -> Response:
        """Return the verdicts of a study, which somebody has asked for."""
        study = self._study(request)
        return JSONResponse(study.verdicts()) if study else PlainTextResponse("There is no such study.\n", 404)

    def sample(self, request: Request) -> Response:
        """Return a sample: its notes (``json``), its MIDI file (``mid``) or its sound (``mp3``)."""
        study = self._study(request)
        # a fingerprint of another stage, or a number that is none, finds nothing
        stage = study.stage(request.query_params.get("key", "")) if study else None
        text, kind = request.query_params.get("number", ""), request.path_params["kind"]
        number = int(text) if text.isdecimal() and len(text) < _LONGEST else -1
        sample = study.music.sample(stage, number) if study and stage else None
        if study is None or sample is None:
            return PlainTextResponse("There is no such sample.\n", 404)
        if kind == "json":
            return JSONResponse(study.music.roll(sample))
        if kind == "mid":
            name = f"{file_name(study.name)}-{number}.mid"
            return Response(
                sample.midi_bytes(),
                media_type="audio/midi",
                headers={"Content-Disposition": f'attachment; filename="{name}"'},
            )
        sound = study.music.sound(sample) if kind == "mp3" else None
        if sound is None:
            return PlainTextResponse("There is no sound.\n", 404)
        return Response(sound, media_type="audio/mpeg")
