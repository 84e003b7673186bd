"""Shards are merged into a database on a server, with files in the home."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from support.store_material import measurements

from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.commands import Command
    from support.postgres import Server


@pytest.fixture
def url(postgres_template: tuple[Server, str]) -> Iterator[str]:
    server, template = postgres_template
    name = server.create(template)
    yield server.url(name)
    server.drop(name)


def rows(url: str) -> list[Any]:
    """Return all that is stored of the study but times and the facts of the machine."""
    with Store(url, writing=False) as store:
        runs = [(run.variant, run.replicate, run.state, run.stages) for run in store.runs("small")]
        stages = store.stages(fingerprint for *_, of_run in runs for fingerprint in of_run.values())
        kept = sorted((f, stage.kind, stage.config, stage.artifact, stage.files) for f, stage in stages.items())
        floors = sorted(store.floors(stages).items()), sorted(store.floor_histograms(stages).items())
        return [runs, kept, measurements(store, "small"), store.histograms("small"), floors]


def test_shards_merged_into_a_server_are_the_local_run(
    ablate: Command, copied: Callable[[str], Path], url: str
) -> None:
    one, two, local = copied("1"), copied("2"), copied("local")
    into = ("--home", "all", "--store", url)
    first = ablate("db", "merge", str(one), *into)
    assert (first.code, first.err) == (0, "")
    assert "small: 4 of 8 runs done" in first.out
    second = ablate("db", "merge", str(one), str(two), *into)
    assert (second.code, second.err) == (0, "")
    assert "small: 8 of 8 runs done" in second.out
    assert rows(url) == rows(f"sqlite:///{local}/ablate.db")
    assert "added" not in ablate("db", "merge", str(two), str(local), *into).out
    assert "all is as it was recorded" in ablate("db", "check", *into).out
    assert ablate("study", "show", "small", *into).out == ablate("study", "show", "small", "--home", str(local)).out


def test_a_conflict_with_rows_on_a_server_is_named_and_replaces_nothing(
    ablate: Command, copied: Callable[[str], Path], url: str
) -> None:
    local = copied("local")
    into = ("--home", "all", "--store", url)
    assert ablate("db", "merge", str(local), *into).code == 0
    before = rows(url)
    with contextlib.closing(sqlite3.connect(local / "ablate.db")) as opened, opened:
        changed = (
            "UPDATE ablate_measurements SET value = value + 1 WHERE id = (SELECT max(id) FROM ablate_measurements)"
        )
        assert opened.execute(changed).rowcount == 1
    refused = ablate("db", "merge", str(local), *into)
    assert refused.code == 1
    assert "it differs in measurement" in refused.err
    assert rows(url) == before
