"""``ablate plugin new``."""

from __future__ import annotations

import keyword
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

import ablate
from ablate.cli.destination import free_place
from ablate.cli.echo import echo
from ablate.errors import UsageError
from ablate.registry import get_registry
from ablate.specs import ALL_SPECS
from ablate_music import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import jinja2

TEMPLATES = Path(__file__).parent / "templates/plugin"
#: The folder of the files that every package gets; the folders of the kinds have the names of the kinds.
EVERY = "every"

_PREFIX = "ablate-"
#: The kinds that a person chooses on the command line.
_CHOSEN = ("observer", "executor")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@click.command("new")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(list(ALL_SPECS)), help="Kind of the component.")
@click.option(
    "--out", type=click.Path(path_type=Path), callback=free_place, help="Folder to create; default: ./ablate-NAME."
)
def new(name: str, kind: str, out: Path | None) -> None:
    """Create a package for a new component, with tests and a study.

    The component works as it is; change its code to your needs.

    Example: ablate plugin new loudness --kind conditioner
    """
    name = name.removeprefix(_PREFIX)
    words = _words(name, kind)
    _check_free(words)
    folder = out or Path(f"{_PREFIX}{name}")
    files = dict(_render(words))
    _write(folder, files)
    echo(f"wrote {folder}:")
    for path in sorted(files):
        echo(f"  {path}")
    echo("next:")
    for command in _next(folder, words):
        echo(f"  {command}")


def _words(name: str, kind: str) -> dict[str, str]:
    """Return the names that the templates use.

    Raises:
        UsageError: no component can have that name.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"name '{name}': use lower-case words joined by '-', for example swing or pitch-range")
    word, titled = name.replace("-", "_"), name.title().replace("-", "")
    if f"{_PREFIX}{name}" == NAME:
        raise UsageError(f"name '{name}': {NAME} is the distribution of ablate itself; choose another name")
    if keyword.iskeyword(word) or keyword.iskeyword(titled):
        raise UsageError(f"name '{name}': is a keyword of Python; choose another name")
    module = f"ablate_{word}"
    return {"name": name, "kind": kind, "word": word, "class": titled, "module": module, "requires": _requires()}


def _requires() -> str:
    """Return the requirement of a plugin: this minor version, because the next one may change what a plugin sees."""
    major, minor = (int(number) for number in ablate.__version__.split(".")[:2])
    return f"{NAME}>={major}.{minor},<{major}.{minor + 1}"


def _check_free(words: Mapping[str, str]) -> None:
    """Raise UsageError if an installed plugin has the component's name or the module's."""
    registry, kind, name = get_registry(), words["kind"], words["name"]
    for component in registry.offered(kind):
        if component.spec.name == name:
            raise UsageError(f"{kind} '{name}' is offered already by {component.plugin}; choose another name")
    for plugin in registry.plugins:
        if re.split(r"[.:]", plugin.module)[0] == words["module"]:
            raise UsageError(f"module {words['module']} is that of {plugin}; choose another name")


def _render(words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Path inside the package and content of every file."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(),  # for pages alone, and none of these is one
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    for part in (EVERY, words["kind"]):
        yield from _render_folder(part, environment, words)


def _render_folder(part: str, environment: jinja2.Environment, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for template in sorted((TEMPLATES / part).rglob("*.j2")):
        path = template.relative_to(TEMPLATES / part).as_posix().removesuffix(".j2")
        # Python's files are named as it can import them
        path = path.replace("NAME", words["word"] if path.endswith(".py") else words["name"])
        yield path, environment.get_template(template.relative_to(TEMPLATES).as_posix()).render(words)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} exists already and is not an empty folder; choose another one with --out")
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {folder} ({error.strerror}); choose another folder with --out") from error


def _next(folder: Path, words: Mapping[str, str]) -> Iterator[str]:
    """Return the commands that install, test, list and use the package."""
    path = folder.as_posix()
    package = f"{path}[test]" if folder.is_absolute() else f"./{path}[test]"
    study = f"{path}/studies/{words['name']}.toml"
    yield f"pip install --editable {shlex.quote(package)}"
    yield f"pytest {shlex.quote(path)}"
    yield f"ablate plugin list --kind {words['kind']}"
    chosen = f" --{words['kind']} {words['name']}" if words["kind"] in _CHOSEN else ""
    yield f"ablate study run {shlex.quote(study)}{chosen.replace('--observer', '--observe')}"
