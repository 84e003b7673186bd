"""A PostgreSQL server of the tests, from the system's packages: in a temporary folder, on loopback and a socket."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import functools
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The password of the server's owner over TCP; over the socket none is needed.
PASSWORD = "p@ss/w:rd"
#: Debian installs the programs of each version into a folder of its own, outside of the PATH.
_DEBIAN = Path("/usr/lib/postgresql")
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "autovacuum": "off",
}
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_NUMBERS = itertools.count()


def missing() -> str:
    """Return what a server lacks here; empty if nothing."""
    if _programs() is None:
        return "the programs of a PostgreSQL server (Debian: apt-get install postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        return f"psycopg ({error}; pip install 'ablate-music[postgres]')"
    if os.geteuid() == 0 and _owner() is None:
        return "a user other than root that a server could run as"
    return ""


@functools.cache
def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(_DEBIAN.glob("[0-9]*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


@functools.cache
def _owner() -> pwd.struct_passwd | None:
    """Return the user that the server runs as where the tests run as root, which a server refuses."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


@dataclasses.dataclass
class Server:
    """A server that ends with this process, however it ends."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, *, password: str = "") -> str:
        """Return the URL of a database; with a password over TCP."""
        if not password:
            return f"postgresql+psycopg://ada@/{database}?host={self.folder}&port={self.port}"
        import sqlalchemy as sa

        found = sa.URL.create("postgresql+psycopg", "ada", password, "127.0.0.1", self.port, database)
        return found.render_as_string(hide_password=False)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        places = ["-k", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [_program("postgres"), "-D", str(self.folder / "data"), *places, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it calls the system alone
                **_as_owner(),
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.ask("postgres", "SELECT 1")
            except Exception:  # noqa: BLE001 - of psycopg, which may not be installed
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self.folder / "log").read_text(errors="replace")) from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it at once, as a crash does; its clients lose their connections."""
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
            self.process = None

    def ask(self, database: str, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run SQL as any other program may, and return the rows if there are any."""
        import psycopg

        with psycopg.connect(
            host=str(self.folder), port=self.port, user="ada", dbname=database, autocommit=True
        ) as connection:
            found = connection.execute(question, values or None)
            return found.fetchall() if found.description else []

    def create(self, template: str = "template0") -> str:
        """Make a database out of another one, and return its name."""
        name = f"test{next(_NUMBERS)}"
        self.ask("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, and end its connections."""
        self.ask("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Make a server, start it, and remove it with everything in it."""
    # not below the folder of pytest, which nobody else may enter; short, because the path of a socket is
    with tempfile.TemporaryDirectory(prefix="ablate-pg-") as folder:
        server = Server(Path(folder), _free_port())
        if os.geteuid() == 0:
            os.chown(folder, _owner().pw_uid, _owner().pw_gid)  # type: ignore[union-attr]
        password = Path(folder) / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        made = subprocess.run(
            [
                *(_program("initdb"), "-D", f"{folder}/data", "-U", "ada", "-E", "UTF8", "--no-sync"),
                *("--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"),
            ],
            check=False,
            capture_output=True,
            cwd=folder,
            **_as_owner(),
        )
        assert made.returncode == 0, made.stderr.decode()
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _program(name: str) -> str:
    programs = _programs()
    assert programs
    return str(programs / name)


def _as_owner() -> dict[str, Any]:
    owner = _owner() if os.geteuid() == 0 else None
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGQUIT)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
