"""Parts of study files, as the documentation shows them, made whole so that they can be read."""

from __future__ import annotations

import re
import tomllib

from support.checkout import ROOT

PAGE = (ROOT / "docs/reference/study-file.md").read_text(encoding="utf-8")
#: The first block is a whole study; the others stand for what they add to it.
WHOLE, *PARTS = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
#: What the blocks about comparisons speak of.
SPOKEN_OF = """
[variants.neither]
[variants.conditioning]
conditioner = { tempo = { source = "uniform" } }
[variants.augmentation]
augmenter = "tempo"
[variants.both]
conditioner = "tempo"
augmenter = "tempo"
"""
#: What the block about the hypothesis speaks of besides.
PREDICTED = """
[contrasts]
"both, beyond the sum of each" = { both = 1, conditioning = -1, augmentation = -1, neither = 1 }

[margins]
"distance.duration" = 0.01
"""


def made_whole(part: str, whole: str = WHOLE) -> str:
    """Return the whole study with a part of it written otherwise."""
    given = tomllib.loads(part)
    # from the axes on it is what is varied, which a part replaces
    base = (
        whole.partition("[axes]")[0]
        if {"axes", "variants", "design", "contrasts", "parts", "hypothesis"} & given.keys()
        else whole
    )
    for section in given:
        base = re.sub(rf"^\[{section}[.\]].*?(?=^\[|\Z)|^{section} = .*?\n", "", base, flags=re.DOTALL | re.MULTILINE)
    if {"contrasts", "parts", "hypothesis"} & given.keys():
        part += SPOKEN_OF
    if "hypothesis" in given:
        part += PREDICTED
    if "[program]" in base:  # whose metrics are in the file that it writes
        return top_first(part, base)
    wanted = set(re.findall(r'metric = "(.*?)"|^"([a-z]+\.[a-z]+)" =', part, re.MULTILINE))
    metrics = {name for pair in wanted for name in pair if name} - set(re.findall(r'\[metric."(.*?)"\]', base))
    return top_first(part, base) + "".join(f'\n[metric."{name}"]\n' for name in sorted(metrics))


def top_first(part: str, base: str) -> str:
    """Return both in one text, with the keys of a part that are in no table before all tables."""
    top = re.match(r"[^\[]*", part)
    assert top is not None
    return top[0] + base + part[top.end() :]
