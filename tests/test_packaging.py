"""What is installed, what pyproject.toml says, and what lies on disk are one thing."""

from __future__ import annotations

import importlib.metadata
import tomllib
from typing import Any

import pytest
from support.checkout import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED: dict[str, str] = PYPROJECT["project"]["entry-points"]["ablate"]
CONTRACTS: list[dict[str, Any]] = PYPROJECT["tool"]["importlinter"]["contracts"]


def folders() -> set[str]:
    return {folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "__init__.py").is_file()}


def test_every_plugin_folder_has_its_entry_point() -> None:
    assert sorted(DECLARED.values()) == sorted(folders())


def test_entry_points_are_named_after_their_module() -> None:
    assert {f"ablate_{name}": module for name, module in DECLARED.items()} == {m: m for m in DECLARED.values()}


def test_what_is_declared_is_installed() -> None:
    found = importlib.metadata.distribution("ablate").entry_points.select(group="ablate")
    assert {e.name: e.value for e in found} == DECLARED, "the metadata is stale; run: pip install -e ."


def test_the_command_is_installed() -> None:
    (script,) = importlib.metadata.distribution("ablate").entry_points.select(group="console_scripts")
    assert (script.name, script.value) == ("ablate", PYPROJECT["project"]["scripts"]["ablate"])


def test_the_layers_know_every_plugin() -> None:
    assert set(PYPROJECT["tool"]["importlinter"]["root_packages"]) == {"ablate", *folders()}


@pytest.mark.parametrize(
    ("contract", "key"),
    [
        ("The core names no first-party plugin", "forbidden_modules"),
        ("Plugins use the public modules only", "source_modules"),
    ],
)
def test_a_contract_on_plugins_names_them_all(contract: str, key: str) -> None:
    (found,) = (c for c in CONTRACTS if c["name"] == contract)
    assert set(found[key]) == folders()


def test_the_licence_travels_along() -> None:
    files = importlib.metadata.files("ablate") or []
    assert [file.name for file in files if file.name == "LICENSE"] == ["LICENSE"]
