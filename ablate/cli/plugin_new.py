"""``ablate plugin new``."""

from __future__ import annotations

import ast
import datetime as dt
import importlib.metadata
import json
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
#: The folder of the workflows, which --no-ci leaves out.
_WORKFLOWS = ".github/"
#: The kinds that a person chooses on the command line.
_CHOSEN = ("observer", "executor")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: With a longer name, some lines of the code would be longer than its style allows.
_LONGEST_NAME = 40
_GITHUB = re.compile(r"(?P<owner>[A-Za-z0-9](-?[A-Za-z0-9]){0,38})(/(?P<repository>[A-Za-z0-9._-]{1,100}))?")


@click.command("new")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(list(ALL_SPECS)), help="Kind of the component.")
@click.option(
    "--out", type=click.Path(path_type=Path), callback=free_place, help="Folder to create; default: ./ablate-NAME."
)
@click.option("--author", help="Name for the licence and the package; default: The ablate-NAME authors.")
@click.option("--github", metavar="OWNER[/REPOSITORY]", help="GitHub account, for badges and links.")
@click.option("--ci/--no-ci", default=True, help="Whether to write workflows for GitHub; default: --ci.")
def new(name: str, kind: str, out: Path | None, author: str | None, github: str | None, ci: bool) -> None:  # noqa: FBT001
    """Create a package for a new component, with tests, a study and workflows.

    The component works as it is; change its code to your needs.
    Its tests, its style checks and its build pass, so that the folder can be the first commit of a repository.

    Example: ablate plugin new loudness --kind conditioner --github ada
    """
    name = name.removeprefix(_PREFIX)
    words = {**package_words(name, kind), **owner_words(name, author, github), "ci": ci}
    _check_free(words)
    folder = out or Path(f"{_PREFIX}{name}")
    files = dict(render(words))
    _check_class(words, files)
    _write(folder, files)
    echo(f"wrote {folder}:")
    for path in sorted(files):
        echo(f"  {path}")
    echo("next:")
    for command in _next(folder, words):
        echo(f"  {command}")
    if ci and not github:
        echo("With --github OWNER, README.md has badges and pyproject.toml has links to the repository.")


def package_words(name: str, kind: str) -> dict[str, str]:
    """Return the names that the templates use.

    Raises:
        UsageError: no component can have that name.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"name '{name}': use lower-case words joined by '-', for example swing or pitch-range")
    if len(name) > _LONGEST_NAME:
        raise UsageError(f"name '{name}': has {len(name)} characters; use at most {_LONGEST_NAME}")
    word, titled = name.replace("-", "_"), name.title().replace("-", "")
    if f"{_PREFIX}{name}" == NAME:
        raise UsageError(f"name '{name}': {NAME} is the distribution of ablate itself; choose another name")
    if keyword.iskeyword(word) or keyword.iskeyword(titled):
        raise UsageError(f"name '{name}': is a keyword of Python; choose another name")
    module = f"ablate_{word}"
    return {"name": name, "kind": kind, "word": word, "class": titled, "module": module, "requires": _requires()}


def owner_words(name: str, author: str | None, github: str | None) -> dict[str, str]:
    """Return the words about the person who publishes the package; ``repository`` is empty without an account.

    Raises:
        UsageError: a text cannot be written to a licence, or an account cannot exist.
    """
    author = f"The {_PREFIX}{name} authors" if author is None else author.strip()
    if not (author and author.isprintable()):
        raise UsageError("--author: use a name in one line of printable text, for example 'Ada Lovelace'")
    repository = ""
    if github is not None:
        account = _GITHUB.fullmatch(github)
        if account is None:
            raise UsageError(f"--github {github}: use an account or ACCOUNT/REPOSITORY, for example ada or ada/swing")
        repository = f"{account['owner']}/{account['repository'] or _PREFIX + name}"
    return {
        "author": author,
        "author_as_toml": json.dumps(author, ensure_ascii=False),  # a string of JSON is one of TOML
        "repository": repository,
        "year": str(dt.datetime.now(tz=dt.UTC).year),
    }


def _requires() -> str:
    """Return the requirement of a plugin: this minor version, because the next one may change what a plugin sees."""
    major, minor = (int(number) for number in ablate.__version__.split(".")[:2])
    return f"{NAME}>={major}.{minor},<{major}.{minor + 1}"


def _check_free(words: Mapping[str, object]) -> None:
    """Raise UsageError if an installed plugin has the name of the component, the module or the package."""
    registry, kind, name = get_registry(), str(words["kind"]), words["name"]
    for component in registry.offered(kind):
        if component.spec.name == name:
            raise UsageError(f"{kind} '{name}' is offered already by {component.plugin}; choose another name")
    for plugin in registry.plugins:
        if re.split(r"[.:]", plugin.module)[0] == words["module"]:
            raise UsageError(f"module {words['module']} is that of {plugin}; choose another name")
    package = f"{_PREFIX}{name}"
    if any(importlib.metadata.distributions(name=package)):
        version = importlib.metadata.version(package)
        raise UsageError(f"{package} {version} is installed already; choose another name, or uninstall it first")


def _check_class(words: Mapping[str, object], files: Mapping[str, str]) -> None:
    """Raise UsageError if the code imports something under the name of its class, which one of them would hide."""
    modules = [ast.parse(content) for path, content in files.items() if path.endswith(".py")]
    imports = [node for module in modules for node in ast.walk(module) if isinstance(node, ast.ImportFrom)]
    foreign = [node for node in imports if not (node.module or "").startswith(str(words["module"]))]
    if any(words["class"] in (alias.asname, alias.name) for node in foreign for alias in node.names):
        raise UsageError(
            f"name '{words['name']}': the code of this kind needs another {words['class']}; choose another name"
        )


def render(words: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the path inside the package and the content of every file."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(),  # for pages alone, and none of these is one
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    for part in (EVERY, str(words["kind"])):
        for path, content in _render_folder(part, environment, words):
            if words["ci"] or not path.startswith(_WORKFLOWS):
                yield path, content


def _render_folder(
    part: str, environment: jinja2.Environment, words: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    for template in sorted((TEMPLATES / part).rglob("*.j2")):
        path = template.relative_to(TEMPLATES / part).as_posix().removesuffix(".j2")
        # Python's files are named as it can import them
        path = path.replace("NAME", str(words["word" if path.endswith(".py") else "name"]))
        yield path, environment.get_template(template.relative_to(TEMPLATES).as_posix()).render(words)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(path.name != ".git" for path in folder.iterdir())):
            raise UsageError(f"{folder} exists already and is not an empty folder; choose another one with --out")
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {folder} ({error.strerror}); choose another folder with --out") from error


def _next(folder: Path, words: Mapping[str, object]) -> Iterator[str]:
    """Return the commands that install, test, list and use the package."""
    path = folder.as_posix()
    package = f"{path}[test]" if folder.is_absolute() else f"./{path}[test]"
    study = f"{path}/studies/{words['name']}.toml"
    yield f"pip install --editable {shlex.quote(package)}"
    yield f"python -m pytest {shlex.quote(path)}"
    yield f"ablate plugin list --kind {words['kind']}"
    chosen = f" --{words['kind']} {words['name']}" if words["kind"] in _CHOSEN else ""
    yield f"ablate study run {shlex.quote(study)}{chosen.replace('--observer', '--observe')}"
