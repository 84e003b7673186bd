"""``ablate watch``."""

from __future__ import annotations

import importlib.util
import re
import secrets
from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo, note
from ablate.cli.locations import (
    check_stored,
    corpus_option,
    existing_store,
    home_option,
    profile_option,
    store_option,
    stored_name,
)
from ablate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

INSTALL = "pip install 'ablate-music[watch]'"
#: A token has only characters that mean nothing in a link or a cookie, and too many to be guessed.
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,256}")
_NEEDED = ("starlette", "uvicorn")


@click.command("watch")
@click.argument("study", default="")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at. The default can be reached from this machine only; every other address needs a token.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen at; 0 takes a free one.",
)
@click.option(
    "--token",
    envvar="ABLATE_WATCH_TOKEN",
    show_envvar=True,
    help="Token that every viewer needs; default: a new random one, or none on this machine only.",
)
@profile_option
@corpus_option
@home_option
@store_option
def command(
    *,
    study: str,
    host: str,
    port: int,
    token: str | None,
    profile: str,
    corpus: str,
    home: Path,
    store: str | None,
) -> None:
    """Show a study in the browser while it runs: progress, losses, first samples, and verdicts if you ask for them.

    STUDY is the name of a study that has been started; without it, the page shows the one that runs, or a list. The
    page only reads, and a run does not wait for it. Ctrl-C ends it.

    Example: ablate watch tau_sweep
    """
    _check_installed()
    if token is not None and not _TOKEN.fullmatch(token):
        raise UsageError("--token needs 16 to 256 letters, digits or . _ ~ -; leave it out for a random one")
    if not study and (profile or corpus):
        option = "--profile" if profile else "--corpus"
        raise UsageError(f"{option} belongs to the name of a study: ablate watch STUDY {option} {profile or corpus}")
    study = study and stored_name(study, profile, corpus)
    with existing_store(home, store) as opened:
        if study:
            check_stored(opened, study, home)
    from ablate.watch.server.guard import Access
    from ablate.watch.server.serve import address_of, listen, needs_token, serve
    from ablate.watch.source import Place
    from ablate.watch.watched import Home

    if token is None and needs_token(host):
        token = secrets.token_urlsafe(32)
    with listen(host, port) as listening:
        access = Access(host, listening.getsockname()[1], token or "")
        watched = Home(Place(home.resolve(), store), study)

        def ready() -> None:
            echo(f"watching {study or home} at {address_of(access, study)}")
            if needs_token(host):
                note("the connection is not encrypted, and whoever has this link can see the studies of this home")
            echo("Ctrl-C ends it; the study does not notice", err=True)

        serve(watched, access, listening, ready)


def _check_installed() -> None:
    """Check that the server is installed.

    Raises:
        UsageError: it is not; the message has the command that installs it.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"ablate watch needs {' and '.join(missing)}; to install: {INSTALL}")
