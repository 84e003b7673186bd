"""Implements a hook that does not exist."""

import ablate


@ablate.hookimpl
def ablate_sampler() -> list[ablate.SamplerSpec]:
    """Never called."""
    return []
