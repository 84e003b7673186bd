"""The source of a component: what it uses of its own packages, without comments, docstrings and formatting."""

from __future__ import annotations

import importlib.metadata
import py_compile
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.own_plugin import OwnPlugin, own_plugin, unload

from ablate.registry import Registry, get_registry
from ablate.study.sources.reach import Source, SourceReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnPlugin]:
    yield from own_plugin(tmp_path / "plugin", monkeypatch)


def source(kind: str = "metric", name: str = "mine.count") -> Source:
    return SourceReader().source(get_registry().component(kind, name))


def test_a_component_has_the_files_that_it_uses(plugin: OwnPlugin) -> None:
    assert list(source().files) == ["mine/__init__.py", "mine/count.py", "mine/helper.py", "mine/options.py"]
    # the tokenizer's base class is of another distribution
    tokens = source("tokenizer", "mine-tokens")
    assert list(tokens.files) == ["mine/__init__.py", "mine/options.py", "mine/tokens.py"]
    assert tokens.unknown == ()
    assert "mine.count" not in sys.modules  # nothing is imported for this


@pytest.mark.parametrize(
    ("file", "before", "after", "changed"),
    [
        ("mine/helper.py", '"""Return the number."""', "", []),
        ("mine/helper.py", "return 1.0 * number", "return (1.0   # a comment\n        *number)", []),
        ("mine/helper.py", "def unused(number):\n    return number", "def unused(n):\n    return n + 1", []),
        ("mine/helper.py", "1.0 * number", "1.0 + number", ["mine/helper.py"]),
        ("mine/helper.py", "return 1.0 * number", "return unused(number)", ["mine/helper.py"]),
        ("mine/helper.py", "1.0 * number", "True * number", ["mine/helper.py"]),
        ("mine/count.py", "from mine.helper import scaled", "from mine.helper import unused as scaled",
         ["mine/helper.py"]),
        ("mine/count.py", "class Count", "print('imported')\n\n\nclass Count", ["mine/count.py"]),
        ("mine/__init__.py", 'summary="Notes."', 'summary="The number of notes."', []),
        ("mine/__init__.py", "return Network(options, vocabulary)", "return None", []),
        ("mine/__init__.py", "return Count(options)", "return [Count(options)][0]", ["mine/__init__.py"]),
        ("mine/__init__.py", "return Count(options)", "return globals() and Count(options)",
         ["mine/__init__.py", "mine/network.py", "mine/options.py", "mine/tokens.py"]),
        ("mine/options.py", 'option(8, ge=1, doc="Width.")', 'option(8, ge=2, doc="The width.")', []),
    ],
)  # fmt: skip
def test_what_counts(plugin: OwnPlugin, file: str, before: str, after: str, changed: list[str]) -> None:
    old = source().files
    plugin.edit(file, before, after)
    new = source().files
    assert [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)] == changed


def test_effects_of_importing_count(plugin: OwnPlugin) -> None:
    """A function that registers itself is used by nobody's name."""
    (plugin.folder / "mine/table.py").write_text(
        "TABLE = {}\n\n\ndef register(f):\n    TABLE[f.__name__] = f\n    return f\n"
    )
    plugin.edit("mine/helper.py", "def unused", "@register\ndef unused")
    plugin.edit("mine/helper.py", "def scaled", "from .table import register, TABLE\n\n\ndef scaled")
    plugin.edit("mine/helper.py", "1.0 * number", "TABLE['unused'](number)")
    before = source().files
    assert "mine/table.py" in before
    plugin.edit("mine/helper.py", "    return number\n", "    return number + 1\n")
    assert source().files["mine/helper.py"] != before["mine/helper.py"]


@pytest.mark.parametrize(
    ("used", "package"),
    [
        ("from mine import parts\nscaled = parts.scaled", "from mine.parts.inner import scaled"),
        ("import mine.parts as parts\nscaled = parts.scaled", "from .inner import *"),
        ("import mine.parts.inner\nimport mine.other\nscaled = mine.parts.inner.scaled", ""),
        ("from importlib import import_module\nscaled = import_module('mine.parts.inner').scaled", ""),
        ("from importlib import import_module\nscaled = import_module('.parts.inner', 'mine').scaled", ""),
        ("from mine.parts import scaled\nscaled = max([scaled])", "from . import inner\nscaled = inner.scaled"),
    ],
)
def test_names_are_found_behind_packages(plugin: OwnPlugin, used: str, package: str) -> None:
    inner = plugin.folder / "mine/parts/inner.py"
    inner.parent.mkdir()
    (plugin.folder / "mine/other.py").write_text("")
    (inner.parent / "__init__.py").write_text(package)
    inner.write_text("def scaled(number):\n    return number\n")
    plugin.edit("mine/count.py", "from mine.helper import scaled", used)
    before = source().files
    plugin.edit("mine/parts/inner.py", "return number", "return number + 1")
    assert source().files != before


def only(module: str) -> Source:
    """The source of the only metric of a module that is not installed."""
    registry = Registry([importlib.metadata.EntryPoint("mine", module, "ablate")], strict=True)
    return SourceReader().source(registry.offered("metric")[0])


SINGLE = '''
"""A plugin in one file."""

import ablate
import mine_helper


class Count(ablate.Metric):
    def measure(self, performance, reference):
        return mine_helper.number()


def other():
    return 1


@ablate.hookimpl
def ablate_metrics():
    yield ablate.MetricSpec(name="count", summary="Notes.", build=Count)
'''


def test_a_plugin_of_a_single_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its helpers are the modules beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    names = ("mine", "mine_helper")
    (tmp_path / "mine.py").write_text(SINGLE)
    (tmp_path / "mine_helper.py").write_text("def number():\n    return 1\n")
    unload()
    before = only("mine")
    assert list(before.files) == [f"{name}.py" for name in names]
    (tmp_path / "mine.py").write_text(SINGLE.replace("return 1", "return 2  # nobody uses it"))
    assert only("mine") == before
    (tmp_path / "mine_helper.py").write_text("def number():\n    return 2\n")
    assert only("mine").files["mine_helper.py"] != before.files["mine_helper.py"]
    unload()


def test_archives_are_read_and_what_has_no_source_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("mine.py", SINGLE)
        file.writestr("mine_helper.py", "def number():\n    return 1\n")
    monkeypatch.syspath_prepend(archive)
    unload()
    found = only("mine")
    assert list(found.files) == ["mine.py", "mine_helper.py"]
    assert found.unknown == ()
    unload()

    compiled = tmp_path / "compiled"
    compiled.mkdir()
    (tmp_path / "mine_helper.py").write_text("def number():\n    return 1\n")
    py_compile.compile(str(tmp_path / "mine_helper.py"), str(compiled / "mine_helper.pyc"), doraise=True)
    (compiled / "mine.py").write_text(SINGLE)
    monkeypatch.syspath_prepend(compiled)
    unload()
    assert only("mine") == Source({"mine.py": found.files["mine.py"]}, ("mine_helper",))
    unload()
