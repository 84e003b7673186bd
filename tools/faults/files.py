"""Damage the files of a finished study: it is noticed, said, and repaired by running the study again."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from faults.home import Home
from faults.kinds import Kind, Outcome

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from faults.kinds import Reference

WAYS = ("flip", "cut", "empty", "missing", "swap", "folder")


def damage(path: Path, way: str, others: list[Path], rng: random.Random) -> None:
    """Damage a file in one of :data:`WAYS`."""
    match way:
        case "flip":
            data = bytearray(path.read_bytes())
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            path.write_bytes(data)
        case "cut":
            os.truncate(path, rng.randrange(path.stat().st_size))
        case "empty":
            path.write_bytes(b"")
        case "missing":
            path.unlink()
        case "swap":
            other = rng.choice(others)
            mine, its = path.read_bytes(), other.read_bytes()
            path.write_bytes(its)
            other.write_bytes(mine)
        case _:
            path.unlink()
            path.mkdir()


def damage_a_file(reference: Reference, rng: random.Random) -> Outcome:
    """Damage one file, ask ``db check`` to find it and to repair it, and run the study again."""
    with reference.home.copy() as home:
        files = sorted(
            path for path in (home.folder / "artifacts").rglob("*") if path.is_file() and path.stat().st_size
        )
        path, way = rng.choice(files), rng.choice(WAYS)
        others = [p for p in files if p.name == path.name and p.read_bytes() != path.read_bytes()]
        if way == "swap" and not others:
            way = "flip"
        damage(path, way, others, rng)
        about = f"{way} of {path.name}"
        found = home.run("db", "check")
        if found.code == 0:
            return Outcome(1, f"{about}: db check finds nothing")
        problem = found.problem(1) or home.run("db", "check", "--repair").problem(0, 1) or home.run().problem(0)
        different = problem or home.differences(reference.contents)
        return Outcome(1, f"{about}: {different}" if different else "")


def damage_without_a_check(reference: Reference, rng: random.Random) -> Outcome:
    """Damage one file that new replicates need, and run more of them: it is never used in silence."""
    with reference.home.copy() as home:
        kind = rng.choice(["load", "prepare", "train", "generate"])
        files = sorted(path for path in (home.folder / "artifacts" / kind).rglob("*") if path.is_file())
        path = rng.choice([p for p in files if p.stat().st_size])
        damage(path, rng.choice(["flip", "cut", "empty", "missing"]), [], rng)
        if kind in ("train", "generate"):  # what follows is computed again from it
            shutil.rmtree(home.folder / "artifacts" / {"train": "generate"}.get(kind, "none"), ignore_errors=True)
        again = home.run()
        problem = again.problem(0) or home.run("db", "check", "--repair").problem(0, 1) or home.run().problem(0)
        different = problem or home.differences(reference.contents)
        return Outcome(1, f"{path.name} of {kind}: {different}" if different else "")


def damage_a_checkpoint(reference: Reference, rng: random.Random) -> Outcome:
    """Stop a training, damage its checkpoint, and run the study again: the training starts again."""
    from faults.kills import finished, wait, wait_for_training

    with Home(reference.study) as home:
        with home.started() as process:
            wait_for_training(home, process)
            wait(process, rng.uniform(0.5, reference.seconds / 3))
            process.kill()
            process.wait()
        checkpoints = sorted((home.folder / "checkpoints").glob("*.safetensors"))
        for path in checkpoints:
            damage(path, rng.choice(["flip", "cut", "empty"]), [], rng)
        return Outcome(len(checkpoints), finished(home, reference))


KINDS = (
    Kind(
        "damaged-files",
        "a file of a finished study is flipped, cut, emptied, removed, swapped or replaced by a folder: found by "
        "`ablate db check`, made again by `--repair` and a run",
        damage_a_file,
        ("factorial", "prune"),
        40,
    ),
    Kind(
        "damaged-inputs",
        "a file that missing stages read is damaged: never used in silence",
        damage_without_a_check,
        ("factorial",),
        16,
    ),
    Kind("damaged-checkpoints", "checkpoints of killed trainings are damaged", damage_a_checkpoint, ("long",), 16),
)
