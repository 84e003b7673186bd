"""Tables to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.study.judge.columns import Wanted
from ablate.study.judge.judge import Request, judged_study, table_source

if TYPE_CHECKING:
    from pathlib import Path

    from support.judging import Judge

    from ablate.study.judge.record import JudgedStudy


@pytest.fixture
def judged(tmp_path: Path) -> Judge:
    def judge(text: str | bytes, name: str = "results.csv", encoding: str = "", **request: Any) -> JudgedStudy:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        wanted = Wanted(**request.pop("wanted", {}))
        return judged_study(table_source(path, encoding), Request(wanted=wanted, **request))

    return judge
