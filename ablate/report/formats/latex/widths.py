"""The width of text in Computer Modern, the widest of the usual fonts, and lines of at most a width.

The widths are those of ``cmr10``, from its font metrics (D. E. Knuth, "Computer Modern Typefaces", 1986). Times and
Latin Modern are as wide or narrower. A test compares them with the boxes of a real LaTeX.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from ablate.report.formats.latex.escape import MATHEMATICS, escape

#: Widths of characters in thousandths of the size of the font, after escaping.
_GROUPS = {
    278: "!',.:;[]`il| ",
    306: "fj",
    334: "-",
    362: "I_",
    389: "()t",
    392: "rs",
    445: "cez",
    473: "?",
    501: '"$*/0123456789ag{}o~^\\',
    528: "kqvxy",
    556: "Sbdhnpu\N{EN DASH}",
    612: "Z",
    626: "LJ",
    653: "F",
    681: "EP",
    709: "B",
    723: "CTw",
    751: "AHNRUVXY",
    778: "D&+=@KOQ<>",
    785: "G",
    834: "#%m",
    917: "M",
    1028: "W\N{EM DASH}…",
}
_WIDTHS = {char: width for width, chars in _GROUPS.items() for char in chars}
_OTHER = 1028
#: Smaller fonts are wider for their size: size in pt, and the factor.
SIZES = {"normalsize": (10, 1.0), "small": (9, 1.029), "scriptsize": (7, 1.165)}
#: A line can be broken after these characters.
_PIECES = re.compile(r"[^ =,._+/:;|)&-]*[ =,._+/:;|)&-]*")
#: In LaTeX as it is: a command, and what only groups or changes to mathematics.
_RAW = re.compile(r"\\[A-Za-z]+ ?|\\.")
_INVISIBLE = str.maketrans("", "", "{}$^_")


class Tex(NamedTuple):
    """LaTeX, and its width in pt."""

    tex: str
    width: float


def width_of(text: str, size: str = "small") -> float:
    """Return the width of plain text in pt, an upper bound.

    Args:
        text: as it is printed, not escaped.
        size: a key of :data:`SIZES`.
    """
    points, factor = SIZES[size]
    return sum(map(_width, text)) * points * factor / 1000


def _width(char: str) -> int:
    if char in _WIDTHS:
        return _WIDTHS[char]
    if char in MATHEMATICS:
        return 1000 if char in "→←" else 834
    base = unicodedata.normalize("NFKD", char)[0]
    return _WIDTHS.get(base, _OTHER)


def plain(text: str, size: str = "small") -> Tex:
    """Return text as LaTeX in one line."""
    return Tex(escape(text), width_of(text, size))


def raw(tex: str, size: str = "small") -> Tex:
    r"""Return LaTeX as it is; its width is a guess, in which a command such as ``\tau`` is a wide character."""
    return Tex(tex, width_of(_RAW.sub("W", tex).translate(_INVISIBLE), size))


def lines_of(text: str, width: float) -> list[str]:
    """Break plain text into lines of at most a width, after spaces and punctuation, otherwise anywhere."""
    lines = [""]
    for piece in _pieces(text, width):
        if lines[-1] and width_of((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def longest_piece(text: str) -> float:
    """Return the width of the longest part of text that has no place to break, in pt."""
    return max((width_of(piece.rstrip()) for piece in _split(text)), default=0.0)


def _split(text: str) -> list[str]:
    return [piece for piece in _PIECES.findall(" ".join(text.split())) if piece]


def _pieces(text: str, width: float) -> list[str]:
    """Return the parts of text between places to break; what is wider than a line becomes characters."""
    pieces: list[str] = []
    for piece in _split(text):
        pieces += [piece] if width_of(piece.rstrip()) <= width else list(piece)
    return pieces


def stacked(lines: list[Tex], *, align: str, position: str) -> Tex:
    r"""Return lines below each other, as one cell.

    Args:
        lines: at least one.
        align: of the lines: ``l`` or ``r``.
        position: the line at the height of the row: ``t`` (the first) or ``b`` (the last).
    """
    if len(lines) == 1:
        return lines[0]
    inner = r" \\ ".join(guarded(line.tex) for line in lines)
    return Tex(rf"\begin{{tabular}}[{position}]{{@{{}}{align}@{{}}}}{inner}\end{{tabular}}", max(w for _, w in lines))


def guarded(tex: str) -> str:
    r"""Return LaTeX for the start of a row, where ``[`` and ``*`` would be read as arguments of the row before."""
    return "{}" + tex if tex[:1] in ("[", "*") else tex
