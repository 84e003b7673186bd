"""Studies, variants and runs in the store."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.databases import EVERY_DATABASE
from support.store_material import fill, measurements, put, put_stage, runs, stage, stages, study, variants

from ablate.errors import StoreError, UnknownName

if TYPE_CHECKING:
    from support.databases import Database

    from ablate.store.store import Store

pytestmark = EVERY_DATABASE


def states(store: Store, name: str = "one") -> dict[tuple[str, int], tuple[str, str, str]]:
    return {(c.variant, c.replicate): (c.state, c.error_class, c.error) for c in store.runs(name)}


DONE, FAILED, PENDING = ("done", "", ""), ("failed", "StageError", "no luck"), ("pending", "", "")


def test_a_study_comes_back_as_it_was_put(store: Store) -> None:
    before = datetime.now(UTC)
    put(store)
    found = store.study("one")
    assert dataclasses.replace(found, created=None, updated=None) == study()
    assert before <= found.created == found.updated <= datetime.now(UTC)  # type: ignore[operator]
    assert store.studies() == [found]
    assert store.variants("one") == variants("a", "b")
    assert store.runs("one") == runs(["a", "b"])


def test_a_study_put_again_is_the_same_study_brought_up_to_date(store: Store, database: Database) -> None:
    put(store)
    first = store.study("one")
    store.put_study(study(spec={"question": "Why not?"}, seed=4), variants("a", "b"), runs(["a", "b"]))
    again = store.study("one")
    assert again.created == first.created < again.updated  # type: ignore[operator]
    assert (again.spec, again.seed) == ({"question": "Why not?"}, 4)
    assert database.ask("SELECT count(*) FROM ablate_runs") == [(4,)]


def test_runs_that_stay_keep_their_state(store: Store) -> None:
    put(store)
    store.set_run("one", "a", 0, "done")
    store.set_run("one", "b", 1, *FAILED)
    put(store, ["a", "b", "c"], replicates=3)
    expected = {(variant, replicate): PENDING for variant in "abc" for replicate in range(3)}
    assert states(store) == expected | {("a", 0): DONE, ("b", 1): FAILED}


def test_a_run_whose_stages_changed_begins_anew(store: Store) -> None:
    put(store)
    for variant, replicate in states(store):
        store.set_run("one", variant, replicate, *FAILED)
    changed = runs(["a", "b"])
    changed[0] = dataclasses.replace(changed[0], stages={**changed[0].stages, "train": "another"})
    changed[1] = dataclasses.replace(changed[1], stages={**changed[1].stages, "measure velocity": "more"})
    changed[2] = dataclasses.replace(changed[2], stages={"train": "train 0"})
    changed[3] = dataclasses.replace(changed[3], config={"said": "otherwise"})
    store.put_study(study(), variants("a", "b"), changed)
    assert states(store) == {("a", 0): PENDING, ("a", 1): PENDING, ("b", 0): PENDING, ("b", 1): FAILED}
    assert [run.stages for run in store.runs("one")] == [dict(run.stages) for run in changed]
    assert store.runs("one")[3].config == {"said": "otherwise"}


def test_a_variant_that_changed_under_its_name_begins_anew(store: Store) -> None:
    put(store)
    store.set_run("one", "a", 0, "done")
    store.set_run("one", "b", 0, "done")
    first, second = variants("a", "b")
    store.put_study(study(), [dataclasses.replace(first, fingerprint="other"), second], runs(["a", "b"]))
    assert states(store)["a", 0] == PENDING
    assert states(store)["b", 0] == DONE


def test_variants_can_be_reordered_renamed_and_removed(store: Store, database: Database) -> None:
    put(store, ["a", "b", "c"])
    store.set_run("one", "a", 0, "done")
    store.set_run("one", "c", 0, "done")
    put(store, ["c", "new", "a"], replicates=1)
    assert store.variants("one") == variants("c", "new", "a")
    assert states(store) == {("c", 0): DONE, ("new", 0): PENDING, ("a", 0): DONE}
    assert database.ask("SELECT count(*) FROM ablate_variants") == [(3,)]
    assert database.ask("SELECT count(*) FROM ablate_run_stages") == [(9,)]
    assert database.orphans() == []


def test_two_variants_can_swap_their_names(store: Store) -> None:
    put(store)
    a, b = variants("a", "b")
    swapped = [dataclasses.replace(a, fingerprint=b.fingerprint), dataclasses.replace(b, fingerprint=a.fingerprint)]
    store.put_study(study(), swapped, runs(["a", "b"]))
    assert store.variants("one") == swapped


def test_studies_are_listed_by_name_and_kept_apart(store: Store) -> None:
    for name in ("b@smoke", "a", "b"):
        put(store, name=name)
    store.set_run("b", "a", 0, "done")
    assert [record.name for record in store.studies()] == ["a", "b", "b@smoke"]
    assert states(store, "a")["a", 0] == PENDING
    assert states(store, "b")["a", 0] == DONE


def test_a_run_that_was_done_forgets_its_error(store: Store) -> None:
    put(store)
    store.set_run("one", "a", 0, *FAILED)
    store.set_run("one", "a", 0, "done")
    assert states(store)["a", 0] == DONE


def test_what_is_not_there_is_said(store: Store) -> None:
    put(store, name="tau_sweep")
    for question in (
        store.study,
        store.variants,
        store.runs,
        store.measurement_rows,
        store.histograms,
        store.delete_study,
    ):
        with pytest.raises(UnknownName, match="unknown study 'tau_swep' in this home; did you mean 'tau_sweep'"):
            question("tau_swep")
    with pytest.raises(StoreError, match="study 'tau_sweep' has no run c, replicate 7"):
        store.set_run("tau_sweep", "c", 7, "done")


def test_studies_that_are_offered_are_told_apart_by_their_settings(store: Store) -> None:
    settings = ["--profile smoke", "--set tokenizer=midilike", f"--set axes.a=[{'1, ' * 99}2]"]
    for name, overrides in (("sweep@smoke+set-1", settings[:2]), ("sweep@smoke+set-2", settings[2:]), ("path", [])):
        store.put_study(study(name, spec={"overrides": overrides}), [], [])
    with pytest.raises(UnknownName) as several:
        store.study("sweep@smoke")
    assert str(several.value) == (
        "unknown study 'sweep@smoke' in this home. Offered: path, sweep@smoke+set-1 (tokenizer=midilike), "
        f"sweep@smoke+set-2 (axes.a=[{'1, ' * 30}1…)"
    )
    with pytest.raises(UnknownName, match=r"did you mean 'path'\? Offered: path, sweep@smoke\+set-1 \(tokenizer="):
        store.study("pat")


def test_deleting_a_study_leaves_what_others_use(store: Store, database: Database) -> None:
    put(store, ["a", "b"])
    put(store, ["b", "c"], replicates=1, name="two")  # shares train 0 and everything of b in replicate 0
    fill(store, ["a", "b", "c"])
    put_stage(store, stage("train of nobody", environment={"python": "3.12"}))
    kept = {"train 0", *stages("b", 0).values()}
    removed = store.delete_study("one")
    everything = {f for name in "abc" for r in range(2) for f in stages(name, r).values()}
    gone = {f for name in "ab" for r in range(2) for f in stages(name, r).values()} - kept
    assert {(each.fingerprint, each.artifact) for each in removed} == {(f, stage(f).artifact) for f in gone}
    assert store.stages(everything).keys() == everything - gone
    assert [record.name for record in store.studies()] == ["two"]
    assert len(measurements(store, "two")) == 2 * 2
    assert database.ask("SELECT DISTINCT fingerprint FROM ablate_measurements ORDER BY 1") == [
        ("measure pitch b 0",),
        ("measure pitch c 0",),
        ("measure pitch c 1",),  # finished, and of no study: kept for one that may want it
    ]
    assert database.orphans() == []


def test_deleting_all_studies_leaves_nothing_of_them(store: Store, database: Database) -> None:
    put(store)
    put(store, name="two")
    fill(store)
    assert store.delete_study("one") == []
    assert len(store.delete_study("two")) == 2 + 4 + 4
    left = {name for name in database.tables() if database.ask(f"SELECT count(*) FROM {name}") != [(0,)]}
    assert left - {"alembic_version", "version_info"} == {"ablate_alembic_version"}
