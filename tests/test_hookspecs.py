"""Every hook point has a working example, and docs/hooks.md shows what the code says."""

from __future__ import annotations

import inspect
import runpy
import sys
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest
from support.checkout import ROOT

from ablate import hookspecs, testing
from ablate.registry import GROUP, Registry
from ablate.specs import SPECS

if TYPE_CHECKING:
    from pathlib import Path

DOCS = runpy.run_path(str(ROOT / "tools/make_hooks.py"))


def contract(kind: str) -> type[Any]:
    made: type[Any] = getattr(testing, f"{kind.title().replace(' ', '')}Contract")
    return made


CASES = [(kind, name) for kind in [*SPECS, "set metric"] for name in dir(contract(kind)) if name.startswith("test_")]


@pytest.fixture
def example_spec(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The component of a kind that the example of its hook point offers, through the registry as any plugin's."""
    hook = kind.rpartition(" ")[2]
    (tmp_path / "hook_example.py").write_text(DOCS["example"](hook))
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
    assert hooks == {f"ablate_{spec.kinds}" for spec in SPECS.values()}


def test_the_page_of_hooks_is_up_to_date() -> None:
    page = (ROOT / "docs/hooks.md").read_text(encoding="utf-8")
    assert page == DOCS["render"](), "docs/hooks.md is stale; run: python tools/make_hooks.py"
