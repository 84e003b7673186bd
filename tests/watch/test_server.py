"""A real server: who may ask, and what nobody gets."""

from __future__ import annotations

import json
import os
import shutil
import socket
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support import forked
from support.watching import HOSTILE, Viewer, get, served

from ablate.errors import UsageError
from ablate.watch.server import app
from ablate.watch.server.guard import Access
from ablate.watch.server.serve import address_of, listen

if TYPE_CHECKING:
    from pathlib import Path

    from support.report_study import Builder, Home

STUDY = "/?study=tau_sweep%40smoke"
QUERY = STUDY.removeprefix("/")
TOKEN = "a-token-of-many-letters"


def contents(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def test_everything_about_a_study_is_read_and_nothing_is_written(server: int, finished: Path) -> None:
    before = contents(finished)
    assert get(server, "/")[:2][1]["location"] == STUDY  # the only one
    status, headers, page = get(server, STUDY)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"tau_sweep@smoke" in page
    viewer = Viewer(server, f"/events{QUERY}")
    viewer.take()
    sample = viewer.parts["samples"]["listed"][0]
    assert viewer.parts["head"]["done"] == 10
    address = f"{QUERY}&key={sample['key']}&number=1"
    status, headers, roll = get(server, f"/sample.json{address}")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert b'"notes":[[' in roll
    assert get(server, f"/sample.mid{address}")[2].startswith(b"MThd")
    if viewer.parts["samples"]["sound"]:
        assert get(server, f"/sample.mp3{address}")[1]["content-type"] == "audio/mpeg"
    assert b'"blocks":[{' in get(server, f"/verdicts{QUERY}")[2]  # the run has recorded this look
    viewer.close()
    assert contents(finished) == before


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/page.css/../page.html.j2",
        "/page.html.j2",
        "/ablate.db",
        "/?study=no_such_study",
        "/events?study=no_such_study",
        "/verdicts",
        f"/sample.mid{QUERY}&key=../../ablate.db&number=0",
        f"/sample.mid{QUERY}&key={'0' * 64}&number=0",
        f"/sample.exe{QUERY}",
    ],
)
def test_nothing_else_is_served(server: int, path: str) -> None:
    status, headers, body = get(server, path)
    assert status == 404
    assert b"root:" not in body
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")


@pytest.mark.parametrize("number", ["-1", "99", "x", "9" * 30, "", "٣"])
def test_a_sample_that_is_none(server: int, number: str) -> None:
    viewer = Viewer(server, f"/events{QUERY}")
    viewer.take()
    key = viewer.parts["samples"]["listed"][0]["key"]
    viewer.close()
    assert get(server, f"/sample.json{QUERY}&key={key}&number={quote(number)}")[0] == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.168.1.7", "", "[::2]"]
)
def test_a_name_of_somebody_else_is_refused(server: int, host: str) -> None:
    assert get(server, STUDY, {"Host": host})[0] == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9999", "[::1]:8000"])
def test_loopback_has_several_names_and_tunnels_have_other_ports(server: int, host: str) -> None:
    assert get(server, STUDY, {"Host": host})[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_changed(server: int, method: str) -> None:
    status, headers, _ = get(server, STUDY, method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert not [name for name in headers if name.startswith("access-control")]


def test_other_sites_may_lead_here_and_nothing_else(server: int) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert get(server, f"/verdicts{QUERY}", foreign)[0] == 403
    assert get(server, STUDY, foreign)[0] == 403
    assert get(server, STUDY, {**foreign, "Sec-Fetch-Mode": "navigate"})[0] == 200
    assert get(server, f"/verdicts{QUERY}", {**foreign, "Sec-Fetch-Mode": "navigate"})[0] == 403
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert get(server, "/page.js", own)[0] == 200


def test_a_token_opens_the_page_and_leaves_its_address(finished: Path) -> None:
    with served(finished, token=TOKEN) as port:
        for path in ("/", STUDY, "/page.js", f"/events{QUERY}", f"/verdicts{QUERY}"):
            status, headers, body = get(port, path)
            assert (status, headers["www-authenticate"]) == (401, "Bearer")
            assert b"tau_sweep" not in body
        for wrong in ("x", TOKEN[:-1], f"{TOKEN}x", "%E9", ""):
            assert get(port, f"/?token={wrong}")[0] in (401, 403)
            assert get(port, STUDY, {"Authorization": f"Bearer {wrong}"})[0] in (401, 403)
        status, headers, _ = get(port, f"/?token={TOKEN}&study=tau_sweep%40smoke")
        assert (status, headers["location"]) == (303, STUDY)
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert get(port, STUDY, {"Cookie": cookie.partition(";")[0]})[0] == 200
        assert get(port, STUDY, {"Cookie": "=; ablate-watch-1=x; b\x00d"})[0] in (400, 401)
        assert get(port, STUDY, {"Authorization": f"Bearer {TOKEN}"})[0] == 200
        assert get(port, f"/verdicts{QUERY}&token={TOKEN}")[0] in (401, 403), "a link to a page, not to everything"


def test_what_an_open_server_calls_itself() -> None:
    everywhere = Access("0.0.0.0", 8000, TOKEN)
    assert everywhere.knows("192.168.1.7:8000")
    assert everywhere.knows(f"{socket.gethostname().upper()}:8000")
    assert not everywhere.knows("evil.example")
    assert not everywhere.knows("")
    assert address_of(Access("::1", 8000), "a b") == "http://[::1]:8000/?study=a+b"
    assert address_of(everywhere, "").endswith(f":8000/?token={TOKEN}")


def test_only_the_study_that_was_named_is_shown(half: tuple[Home, Builder]) -> None:
    home, builder = half
    builder.plan(name="other")
    with served(home.path) as port:
        assert get(port, "/")[0] == 200  # a list: none of them runs
        viewer = Viewer(port, "/events")
        viewer.take()
        assert [each["name"] for each in viewer.parts["studies"]] == [HOSTILE, "other"]
        viewer.close()
    with served(home.path, only="other") as port:
        assert get(port, "/")[1]["location"] == "/?study=other"
        assert get(port, f"/?study={quote(HOSTILE)}")[0] == 404
        assert get(port, f"/events?study={quote(HOSTILE)}")[0] == 404


def test_too_many_viewers_are_refused(server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MOST_VIEWERS", 1)
    viewer = Viewer(server, f"/events{QUERY}")
    viewer.take()
    assert get(server, f"/events{QUERY}")[0] == 503
    viewer.close()


def test_a_port_in_use_and_an_address_of_nobody() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is in use.*--port {port + 1}, or --port 0"):
            listen("127.0.0.1", port)
    with pytest.raises(UsageError, match=r"cannot listen at 192\.0\.2\.1"):
        listen("192.0.2.1", 0)
    with pytest.raises(UsageError, match="no address of this machine"):
        listen("no such host", 0)


def test_a_database_that_is_damaged_meanwhile(half: tuple[Home, Builder]) -> None:
    """Every page says what happened to which file and what to do, in plain text."""
    home, builder = half
    builder.store.close()
    name = quote(HOSTILE)
    with served(home.path) as port:
        viewer = Viewer(port, f"/events?study={name}")
        viewer.take()
        path = home.path / "ablate.db"
        for each in home.path.glob("ablate.db-*"):
            each.unlink()
        path.write_bytes(b"x" * path.stat().st_size)
        while viewer.parts["head"]["phase"] != "gone":
            assert viewer.take()
        expected = f"sqlite:///{path}: file is not a database; the file is damaged or cut off: put back a copy of it"
        assert viewer.parts["head"]["problem"].startswith(expected)
        assert json.loads(get(port, f"/verdicts?study={name}")[2])["refused"].startswith(expected)
        assert get(port, "/?study=another")[::2] == (503, f"{viewer.parts['head']['problem']}\n".encode())
        viewer.close()


def test_a_report_that_is_being_written_and_one_that_is_written(tmp_path: Path, smoke_home: Path) -> None:
    """A real command finds all results, and writes the report; nobody reads that everything has ended before."""
    home = tmp_path / ".ablate"
    shutil.copytree(smoke_home, home)
    phases: list[str] = []
    with served(home) as port:
        viewer = Viewer(port, f"/events{QUERY}")
        viewer.take()
        assert (viewer.parts["head"]["phase"], viewer.parts["head"]["report"]) == ("complete", "")
        with forked.command(["study", "run", "tau_sweep", "--profile", "smoke", "--home", home], cwd=tmp_path) as run:
            while not viewer.parts["head"]["report"]:
                assert viewer.take()
                phases.append(viewer.parts["head"]["phase"])
            assert run.wait() == 0
        assert "reporting" in phases
        assert viewer.parts["head"]["phase"] == "complete"
        assert viewer.parts["head"]["report"] == "reports/tau_sweep@smoke/index.html"
        viewer.close()
        page = home / "reports/tau_sweep@smoke/index.html"
        os.utime(page, (0, 0))
        viewer = Viewer(port, f"/events{QUERY}")
        viewer.take()
        while viewer.parts["head"]["report"]:
            assert viewer.take(), "it is older than the results"
        viewer.close()
