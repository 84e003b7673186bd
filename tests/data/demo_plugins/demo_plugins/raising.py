"""Raises after its first component."""

from collections.abc import Iterator

import ablate


@ablate.hookimpl
def ablate_metrics() -> Iterator[ablate.MetricSpec]:
    """Offer one, then fail."""
    yield ablate.MetricSpec(name="demo-half", summary="Comes before the failure.", build=None)
    raise RuntimeError("half\nway")
