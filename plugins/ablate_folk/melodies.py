"""Twelve traditional melodies with chords, as written texts.

A note is a pitch (C4 is middle C, MIDI pitch 60) or a rest, ``r``, and its length in sixteenths; bars end with ``|``.
A tune with a pickup begins with the bar of it. There are one or two chords in a bar.

All are in the public domain: Auld Lang Syne is Scottish (the tune was printed in 1799), Greensleeves English (before
1580), Scarborough Fair English, Sakura Japanese (Edo period); Ah! vous dirai-je, maman is French (printed in 1761), Au
clair de la lune French (18th century), Korobeiniki Russian (19th century), New Britain American (printed in 1829, the
melody of Amazing Grace), Drunken Sailor a shanty (before 1839), Yankee Doodle American (18th century), London Bridge
English (printed in 1879), When the Saints American (19th century).
"""

from __future__ import annotations

from typing import NamedTuple


class Written(NamedTuple):
    """A tune as written.

    Attributes:
        metre: the length of a beat in sixteenths, and the number of beats in a bar.
        tempo: beats a minute.
        phrases: the numbers of bars in its phrases; the bar of a pickup belongs to the first one.
        melody: the notes.
        chords: of each bar.
    """

    metre: tuple[int, int]
    tempo: float
    phrases: tuple[int, ...]
    melody: str
    chords: str


#: The tunes by name.
WRITTEN = {
    "auld-lang-syne": Written(
        (4, 4),
        116.0,
        (5, 4, 4, 4),
        """
        r.12 C4.4 |
        F4.6 F4.2 F4.4 A4.4 | G4.6 F4.2 G4.4 A4.4 | F4.6 F4.2 A4.4 C5.4 | D5.12 D5.4 |
        C5.6 A4.2 A4.4 F4.4 | G4.6 F4.2 G4.4 A4.4 | F4.6 D4.2 D4.4 C4.4 | F4.12 D5.4 |
        C5.6 A4.2 A4.4 F4.4 | G4.6 F4.2 G4.4 D5.4 | C5.6 A4.2 A4.4 C5.4 | D5.12 D5.4 |
        C5.6 A4.2 A4.4 F4.4 | G4.6 F4.2 G4.4 A4.4 | F4.6 D4.2 D4.4 C4.4 | F4.12 r.4 |
        """,
        "F  F C7 F Bb  F C7 Bb-C7 F  F C7 F Bb  F C7 Bb-C7 F",
    ),
    "scarborough-fair": Written(
        (4, 3),
        138.0,
        (4, 5, 4, 5),
        """
        E4.8 E4.4 | B4.4 B4.4 B4.4 | F#4.6 G4.2 F#4.4 | E4.12 |
        r.4 B4.4 D5.4 | E5.8 D5.4 | B4.4 C#5.4 A4.4 | B4.12 | r.8 E5.4 |
        E5.8 E5.4 | D5.8 B4.4 | B4.4 A4.4 G4.4 | F#4.4 D4.8 |
        E4.8 B4.4 | A4.8 G4.4 | F#4.4 E4.4 D4.4 | E4.12 | r.12 |
        """,
        "Em Em D Em  Em G A Em Em  G G G D  Em D D Em Em",
    ),
    "greensleeves": Written(
        (6, 2),
        66.0,
        (5, 4, 4, 4),
        """
        r.10 A4.2 |
        C5.4 D5.2 E5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.4 A4.2 A4.3 G#4.1 A4.2 | B4.4 G#4.2 E4.4 A4.2 |
        C5.4 D5.2 E5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.3 B4.1 A4.2 G#4.3 F#4.1 G#4.2 | A4.6 A4.6 |
        G5.6 G5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.4 A4.2 A4.3 G#4.1 A4.2 | B4.4 G#4.2 E4.6 |
        G5.6 G5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.3 B4.1 A4.2 G#4.3 F#4.1 G#4.2 | A4.10 r.2 |
        """,
        "Am  Am G Am E  Am G Am-E Am  C G Am E  C G Am-E Am",
    ),
    "sakura": Written(
        (4, 4),
        96.0,
        (4, 4, 4, 2),
        """
        A4.4 A4.4 B4.8 | A4.4 A4.4 B4.8 | A4.4 B4.4 C5.4 B4.4 | A4.4 B4.2 A4.2 F4.8 |
        E4.4 C4.4 E4.4 F4.4 | E4.4 E4.2 C4.2 B3.8 | A4.4 B4.4 C5.4 B4.4 | A4.4 B4.2 A4.2 F4.8 |
        E4.4 C4.4 E4.4 F4.4 | E4.4 E4.2 C4.2 B3.8 | A4.4 A4.4 B4.8 | A4.4 A4.4 B4.8 |
        E4.4 F4.4 B4.2 A4.2 F4.4 | E4.12 r.4 |
        """,
        "Am Am Am F  Am Em Am F  Am Em Am Am  F Em",
    ),
    "ah-vous-dirai-je": Written(
        (4, 4),
        112.0,
        (4, 4, 4),
        """
        C4.4 C4.4 G4.4 G4.4 | A4.4 A4.4 G4.8 | F4.4 F4.4 E4.4 E4.4 | D4.4 D4.4 C4.8 |
        G4.4 G4.4 F4.4 F4.4 | E4.4 E4.4 D4.8 | G4.4 G4.4 F4.4 F4.4 | E4.4 E4.4 D4.8 |
        C4.4 C4.4 G4.4 G4.4 | A4.4 A4.4 G4.8 | F4.4 F4.4 E4.4 E4.4 | D4.4 D4.4 C4.8 |
        """,
        "C F-C F-C G7-C  C-F C-G7 C-F C-G7  C F-C F-C G7-C",
    ),
    "au-clair-de-la-lune": Written(
        (4, 4),
        104.0,
        (4, 4, 4, 4),
        """
        G4.4 G4.4 G4.4 A4.4 | B4.8 A4.8 | G4.4 B4.4 A4.4 A4.4 | G4.16 |
        G4.4 G4.4 G4.4 A4.4 | B4.8 A4.8 | G4.4 B4.4 A4.4 A4.4 | G4.16 |
        A4.4 A4.4 A4.4 A4.4 | E4.8 E4.8 | A4.4 G4.4 F#4.4 E4.4 | D4.16 |
        G4.4 G4.4 G4.4 A4.4 | B4.8 A4.8 | G4.4 B4.4 A4.4 A4.4 | G4.16 |
        """,
        "G G-D G-D G  G G-D G-D G  D A7 D-A7 D  G G-D G-D G",
    ),
    "korobeiniki": Written(
        (4, 4),
        132.0,
        (4, 4, 4, 4),
        """
        E5.4 B4.2 C5.2 D5.4 C5.2 B4.2 | A4.4 A4.2 C5.2 E5.4 D5.2 C5.2 | B4.6 C5.2 D5.4 E5.4 | C5.4 A4.4 A4.8 |
        E5.4 B4.2 C5.2 D5.4 C5.2 B4.2 | A4.4 A4.2 C5.2 E5.4 D5.2 C5.2 | B4.6 C5.2 D5.4 E5.4 | C5.4 A4.4 A4.8 |
        r.2 D5.4 F5.2 A5.4 G5.2 F5.2 | E5.6 C5.2 E5.4 D5.2 C5.2 | B4.4 B4.2 C5.2 D5.4 E5.4 | C5.4 A4.4 A4.8 |
        r.2 D5.4 F5.2 A5.4 G5.2 F5.2 | E5.6 C5.2 E5.4 D5.2 C5.2 | B4.4 B4.2 C5.2 D5.4 E5.4 | C5.4 A4.4 A4.8 |
        """,
        "E7 Am E7 Am  E7 Am E7 Am  Dm C E7 Am  Dm C E7 Am",
    ),
    "new-britain": Written(
        (4, 3),
        92.0,
        (5, 4, 4, 4),
        """
        r.8 D4.4 |
        G4.8 B4.2 G4.2 | B4.8 A4.4 | G4.8 E4.4 | D4.8 D4.4 | G4.8 B4.2 G4.2 | B4.8 A4.4 | D5.12 | r.8 B4.4 |
        D5.6 B4.2 D5.2 B4.2 | G4.8 D4.4 | E4.6 G4.2 G4.2 E4.2 | D4.8 D4.4 | G4.8 B4.2 G4.2 | B4.8 A4.4 | G4.12 | r.12 |
        """,
        "G  G G C G  G G D D7  G G C G  Em D G G",
    ),
    "drunken-sailor": Written(
        (4, 2),
        112.0,
        (4, 4, 4, 4),
        """
        A4.2 A4.1 A4.1 A4.2 A4.1 A4.1 | A4.2 D4.2 F4.2 A4.2 | G4.2 G4.1 G4.1 G4.2 G4.1 G4.1 | G4.2 C4.2 E4.2 G4.2 |
        A4.2 A4.1 A4.1 A4.2 A4.1 A4.1 | A4.2 B4.2 C5.2 D5.2 | C5.2 A4.2 G4.2 E4.2 | D4.4 D4.4 |
        A4.4 A4.4 | A4.2 D4.2 F4.2 A4.2 | G4.4 G4.4 | G4.2 C4.2 E4.2 G4.2 |
        A4.4 A4.4 | A4.2 B4.2 C5.2 D5.2 | C5.2 A4.2 G4.2 E4.2 | D4.4 D4.4 |
        """,
        "Dm Dm C C  Dm Dm C Dm  Dm Dm C C  Dm Dm C Dm",
    ),
    "yankee-doodle": Written(
        (4, 2),
        108.0,
        (4, 4, 4, 4),
        """
        C5.2 C5.2 D5.2 E5.2 | C5.2 E5.2 D5.2 G4.2 | C5.2 C5.2 D5.2 E5.2 | C5.4 B4.4 |
        C5.2 C5.2 D5.2 E5.2 | F5.2 E5.2 D5.2 C5.2 | B4.2 G4.2 A4.2 B4.2 | C5.4 C5.4 |
        A4.3 B4.1 A4.2 G4.2 | A4.2 B4.2 C5.4 | G4.3 A4.1 G4.2 F4.2 | E4.4 G4.4 |
        A4.3 B4.1 A4.2 G4.2 | A4.2 B4.2 C5.2 A4.2 | G4.2 C5.2 B4.2 D5.2 | C5.4 C5.4 |
        """,
        "C C-G C C-G  C F G7 C  F F C C  F F C-G7 C",
    ),
    "london-bridge": Written(
        (4, 2),
        96.0,
        (4, 4, 4, 4),
        """
        G4.3 A4.1 G4.2 F4.2 | E4.2 F4.2 G4.4 | D4.2 E4.2 F4.4 | E4.2 F4.2 G4.4 |
        G4.3 A4.1 G4.2 F4.2 | E4.2 F4.2 G4.4 | D4.4 G4.4 | E4.2 C4.6 |
        G4.3 A4.1 G4.2 F4.2 | E4.2 F4.2 G4.4 | D4.2 E4.2 F4.4 | E4.2 F4.2 G4.4 |
        G4.3 A4.1 G4.2 F4.2 | E4.2 F4.2 G4.4 | D4.4 G4.4 | E4.2 C4.6 |
        """,
        "C C G7 C  C C G7 C  C C G7 C  C C G7 C",
    ),
    "when-the-saints": Written(
        (4, 4),
        152.0,
        (4, 4, 4, 4),
        """
        r.4 C4.4 E4.4 F4.4 | G4.16 | r.4 C4.4 E4.4 F4.4 | G4.16 | r.4 C4.4 E4.4 F4.4 | G4.8 E4.8 | C4.8 E4.8 | D4.16 |
        r.4 E4.4 E4.4 D4.4 | C4.12 C4.4 | E4.8 G4.4 G4.4 | F4.16 | r.8 E4.4 F4.4 | G4.8 E4.8 | C4.8 D4.8 | C4.16 |
        """,
        "C C C C  C C C G  C C C7 F  F C C-G7 C",
    ),
}
