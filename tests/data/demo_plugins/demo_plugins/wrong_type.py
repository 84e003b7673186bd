"""Hands over a record of another hook point."""

from collections.abc import Iterator
from typing import Any

import ablate


@ablate.hookimpl
def ablate_metrics() -> Iterator[Any]:
    """Offer a sampler where a metric belongs."""
    yield ablate.SamplerSpec(name="demo-lost", summary="In the wrong place.", build_rows=None)
