"""The built site: nothing is missing in the reference, the search works offline, and the pages are accessible."""

from __future__ import annotations

import dataclasses
import html
import importlib.util
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import click
import filelock
import pytest
from support import axe
from support.checkout import ROOT

import ablate
import ablate.testing
from ablate import errors, hookspecs
from ablate.cli import cli
from ablate.options import describe
from ablate.registry import get_registry
from ablate.settings import ProgramSettings
from ablate.store.database.tables import Base
from ablate.study.file.configuration import SETTINGS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: A folder with the built site, if there is one already.
VARIABLE = "ABLATE_SITE"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, once for all workers; a warning is an error, and so is one in the notebook, which is run."""
    if VARIABLE in os.environ:
        return ROOT / os.environ[VARIABLE]
    if importlib.util.find_spec("furo") is None:
        pytest.skip("the site needs the extra: pip install -e '.[docs]' -c constraints.txt")
    root = tmp_path_factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "site"
    with filelock.FileLock(f"{folder}.lock"):
        if not (folder / "index.html").exists():
            words = ["--quiet", "--fail-on-warning", "--keep-going", "--define", "nb_execution_mode=force"]
            words += [str(ROOT / "docs"), str(folder)]
            built = subprocess.run(
                [sys.executable, "-m", "sphinx", *words], capture_output=True, text=True, check=False, cwd=ROOT
            )
            assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="session")
def documented(site: Path) -> set[str]:
    """Every name in the index of the site."""
    head, _, packed = (site / "objects.inv").read_bytes().partition(b"zlib.\n")
    assert head.startswith(b"# Sphinx inventory version 2")
    return {line.rpartition(":")[0] for line in map(_named, zlib.decompress(packed).decode().splitlines())}


def _named(line: str) -> str:
    """Return ``name:role`` of a line of the index."""
    match = re.match(r"(.+?) \w+:([\w-]+) -?\d+ ", line)
    assert match, line
    return f"{match[1]}:{match[2]}"


def plain(markup: str) -> str:
    """Return the text of HTML without its markup, and without empty lines at both ends."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def text_of(page: Path) -> str:
    """Return the text of a page in one line."""
    return " ".join(plain(page.read_text(encoding="utf-8")).split())


def commands(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            inner = context.command.get_command(context, name)
            assert inner is not None
            yield from commands(click.Context(inner, context, info_name=name))


def test_every_command_and_option_is_in_the_reference(site: Path, documented: set[str]) -> None:
    page = (site / "reference/commands.html").read_text(encoding="utf-8")
    lacking = []
    for context in commands(click.Context(cli, info_name="ablate")):
        name = context.command_path.replace(" ", "-")
        lacking += [] if f'<section id="{name}">' in page else [name]
        for option in context.command.params:
            if isinstance(option, click.Option) and not option.hidden:
                lacking += [f"{name} {word}" for word in option.opts if f"{name}.{word}" not in documented]
    assert lacking == []
    assert "mailto:" not in page, "STUDY@smoke is no address"
    assert "NAME[:TARGET][,OPTION=VALUE]" in html.unescape(page)


def test_every_setting_is_in_the_reference(site: Path) -> None:
    text = text_of(site / "reference/settings.html")
    lacking = []
    for section, settings in {**SETTINGS, "program": ProgramSettings, **TABLES}.items():
        _, found, rest = text.partition(f"[{section}]¶")
        lacking += [] if found else [section]
        wanted = (field.name for field in describe(settings))
        lacking += [f"{section}.{name}" for name in wanted if not re.search(rf"\b{name}\b", rest.partition("¶")[0])]
    assert lacking == []


def test_every_table_is_in_the_reference_in_order(site: Path) -> None:
    section = text_of(site / "reference/database.html").partition("The tables behind the views¶")[2]
    assert re.findall(r"\bablate_\w+", section)[: len(Base.metadata.tables)] == sorted(Base.metadata.tables)


def test_every_public_name_is_in_the_reference(documented: set[str]) -> None:
    hooks = {f"ablate.hookspecs.{name}" for name in vars(hookspecs) if name.startswith("ablate_")}
    public = {f"ablate.{name}" for name in ablate.__all__}
    testing = {f"ablate.testing.{name}" for name in ablate.testing.__all__}
    raised = {
        f"ablate.errors.{name}"
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.AblateError)
    }
    assert len(hooks) >= 15
    assert (hooks | public | testing | raised) - documented == set()


def test_every_component_and_option_is_in_the_reference(site: Path) -> None:
    text = text_of(site / "reference/components.html")
    lacking = []
    for component in get_registry().components:
        spec = component.spec
        if component.plugin.distribution == "ablate-music":
            _, found, rest = text.partition(f"{spec.kind} {spec.name}¶")
            section = rest.partition("¶")[0]
            wanted = [field.name for field in describe(spec.options)]
            lacking += [] if found else [spec.about]
            lacking += [f"{spec.about}: {name}" for name in wanted if not re.search(rf"\b{name}\b", section)]
    assert lacking == []


def test_every_view_and_column_is_in_the_reference(site: Path, smoke_home: Path) -> None:
    text = text_of(site / "reference/database.html")
    connection = sqlite3.connect(smoke_home / "ablate.db")
    views = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    assert sorted(views) == ["ablate_floors", "ablate_results"]
    for view in views:
        section = text.partition(f"{view}¶")[2].partition("¶")[0]
        columns = [column[1] for column in connection.execute(f"PRAGMA table_info({view})")]
        assert [name for name in columns if not re.search(rf"\b{name}\b", section)] == [], view
        assert len(columns) >= 10


def test_no_page_links_to_a_missing_file(site: Path) -> None:
    missing = set()
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            path = html.unescape(target).partition("#")[0].partition("?")[0]
            if path and not re.match(r"[a-z]+:|//", path) and not (page.parent / path).exists():
                missing.add(f"{page.relative_to(site)}: {target}")
    assert missing == set()


def test_the_notebook_has_run_and_shows_verdicts_tables_pictures_and_sound(site: Path) -> None:
    cells = (site / "tutorial/notebook.html").read_text(encoding="utf-8").split('<div class="cell docutils container">')
    parts = [re.split(r'<div class="cell_output[^>]*>', cell) for cell in cells[1:]]
    shown = {plain(code).splitlines()[-1]: output.partition("<section")[0] for code, output in parts}
    assert "stages to run: " in shown['results = ablate.run_study("tau_sweep", profile="smoke")']
    assert "Cannot tell tau=0.6 from tau=1.0" in shown["results"]
    assert "2 replicates are too few" in shown["results"]
    assert '<table border="1" class="dataframe">' in shown["pd.DataFrame(sample.notes).head()"]
    pictures = [name for name, output in shown.items() if '.png"' in output]
    assert pictures == ["figure", "own", "piece", "sample"]
    assert '<audio controls src="data:' in shown["ablate.render_sound(sample, seconds=10)"]


@dataclasses.dataclass
class Visit:
    """A page in a browser, and what it asked for outside of the site."""

    page: Page
    outside: list[str]


@pytest.fixture(scope="module")
def visit(site: Path) -> Iterator[Visit]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if BROWSER is None:
        pytest.skip("no chromium or chrome on this machine")
    with (
        playwright.sync_playwright() as driver,
        driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"]) as browser,
    ):
        page = browser.new_page(reduced_motion="reduce")
        outside: list[str] = []
        page.on("request", lambda request: None if request.url.startswith("file:") else outside.append(request.url))
        yield Visit(page, outside)


@pytest.mark.parametrize("word", ["nucleus", "ablate_step_logged", "replicates"])
def test_the_search_works_without_a_server(visit: Visit, site: Path, word: str) -> None:
    visit.page.goto((site / "index.html").as_uri())
    visit.page.get_by_placeholder("Search").fill(word)
    visit.page.keyboard.press("Enter")
    first = visit.page.locator("#search-results ul.search li a").first
    first.wait_for()
    first.click()
    visit.page.wait_for_load_state()
    assert word.lower() in visit.page.locator("article").inner_text().lower()
    assert [url for url in visit.outside if not url.startswith("data:")] == []


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("index", "light"), ("index", "dark"), ("reference/hooks", "light"), ("guides/judge", "light")],
)
def test_pages_are_accessible(visit: Visit, site: Path, name: str, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    visit.page.goto((site / f"{name}.html").as_uri())
    assert axe.violations(visit.page) == []
