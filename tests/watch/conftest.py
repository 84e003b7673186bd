"""Homes and servers that the tests of ``ablate watch`` share."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.report_study import Builder
from support.watching import HACK, HOSTILE, IMAGE, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.report_study import Home


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, smoke_home: Path) -> Path:
    """A home with a study that was really run."""
    home = tmp_path_factory.mktemp("watched") / ".ablate"
    shutil.copytree(smoke_home, home)
    # somebody may have read the original meanwhile: without the log that SQLite keeps beside a file then
    with contextlib.closing(sqlite3.connect(home / "ablate.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return home


@pytest.fixture(scope="module")
def server(finished: Path) -> Iterator[int]:
    """The port of a server of this home, which needs no token."""
    with served(finished) as port:
        yield port


@pytest.fixture
def half(tmp_path: Path) -> Iterator[tuple[Home, Builder]]:
    """A study whose first replicate is done, with names that would like to be code, and its builder."""
    builder = Builder(tmp_path / "half", ("plain", HACK, IMAGE), 2, 1)
    builder.plan(name=HOSTILE)
    record = builder.store.study(HOSTILE)
    spec = {**record.spec, "question": f"{HACK} {IMAGE}?"}
    record = dataclasses.replace(record, spec=spec, corpus=IMAGE)
    builder.store.put_study(record, builder.store.variants(HOSTILE), builder.store.runs(HOSTILE))
    builder.load()
    builder.train(0)
    for name in builder.names:
        builder.generate(name, 0)
        builder.measure(name, 0)
        builder.store.set_run(HOSTILE, name, 0, "done")
    builder.store.set_run(HOSTILE, IMAGE, 1, "failed", "TrainingDiverged", HACK)
    with builder.store:
        yield builder.built, builder
