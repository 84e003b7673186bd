"""Keeps its contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Options:
    """One option of each look."""

    share: float = ablate.option(gt=0, le=1, doc="A share.")
    sizes: tuple[int, ...] = ablate.option((8, 16), ge=1, min_length=1, doc="Some sizes.")
    mode: Literal["soft", "hard"] = ablate.option("soft", doc="How [firmly].")
    limit: float | None = ablate.option(None, doc="A limit, if any.")
    loud: bool = ablate.option(False, doc="Say so.")


def _build(*_: Any) -> Any:
    raise AssertionError("nothing is built to be listed")


@ablate.hookimpl
def ablate_samplers() -> Iterator[ablate.SamplerSpec]:
    """Offer two samplers, one under a name that the rival claims, one under a name that a metric has too."""
    yield ablate.SamplerSpec(name="demo-clash", summary="Is claimed twice.", build_rows=_build)
    yield ablate.SamplerSpec(
        name="demo-shared", summary="Has options.", version="7", options=Options, build_rows=_build
    )


@ablate.hookimpl
def ablate_metrics() -> Iterator[ablate.MetricSpec]:
    """Offer a metric."""
    yield ablate.MetricSpec(name="demo-shared", summary="Has none.", build=_build)
