"""A metric may refuse a sample: that costs the sample, with a count, and not the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.store_material import measurements

import ablate
from ablate.errors import CorpusError
from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.described.refused import warnings
from ablate.report.text.sentences import answer
from ablate.report.text.tables.estimates import estimate_grid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


@pytest.fixture
def picky(offer: Callable[[Any], None], tiny: Path) -> Callable[..., None]:
    """Offer a metric that raises an error for some samples, by the end of their names."""

    def offered(error: Exception, *ends: str) -> None:
        class Picky(ablate.Metric):
            def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
                if generated.name.endswith(ends):
                    raise error
                return ablate.Measurements((ablate.Value(float(len(generated)), unit="notes", n=len(generated)),))

        offer(ablate.MetricSpec(name="picky", summary="Refuses.", build=lambda options: Picky()))
        tiny.write_text(tiny.read_text() + "\n[metric.picky]\n", encoding="utf-8")

    return offered


@pytest.mark.parametrize("error", [ValueError("too short"), CorpusError("too short")])
def test_the_other_samples_count(
    bench: Bench, load: Callable[..., StudySpec], picky: Callable[..., None], error: Exception
) -> None:
    picky(error, "-00")
    spec = load({"generation.samples": 3})
    result = bench.run(spec)
    assert not result.failures
    with bench.store() as store:
        found = [m for m in measurements(store, spec.name) if m.measurement.metric == "picky"]
        run = store.runs(spec.name)[0]
        stages = store.stages(run.stages.values())
    assert len(found) == 4 * 2
    assert {m.measurement.sample for m in found} == {1, 2}, "samples keep their numbers"
    assert stages[run.stages["measure picky"]].result == {"samples": 2, "refused": 1, "reason": "too short"}
    assert stages[run.stages["measure distance.pitch"]].result == {"samples": 3}
    resampled = stages[run.stages["resample picky"]].result
    assert resampled["refused"] == {"resampling": {"refused": 1, "reason": "too short"}}, "draws have their names"
    note = "metric 'picky' could not measure 4 of 12 samples, which are left out of its numbers; the first: too short"
    assert note in result.notes
    assert note in bench.run(spec).notes, "also where nothing is left to run"


def test_a_warning_of_the_report_counts_them_by_variant(
    bench: Bench, load: Callable[..., StudySpec], picky: Callable[..., None]
) -> None:
    picky(ValueError("too short"), "-00")
    spec = load()
    bench.run(spec)
    with bench.store() as store:
        analysis = Analysis(Study.read(store, spec.name), get_registry())
    counted = "picky could not measure all samples: 2 of 4 of tau=0.8, 2 of 4 of tau=1.0 (the first: too short)."
    assert counted in "\n".join(answer(analysis).warnings)
    foot = estimate_grid(analysis).foot
    assert "The floor resampling of picky lacks 1 that could not be measured: too short." in foot


@pytest.mark.parametrize("error", [ValueError("never"), CorpusError("never")])
def test_if_all_are_refused_the_run_fails_with_their_number(
    bench: Bench, load: Callable[..., StudySpec], picky: Callable[..., None], error: Exception
) -> None:
    picky(error, "-00", "-01")
    failures = bench.run(load()).failures
    assert {(failure.error_class, failure.error) for failure in failures} == {
        ("NothingMeasured", "metric 'picky' could not measure any of the 2 samples; the first: never")
    }
    assert len(failures) == 4


def test_runs_without_any_sample_count_with_the_others(
    bench: Bench, load: Callable[..., StudySpec], offer: Callable[[Any], None], tiny: Path
) -> None:
    """The metric refuses both samples of one run, which has failed, and no other sample."""
    refused: list[str] = []

    class Picky(ablate.Metric):
        def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
            if generated.name.startswith("sample-") and len(refused) < 2:
                refused.append(generated.name)
                raise ValueError("too short")
            return ablate.Measurements((ablate.Value(1.0, n=1),))

    offer(ablate.MetricSpec(name="picky", summary="Refuses.", build=lambda options: Picky()))
    tiny.write_text(tiny.read_text() + "\n[metric.picky]\n", encoding="utf-8")
    spec = load({"floors.pieces": 1})
    result = bench.run(spec)
    (failure,) = result.failures
    note = "metric 'picky' could not measure 2 of 8 samples, which are left out of its numbers; the first: too short"
    assert note in result.notes
    with bench.store() as store:
        (warning,) = warnings(Study.read(store, spec.name))
    assert f"picky could not measure all samples: 2 of 4 of {failure.variant} (the first: too short)" in warning


def test_any_other_error_fails_the_run(
    bench: Bench, load: Callable[..., StudySpec], picky: Callable[..., None]
) -> None:
    picky(IndexError("a bug"), "-00")
    assert {failure.error_class for failure in bench.run(load()).failures} == {"IndexError"}
