"""A small study with blocks in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from support.effects_material import Stored

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.report.data.study import Study

BLOCKS = ("seed=1", "seed=2", "seed=3", "seed=4")
AXES = {"split.seed": {"levels": [1, 2, 3, 4], "block": True}, "sampler.temperature.tau": [1.0, 0.8, 0.6]}
METRIC = ("distance.pitch", "average")


def blocked_study(home: Path, effects: dict[float, tuple[float, ...]], n: int = 8, **spec: Any) -> Study:
    """A study whose variants differ from tau=1.0 by these effects, one for each block; blocks differ by 10."""
    rng = np.random.default_rng(3)
    levels, values = {}, {}
    for index, block in enumerate(BLOCKS):
        base = rng.normal(10.0 * index, 0.5, n)
        for tau in (1.0, *effects):
            name = f"{block}, tau={tau}"
            levels[name] = {"split.seed": index + 1, "sampler.temperature.tau": tau}
            values[name] = base + effects.get(tau, (0.0,) * 4)[index] + rng.normal(0, 0.3 * (tau != 1.0), n)
    objective = {"metric": METRIC[0], "feature": METRIC[1]}
    return Stored(home, levels, {METRIC: values}).put(axes=AXES, objective=objective, design="factorial", **spec)
