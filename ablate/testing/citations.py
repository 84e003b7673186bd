"""Find errors in BibTeX entries without BibTeX."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = re.compile(r"@[A-Za-z]+\{\s*([^\s{}\",=#%~\\]+)\s*,")
_FIELD = re.compile(r"\s*([A-Za-z][\w-]*)\s*=\s*(\{\.*\}|\"\.*\"|[A-Za-z0-9]+)\s*")
_NEEDED = ("author", "title", "year")


def key(entry: str) -> str:
    """Return the key of an entry; empty if it has none."""
    head = _HEAD.match(entry.strip())
    return head[1] if head else ""


def fields(entry: str) -> dict[str, str]:
    """Return the values of an entry's fields by their names in lower case, without braces or quotation marks."""
    text = entry.strip()
    return dict(field for part, masked in _parts(text) if (field := _field(part, masked)))


def flaw(entry: str) -> str:
    """Return the error in an entry, as the end of a sentence about it; empty if there is none."""
    text = entry.strip()
    head = _HEAD.match(text)
    if not head:
        return "does not begin with @type{key,"
    length = head.end() + len(_masked(text[head.end() :])) + 1
    if length > len(text):
        return "has a brace that is not closed"
    if length < len(text):
        return "continues after its closing brace; write each entry as a separate text"
    for part, masked in _parts(text):
        if not _field(part, masked):
            return f"has '{part.strip()}' where name = {{value}} is expected; is a comma missing?"
    found = fields(text)
    missing = [name for name in _NEEDED if not found.get(name)]
    if missing:
        return f"has no {', no '.join(missing)}"
    return "" if re.fullmatch(r"\d{4}", found["year"]) else f"has the year '{found['year']}', not four digits"


def _masked(body: str) -> str:
    """Return the text after an entry's key, up to its closing brace, with dots for the inside of values."""
    masked, depth, quoted = "", 0, False
    for char in body:
        depth -= char == "}"
        if depth < 0:
            break
        quoted ^= char == '"' and depth == 0
        outside = depth == 0 and (char == '"' or not quoted)
        masked += char if outside else "."
        depth += char == "{"
    return masked


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Return the parts between the commas of an entry, unchanged and masked; a comma may follow the last one."""
    head = _HEAD.match(text)
    begin = head.end() if head else len(text)
    for masked in _masked(text[begin:]).rstrip().removesuffix(",").split(","):
        yield text[begin : begin + len(masked)], masked
        begin += len(masked) + 1


def _field(part: str, masked: str) -> tuple[str, str] | None:
    """Return the name and the value of a field; None if the part is no field."""
    field = _FIELD.fullmatch(masked)
    if not field:
        return None
    value = part[slice(*field.span(2))]
    return field[1].lower(), (value if value.isalnum() else value[1:-1]).strip()
