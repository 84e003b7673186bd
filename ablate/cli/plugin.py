"""``ablate plugin``."""

from __future__ import annotations

import dataclasses
import importlib.util

import click

from ablate.cli.echo import echo, echo_sentence
from ablate.cli.folding import terminal_width
from ablate.cli.lazy import LazyCommand, lazy
from ablate.cli.output import json_option, print_json, print_table
from ablate.errors import PluginError, UnknownName, UsageError, named_line
from ablate.options import OptionField, describe, shown
from ablate.registry import Component, get_registry
from ablate.specs import ALL_SPECS, AnyMetricSpec

_COMMANDS = {
    "new": LazyCommand(
        "ablate.cli.plugin_new:new", "Create a package for a new component, with tests, a study and workflows."
    )
}
#: A terminal with fewer columns than this shows no distribution and version of a component.
_WIDE = 120


@click.group("plugin", cls=lazy(_COMMANDS))
def group() -> None:
    """List components and start your own plugin.

    Example: ablate plugin list --kind metric
    """


@group.command("list")
@click.option("--kind", type=click.Choice(list(ALL_SPECS)), help="List components of this kind only.")
@click.option("--installed", is_flag=True, help="List the installed plugins, and load none of them.")
@json_option
def list_(kind: str | None, installed: bool, as_json: bool) -> None:  # noqa: FBT001
    """List the components of all plugins, and the plugins that failed to load.

    A plugin runs its own code when it is loaded. --installed shows what would run before it does: the enabled ones.
    ABLATE_PLUGINS enables plugins by their names, for every command: midi,midilike these only, -chatty all others.

    Example: ablate plugin list --kind sampler
    """
    if installed:
        if kind:
            raise UsageError("--kind needs plugins that are loaded; leave it or --installed out")
        _list_installed(as_json=as_json)
        return
    registry = get_registry()
    components = [c for k in ALL_SPECS if kind in (None, k) for c in registry.offered(k)]
    failed, clashes = registry.failed, registry.clashes()
    if as_json:
        failures = [dataclasses.asdict(plugin) for plugin in failed]
        print_json(
            {
                "components": [{**_facts(c), "to_install": _to_install(c)} for c in components],
                "failed": failures,
                "clashes": clashes,
            }
        )
        return
    headers = ["kind", "name", "summary", "plugin", "distribution", "version"]
    width = terminal_width()
    shown = 4 if width is not None and width < _WIDE else len(headers)
    print_table(headers[:shown], [_row(c)[:shown] for c in components], prose=2)
    for plugin in failed:
        echo(f"failed: {plugin}: {plugin.error}")
    for clash in clashes:
        echo(f"clash: {clash}")


def _list_installed(*, as_json: bool) -> None:
    """Print the entry points of all plugins, and which of them commands load; nothing of them is imported."""
    from ablate.registry.choice import installed

    chosen = installed()
    every = [(each, word) for word, group in (("yes", chosen.loaded), ("no", chosen.left_out)) for each in group]
    rows = [
        [e.name, e.value, e.dist.name if e.dist else "unknown", e.dist.version if e.dist else "unknown", word]
        for e, word in sorted(every, key=lambda pair: (pair[0].name, pair[0].value))
    ]
    names = ["plugin", "module", "distribution", "version", "enabled"]
    if as_json:
        print_json({"plugins": [{**dict(zip(names, row, strict=True)), "enabled": row[-1] == "yes"} for row in rows]})
        return
    print_table(names, rows)


def _facts(component: Component) -> dict[str, str]:
    return {
        "kind": component.kind,
        "name": component.spec.name,
        "summary": component.spec.summary,
        "plugin": component.plugin.name,
        "distribution": component.plugin.distribution,
        "version": component.plugin.version,
    }


@group.command("show")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(ALL_SPECS)), help="Kind of the component, where two kinds share a name.")
@json_option
def show(name: str, kind: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show the options of a component: type, default, bounds and meaning.

    Example: ablate plugin show temperature
    """
    registry = get_registry()
    kinds = [k for k in ALL_SPECS if kind in (None, k) and name in registry.names(k)]
    if not kinds:
        offered = {n for k in ALL_SPECS if kind in (None, k) for n in registry.names(k)}
        raise UnknownName(kind or "component", name, offered)
    components = [registry.component(k, name) for k in kinds]
    if as_json:
        print_json(
            [{**_facts(c), **_features(c), "options": [dataclasses.asdict(o) for o in _options(c)]} for c in components]
        )
        return
    for component in components:
        _print_component(component)


def _row(component: Component) -> list[str]:
    """Return the cells of a component in the list; its summary has the command that installs what is missing."""
    install = _to_install(component)
    facts = _facts(component)
    return list((facts | {"summary": f"{facts['summary']} To install: {install}"} if install else facts).values())


def _to_install(component: Component) -> str:
    """Return the command that installs the libraries of a component; empty if none is missing."""
    spec = component.spec
    return spec.install if any(importlib.util.find_spec(name) is None for name in spec.modules) else ""


def _features(component: Component) -> dict[str, dict[str, str]]:
    """Return the sentences for the features of a metric; nothing for other components."""
    return {"features": dict(component.spec.features)} if isinstance(component.spec, AnyMetricSpec) else {}


def _options(component: Component) -> list[OptionField]:
    """Return the options of a component.

    Raises:
        PluginError: they cannot be described, because a type cannot be found, say.
    """
    try:
        return describe(component.spec.options)
    except Exception as error:
        reason = named_line(error)
        raise PluginError(f"{component.kind} '{component.spec.name}' of {component.plugin}: {reason}") from error


def _print_component(component: Component) -> None:
    plugin, spec = component.plugin, component.spec
    echo_sentence(f"{component.kind} {spec.name}, version {spec.version}: {spec.summary}")
    echo_sentence(f"from {plugin}")
    if install := _to_install(component):
        echo_sentence(f"to install what it needs: {install}")
    if getattr(spec, "fitted", False):
        echo("a study fits it on the training pieces")
    for feature, sentence in _features(component).get("features", {}).items():
        echo_sentence(f"measures {feature}: {sentence}")
    fields = _options(component)
    if not fields:
        echo("no options")
        return
    rows = [(o.name, o.type, "required" if o.required else shown(o.default), o.bounds, o.doc) for o in fields]
    print_table(["option", "type", "default", "bounds", "meaning"], rows, prose=4)
