"""The registry: it finds plugins, goes on where one fails, and says whose fault it is."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import pytest

from ablate.errors import PluginError, UnknownName
from ablate.registry import GROUP, Registry, get_registry

if TYPE_CHECKING:
    from pathlib import Path

FAILURES = {
    "demo-broken": "ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
    "demo-leaving": "SystemExit: 3",
    "demo-misspelt": "unknown hook 'ablate_sampler'; did you mean 'ablate_samplers'?",
    "demo-raising": "RuntimeError: half way",
    "demo-unmarked": "implements no hook; mark its functions with @ablate.hookimpl",
    "demo-wrong-type": "TypeError: ablate_metrics yields MetricSpec, SetMetricSpec or ModelMetricSpec, not SamplerSpec",
}
CLASH = (
    "sampler 'demo-clash' is offered by plugin 'demo-good' (demo_plugins.good, of demo-plugins 1.2) "
    "and plugin 'demo-rival' (demo_rival, of demo-rival 0.3); uninstall one of them"
)


def plugin(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "mine") -> EntryPoint:
    """A module of that text on the path, and the entry point that names it."""
    (folder / f"demo_{name}.py").write_text(f"import ablate\n\n{text}")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, f"demo_{name}", raising=False)
    return EntryPoint(name, f"demo_{name}", GROUP)


def test_the_installed_plugins_all_work() -> None:
    registry = get_registry()
    assert registry.failed == []
    assert registry.clashes() == []
    assert registry.components


def test_each_failure_is_named_with_its_distribution_and_the_others_go_on(demo_plugins: Path) -> None:
    registry, ours = Registry(), {p.name for p in get_registry().plugins if p.distribution == "ablate-music"}
    assert {p.name: p.error for p in registry.failed} == FAILURES
    assert {(p.distribution, p.version) for p in registry.failed} == {("demo-plugins", "1.2")}
    assert {p.name for p in registry.plugins if not p.error} == ours | {"demo-good", "demo-rival"}
    assert registry.component("metric", "demo-shared").plugin.module == "demo_plugins.good"


def test_a_plugin_that_fails_half_way_offers_nothing(demo_plugins: Path) -> None:
    assert "demo-half" not in Registry().names("metric")


def test_a_misspelt_hook_does_not_reach_the_plugins_after_it(demo_plugins: Path) -> None:
    # `demo-misspelt` is loaded before `demo-rival`
    assert Registry().component("sampler", "demo-own").plugin.name == "demo-rival"


@pytest.mark.parametrize("name", FAILURES)
def test_when_strict_a_failure_is_raised(demo_plugins: Path, name: str) -> None:
    found = [e for e in entry_points(group=GROUP) if e.name == name]
    with pytest.raises(PluginError) as refused:
        Registry(found, strict=True)
    module = name.replace("demo-", "demo_plugins.").replace("-", "_")
    assert str(refused.value) == f"plugin '{name}' ({module}, of demo-plugins 1.2) failed to load: {FAILURES[name]}"


def test_when_strict_a_clash_is_raised(demo_plugins: Path) -> None:
    found = [e for e in entry_points(group=GROUP) if e.name in ("demo-good", "demo-rival")]
    with pytest.raises(PluginError) as refused:
        Registry(found, strict=True)
    assert str(refused.value) == CLASH


def test_the_environment_makes_it_strict(demo_plugins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_STRICT_PLUGINS", "0")
    assert get_registry().failed
    get_registry.cache_clear()
    monkeypatch.setenv("ABLATE_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match="demo-broken"):
        get_registry()


def test_a_name_claimed_twice_names_both_owners(demo_plugins: Path) -> None:
    registry = Registry()
    assert registry.clashes() == [CLASH]
    for ask in (registry.component, registry.spec):
        with pytest.raises(PluginError) as refused:
            ask("sampler", "demo-clash")
        assert str(refused.value) == CLASH
    assert registry.names("sampler").count("demo-clash") == 1


def test_one_name_at_two_hook_points_is_no_clash(demo_plugins: Path) -> None:
    registry = Registry()
    assert [registry.spec(kind, "demo-shared").kind for kind in ("sampler", "metric")] == ["sampler", "metric"]


def test_an_unknown_name_is_answered_with_a_suggestion(demo_plugins: Path) -> None:
    with pytest.raises(UnknownName, match=r"^unknown metric 'demo-shard'; did you mean 'demo-shared'\?.*demo-shared"):
        Registry().component("metric", "demo-shard")


def test_a_distribution_on_two_paths_counts_once(demo_plugins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(f"{demo_plugins}/../demo_plugins")
    assert [p.name for p in Registry().plugins].count("demo-good") == 1


def metrics(body: str) -> str:
    """A plugin whose hook for metrics has that body."""
    return f"@ablate.hookimpl\ndef ablate_metrics():\n    {body}\n"


def record(name: str, rest: str = "") -> str:
    return f"ablate.MetricSpec(name='{name}', summary='.', build=print{rest})"


def test_an_entry_point_given_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry_point = plugin(tmp_path, monkeypatch, metrics(f"yield {record('m')}"))
    registry = Registry([entry_point, EntryPoint(entry_point.name, entry_point.value, entry_point.group)])
    assert len(registry.plugins) == len(registry.components) == 1


def test_two_entry_points_of_one_name_are_both_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [plugin(tmp_path, monkeypatch, metrics(f"yield {record(name)}"), name) for name in ("one", "two")]
    registry = Registry([EntryPoint("same", entry_point.value, GROUP) for entry_point in found])
    assert registry.failed == []
    assert registry.names("metric") == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            metrics("return 3"),
            "TypeError: ablate_metrics yields each MetricSpec, SetMetricSpec or ModelMetricSpec; it returned int",
        ),
        (
            metrics(f"return {record('m')}"),
            (
                "TypeError: ablate_metrics yields each MetricSpec, SetMetricSpec or ModelMetricSpec; "
                "it returned MetricSpec"
            ),
        ),
        (metrics(f"return 2 * [{record('m')}]"), "offers metric 'm' twice"),
        (metrics(f"yield {record('M')}"), "ValueError: metric name 'M' is not lower-case words"),
        (metrics(f"yield {record('m', ', options=int')}"), "TypeError: options of metric 'm' must be a dataclass"),
        (metrics("return []").replace("()", "(size)"), "PluginValidationError: "),
        ("raise ValueError\n", "ValueError"),
        ("1 +\n", "SyntaxError: "),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, error: str
) -> None:
    registry = Registry([plugin(tmp_path, monkeypatch, text)])
    (failed,) = registry.failed
    assert failed.error.startswith(error)
    assert "\n" not in failed.error
    assert registry.components == []


def test_a_hook_that_offers_nothing_today_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry([plugin(tmp_path, monkeypatch, metrics("return []"))])
    assert (registry.failed, registry.components) == ([], [])


def test_a_keyboard_interrupt_is_no_plugins_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a command of another test may have its own
    try:
        with pytest.raises(KeyboardInterrupt):
            Registry([plugin(tmp_path, monkeypatch, "raise KeyboardInterrupt\n")])
    finally:
        signal.signal(signal.SIGINT, before)
