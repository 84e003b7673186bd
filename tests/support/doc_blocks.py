"""The code in the documentation: fenced blocks, commands in them, and commands inside sentences."""

from __future__ import annotations

import dataclasses
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from support.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEPARATORS = {";", "&&", "||", "|", "&"}
_REDIRECTIONS = {">", ">>", "<", "2>"}
#: Words of the shell before a command.
_KEYWORDS = {"do", "then", "time", "nohup"}
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its page, from the root of the checkout, its first line, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def first(self) -> str:
        """The first line, which tells the blocks of a page apart while the page changes."""
        return self.text.strip().partition("\n")[0]

    def commands(self) -> list[str]:
        """The command lines: those behind a prompt, or all where there is no prompt."""
        lines = self.text.replace("\\\n", " ").splitlines()
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return prompted or [line for line in lines if line.strip() and not line.startswith("#")]

    def output(self) -> list[str]:
        """The lines that the commands print, in a block with prompts."""
        lines = self.text.replace("\\\n", " ").splitlines()
        prompts = [line for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and line not in prompts] if prompts else []


@cache
def pages() -> list[Path]:
    """The pages for users and for contributors; decisions are history."""
    pages = sorted(page for page in (ROOT / "docs").rglob("*.md") if "decisions" not in page.parts)
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *pages]


@cache
def blocks() -> list[Block]:
    """All fenced blocks of all pages."""
    found = []
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        for token in MarkdownIt().disable("inline").parse(page.read_text(encoding="utf-8")):
            if token.type in ("fence", "code_block"):
                assert token.map is not None
                found.append(Block(name, token.map[0] + 1, token.info.strip(), token.content))
    return found


@cache
def spans() -> list[Block]:
    """All commands of ablate inside sentences, as blocks of one line."""
    found = []
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        for token in MarkdownIt("default").parse(page.read_text(encoding="utf-8")):
            line = (token.map or [0])[0] + 1
            inside = [inner.content for inner in token.children or () if inner.type == "code_inline"]
            found += [Block(name, line, "sh", text) for text in inside if re.match(r"ablate [a-z]", text)]
    return found


def of(*languages: str) -> pytest.MarkDecorator:
    """Run a test for each block of these languages."""
    chosen = [block for block in blocks() if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=map(str, chosen))


def simple_commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each command of a line, without assignments, redirections and comments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    words: list[str] = []
    skip = False
    for word in [*lexer, ";"]:
        if word in _SEPARATORS:
            while words and (words[0] in _KEYWORDS or _ASSIGNMENT.match(words[0])):
                words.pop(0)
            if words:
                yield words
            words = []
        elif word in _REDIRECTIONS:
            skip = True
        elif skip:
            skip = False
        else:
            words.append(word)
