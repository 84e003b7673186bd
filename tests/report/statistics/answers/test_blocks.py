"""A study with blocks: comparisons inside blocks, their spread, and the number of blocks in which they hold."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from support.blocks_material import BLOCKS, METRIC, blocked_study
from support.effects_material import Stored

from ablate.errors import UsageError
from ablate.registry import get_registry
from ablate.report.figures.blocks import block_forest
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.answers.blocks import replicability
from ablate.report.statistics.inference import flips, intervals
from ablate.report.statistics.pairs.compare import compare_pair
from ablate.report.text.sentences import answer
from ablate.report.text.tables.blocks import block_grids
from ablate.store.records import LookRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Tau 0.8 is better in all blocks, tau 0.6 worse in two of them and far better in the others."""
    effects = {0.8: (-1.0, -1.1, -0.9, -1.0), 0.6: (-5.0, -5.0, 0.0, 0.0)}
    return Analysis(blocked_study(tmp_path_factory.mktemp("home"), effects, n=12), get_registry())


class TestOverAllBlocks:
    def test_variants_are_compared_inside_their_block(self, analysis: Analysis) -> None:
        rows = analysis.against_baseline.set_index("comparison")
        assert list(rows.index) == ["tau=0.8", "tau=0.6"]
        assert set(rows["versus"]) == {"tau=1.0"}
        frame = analysis.study.frame
        wide = frame.pivot_table(index=["split.seed", "replicate"], columns="sampler.temperature.tau", values="value")
        # blocks are 10 apart, which is in no difference
        assert rows.loc["tau=0.8", "difference"] == pytest.approx((wide[0.8] - wide[1.0]).mean())
        assert rows.loc["tau=0.8", "n"] == 48
        assert rows.loc["tau=0.8", "verdict"] == "better"

    def test_the_first_replicates_of_all_blocks_come_first(self, analysis: Analysis) -> None:
        assert analysis.replicates.blocks.tolist() == [0, 1, 2, 3] * 12

    def test_there_is_no_effect_of_a_block(self, analysis: Analysis) -> None:
        assert set(analysis.all_effects["kind"]) <= {"variant", "trend"}
        assert analysis.study.variant_levels.axes == ["sampler.temperature.tau"]

    def test_the_best_variant_is_one_of_those_compared(self, analysis: Analysis) -> None:
        assert analysis.best[METRIC].name in ("tau=0.8", "tau=0.6")

    def test_each_variant_is_compared_with_the_baseline_of_its_block(self, analysis: Analysis) -> None:
        baselines = analysis.study.baselines
        assert {name: baselines[name].partition(",")[0] for name in baselines} == {
            name: name.partition(",")[0] for name in baselines
        }
        assert all(not paths or paths == ["training.sampler.temperature.tau"] for paths in analysis.changes.values())


class TestInEachBlock:
    def test_a_block_s_numbers_are_those_of_its_replicates(self, analysis: Analysis) -> None:
        frame = analysis.block_effects
        assert list(frame["block"][:4]) == list(BLOCKS)
        values = analysis.all_effects.loc[0, "values"][analysis.replicates.blocks == 2]
        row = frame[(frame["comparison"] == "tau=0.8") & (frame["block"] == "seed=3")].iloc[0]
        expected = intervals.interval(values[None])
        assert (row["n"], row["difference"]) == (12, pytest.approx(values.mean()))
        assert (row["low"], row["high"]) == (pytest.approx(expected.low[0]), pytest.approx(expected.high[0]))
        assert row["p"] == pytest.approx(float(flips.sign_flip(values)))
        assert "verdict" not in frame

    def test_an_effect_in_all_blocks_holds_in_all(self, analysis: Analysis) -> None:
        row = analysis.replicability.set_index("comparison").loc["tau=0.8"]
        assert (row["blocks"], row["holds_in"]) == (4, 4)
        assert row["p_heterogeneity"] > 0.05

    def test_an_effect_in_two_blocks_holds_in_two_and_varies(self, analysis: Analysis) -> None:
        row = analysis.replicability.set_index("comparison").loc["tau=0.6"]
        assert row["holds_in"] == 2
        assert row["p_heterogeneity"] < 0.001
        assert row["sd_low"] < np.std([-5, -5, 0, 0], ddof=1) < row["sd_high"]

    def test_without_a_claim_over_all_blocks_there_is_none_in_any(self, analysis: Analysis) -> None:
        effects = analysis.all_effects.assign(verdict="inconclusive")
        found = replicability(effects, analysis.replicates.blocks, 0.05)
        assert (found["holds_in"] == 0).all()
        assert found["p_holds"].isna().all()

    def test_several_looks_share_alpha(self, analysis: Analysis) -> None:
        """With more looks than this p allows, a difference that all blocks have holds in fewer of them."""
        p = float(analysis.replicability.set_index("comparison").loc["tau=0.6", "p_holds"])
        variants = tuple(analysis.study.fingerprints)
        looks = tuple(LookRecord(n, None, {}, {}, variants) for n in range(2, 12))
        seen = Analysis(dataclasses.replace(analysis.study, looks=looks), get_registry())
        assert len(seen.looks.made) == 11
        alone = replicability(seen.all_effects, seen.replicates.blocks, 0.05)
        shared = replicability(seen.all_effects, seen.replicates.blocks, 0.05 / 11)
        pd.testing.assert_frame_equal(seen.replicability, shared)
        assert p < 0.05
        assert not shared.equals(alone)

    def test_a_block_without_results_proves_nothing(self, analysis: Analysis) -> None:
        blocks = analysis.replicates.blocks
        emptied = [np.where(blocks == 1, np.nan, values) for values in analysis.all_effects["values"]]
        found = replicability(analysis.all_effects.assign(values=emptied), blocks, 0.05)
        assert found.set_index("comparison").loc["tau=0.8", "holds_in"] == 3


class TestWords:
    def test_the_answer_says_in_how_many_blocks(self, analysis: Analysis) -> None:
        parts = {block.heading: [line.text for line in block.lines] for block in answer(analysis).blocks}
        heading = next(heading for heading in parts if "against" in heading)
        assert heading.endswith("against tau=1.0, on average over 4 blocks (seed)")
        texts = parts["In how many blocks does it hold? distance.pitch"]
        assert texts[0].startswith("tau=0.8: better than tau=1.0 in all 4 blocks (p ")
        assert texts[1].startswith("tau=0.6: better than tau=1.0 in at least 2 of 4 blocks (p ")
        assert any(text.startswith("tau=0.6: the difference is not the same in all blocks") for text in texts)
        assert "were chosen, not drawn at random from a population" in texts[-2]
        assert re.fullmatch(
            r"Numbers of replicates are for all 4 blocks together: (\d+) are (\d+) in each block\.", texts[-1]
        )

    def test_without_a_claim_no_comparison_has_a_sentence(self, tmp_path: Path) -> None:
        analysis = Analysis(blocked_study(tmp_path, {0.8: (0.0, 0.0, 0.0, 0.0)}, n=6), get_registry())
        found = answer(analysis)
        texts = [line.text for block in found.blocks for line in block.lines]
        assert not any("nan" in text for text in texts)
        assert "No difference is claimed on average over the blocks, so none is claimed in any number of them." in texts
        assert "best variant" not in found.promise

    def test_too_few_replicates_are_named(self, tmp_path: Path) -> None:
        analysis = Analysis(blocked_study(tmp_path, {0.8: (-3.0, -3.1, -2.9, -3.0)}, n=4), get_registry())
        texts = [line.text for block in answer(analysis).blocks for line in block.lines]
        limit = "With 4 replicates in each block and 1 comparison, no claim about more than 2 of 4 blocks is possible"
        assert f"{limit}; 6 in each block are enough for a claim about all of them." in texts

    def test_a_study_with_blocks_is_compared_by_variant(self, tmp_path: Path) -> None:
        own = Analysis(blocked_study(tmp_path, {0.8: (-3.0, -3.1, -2.9, -3.0)}, n=4), get_registry())
        assert own.study.blocks
        with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as opened:
            with pytest.raises(UsageError, match="study 'example' has blocks; compare two of its variants"):
                compare_pair(opened, "example", "example")
            pair = compare_pair(opened, "example:seed=1, tau=1.0", "example:seed=1, tau=0.8")
            assert pair.paired
            pair = compare_pair(opened, "example:seed=1, tau=1.0", "example:seed=2, tau=1.0")
            assert pair.pairing.startswith("Not paired: they are in two blocks, so their replicates share nothing.")


def test_a_study_without_blocks_has_one_without_a_name(tmp_path: Path) -> None:
    values = {"tau=1.0": [1.0, 2.0, 3.0], "tau=0.8": [1.5, 2.5, 3.6]}
    levels = {"tau=1.0": {"sampler.temperature.tau": 1.0}, "tau=0.8": {"sampler.temperature.tau": 0.8}}
    study = Stored(tmp_path, levels, {METRIC: values}).put(axes={"sampler.temperature.tau": [1.0, 0.8]})
    analysis = Analysis(study, get_registry())
    assert not study.blocks
    assert set(analysis.block_effects["block"]) == {""}
    assert analysis.block_effects["difference"].tolist() == pytest.approx(analysis.all_effects["difference"].tolist())
    assert not any("block" in block.heading for block in answer(analysis).blocks)


def test_crossed_axes_are_compared_in_every_block(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    levels = {
        f"seed={seed}, tau={tau}, dropout={dropout}": {"split.seed": seed, "tau": tau, "model.lstm.dropout": dropout}
        for seed in (1, 2)
        for tau in (1.0, 0.8)
        for dropout in (0.0, 0.2)
    }
    values = {name: rng.normal(0, 1, 6) + own["split.seed"] for name, own in levels.items()}
    axes = {"split.seed": {"levels": [1, 2], "block": True}, "tau": [1.0, 0.8], "model.lstm.dropout": [0.0, 0.2]}
    analysis = Analysis(Stored(tmp_path, levels, {METRIC: values}).put(axes=axes, design="factorial"), get_registry())
    (grid,) = block_grids(analysis)
    kinds = analysis.replicability["kind"]
    assert len(grid.rows) == len(kinds) == len(analysis.replicability)
    assert {"variant", "main effect", "interaction"} <= set(kinds)
    assert not any("seed" in row.name for row in grid.rows)
    drawing = block_forest(analysis)
    assert drawing is not None
    assert len(drawing.figure.axes) == min(len(kinds), 8)
