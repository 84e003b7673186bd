"""Stages, measurements and histograms in the store."""

from __future__ import annotations

import dataclasses
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from support.databases import EVERY_DATABASE, InFile
from support.store_material import (
    fill,
    measured,
    measurements,
    put,
    put_stage,
    runs,
    stage,
    study,
    variants,
)

from ablate.store.records import HistogramRecord, MeasurementRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from support.databases import Database

pytestmark = EVERY_DATABASE


def test_a_stage_comes_back_as_it_was_put(store: Store) -> None:
    record = stage("train 0", environment={"git": {"dirty": True}, "packages": {"torch": "2.6"}})
    put_stage(store, record)
    found = store.stages(["train 0", "train 1"])
    assert found.keys() == {"train 0"}
    assert dataclasses.replace(found["train 0"], finished=None) == record
    assert (datetime.now(UTC) - found["train 0"].finished).total_seconds() < 60  # type: ignore[operator]


def test_a_stage_put_again_is_the_one_that_was_there(store: Store, database: Database) -> None:
    put(store)
    for result in ("first", "second"):
        record, rows, bins = measured("measure pitch a 0", 1.0, 2.0)
        put_stage(store, dataclasses.replace(record, result={"said": result}), rows, bins)
    assert store.stages(["measure pitch a 0"])["measure pitch a 0"].result == {"said": "first"}
    assert len(measurements(store, "one")) == len(store.histograms("one")) == 2
    assert database.ask("SELECT count(*) FROM ablate_environments") == [(1,)]


def test_an_environment_is_kept_once(store: Store, database: Database) -> None:
    put_stage(store, stage("train 0", environment={"a": 1, "b": 2}))
    put_stage(store, stage("train 1", environment={"b": 2, "a": 1}))
    put_stage(store, stage("train 2", environment={"a": 2}))
    assert database.ask("SELECT count(*) FROM ablate_environments") == [(2,)]
    assert store.stages(["train 2"])["train 2"].environment == {"a": 2}


def test_a_stage_is_put_with_its_measurements_or_not_at_all(store: Store) -> None:
    record, rows, bins = measured("measure pitch a 0", 1.0)
    broken = [*rows, dataclasses.replace(rows[0], value=object())]
    with pytest.raises(sa.exc.StatementError, match=r"must be a string or a real number|cannot adapt type 'object'"):
        put_stage(store, record, broken, bins)
    assert store.stages([record.fingerprint]) == {}


def test_finished_stages_are_found_by_kind_whatever_study_they_are_of(store: Store) -> None:
    fill(store)
    assert sorted(record.fingerprint for record in store.finished("train")) == ["train 0", "train 1"]
    assert {record.seconds for record in store.finished("generate")} == {1.25}
    assert store.finished("load") == []


def test_a_stage_that_is_forgotten_takes_its_measurements_along(store: Store, database: Database) -> None:
    put(store)
    fill(store)
    store.forget_stages(["measure pitch a 0", "train 1", "not there"])
    assert store.stages(["measure pitch a 0", "train 1", "train 0"]).keys() == {"train 0"}
    assert {(m.variant, m.replicate) for m in measurements(store, "one")} == {("a", 1), ("b", 0), ("b", 1)}
    assert {(h.variant, h.replicate) for h in store.histograms("one")} == {("a", 1), ("b", 0), ("b", 1)}
    assert len(store.runs("one")) == 4
    assert database.orphans() == []


def test_more_stages_than_a_statement_has_room_for(database: Database) -> None:
    room = 2**16 - 1
    if isinstance(database, InFile):
        room = 999  # as the oldest SQLite; that of today has room for hundreds of thousands

    def limit(connection: Any, _record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, room)

    fingerprints = [f"train {number}" for number in range(room + 1)]
    sa.event.listen(sa.engine.Engine, "connect", limit)
    try:
        with Store(database.url) as store:
            put_stage(store, stage("train 7"))
            assert store.stages(fingerprints).keys() == {"train 7"}
            store.forget_stages(fingerprints)
            assert store.stages(["train 7"]) == {}
    finally:
        sa.event.remove(sa.engine.Engine, "connect", limit)


NUMBER = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.data())
def test_numbers_come_back_to_the_bit(store: Store, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 5))
    counts = tuple(data.draw(st.lists(NUMBER, min_size=size, max_size=size)))
    edges = tuple(data.draw(st.lists(NUMBER, min_size=size + 1, max_size=size + 1)))
    value = data.draw(NUMBER)
    row = MeasurementRecord(3, data.draw(TEXT), data.draw(TEXT), value, data.draw(TEXT), "lower", 2**40)
    histogram = HistogramRecord(3, data.draw(TEXT), data.draw(TEXT), "s", edges, counts, counts[::-1])
    put(store)
    store.forget_stages(["measure pitch a 0"])
    put_stage(store, stage("measure pitch a 0"), [row], [histogram])
    (measurement,) = measurements(store, "one")
    (kept,) = store.histograms("one")
    assert (measurement.variant, measurement.replicate, measurement.measurement) == ("a", 0, row)
    assert kept.histogram == histogram


def test_results_are_ordered_by_place_and_not_by_when_they_came(store: Store) -> None:
    names = ["b", "a"]
    both = [
        dataclasses.replace(run, stages={**run.stages, "measure aa": f"aa {run.variant} {run.replicate}"})
        for run in runs(names)
    ]
    store.put_study(study(), variants(*names), both)
    for run in reversed(both):
        put_stage(store, *measured(run.stages["measure pitch"], 2.0, 1.0))
        rows = [MeasurementRecord(i, "aa", f, 0.0, "1", "none", 1) for i in range(2) for f in ("y", "x")]
        put_stage(store, stage(run.stages["measure aa"]), rows)
    found = [
        (c.variant, c.replicate, m.sample, m.metric, m.feature)
        for c in measurements(store, "one")
        for m in (c.measurement,)
    ]
    features = [("aa", "y"), ("aa", "x"), ("pitch", "l1")]  # of one metric as it gave them
    assert found == [(v, r, s, *feature) for v in names for r in range(2) for s in range(2) for feature in features]
    places = [(c.variant, c.replicate, c.histogram.sample) for c in store.histograms("one")]
    assert places == [(v, r, s) for v in names for r in range(2) for s in range(2)]


def test_a_shared_stage_is_seen_by_every_run_that_consists_of_it(store: Store) -> None:
    put(store)
    put(store, ["b"], replicates=1, name="two")
    shared = [dataclasses.replace(run, stages={"measure pitch": "shared"}) for run in runs(["x", "y"], 1)]
    store.put_study(study("three"), variants("x", "y"), shared)
    fill(store)
    put_stage(store, *measured("shared", 7.0))
    of_b = [m.measurement.value for m in measurements(store, "one") if (m.variant, m.replicate) == ("b", 0)]
    assert [m.measurement.value for m in measurements(store, "two")] == of_b == [1.0, 1.01]
    assert [(m.variant, m.measurement.value) for m in measurements(store, "three")] == [("x", 7.0), ("y", 7.0)]


def test_means_are_over_the_samples_of_each_run(store: Store) -> None:
    put(store)
    put(store, name="two")
    assert store.means("one", "pitch", "l1") == {}
    fill(store)
    expected = {("a", 0): 0.005, ("a", 1): 0.105, ("b", 0): 1.005, ("b", 1): 1.105}
    assert store.means("one", "pitch", "l1") == pytest.approx(expected)
    assert store.means("one", "pitch", "l2") == {}
    store.forget_stages(["measure pitch a 1"])
    assert store.means("one", "pitch", "l1").keys() == expected.keys() - {("a", 1)}


def test_the_view_shows_every_number_to_whoever_asks_in_sql(store: Store, database: Database) -> None:
    put(store)
    put(store, ["b"], replicates=1, name="two")
    fill(store)
    found = database.ask(
        "SELECT study, variant, replicate, sample, metric, feature, value, unit, direction, n FROM ablate_results"
    )
    expected = [
        (name, c.variant, c.replicate, m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n)
        for name in ("one", "two")
        for c in measurements(store, name)
        for m in (c.measurement,)
    ]
    assert sorted(found) == sorted(expected)


def test_the_digests_of_files_are_kept(store: Store) -> None:
    files = {"losses.npy": f"12:{'ab' * 32}"}
    put_stage(store, stage("train 0", files=files))
    put_stage(store, stage("train 1"))
    found = store.stages(["train 0", "train 1"])
    assert found["train 0"].files == files
    assert found["train 1"].files == {}
