"""What is installed, what pyproject.toml says, and what lies on disk are one thing."""

from __future__ import annotations

import importlib.metadata
import tomllib
from typing import Any

import grimp
import pytest
from support.checkout import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED: dict[str, str] = PYPROJECT["project"]["entry-points"]["ablate"]
#: The plugins in the core: a study needs an executor, whichever plugins are chosen.
IN_CORE = {"local": "ablate.study.run.executor.local"}
IN_FOLDERS = {name: module for name, module in DECLARED.items() if name not in IN_CORE}


def folders() -> set[str]:
    return {folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "__init__.py").is_file()}


def test_every_plugin_folder_has_its_entry_point() -> None:
    assert sorted(IN_FOLDERS.values()) == sorted(folders())
    assert {name: DECLARED.get(name) for name in IN_CORE} == IN_CORE


def test_entry_points_are_named_after_their_module() -> None:
    assert {f"ablate_{name}": module for name, module in IN_FOLDERS.items()} == {m: m for m in IN_FOLDERS.values()}


def test_what_is_declared_is_installed() -> None:
    found = importlib.metadata.distribution("ablate-music").entry_points.select(group="ablate")
    assert {e.name: e.value for e in found} == DECLARED, "the metadata is stale; run: pip install -e ."


def test_the_command_is_installed() -> None:
    (script,) = importlib.metadata.distribution("ablate-music").entry_points.select(group="console_scripts")
    assert (script.name, script.value) == ("ablate", PYPROJECT["project"]["scripts"]["ablate"])


def test_the_contracts_on_plugins_concern_every_plugin() -> None:
    config = tomllib.loads((ROOT / "tools" / "importlinter-plugins.toml").read_text(encoding="utf-8"))
    assert set(config["tool"]["importlinter"]["root_packages"]) == {"ablate", *folders()}


@pytest.mark.parametrize("plugin", sorted(folders()))
def test_no_module_of_a_plugin_imports_its_hooks(plugin: str) -> None:
    """Import-linter finds circles between modules of a package; this finds those through its ``__init__``."""
    graph = grimp.build_graph(plugin, cache_dir=None)  # typing imports count
    assert graph.find_modules_that_directly_import(plugin) == set()


def test_the_licence_travels_along() -> None:
    files = importlib.metadata.files("ablate-music") or []
    assert [file.name for file in files if file.name == "LICENSE"] == ["LICENSE"]
