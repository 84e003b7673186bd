"""Every fenced block of the documentation is executed, parsed by its own reader, or compared."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from support.checkout import ROOT
from support.doc_blocks import Block, blocks, of
from support.queries import explain
from support.study_parts import WHOLE, made_whole

import ablate
from ablate.registry import get_registry
from ablate.report.results import StudyResults
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


#: A page with one of these needs a study that was trained, or a server; other tests run it, or nobody can.
NEEDS_RESULTS = re.compile(r"load_results|import (optuna|mlflow|wandb)|ablate_example")


def contained_in_a_file(block: Block) -> bool:
    """Whether the block is a part of one of the examples, which have tests of their own."""
    files = (path for path in (ROOT / "docs/examples").rglob("*") if path.suffix in (".py", ".toml"))
    return any(block.text in file.read_text(encoding="utf-8") for file in files)


# --- every language has its check ---


def test_every_block_has_a_check() -> None:
    checked = {"toml", "python", "py", "sh", "console", "sql", "json", "yaml", "text", "diff", "bibtex"}
    made_by_sphinx = re.compile(r"\{(eval-rst|toctree|components|settings|views|tables|include|image|figure)\}")
    unknown = [
        f"{block}: no test checks blocks of language '{block.language}'"
        for block in blocks()
        if block.language not in checked and not made_by_sphinx.match(block.language)
    ]
    assert not unknown, "\n".join(unknown)


@of("toml")
def test_toml_is_read_by_its_reader(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ablate.cli.study.running import executor

    given = tomllib.loads(block.text)
    if "executor" in given:
        text = block.text.replace("executor.NAME", "executor.slurm").replace("OPTION", "partition")
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        monkeypatch.setenv(executor.VARIABLE, str(tmp_path / "config.toml"))
        assert executor._tables(get_registry())
    elif "project" in given:
        points = given["project"].get("entry-points", {}).get("ablate", {})
        assert all(re.fullmatch(r"\w+", module) for module in points.values())
        assert given.get("build-system", {"build-backend": "hatchling.build"})["build-backend"] == "hatchling.build"
    elif not contained_in_a_file(block):
        whole = next((b.text for b in blocks() if b.page == block.page and b.text.startswith("question =")), WHOLE)
        path = tmp_path / "study.toml"
        text = block.text if "question" in given and "axes" in given else made_whole(block.text, whole)
        path.write_text(text.replace('"python"', '"sh"'), encoding="utf-8")
        for script in re.findall(r"\b\w+\.py\b", text):
            (tmp_path / script).touch()
        monkeypatch.chdir(tmp_path)
        assert read_study(str(path)).variants()


PYTHON: dict[str, list[Block]] = {}
for each in blocks():
    if each.language in ("python", "py"):
        PYTHON.setdefault(each.page, []).append(each)


@pytest.mark.parametrize("page", PYTHON)
def test_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in an empty folder; a comment behind an expression is its value."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"ablate": ablate}
    for block in PYTHON[page]:
        tree = ast.parse(block.text, str(block))
        assert list(unknown_names(tree)) == [], block
        if contained_in_a_file(block) or NEEDS_RESULTS.search("".join(b.text for b in PYTHON[page])):
            continue
        exec(compile(block.text, str(block), "exec", dont_inherit=True), names)
        for statement in tree.body:
            if isinstance(statement, ast.Expr):
                line = block.text.splitlines()[(statement.end_lineno or 1) - 1]
                comment = line[statement.end_col_offset or 0 :].strip().removeprefix("# ")
                if comment:
                    assert eval(ast.unparse(statement), names) == ast.literal_eval(comment), f"{block}: {line}"


def unknown_names(tree: ast.AST) -> Iterator[str]:
    """Yield what a module takes from ablate, or calls on results, that does not exist."""
    results = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ablate":
            module = importlib.import_module(node.module or "")
            yield from (f"{node.module}.{each.name}" for each in node.names if not hasattr(module, each.name))
        elif isinstance(node, ast.Assign) and "load_results" in ast.unparse(node.value):
            results |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = {"ablate": ablate, **dict.fromkeys(results, StudyResults)}.get(node.value.id)
            if owner is not None and not hasattr(owner, node.attr):
                yield f"{node.value.id}.{node.attr}"


# --- queries ---


@of("sql")
def test_queries_fit_the_database(block: Block) -> None:
    if block.text.startswith("GRANT"):  # of a server alone
        assert re.fullmatch(r"GRANT SELECT ON ALL TABLES IN SCHEMA public TO \w+;\n", block.text)
    else:
        explain(block.text)
