"""Every hook point has a working example."""

from __future__ import annotations

import inspect
import sys
import textwrap
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest

from ablate import hookspecs, testing
from ablate.registry import GROUP, Registry
from ablate.specs import ALL_SPECS
from ablate.study.observe.choice import hooks_of
from ablate.testing.observer import study_events

if TYPE_CHECKING:
    from pathlib import Path


def example(hook: str) -> str:
    """The example in the docstring of a hook, as the text of a module."""
    return textwrap.dedent((inspect.getdoc(getattr(hookspecs, hook)) or "").partition("Example::\n")[2])


def contract(kind: str) -> type[Any]:
    made: type[Any] = getattr(testing, f"{kind.title().replace(' ', '')}Contract")
    return made


CASES = [
    (kind, name) for kind in [*ALL_SPECS, "set metric"] for name in dir(contract(kind)) if name.startswith("test_")
]


@pytest.fixture
def example_spec(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The component of a kind that the example of its hook point offers, through the registry as any plugin's."""
    hook = kind.rpartition(" ")[2]
    (tmp_path / "hook_example.py").write_text(example(f"ablate_{ALL_SPECS[hook].kinds}"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "hook_example", raising=False)
    registry = Registry([EntryPoint("example", "hook_example", GROUP)], strict=True)
    (spec,) = (c.spec for c in registry.components if isinstance(c.spec, contract(kind).record))
    assert spec.kind == hook
    return spec


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind}-{name}" for kind, name in CASES])
def test_the_example_keeps_the_contract(example_spec: Any, kind: str, name: str) -> None:
    test = getattr(type("TestExample", (contract(kind),), {"spec": example_spec})(), name)
    test(*({} for _ in inspect.signature(test).parameters))  # `settings`, where a test asks for them


def test_there_is_a_hook_for_every_kind_and_no_other() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("ablate_")}
    assert hooks == {*(f"ablate_{spec.kinds}" for spec in ALL_SPECS.values()), *hookspecs.EVENTS}


@pytest.mark.parametrize("hook", hookspecs.EVENTS)
def test_the_example_of_an_event_takes_it(hook: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec("import ablate\n" + example(hook), names)
    hooks, implemented = hooks_of(names["Printer"]())
    assert implemented == {hook}
    events = [event for name, event in study_events() if name == hook]
    for event in events:
        getattr(hooks, hook)(event=event)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(events)
    first = {
        "ablate_run_started": "tau=1.0, replicate 0: {'sampler.temperature.tau': 0.8, 'augmenter': []}",
        "ablate_step_logged": "tau=1.0, replicate 0: 25 of 50, 3.000",
        "ablate_run_finished": "tau=1.0, replicate 1: done distance.pitch.average 0.25, likelihood nan",
        "ablate_study_finished": "against tau=1.0: Cannot tell tau=0.8 from tau=1.0.",
    }
    assert printed[0] == first[hook]
