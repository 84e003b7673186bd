"""Optimizers and schedules in a study file: exactly one of each, with a default."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import PluginError, StudyFileError
from ablate.registry import GROUP, Registry, get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec

RIVAL = """
import ablate

@ablate.hookimpl
def ablate_optimizers():
    yield ablate.OptimizerSpec(name="rival", summary="Claims.", build=lambda options: None, default=True)
"""


def recipes(spec: StudySpec, registry: Registry | None = None) -> list[tuple[str, str]]:
    configurations = [spec.configuration(v, registry or get_registry()) for v in spec.variants()]
    return [(each.one("optimizer").name, each.one("schedule").name) for each in configurations]


def edited(path: Path, text: str) -> Path:
    path.write_text(path.read_text("utf-8").replace("[training]", f"{text}\n[training]"), "utf-8")
    return path


def test_a_study_that_names_none_gets_adam_at_a_constant_rate(load: Callable[..., StudySpec]) -> None:
    assert recipes(load()) == [("adam", "constant")] * 2


def test_a_study_names_one_of_each(tiny: Path) -> None:
    spec = read_study(str(edited(tiny, "[optimizer.sgd]\nmomentum = 0.5\n[schedule.step]\ndecay = 0.5")))
    assert recipes(spec) == [("sgd", "step")] * 2
    made = spec.configuration(spec.variants()[0], get_registry())
    assert made.one("optimizer").options == {"momentum": 0.5, "nesterov": False}
    assert made.one("schedule").options == {"decay": 0.5, "decay_every": 1000}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[optimizer.adam]\n[optimizer.sgd]",
            "optimizer: exactly one optimizer is needed, found 2: adam, sgd. Offered: adam, adamw, muon, sgd",
        ),
        ("[optimizer]", "optimizer: exactly one optimizer is needed, found none. Offered: "),
        ("[schedule.cosine]", "schedule.cosine: unknown schedule 'cosine'"),
        ("[optimizer.adam]\nbeta1 = 1.0", "optimizer.adam.beta1: must be a number ≥ 0 and < 1, not 1.0"),
        (
            "[optimizer.sgd]\nmomentum = 0.0\nnesterov = true",
            "optimizer.sgd: nesterov needs a momentum above 0",
        ),
    ],
)
def test_each_problem_has_its_key(tiny: Path, text: str, problem: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read_study(str(edited(tiny, text)))
    assert [each for each in caught.value.problems if each.startswith(problem)], caught.value.problems


def test_both_are_axes(load: Callable[..., StudySpec]) -> None:
    axes: dict[str, Any] = {"optimizer": ["adam", "adamw"], "schedule": [{"step": {"decay": 0.5}}, "constant"]}
    spec = load({"axes": axes, "baseline": {}})
    assert recipes(spec) == [("adam", "step"), ("adam", "constant"), ("adamw", "step"), ("adamw", "constant")]
    assert [v.name for v in spec.variants() if v.baseline] == ["optimizer=adam, schedule=step(decay=0.5)"]


def test_the_first_level_is_the_baseline_whatever_the_default_is(load: Callable[..., StudySpec]) -> None:
    spec = load({"axes": {"optimizer": ["sgd", "adamw"]}, "baseline": {}})
    assert [v.name for v in spec.variants() if v.baseline] == ["optimizer=sgd"]


def test_an_option_of_the_default_is_an_axis_too(load: Callable[..., StudySpec]) -> None:
    spec = load({"axes": {"optimizer.adam.beta2": [0.99, 0.999]}, "baseline": {}})
    made = [spec.configuration(v, get_registry()).one("optimizer").options["beta2"] for v in spec.variants()]
    assert made == [0.99, 0.999]


def test_an_option_of_another_one_is_not(load: Callable[..., StudySpec]) -> None:
    with pytest.raises(StudyFileError, match=r"this study has no optimizer 'sgd' \(it has: adam\)"):
        load({"axes": {"optimizer.sgd.momentum": [0.5, 0.9]}, "baseline": {}})


def test_a_profile_may_change_how_to_train(tiny: Path) -> None:
    path = edited(tiny, "[schedule.warmup_cosine]")
    text = path.read_text("utf-8") + "schedule.warmup_cosine = { warmup = 0.25 }\noptimizer.sgd = {}\n"
    path.write_text(text, "utf-8")
    spec = read_study(str(path), Overrides(profile="smaller"))
    made = spec.configuration(spec.variants()[0], get_registry())
    assert recipes(spec)[0] == ("sgd", "warmup_cosine")
    assert made.one("schedule").options["warmup"] == 0.25
    assert recipes(read_study(str(path)))[0] == ("adam", "warmup_cosine")


def test_two_defaults_are_an_error_that_names_both_plugins(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo_rival_default.py").write_text(RIVAL, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "demo_rival_default", raising=False)
    rival = EntryPoint("rival", "demo_rival_default", GROUP)
    registry = Registry([*entry_points(group=GROUP), rival])
    ours = registry.component("optimizer", "adam").plugin
    message = (
        f"more than one optimizer is the default: 'adam' of {ours} and 'rival' of plugin 'rival' "
        "(demo_rival_default, of unknown unknown); "
        "uninstall one of these plugins, or name the optimizer in the study file"
    )
    assert registry.clashes() == [message]
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny), registry=registry)
    assert caught.value.problems == [f"optimizer: {message}"]
    with pytest.raises(PluginError, match="more than one optimizer is the default"):
        Registry([*entry_points(group=GROUP), rival], strict=True)
    assert recipes(read_study(str(edited(tiny, "[optimizer.rival]")), registry=registry), registry)[0][0] == "rival"


def test_without_a_default_the_study_has_to_name_one(tiny: Path) -> None:
    registry = Registry([each for each in entry_points(group=GROUP) if each.name != "optimizers"])
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny), registry=registry)
    problem = "optimizer: no installed optimizer is the default, and none is offered"
    assert caught.value.problems == [problem]
