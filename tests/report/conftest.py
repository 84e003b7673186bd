"""Reports of small studies, each written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.report_study import REPORTED, STUDY, Builder, Home

from ablate.report.write import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Two variants, three replicates, two samples; all of it done."""
    builder = Builder(tmp_path_factory.mktemp("finished"), ("tau=0.6", "tau=0.8"), 3, 2)
    builder.plan(REPORTED)
    with builder.store:
        yield builder.finish()


@pytest.fixture(scope="session")
def page(finished: Home) -> Path:
    """The report of the finished study."""
    return write_report(finished.store, finished.path, STUDY)


@pytest.fixture(scope="session")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a study that is half done, with names to escape and with files gone."""
    builder = Builder(tmp_path_factory.mktemp("troubled"), ("plain", "<b>$x$</b>\n音"), 2, 1)
    builder.plan(name="../odd name")
    builder.load()
    for variant in builder.names:
        builder.train(0)
        builder.generate(variant, 0)
        builder.measure(variant, 0)
        builder.store.set_run("../odd name", variant, 0, "done")
    builder.store.set_run("../odd name", "plain", 1, "failed", "TrainingDiverged", "loss is <NaN> at step 3")
    for pattern in ("train-*/losses.npy", "load-*/performances.npz"):
        next((builder.home / "artifacts").glob(pattern)).unlink()
    next((builder.home / "artifacts").glob("generate-*/performances.npz")).write_bytes(b"no archive")
    with builder.store:
        return write_report(builder.store, builder.home, "../odd name")
