"""The Markdown pages of the gallery, made from its entries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gallery.entry import Entry

#: Characters that mean something in Markdown.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~$])")

#: The variants that may also be the best one, at the end of an answer.
_OTHERS = re.compile(r"; (?P<names>.*?)(?: and (?P<more>\d+) more)? may also be the best one\.$")

_PAGE = """\
# {title}

**Question.** {question}

**Answer.** {answer}

![{alt}](figures/{name}.svg)

{link} (without sound; what it lists as files is left out here).

The verdicts of the report on {heading}:

{sentences}
{steps}{hypothesis}
| | |
|---|---|
| Corpus | {corpus} |
| Size | {runs} |
| Time | {seconds} s, in which stages of {work} s ran beside each other |
| Machine | {machine} |
| Results of | {finished}, ablate {version} |
| Fingerprint of the study | `{fingerprint}` |

Run it yourself, with sound and all files of the report (the sound needs the extra `audio`):

```sh
ablate study run {name}
```

The settings, with the reason for each, are in [studies/{name}.toml](../../studies/{name}.toml).
In the repository the report is the file `docs/gallery/reports/{name}.html.gz`.
"""

_INDEX = """\
# Gallery

{finished} studies that come with ablate, run at their default profile on an included corpus.
Each page has the question, the answer in one sentence of the report, the other verdicts, and the report itself.

| Study | Question | Answer | Seconds |
|---|---|---|---|
{rows}

{lacking}The answers are those of the reports, word for word.
More than three variants that may also be the best one are counted here; the page of the study names them.
The seconds are those in which at least one stage of the study ran ({machines}).
`make gallery` runs what is missing and writes these pages.
`make gallery-check` compares the fingerprint of each page with that of the study file.

```{{toctree}}
:maxdepth: 1
:hidden:

{names}
```
"""


def page(entry: Entry) -> str:
    """Return the page of a study."""
    name = entry.name
    return _PAGE.format(
        title=name,
        name=name,
        question=_text(entry.question),
        answer=_text(entry.answer),
        alt=f"The first figure of the report: {_text(entry.heading)}",
        link=f'<a href="reports/{name}.html">Open the report of {name}</a>',
        heading=_text(entry.heading),
        sentences=_listed(entry.sentences),
        steps=f"\nThe steps of the path:\n\n{_listed(entry.steps)}\n" if entry.steps else "",
        hypothesis=f"\n{_text(entry.hypothesis)}.\n" if entry.hypothesis else "",
        corpus=_text(entry.corpus),
        runs=_text(entry.runs),
        seconds=f"{entry.seconds:,}",
        work=f"{entry.work:,}",
        machine=_text(entry.machine),
        finished=entry.finished,
        version=entry.version,
        fingerprint=entry.fingerprint,
    )


def index(entries: Mapping[str, Entry], questions: Mapping[str, str]) -> str:
    """Return the page that lists all studies.

    Args:
        entries: of the studies that have a page, by name.
        questions: of all studies, by name.
    """
    names = sorted(questions, key=lambda name: name not in entries)  # what has been run goes first
    rows = [_row(name, questions[name], entries.get(name)) for name in names]
    missing = [name for name in questions if name not in entries]
    return _INDEX.format(
        finished=f"{len(questions) - len(missing)} of the {len(questions)}" if missing else f"All {len(questions)}",
        rows="\n".join(rows),
        lacking=_lacking(missing, len(questions)),
        machines="; ".join(sorted({entry.machine for entry in entries.values()})) or "none yet",
        names="\n".join(entries),
    )


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {_text(sentence)}" for sentence in sentences)


def _row(name: str, question: str, entry: Entry | None) -> str:
    if entry is None:
        return f"| {name} | {_text(question)} | not run yet | |"
    return f"| [{name}]({name}.md) | {_text(question)} | {_text(counted(entry.answer))} | {entry.seconds:,} |"


def counted(answer: str) -> str:
    """Return an answer in which a list of more than three variants that may also be the best one is a number."""
    listed = _OTHERS.search(answer)
    if listed is None:
        return answer
    names = listed["names"].split("; " if "; " in listed["names"] else ", ")
    number = len(names) + int(listed["more"] or 0)
    return f"{answer[: listed.start()]}; {number} others may also be the best one." if number > 3 else answer


def _lacking(missing: Sequence[str], total: int) -> str:
    if not missing:
        return ""
    have = "has" if len(missing) == 1 else "have"
    return f"{len(missing)} of {total} studies {have} no page yet: {', '.join(map(_text, missing))}.\n"


def _text(text: str) -> str:
    """Return a text on one line, with what means something in Markdown escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
