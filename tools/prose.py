"""Find phrases that are hard to read, with a plainer form for each: ``python tools/prose.py [--count] [PATH ...]``.

The rules are in ``prose.toml``. By default the pages, the code, the report's templates and the studies are checked.
The exit code is 1 if there is any finding. ``--count`` prints the number of findings of each folder instead.
"""  # noqa: INP001 - a script

from __future__ import annotations

import ast
import collections
import dataclasses
import io
import re
import sys
import tokenize
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
#: What is checked when no path is named.
DEFAULT = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/*.md", "docs/*/*.md", "docs/explanation/*/*.md", "studies/*.toml"),
    *("ablate/**/*.py", "ablate/**/*.j2", "plugins/**/*.py", "tools/*.py", "hatch_build.py"),
)
#: Code in pages: blocks between fences, and spans between backticks, which may quote a phrase.
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
#: Tokens of Python that contain prose. Parts of f-strings are tokens of their own from Python 3.12 on.
PROSE_TOKENS = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


@dataclasses.dataclass(frozen=True)
class Rule:
    """A phrase to avoid, and what to write instead."""

    pattern: re.Pattern[str]
    plainer: str
    reason: str
    example: str
    fine: str
    opening: bool = False


@dataclasses.dataclass(frozen=True)
class Text:
    """A piece of prose, the line on which it begins, and whether it is a docstring."""

    line: int
    content: str
    docstring: bool = False


@dataclasses.dataclass(frozen=True)
class Finding:
    """A phrase in a file that a rule advises against."""

    path: Path
    line: int
    phrase: str
    rule: Rule

    def __str__(self) -> str:
        """Return one line for the terminal."""
        return f"{self.path}:{self.line}: '{self.phrase}': write {self.rule.plainer} ({self.rule.reason})"


def read_rules(path: Path) -> list[Rule]:
    """Return the rules of a file; a blank in a pattern matches any white space, and comment signs at a line's start."""
    rules = tomllib.loads(path.read_text(encoding="utf-8"))["rules"]
    return [Rule(**{**rule, "pattern": _compiled(rule["pattern"])}) for rule in rules]


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ", r"(?:\s+(?:\#:?\s+)?)"), re.IGNORECASE)


def page_texts(source: str) -> Iterator[Text]:
    """Yield a page as one text, with the code in it replaced by blanks."""
    yield Text(1, CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source))


def python_texts(source: str) -> Iterator[Text]:
    """Yield the docstrings, other strings and comments of Python code; comments on successive lines are one text."""
    docstrings = _docstring_lines(ast.parse(source))
    comment: list[str] = []
    first = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and comment and token.start[0] == first + len(comment):
            comment.append(token.string)
            continue
        if token.type == tokenize.COMMENT:
            if comment:
                yield Text(first, "\n".join(comment))
            comment, first = [token.string], token.start[0]
        elif token.type in PROSE_TOKENS:
            yield Text(token.start[0], token.string, docstring=token.start[0] in docstrings)
    if comment:
        yield Text(first, "\n".join(comment))


def _docstring_lines(tree: ast.Module) -> set[int]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    return {node.body[0].lineno for node in nodes if ast.get_docstring(node) is not None}


def check(path: Path, rules: list[Rule]) -> list[Finding]:
    """Return what the rules find in a file, by line."""
    source = path.read_text(encoding="utf-8")
    texts = python_texts(source) if path.suffix == ".py" else page_texts(source)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    findings = [Finding(shown, line, phrase, rule) for text in texts for line, phrase, rule in _matches(text, rules)]
    return sorted(findings, key=lambda finding: finding.line)


def _matches(text: Text, rules: list[Rule]) -> Iterator[tuple[int, str, Rule]]:
    opening = re.match(r'\w*["\']+\s*', text.content) if text.docstring else None
    for rule in rules:
        if not rule.opening:
            matches = list(rule.pattern.finditer(text.content))
        elif opening is not None:
            match = rule.pattern.match(text.content, opening.end())
            matches = [match] if match else []
        else:
            continue
        for match in matches:
            line = text.line + text.content.count("\n", 0, match.start())
            yield line, " ".join(match[0].split()), rule


def main(words: list[str]) -> int:
    """Check the files named, or the project's; print the findings or their numbers."""
    named = [Path(word).resolve() for word in words if not word.startswith("-")]
    paths = named or sorted({path for pattern in DEFAULT for path in ROOT.glob(pattern)})
    rules = read_rules(Path(__file__).with_suffix(".toml"))
    findings = [finding for path in paths for finding in check(path, rules)]
    if "--count" in words:
        counts = collections.Counter(str(finding.path.parent) for finding in findings)
        lines = [f"{count:5} {folder}" for folder, count in sorted(counts.items())]
    else:
        lines = [str(finding) for finding in findings]
    summary = f"{len(findings)} phrases to rewrite in {len(paths)} files" if findings else ""
    sys.stdout.writelines(f"{line}\n" for line in [*lines, summary] if line)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
