"""Ablation studies of symbolic-music models: which part made the difference, and is the difference real?

The public names: everything that a plugin needs, and ``run_study``, ``load_results`` and ``render_sound`` for scripts
and notebooks. Importing this module loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.events import Measured, RunFinished, RunStarted, StepLogged, StudyFinished
from ablate.hookspecs import hookimpl
from ablate.interfaces import (
    Augmenter,
    Conditioner,
    Corpus,
    Executor,
    FittedTokenizer,
    FusedModels,
    FusedStepper,
    Fusible,
    Histogram,
    LanguageModel,
    Measurements,
    Metric,
    ModelMetric,
    Optimizer,
    RandomStreams,
    Sampler,
    Schedule,
    SetMetric,
    Steppable,
    Stepper,
    Tokenizer,
    Value,
    WeightGroup,
    scheduler_rates,
)
from ablate.options import option
from ablate.specs import (
    AugmenterSpec,
    ConditionerSpec,
    CorpusSpec,
    ExecutorSpec,
    MetricSpec,
    ModelMetricSpec,
    ModelSpec,
    ObserverSpec,
    OptimizerSpec,
    SamplerSpec,
    ScheduleSpec,
    SetMetricSpec,
    TokenizerSpec,
)

if TYPE_CHECKING:
    from ablate.arrays import BoolArray, FloatArray, IntArray
    from ablate.fusion import apply_each, embed_each
    from ablate.music.performance import DRUMS, Performance
    from ablate.product import Product
    from ablate.report.results import load_results
    from ablate.report.running import run_study
    from ablate.report.sound import render_sound

__version__ = "0.1.0"

__all__ = [
    "DRUMS",
    "Augmenter",
    "AugmenterSpec",
    "BoolArray",
    "Conditioner",
    "ConditionerSpec",
    "Corpus",
    "CorpusSpec",
    "Executor",
    "ExecutorSpec",
    "FittedTokenizer",
    "FloatArray",
    "FusedModels",
    "FusedStepper",
    "Fusible",
    "Histogram",
    "IntArray",
    "LanguageModel",
    "Measured",
    "Measurements",
    "Metric",
    "MetricSpec",
    "ModelMetric",
    "ModelMetricSpec",
    "ModelSpec",
    "ObserverSpec",
    "Optimizer",
    "OptimizerSpec",
    "Performance",
    "Product",
    "RandomStreams",
    "RunFinished",
    "RunStarted",
    "Sampler",
    "SamplerSpec",
    "Schedule",
    "ScheduleSpec",
    "SetMetric",
    "SetMetricSpec",
    "StepLogged",
    "Steppable",
    "Stepper",
    "StudyFinished",
    "Tokenizer",
    "TokenizerSpec",
    "Value",
    "WeightGroup",
    "apply_each",
    "embed_each",
    "hookimpl",
    "load_results",
    "option",
    "render_sound",
    "run_study",
    "scheduler_rates",
]

# NumPy and the study machinery are loaded when first asked for, so that `ablate --help` starts at once.
_LATE = {
    "BoolArray": "ablate.arrays",
    "DRUMS": "ablate.music.performance",
    "FloatArray": "ablate.arrays",
    "IntArray": "ablate.arrays",
    "Performance": "ablate.music.performance",
    "Product": "ablate.product",
    "embed_each": "ablate.fusion",
    "apply_each": "ablate.fusion",
    "load_results": "ablate.report.results",
    "render_sound": "ablate.report.sound",
    "run_study": "ablate.report.running",
}


#: Names that earlier versions had.
_EARLIER = {"load_study": "load_results"}


def __getattr__(name: str) -> Any:
    name = _EARLIER.get(name, name)
    if name not in _LATE:
        raise AttributeError(f"module 'ablate' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
