"""optuna-dashboard on our database, asked over HTTP as a browser would."""

from __future__ import annotations

import json
import threading
import urllib.request
import wsgiref.simple_server
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from support.trials_material import layout, trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ablate.store.store import Store

optuna_dashboard = pytest.importorskip("optuna_dashboard")


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def get(store: Store, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """``get("/api/...")``: what the dashboard answers about a study of which one variant is complete."""
    with trials(store.url, layout(tmp_path)) as opened_trials:
        opened_trials.report("tau=0.8", {0: (0.5,), 1: (0.75,)}, complete=True)
        opened_trials.report("tau=1.0", {1: (0.25,)}, complete=False)
    storage = optuna.storages.RDBStorage(store.url)
    app = optuna_dashboard.wsgi(storage)
    with wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def ask(path: str) -> Any:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=30) as answer:
                return json.load(answer)

        yield ask
        server.shutdown()
        thread.join()
    storage.remove_session()
    storage.engine.dispose()


def test_the_dashboard_shows_variants_as_trials(get: Callable[[str], Any]) -> None:
    (study,) = get("/api/studies")["study_summaries"]
    assert (study["study_name"], study["directions"]) == ("sweep", ["minimize"])
    shown = get(f"/api/studies/{study['study_id']}?after=0")
    complete, running = shown["trials"]
    assert (complete["state"], complete["values"]) == ("Complete", [0.625])
    assert (running["state"], running.get("values")) == ("Running", None)
    assert [trial["params"][0]["name"] for trial in (complete, running)] == ["sampler.temperature.tau"] * 2
    assert [trial["params"][0]["param_external_value"] for trial in (complete, running)] == ["0.8", "1.0"]
    steps = [{step["step"]: step["value"] for step in trial["intermediate_values"]} for trial in (complete, running)]
    assert steps == [{0: 0.5, 1: 0.75}, {1: 0.25}]
    attributes = {attribute["key"]: attribute["value"] for attribute in complete["user_attrs"]}
    assert attributes["ablate:variant"] == "tau=0.8"
