"""Studies by the command line whose results are in a PostgreSQL database."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from support import forked
from support.store_material import measurements

from ablate import load_results
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.commands import Command
    from support.postgres import Server

STUDY = """
question = "Does tau matter?"
replicates = 2
floors.draws = 1
objective = { metric = "distance.pitch", feature = "average", direction = "lower" }
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
hidden = 8
[training]
precision = "fp32"
steps = 2
[generation]
samples = 2
tokens = 40
[sampler.temperature]
[metric."distance.pitch"]
[metric."distance.velocity"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 0.8
"""


@pytest.fixture
def url(postgres_template: tuple[Server, str]) -> Iterator[str]:
    server, template = postgres_template
    name = server.create(template)
    yield server.url(name)
    server.drop(name)


def rows(url: str) -> list[Any]:
    """Every measurement and histogram of a study, and those of its floors."""
    with Store(url, writing=False) as store:
        stages = [f for run in store.runs("small") for f in run.stages.values()]
        floors = sorted(store.floors(stages).items()), sorted(store.floor_histograms(stages).items())
        return [measurements(store, "small"), store.histograms("small"), floors]


def test_a_study_is_the_same_in_a_server_and_in_a_file(ablate: Command, tmp_path: Path, url: str) -> None:
    (tmp_path / "small.toml").write_text(STUDY)
    common = ("study", "run", "small.toml", "--workers", "1", "--no-report")
    assert ablate(*common, "--home", "file").code == 0
    assert ablate(*common, "--home", "here", "--store", url).code == 0
    expected = rows(f"sqlite:///{tmp_path}/file/ablate.db")
    assert rows(url) == expected
    assert len(expected[0]) > 30
    with_store = ("--home", "here", "--store", url)
    assert "nothing to run" in ablate(*common, *with_store).out
    for words in (("study", "show", "small"), ("study", "export", "small", "-o", "-")):
        assert ablate(*words, *with_store).out == ablate(*words, "--home", "file").out
    assert "all is as it was recorded" in ablate("db", "check", *with_store).out
    assert "already at schema" in ablate("db", "upgrade", *with_store).out
    assert "nothing to remove" in ablate("clean", "--yes", *with_store).out
    assert load_results("small", home="here", store=url).frame().equals(load_results("small", home="file").frame())
    _check_bundle_and_deletion(ablate, url)


def _check_bundle_and_deletion(ablate: Command, url: str) -> None:
    with_store = ("--home", "here", "--store", url)
    assert ablate("study", "bundle", "small", "-o", "small.zip", *with_store).code == 0
    checked = json.loads(ablate("db", "check", "--json", "--home", "other", "--store", url).out)
    assert (checked["findings"], checked["elsewhere"] > 5) == ([], True)
    assert ablate("study", "delete", "small", "--yes", *with_store).code == 0
    with Store(url) as store:
        assert store.studies() == store.unused_stages() == []
    assert ablate("study", "unbundle", "small.zip", *with_store).code == 0
    assert "all is as it was recorded" in ablate("db", "check", *with_store).out


def test_a_server_that_stops_in_the_middle_of_a_run(
    ablate: Command, tmp_path: Path, url: str, postgres_server: Server
) -> None:
    """The run ends in one line, and the same command continues it; nothing is there twice."""
    (tmp_path / "small.toml").write_text(STUDY.replace("steps = 2", "steps = 40"))
    words = ["study", "run", "small.toml", "--workers", "1", "--no-report", "--home", "home", "--store", url]
    database = url.partition("@/")[2].partition("?")[0]
    with forked.command(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 60
            while not postgres_server.ask(database, "SELECT 1 FROM ablate_stages WHERE kind = 'prepare'"):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            postgres_server.stop()
            assert process.stderr
            err = process.stderr.read().decode()
            code = process.wait(timeout=60)
        finally:
            process.kill()
            if postgres_server.process is None:
                postgres_server.start()
    last = err.splitlines()[-1]
    assert code == 1, err
    assert last.startswith("error: postgresql+psycopg://ada@/")
    assert "look whether the server runs" in last
    assert last.endswith("; then run the same command again")
    assert "Traceback" not in err
    assert ablate(*words).code == 0
    assert ablate(*words[:-3], "file").code == 0
    assert rows(url) == rows(f"sqlite:///{tmp_path}/file/ablate.db")


def test_a_server_that_does_not_answer_is_one_line(ablate: Command) -> None:
    pytest.importorskip("psycopg")
    with socket.socket() as taken:  # bound and not listening, so that nobody else answers at this port
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://ada@127.0.0.1:{taken.getsockname()[1]}/x"
        listed = ablate("study", "list", "--store", url)
    assert listed.code == 1
    assert listed.err.count("\n") == 1
    assert "failed: Connection refused; look whether the server runs" in listed.err
