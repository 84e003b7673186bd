"""Text as LaTeX prints it."""

from __future__ import annotations

import re
import unicodedata

from ablate.printable import printable

_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon"
_GREEK += " phi chi psi omega"
_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
_SYMBOLS = {
    "\N{MINUS SIGN}": "-",
    "±": r"\pm",
    "\N{MULTIPLICATION SIGN}": r"\times",
    "·": r"\cdot",
    "÷": r"\div",
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "≈": r"\approx",
    "∞": r"\infty",
    "√": r"\surd",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "∈": r"\in",
    "♯": r"\sharp",
    "♭": r"\flat",
    "♮": r"\natural",
    "µ": r"\mu",
    "²": "^2",
    "³": "^3",
    "°": r"^\circ",
}
_LETTERS = {"SMALL": _GREEK, "CAPITAL": _CAPITALS}
_GREEK_LETTERS = {
    unicodedata.lookup(f"GREEK {case} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}"): f"\\{name}"
    for case, names in _LETTERS.items()
    for name in names.split()
}
#: Characters that LaTeX prints in its mathematics only, by their command there.
MATHEMATICS = {**_SYMBOLS, **_GREEK_LETTERS}
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "…": r"\dots{}",
    **{char: f"${command}$" for char, command in MATHEMATICS.items()},
}
#: Letters with accents that pdfLaTeX prints without further packages end here.
_LAST_LATIN = 0x17F


def escape(text: str) -> str:
    r"""Escape text for LaTeX, in one line, because an empty line would end a caption.

    Two hyphens stay two, and do not become a dash. Control characters are written as ``\x1b``; joiners and other
    characters without a form are left out.
    """
    line = "".join(char for char in printable(" ".join(text.split())) if unicodedata.category(char) != "Cf")
    return re.sub("-(?=-)", "-{}", "".join(_ESCAPES.get(char, char) for char in line))


def beyond_pdflatex(text: str) -> str:
    """Return the characters of escaped text that pdfLaTeX cannot print, each once: XeLaTeX and LuaLaTeX can."""
    return "".join(dict.fromkeys(char for char in text if ord(char) > _LAST_LATIN))
