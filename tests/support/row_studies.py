"""A home with finished studies of several designs: factorial, search, blocks, path, held-out pieces, judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMMON = """
question = "{name}?"
seed = 1
replicates = {replicates}
{design}
[corpus.bach-prelude]
[tokenizer.midilike]
[model.lstm]
embedding = 8
hidden = 8
[training]
steps = 10
batch = 2
window = 16
[generation]
samples = 2
tokens = 120
[sampler.temperature]
tau = 1.0
[sampler.top_p]
p = 1.0
[metric."distance.pitch"]
[objective]
metric = "distance.pitch"
"""
_FACTORS = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\nsampler.top_p.p = [0.9, 1.0]\n"
_GRID = f"""[metric."memorization.covered"]
{_FACTORS}
[margins]
"distance.pitch" = "10 %"
[hypothesis]
text = "tau matters"
predictions = [{{ best = "tau=0.8, p=1.0" }}]
"""
_FOUND = """[axes]
sampler.temperature.tau = { low = 0.6, high = 1.4 }
sampler.top_p.p = { low = 0.7, high = 1.0 }
[search]
n_variants = 4
prune_after = 2
prune_p = 0.3
"""
_BLOCKS = """[axes]
sampler.temperature.tau = [0.8, 1.0]
corpus.bach-prelude.seed = { levels = [1, 2], block = true }
"""
#: Each study: its replicates, its design, and the end of its file.
_STUDIES = {
    "grid": (3, "", _GRID),
    "found": (3, 'design = "search"', _FOUND),
    "blocks": (2, "", _BLOCKS),
    "way": (2, 'design = "path"', f'{_FACTORS}[target]\n"sampler.temperature.tau" = 0.8\n"sampler.top_p.p" = 0.9\n'),
}


def make_home(home: Path) -> None:
    """Make a home, and beside it a folder ``material`` with the files of its studies."""
    folder = home.parent / "material"
    folder.mkdir(parents=True)
    for name, (replicates, design, end) in _STUDIES.items():
        text = _COMMON.format(name=name, replicates=replicates, design=design) + end
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        assert run(["study", "run", str(folder / f"{name}.toml"), "--home", str(home), "--no-report"]) == 0
    lines = [f"{model},{seed},1.{seed + 2 * (model == 'b')}" for model in "ab" for seed in range(1, 7)]
    (folder / "table.csv").write_text("\n".join(["model,seed,loss", *lines]), encoding="utf-8")
    judge = ["judge", str(folder / "table.csv"), "--variant", "model", "--replicate", "seed", "--baseline", "a"]
    assert run([*judge, "--direction", "loss=lower", "--name", "judged", "--home", str(home)]) == 0
    (folder / "variants.json").write_text(json.dumps(dict(_variants(home))), encoding="utf-8")


def _variants(home: Path) -> Iterator[tuple[str, list[str]]]:
    from ablate.store.store import Store

    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        for study in store.studies():
            yield study.name, [variant.name for variant in store.variants(study.name)]
