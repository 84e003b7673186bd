"""``ablate plugin``: what there is, whose it is, and what it takes."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ablate.registry import get_registry
from ablate.specs import ALL_SPECS

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

FACTS = ["kind", "name", "summary", "plugin", "distribution", "version"]


def rows(table: str) -> list[list[str]]:
    """The cells of a printed table, header first."""
    lines = [line for line in table.splitlines() if line.startswith(" ") and line.strip(" ─")]
    return [[cell.strip() for cell in line.split("   ") if cell.strip()] for line in lines]


def test_list_shows_every_component_and_who_offers_it(ablate: Command) -> None:
    listed = ablate("plugin", "list")
    assert (listed.code, listed.err) == (0, "")
    header, *body = rows(listed.out)
    assert header == FACTS
    offered = [c for kind in ALL_SPECS for c in get_registry().offered(kind)]
    # without the note on a library that is not installed here
    assert [[cell.partition(" To install: ")[0] for cell in row] for row in body] == [
        [c.kind, c.spec.name, c.spec.summary, c.plugin.name, c.plugin.distribution, c.plugin.version] for c in offered
    ]


def test_list_says_what_to_install(ablate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ray" else find(name))
    listed = ablate("plugin", "list", "--kind", "executor").out
    lines = {line.split()[1]: line for line in listed.splitlines() if "executor" in line}
    assert "To install: pip install 'ablate-music[ray]'" in lines["ray"]
    assert "To install" not in lines["local"]
    assert "\nto install what it needs: pip install 'ablate-music[ray]'\n" in ablate("plugin", "show", "ray").out
    components = json.loads(ablate("plugin", "list", "--kind", "executor", "--json").out)["components"]
    commands = {each["name"]: each["to_install"] for each in components}
    assert (commands["ray"], commands["slurm"]) == ("pip install 'ablate-music[ray]'", "")


def test_list_of_one_kind(ablate: Command) -> None:
    _, *body = rows(ablate("plugin", "list", "--kind", "corpus").out)
    assert [name for _, name, *_ in body] == get_registry().names("corpus")


def test_list_of_a_kind_that_does_not_exist(ablate: Command) -> None:
    refused = ablate("plugin", "list", "--kind", "samplers")
    assert (refused.code, refused.out) == (2, "")
    assert "'samplers' is not one of 'corpus', 'augmenter'," in refused.err


def test_list_names_what_failed_and_what_clashes(ablate: Command, demo_plugins: Path) -> None:
    listed = ablate("plugin", "list", "--kind", "sampler")
    assert (listed.code, listed.err) == (0, "")
    named = [name for _, name, *_ in rows(listed.out)]
    assert [name for name in named if name.startswith("demo")] == [
        "demo-clash",
        "demo-clash",
        "demo-own",
        "demo-shared",
    ]
    failed = [line.partition(" (")[0] for line in listed.out.splitlines() if line.startswith("failed: ")]
    assert failed == [f"failed: plugin '{plugin.name}'" for plugin in get_registry().failed]
    assert (
        "failed: plugin 'demo-broken' (demo_plugins.broken, of demo-plugins 1.2): "
        "ModuleNotFoundError: No module named 'a_module_that_nobody_has'\n"
    ) in listed.out
    assert listed.out.endswith("of demo-rival 0.3); uninstall one of them\n")


def test_list_for_programs(ablate: Command, demo_plugins: Path) -> None:
    data = json.loads(ablate("plugin", "list", "--kind", "metric", "--json").out)
    assert list(data) == ["components", "failed", "clashes"]
    assert [component["name"] for component in data["components"]] == get_registry().names("metric")
    assert {
        "kind": "metric",
        "name": "demo-shared",
        "summary": "Has none.",
        "plugin": "demo-good",
        "distribution": "demo-plugins",
        "version": "1.2",
        "to_install": "",
    } in data["components"]
    assert {
        "name": "demo-misspelt",
        "module": "demo_plugins.misspelt",
        "distribution": "demo-plugins",
        "version": "1.2",
        "error": "unknown hook 'ablate_sampler'; did you mean 'ablate_samplers'?",
    } in data["failed"]
    assert data["clashes"] == get_registry().clashes() != []


def test_a_broken_plugin_is_an_error_where_that_is_asked_for(
    ablate: Command, demo_plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABLATE_STRICT_PLUGINS", "1")
    refused = ablate("plugin", "list")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(
        "error: plugin 'demo-broken' (demo_plugins.broken, of demo-plugins 1.2) failed to load"
    )


def test_show_tells_type_default_bounds_and_meaning(ablate: Command, demo_plugins: Path) -> None:
    shown = ablate("plugin", "show", "demo-shared", "--kind", "sampler")
    assert (shown.code, shown.err) == (0, "")
    assert [line.rstrip() for line in shown.out.splitlines()] == [
        "sampler demo-shared, version 7: Has options.",
        "from plugin 'demo-good' (demo_plugins.good, of demo-plugins 1.2)",
        "",
        " option   type              default    bounds            meaning",
        f" {'─' * 72}",
        " share    float             required   > 0, ≤ 1          A share.",
        " sizes    list of int       [8, 16]    ≥ 1, length ≥ 1   Some sizes.",
        ' mode     "soft" | "hard"   "soft"                       How [firmly].',
        " limit    float             none                         A limit, if any.",
        " loud     true | false      false                        Say so.",
        "",
    ]


def test_show_of_a_name_that_two_kinds_share_tells_both(ablate: Command, demo_plugins: Path) -> None:
    shown = ablate("plugin", "show", "demo-shared")
    assert shown.code == 0
    assert shown.out.startswith("sampler demo-shared, version 7")
    assert shown.out.endswith(
        "metric demo-shared, version 1: Has none.\n"
        "from plugin 'demo-good' (demo_plugins.good, of demo-plugins 1.2)\n"
        "no options\n"
    )


def test_show_for_programs(ablate: Command, demo_plugins: Path) -> None:
    sampler, metric = json.loads(ablate("plugin", "show", "demo-shared", "--json").out)
    assert (sampler["kind"], sampler["plugin"], metric["options"]) == ("sampler", "demo-good", [])
    assert [o["default"] for o in sampler["options"]] == [None, [8, 16], "soft", None, False]
    assert sampler["options"][0] == {
        "name": "share",
        "type": "float",
        "default": None,
        "required": True,
        "bounds": "> 0, ≤ 1",
        "doc": "A share.",
    }


def test_show_of_a_name_that_two_plugins_claim_names_both(ablate: Command, demo_plugins: Path) -> None:
    refused = ablate("plugin", "show", "demo-clash")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"error: {get_registry().clashes()[0]}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("temprature",), "error: unknown component 'temprature'; did you mean 'temperature'?"),
        (("temprature", "--kind", "sampler"), "error: unknown sampler 'temprature'; did you mean 'temperature'?"),
        (("temperature", "--kind", "metric"), "error: unknown metric 'temperature'. Offered: "),
    ],
)
def test_show_of_an_unknown_name(ablate: Command, args: tuple[str, ...], said: str) -> None:
    refused = ablate("plugin", "show", *args)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(said)


def test_every_component_can_be_shown(ablate: Command) -> None:
    for component in get_registry().components:
        shown = ablate("plugin", "show", component.spec.name, "--kind", component.kind)
        assert (shown.code, shown.err) == (0, "")
        assert shown.out.startswith(f"{component.kind} {component.spec.name}, version {component.spec.version}: ")


def test_an_encoding_without_a_character_is_no_error() -> None:
    command = [sys.executable, "-m", "ablate", "plugin", "show", "temperature"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert shown.stdout.startswith("sampler temperature")
    assert "─" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "---" in shown.stdout


def test_arguments_that_do_not_fit_together_exit_with_2(ablate: Command) -> None:
    refused = ablate("study", "plan", "tau_sweep", "--set", "nothing")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "error: --set nothing: write it as key.path=value\n"


def test_the_process_ends_as_the_fixture_says(ablate: Command) -> None:
    args = ("plugin", "show", "temprature")
    here = ablate(*args)
    there = subprocess.run([sys.executable, "-m", "ablate", *args], capture_output=True, text=True, check=False)
    assert (there.returncode, there.stdout, there.stderr) == (here.code, here.out, here.err)


def test_show_says_which_tokenizers_are_fitted(ablate: Command) -> None:
    fitted = "a study fits it on the training pieces"
    assert fitted in ablate("plugin", "show", "midilike-bpe").out.splitlines()
    assert fitted not in ablate("plugin", "show", "midilike").out
