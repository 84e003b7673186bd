"""The contract of each kind of component as tests: subclass it, set ``spec``, and pytest runs the tests.

For example::

    from ablate.testing import TokenizerContract
    from my_plugin import ablate_tokenizers

    class TestMine(TokenizerContract):
        spec = next(iter(ablate_tokenizers()))
        options = ({}, {"step": 0.02})

``spec`` is the record under test. ``options`` are the settings to try, as plain values of a study file; the default is
the component's own defaults only. The docstring of each contract lists its other attributes. ablate does not depend on
pytest; the tests of a plugin do.
"""

from __future__ import annotations

from ablate.testing.augmenter import AugmenterContract
from ablate.testing.conditioner import ConditionerContract
from ablate.testing.corpus import CorpusContract
from ablate.testing.executor import ExecutorContract
from ablate.testing.fitted_tokenizer import FittedTokenizerContract
from ablate.testing.material import performances
from ablate.testing.metric import MetricContract, ModelMetricContract, SetMetricContract
from ablate.testing.model import ModelContract
from ablate.testing.observer import ObserverContract
from ablate.testing.optimizer import OptimizerContract
from ablate.testing.sampler import SamplerContract
from ablate.testing.schedule import ScheduleContract
from ablate.testing.tokenizer import TokenizerContract

__all__ = [
    "AugmenterContract",
    "ConditionerContract",
    "CorpusContract",
    "ExecutorContract",
    "FittedTokenizerContract",
    "MetricContract",
    "ModelContract",
    "ModelMetricContract",
    "ObserverContract",
    "OptimizerContract",
    "SamplerContract",
    "ScheduleContract",
    "SetMetricContract",
    "TokenizerContract",
    "performances",
]
