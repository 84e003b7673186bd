"""The public surface, written out: to change it is to change this file."""

from __future__ import annotations

import importlib.metadata

import pytest
from support.checkout import ROOT

import ablate
import ablate.testing

PUBLIC = [
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
TESTING = [
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


def test_public_names() -> None:
    assert ablate.__all__ == PUBLIC


def test_the_instrument_of_drums_is_the_documented_one() -> None:
    page = (ROOT / "docs/reference/python-api.md").read_text(encoding="utf-8")
    assert f".. py:data:: ablate.DRUMS\n   :type: int\n   :value: {ablate.DRUMS}\n" in page


def test_dir_lists_all_of_them() -> None:
    """Also those that are imported when they are first used; completion in a notebook shows them."""
    assert set(PUBLIC) <= set(dir(ablate))
    ours = {name for name, each in vars(ablate).items() if getattr(each, "__module__", "").startswith("ablate.")}
    assert {name for name in ours if not name.startswith("_")} <= set(PUBLIC), "what can be used is public"


def test_an_earlier_name_still_works() -> None:
    assert ablate.load_study is ablate.load_results


def test_public_names_for_tests_of_plugins() -> None:
    assert ablate.testing.__all__ == TESTING


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    assert (getattr(ablate, name).__doc__ or "").strip() or name == "hookimpl"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'ablate' has no attribute 'studdy'"):
        _ = ablate.studdy  # type: ignore[attr-defined]


def test_the_version_is_the_installed_one() -> None:
    assert ablate.__version__ == importlib.metadata.version("ablate-music")
