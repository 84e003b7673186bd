"""The audit of our dependencies, by the real pip-audit; the list of vulnerabilities is a server of this test."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("pip_audit")


class _List(http.server.BaseHTTPRequestHandler):
    """A list that has one vulnerability, in the form of osv.dev."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        affected = {
            "package": {"name": "onepackage", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.5"}]}],
        }
        fact = {
            "id": "OSV-1",
            "summary": "-",
            "details": "-",
            "affected": [affected],
            "published": "2026-01-01T00:00:00Z",
        }
        is_known = asked["package"]["name"] == "onepackage" and asked["version"] == "1.0"
        body = json.dumps({"vulns": [fact]} if is_known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _List) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/v1/query"
        running.shutdown()


def audit(folder: Path, versions: str, url: str) -> tuple[int, str]:
    (folder / "constraints.txt").write_text(versions)
    words = [sys.executable, str(ROOT / "tools/audit.py"), "constraints.txt", "-s", "osv", "--osv-url", url]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_known_vulnerability_fails(server: str, tmp_path: Path) -> None:
    code, text = audit(tmp_path, "onepackage==1.0\nother==2.0\n", server)
    assert code == 1, text
    assert text == "onepackage 1.0: OSV-1, fixed in 1.5\n1 known vulnerabilities in 2 packages\n"


def test_a_list_that_cannot_be_reached_is_no_failure(tmp_path: Path) -> None:
    code, text = audit(tmp_path, "onepackage==1.0\n", "http://127.0.0.1:1/v1/query")  # nobody listens there
    assert (code, text) == (
        0,
        "not audited: the list of vulnerabilities cannot be reached (requests.exceptions.ConnectionError)\n",
    )
