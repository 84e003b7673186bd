"""Read TOML from outside in memory and time that are proportional to the text.

``tomllib`` needs gigabytes for a key of many parts and recurses at every bracket, so the text is scanned first. Up to
the first syntax error the scan sees the same strings, comments and brackets as ``tomllib``, which stops there.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from ablate.errors import StudyFileError, one_line, shortened
from ablate.files import check_file
from ablate.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

#: The most bytes of a study file: 20 times a study of 1,000 named variants.
LARGEST = 2**20
#: The most parts of a dotted key, and the most lists and tables inside each other; studies need up to 8.
DEEPEST = 32
#: The most characters of a key in a message.
_LONGEST_SHOWN = 40
#: Digits after which a whole number is cut: it is refused for its size, and ``int`` would refuse to read it.
_LONGEST_NUMBER = 100

# quantifiers with a second + never backtrack, so no text takes quadratic time
_STRINGS = (
    r'"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"{3,5}',
    r"'''(?:[^']++|'{1,2}+(?!'))*+'{3,5}",
    r'"(?:[^"\\\n]++|\\[^\n])*+"',
    r"'[^'\n]*+'",
)
_SKIPPED = re.compile(f"(?P<string>{'|'.join(_STRINGS)})|#[^\\n]*+", re.DOTALL)
_KEY_PART = r'(?:[A-Za-z0-9_-]++|"")'
_DOT = r"[ \t]*+\.[ \t]*+"
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_KEY_PART}(?:{_DOT}{_KEY_PART}){{{DEEPEST},}}+")
_LONG_NUMBER = re.compile(rf"(?<![\w.:-])[+-]?([0-9][0-9_]{{{_LONGEST_NUMBER},}}+)(?![\w.:+-])")
_BRACKETS = re.compile(r"[\[{\]}]")


class UnsafeToml(ValueError):  # noqa: N818 - reads as the sentence it prints
    """TOML that is not parsed, because it would take too much memory; the text names the line and the key."""


def read_text(path: Path) -> str:
    """Return the text of a study file, without the mark of UTF-8 (BOM) that some editors put before it.

    Raises:
        StudyFileError: it cannot be read, is larger than :data:`LARGEST`, or is no text in UTF-8.
    """
    source = printable(str(path))
    try:
        check_file(path)
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        reason = getattr(error, "strerror", None) or one_line(error)
        raise StudyFileError(source, [f"cannot be read: {reason}"]) from error
    if len(data) > LARGEST:
        raise StudyFileError(source, [f"is larger than {LARGEST // 2**20} MiB, the most that a study file may have"])
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise StudyFileError(source, ["is not a text file in UTF-8"]) from error


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the data of a study file's text.

    Raises:
        StudyFileError: it is no TOML, or lists, tables or keys have more than :data:`DEEPEST` levels.
    """
    try:
        return loads(text)
    except UnsafeToml as error:
        raise StudyFileError(printable(str(path)), [printable(str(error))]) from error
    except tomllib.TOMLDecodeError as error:
        problem = f"is not valid TOML: {printable(one_line(error))}"
        raise StudyFileError(printable(str(path)), [problem]) from error


def loads(text: str) -> dict[str, Any]:
    """Return the data of TOML.

    A whole number of more than 100 digits is cut to 100: it stays one that no key can have.

    Raises:
        TOMLDecodeError: it is no TOML.
        UnsafeToml: lists, tables or keys have more than :data:`DEEPEST` levels.
    """
    bare = _SKIPPED.sub(_blank, text)
    _check_keys(bare)
    _check_brackets(bare)
    return tomllib.loads(_short_numbers(text, bare))


def _blank(match: re.Match[str]) -> str:
    """Return a string or comment without its content, as long as it was and with the same line breaks."""
    if match["string"] is None:
        return " " * len(match[0])
    return '""' + re.sub(r"[^\n]", " ", match[0][1:-1])


def _check_keys(bare: str) -> None:
    found = _LONG_KEY.search(bare)
    if found:
        line = bare.count("\n", 0, found.start()) + 1
        raise UnsafeToml(f"line {line}: {shortened(found[0], _LONGEST_SHOWN)}: a key may have at most {DEEPEST} parts")


def _check_brackets(bare: str) -> None:
    depth, outermost = 0, 0
    for bracket in _BRACKETS.finditer(bare):
        if bracket[0] in "]}":
            depth -= depth > 0
            continue
        outermost = outermost if depth else bracket.start()
        depth += 1
        if depth > DEEPEST:
            begun = bare.rfind("\n", 0, outermost) + 1
            key = bare[begun:outermost].partition("=")[0].strip()
            where = f"line {bare.count(chr(10), 0, outermost) + 1}: {shortened(key, _LONGEST_SHOWN)}".rstrip(": ")
            raise UnsafeToml(f"{where}: lists and tables may be nested at most {DEEPEST} deep")


def _short_numbers(text: str, bare: str) -> str:
    """Return the text with whole numbers of at most :data:`_LONGEST_NUMBER` digits."""
    parts, end = [], 0
    for number in _LONG_NUMBER.finditer(bare):
        parts += [text[end : number.start(1)], number[1][:_LONGEST_NUMBER].rstrip("_")]
        end = number.end()
    return "".join([*parts, text[end:]])
