"""Reports of small studies, each written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.report_study import REPORTED, STUDY, Builder, Home, troubled_study

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
    builder = troubled_study(tmp_path_factory.mktemp("troubled"), "../odd name")
    with builder.store:
        return write_report(builder.store, builder.home, "../odd name")
