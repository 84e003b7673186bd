"""The contract of each hook point as tests: subclass one, say what to test, and pytest runs the rest.

    from ablate.testing import TokenizerContract
    from my_plugin import ablate_tokenizers

    class TestMine(TokenizerContract):
        spec = next(iter(ablate_tokenizers()))
        options = ({}, {"step": 0.02})

``spec`` is the record under test. ``options`` are the settings to try, as plain values of a study file; by default
the component's own defaults alone. Each contract lists what else can be set. ablate itself does not need pytest, so it
is no dependency of it: the plugin's tests bring it.
"""

from __future__ import annotations

from ablate.testing.model import ModelContract
from ablate.testing.music import (
    AugmenterContract,
    CorpusContract,
    MetricContract,
    ModelMetricContract,
    TokenizerContract,
)
from ablate.testing.network import ConditionerContract, SamplerContract
from ablate.testing.samples import performances

__all__ = [
    "AugmenterContract",
    "ConditionerContract",
    "CorpusContract",
    "MetricContract",
    "ModelContract",
    "ModelMetricContract",
    "SamplerContract",
    "TokenizerContract",
    "performances",
]
