"""Claims a name that is taken."""

from collections.abc import Iterator
from typing import Any

import ablate


def _build(*_: Any) -> Any:
    raise AssertionError("nothing is built to be listed")


@ablate.hookimpl
def ablate_samplers() -> Iterator[ablate.SamplerSpec]:
    """Offer a sampler under a name that is taken, and one of its own."""
    yield ablate.SamplerSpec(name="demo-clash", summary="Claims a name.", build_rows=_build)
    yield ablate.SamplerSpec(name="demo-own", summary="Has its own name.", build_rows=_build)
