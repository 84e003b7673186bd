"""The plugins that a person chooses with ABLATE_PLUGINS, and the switch ABLATE_STRICT_PLUGINS."""

from __future__ import annotations

import json
import re
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from ablate.errors import PluginError, UnknownName, UsageError
from ablate.registry import GROUP, get_registry
from ablate.registry.choice import choose, is_strict
from ablate.registry.trial import seconds_to_load

if TYPE_CHECKING:
    from support.commands import Command

EVERY = [EntryPoint(name, f"module_{name}", GROUP) for name in ("midi", "midilike", "chatty")]


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        ("", {"midi", "midilike", "chatty"}),
        (" , ", {"midi", "midilike", "chatty"}),
        ("midi", {"midi"}),
        (" midi , chatty ", {"midi", "chatty"}),
        ("-chatty", {"midi", "midilike"}),
        ("midi,midilike,-midi", {"midilike"}),
        ("midi,-midi", set()),
    ],
)
def test_names_choose_and_names_with_a_minus_leave_out(text: str, loaded: set[str]) -> None:
    chosen = choose(EVERY, text)
    assert {each.name for each in chosen.loaded} == loaded
    assert {each.name for each in chosen.left_out} == {each.name for each in EVERY} - loaded


@pytest.mark.parametrize("text", ["midlike", "-midlike", "midi,midlike"])
def test_a_misspelt_name_is_refused_with_a_suggestion(text: str) -> None:
    with pytest.raises(UsageError, match=r"^ABLATE_PLUGINS: unknown plugin 'midlike'; did you mean 'midilike'\?"):
        choose(EVERY, text)


def test_a_component_of_a_plugin_that_is_left_out_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_PLUGINS", "-folk,-bach")
    get_registry.cache_clear()
    try:
        registry = get_registry()
        assert "folk-tunes" not in registry.names("corpus")
        with pytest.raises(UnknownName, match=r"Left out by ABLATE_PLUGINS, .*: 'bach', 'folk'"):
            registry.spec("corpus", "folk-tunes")
    finally:
        monkeypatch.undo()
        get_registry.cache_clear()


def test_a_default_of_a_plugin_that_is_left_out_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_PLUGINS", "midi")
    get_registry.cache_clear()
    try:
        with pytest.raises(PluginError) as caught:
            get_registry().default("optimizer")
        left_out = r"Left out by ABLATE_PLUGINS, see ablate plugin list --installed: \d+ plugins"
        missing = r"no installed optimizer is the default, and none is offered"
        assert re.fullmatch(rf"{missing}\. {left_out}", str(caught.value))
    finally:
        monkeypatch.undo()
        get_registry.cache_clear()


@pytest.mark.parametrize(("text", "on"), [("", False), ("0", False), ("False", False), ("off", False), ("1", True)])
def test_a_switch_is_on_or_off(monkeypatch: pytest.MonkeyPatch, text: str, on: bool) -> None:  # noqa: FBT001
    monkeypatch.setenv("ABLATE_STRICT_PLUGINS", text)
    assert is_strict() is on


def test_a_switch_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_STRICT_PLUGINS", "flase")
    with pytest.raises(UsageError, match="not 'flase'"):
        is_strict()


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_seconds_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ABLATE_PLUGIN_SECONDS", text)
    with pytest.raises(UsageError, match="ABLATE_PLUGIN_SECONDS must be a number of seconds above 0"):
        seconds_to_load()


def test_installed_plugins_are_listed_without_loading(
    ablate: Command, demo_plugins: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = ablate("plugin", "list", "--installed")
    assert "demo_plugins.leaving" in listed.out
    assert "failed" not in listed.out
    assert ablate("plugin", "list", "--installed", "--kind", "metric").code == 2
    monkeypatch.setenv("ABLATE_PLUGINS", "midi")
    plugins = json.loads(ablate("plugin", "list", "--installed", "--json").out)["plugins"]
    assert [plugin["plugin"] for plugin in plugins if plugin["enabled"]] == ["midi"]
