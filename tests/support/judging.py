"""Types of the tests that judge tables."""

from __future__ import annotations

from collections.abc import Callable

from ablate.study.judge.record import JudgedStudy

#: Writes the content of a file and judges it, with the fields of a request as keywords.
Judge = Callable[..., JudgedStudy]
