"""``ablate study list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ablate.cli.locations import existing_store, has_store, home_option, store_option
from ablate.cli.output import json_option, print_json, print_table
from ablate.store.parts import SHARDS

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.store.store import Store

#: The most shards of a study that its line names.
_MOST = 3


@click.command("list")
@home_option
@store_option
@json_option
def list_(home: Path, store: str | None, as_json: bool) -> None:  # noqa: FBT001
    """List the studies that have been run in this home, and those that can be run.

    A study is updated when a command begins to run it, and with each stage that finishes.

    Example: ablate study list
    """
    from ablate.study.file.locate import known_studies

    rows = [_from_file(name, path) for name, path in known_studies().items()]
    if has_store(home, store):
        with existing_store(home, store) as opened:
            stored = {study.name: _from_store(opened, study.name) for study in opened.studies()}
        rows = [*stored.values(), *(row for row in rows if row["name"] not in stored)]
    if as_json:
        print_json(rows)
        return
    print_table(["study", "runs done", "updated", "question"], [list(row.values()) for row in rows], prose=3)


def _from_file(name: str, path: Path) -> dict[str, Any]:
    from ablate.errors import AblateError
    from ablate.study.file.text.toml import loads, read_text

    try:
        question = loads(read_text(path)).get("question", "")
    except (AblateError, ValueError):
        question = f"{path} cannot be read"
    return {"name": name, "done": "not run", "updated": None, "question": question if isinstance(question, str) else ""}


def _from_store(store: Store, name: str) -> dict[str, Any]:
    study, progress = store.study(name), store.progress(name)
    runs = progress.runs
    done = sum(run.state == "done" for run in runs)
    changes = [study.updated, *(stage.finished for stage in progress.stages.values())]
    updated = max(filter(None, changes), default=None)
    shards = study.spec.get(SHARDS) or ()
    part = f" ({'shard' if len(shards) == 1 else 'shards'} {', '.join(shards[:_MOST])})" if done < len(runs) else ""
    return {
        "name": name,
        "done": f"{done} of {len(runs)}{part if shards else ''}",
        "updated": f"{updated:%Y-%m-%d %H:%M} UTC" if updated else None,
        "question": study.spec.get("question", ""),
    }
