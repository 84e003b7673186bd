"""``ablate plugin``."""

from __future__ import annotations

import dataclasses

import click

from ablate.cli.lazy import LazyCommand, lazy
from ablate.cli.output import json_option, print_json, print_table
from ablate.errors import UnknownName
from ablate.options import describe, shown
from ablate.registry import Component, get_registry
from ablate.specs import SPECS

_LATE = {
    "new": LazyCommand(
        "ablate.cli.plugin_new:new",
        "Write a package with a component that works: code to change, tests, and a study that uses it.",
    )
}


@click.group("plugin", cls=lazy(_LATE))
def group() -> None:
    """See which components there are and who offers them, and begin one of your own.

    Example: ablate plugin list --kind metric
    """


@group.command("list")
@click.option("--kind", type=click.Choice(list(SPECS)), help="Only components of one hook point.")
@json_option
def list_(kind: str | None, as_json: bool) -> None:  # noqa: FBT001
    """List every component of every hook point, and every plugin that failed to load.

    Example: ablate plugin list --kind sampler
    """
    registry = get_registry()
    components = [c for k in SPECS if kind in (None, k) for c in registry.offered(k)]
    failed, clashes = registry.failed, registry.clashes()
    if as_json:
        failures = [dataclasses.asdict(plugin) for plugin in failed]
        print_json({"components": [_facts(c) for c in components], "failed": failures, "clashes": clashes})
        return
    headers = ["kind", "name", "summary", "plugin", "distribution", "version"]
    print_table(headers, [list(_facts(c).values()) for c in components])
    for plugin in failed:
        click.echo(f"failed: {plugin}: {plugin.error}")
    for clash in clashes:
        click.echo(f"clash: {clash}")


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
@click.option("--kind", type=click.Choice(list(SPECS)), help="The hook point, where two share a name.")
@json_option
def show(name: str, kind: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show a component's options, with type, default, bounds and meaning.

    Example: ablate plugin show temperature
    """
    registry = get_registry()
    kinds = [k for k in SPECS if kind in (None, k) and name in registry.names(k)]
    if not kinds:
        offered = {n for k in SPECS if kind in (None, k) for n in registry.names(k)}
        raise UnknownName(kind or "component", name, offered)
    shown = [registry.component(k, name) for k in kinds]
    if as_json:
        print_json([{**_facts(c), "options": [dataclasses.asdict(o) for o in describe(c.spec.options)]} for c in shown])
        return
    for component in shown:
        _print(component)


def _print(component: Component) -> None:
    plugin, spec = component.plugin, component.spec
    click.echo(f"{component.kind} {spec.name}, version {spec.version}: {spec.summary}")
    click.echo(f"from {plugin}")
    fields = describe(spec.options)
    if not fields:
        click.echo("no options")
        return
    rows = [(o.name, o.type, "required" if o.required else shown(o.default), o.bounds, o.doc) for o in fields]
    print_table(["option", "type", "default", "bounds", "meaning"], rows)
