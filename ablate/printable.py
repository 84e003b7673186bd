r"""Names as text that every terminal, file format and database can hold.

Characters that none of them should get are written as escapes, as Python writes them: bytes of a file name that are no
UTF-8 (``caf\xe9``), control characters, line separators, and the characters that reverse the text after them.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

_UNPRINTABLE = re.compile(
    "[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
#: How to write characters of ours that an encoding may lack.
_PLAIN = {"─": "-", "−": "-", "–": "-", "—": "-", "±": "+/-", "…": "...", "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~"}  # noqa: RUF001
_PLAIN |= {"×": "x", "·": "*", "→": "->", "←": "<-", "²": "^2", "³": "^3", "µ": "u", "°": " deg", "∞": "inf"}  # noqa: RUF001
#: Text that a spreadsheet would take for a formula, in any width of its first character, and such text with its mark.
_FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
#: The name of the way in which streams write the characters that their encoding lacks.
READABLE = "ablate-readable"
#: Python keeps a byte of a file name that is no UTF-8 as the surrogate with this number and the byte's.
_BYTES, _LAST = 0xDC00, 0xDCFF


def printable(text: str) -> str:
    r"""Return ``text`` with an escape (``\xe9``, ``\u2028``) for each character that is not printable."""
    return _UNPRINTABLE.sub(lambda match: _escape(ord(match[0])), text)


def escaped_json(text: str) -> str:
    """Return JSON in which all characters that are not printable are escaped, except the breaks of its lines."""
    return _UNPRINTABLE.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)


def inert(text: str) -> str:
    """Return text for a cell of a CSV file: with ``'`` before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def from_inert(cell: str) -> str:
    """Return the text that :func:`inert` has made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def readable(text: str, encoding: str | None) -> str:
    """Return ``text`` with other characters for those that an encoding lacks: ``+/-`` for ``±``, or else an escape."""
    if text.isascii() or encoding is None:
        return text
    return text.encode(encoding, READABLE).decode(encoding)


def _without(error: UnicodeError) -> tuple[str, int]:
    """Return what to write for the characters that an encoding lacks (an error handler of :mod:`codecs`)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(char) or _escape(ord(char)) for char in lacking), error.end


codecs.register_error(READABLE, _without)


def printable_lines(text: str) -> str:
    """Return ``text`` like :func:`printable`, but with its line breaks and tabs as they are."""
    return _UNPRINTABLE.sub(lambda match: match[0] if match[0] in "\n\r\t" else _escape(ord(match[0])), text)


def piece_text(text: str) -> str:
    """Return the name of a piece as it is stored and compared: printable, and with composed accents (NFC).

    Some systems write ``é`` into file names as ``e`` and an accent, and no reader could tell the two apart.
    """
    return unicodedata.normalize("NFC", printable(text))


def has_bytes(text: str) -> bool:
    """Check whether ``text`` holds bytes that are no UTF-8, which no database stores."""
    return not text.isascii() and any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def name_problem(name: str) -> str:
    """Return why ``name`` cannot be given to anything, as the end of a sentence; empty where it can."""
    found = _UNPRINTABLE.search(name)
    if has_bytes(name):
        return f"'{printable(name)}' is not valid UTF-8; write it in UTF-8"
    return f"'{printable(name)}' has the character {_escape(ord(found[0]))}; leave it out" if found else ""


def _escape(code: int) -> str:
    if _BYTES <= code <= _LAST:
        code -= _BYTES
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
