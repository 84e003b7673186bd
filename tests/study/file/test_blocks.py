"""Axes that are blocks: their variants, their seeds, files as levels, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import scale

from ablate.errors import StudyFileError, UsageError
from ablate.names import block_paths
from ablate.registry import get_registry
from ablate.study import blocks
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study
from ablate.study.plan.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
BATCH = "training.batch = [1, 2]\n"
SPLIT = "split.seed = { levels = [1, 2, 3], block = true }\n"


@pytest.fixture
def of(tiny: Path) -> Callable[..., StudySpec]:
    """Load the study with other axes and other keys at its top."""
    original = tiny.read_text(encoding="utf-8")

    def loaded(axes: str, top: str = "", rest: str = "", corpus: str = "") -> StudySpec:
        base = original.replace(TAU, "")
        if corpus:
            base = f"corpus = {corpus}\n{base.replace('[corpus.bach-prelude]', '')}"
        tiny.write_text(f"{top}\n{base}\n[axes]\n{axes}\n{rest}", encoding="utf-8")
        return read_study(str(tiny), Overrides())

    return loaded


def names(spec: StudySpec) -> list[str]:
    return [variant.name for variant in spec.variants()]


def test_every_variant_and_the_baseline_exist_in_every_block(of: Callable[..., StudySpec]) -> None:
    spec = of(BATCH + SPLIT)
    assert names(spec) == [f"seed={seed}, batch={batch}" for seed in (1, 2, 3) for batch in (1, 2)]
    assert [v.name for v in spec.variants() if v.baseline] == [f"seed={seed}, batch=2" for seed in (1, 2, 3)]
    assert block_paths(spec.plain()) == ["split.seed"]


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("one_at_a_time", ["base", "batch=1", "dropout=0.2"]),
        ("leave_one_out", ["full", "batch=1", "dropout=0.0"]),
        ("add_one_in", ["bare", "with batch=2", "with dropout=0.2"]),
    ],
)
def test_a_design_is_repeated_in_every_block(of: Callable[..., StudySpec], design: str, expected: list[str]) -> None:
    spec = of(f"{BATCH}model.lstm.dropout = [0.0, 0.2]\n{SPLIT}", f'design = "{design}"')
    assert names(spec) == [f"seed={seed}, {name}" for seed in (1, 2, 3) for name in expected]


def test_half_a_fraction_halves_no_block(of: Callable[..., StudySpec]) -> None:
    axes = f"{BATCH}model.lstm.dropout = [0.0, 0.2]\nsampler.temperature.tau = [0.8, 1.0]\n"
    spec = of(axes + "split.seed = { levels = [1, 2], block = true }\n", 'design = "fractional"')
    assert len(names(spec)) == 2 * 4
    assert not any("seed" in effect or "seed" in alias for effect, alias in spec.plain()["aliases"].items())


def test_two_axes_of_blocks_are_crossed(of: Callable[..., StudySpec]) -> None:
    spec = of(f"{BATCH}{SPLIT}generation.tokens = {{ levels = [40, 80], block = true }}\n")
    assert len(names(spec)) == 2 * 6
    assert names(spec)[0] == "seed=1, tokens=40, batch=1"


def test_contrasts_name_variants_without_their_block(of: Callable[..., StudySpec]) -> None:
    spec = of(BATCH + SPLIT, rest='[contrasts]\n"shorter" = { "batch=1" = 1, "batch=2" = -1 }\n')
    assert spec.reading["contrasts"] == {"shorter": {"batch=1": 1, "batch=2": -1}}
    with pytest.raises(StudyFileError, match=r'contrasts."shorter"."seed=1, batch=1": this study has no such variant'):
        of(BATCH + SPLIT, rest='[contrasts]\n"shorter" = { "seed=1, batch=1" = 1, "batch=2" = -1 }\n')


@pytest.mark.parametrize(
    ("axes", "top", "expected"),
    [
        (SPLIT, "", "axes: has only blocks, which are not compared with each other"),
        (SPLIT, 'design = "one_at_a_time"', 'design: "one_at_a_time" needs axes to vary'),
        (f"{BATCH}split.seed = {{ levels = [1], block = true }}", "", "axes.split.seed: has one level"),
        (f"{BATCH}split.seed = {{ levels = [1, 2], block = 1 }}", "", "axes.split.seed.block: must be true or false"),
        (f"{BATCH}split.seed = {{ levels = [1, 2], blok = true }}",
         "", "axes.split.seed.blok: unknown key; did you mean 'block'? (known: levels, when, block)"),
        (f"{BATCH}split.seed = {{ block = true }}", "", "axes.split.seed.levels: must be a list of levels"),
        (BATCH + SPLIT, 'design = "search"', 'axes.split.seed.block: needs design = "factorial", '),
        (f"{BATCH}split.seed = {{ levels = [1, 2], block = true, when = {{ training.batch = 1 }} }}",
         "", "axes.split.seed.when: a block exists for every variant"),
        (f"{SPLIT}training.batch = {{ levels = [1, 2], when = {{ split.seed = 1 }} }}",
         "", "axes.training.batch.when.split.seed: is a block, and every block has the same variants"),
        (f"{BATCH}{SPLIT}\n[baseline]\nsplit.seed = 2", "", "baseline.split.seed: is a block, and every block has its"),
        (f'{BATCH}{SPLIT}\n[statistics]\nestimate = "iqm"', "", 'statistics.estimate: "iqm" may leave out whole'),
    ],
)  # fmt: skip
def test_blocks_that_are_refused(of: Callable[..., StudySpec], axes: str, top: str, expected: str) -> None:
    with pytest.raises(StudyFileError) as error:
        of(axes, top)
    assert any(line.startswith(expected) for line in error.value.problems), error.value.problems


class TestFiles:
    """A block for each piece: its levels are files, relative to the study file."""

    PATHS = 'corpus.midi.path = { levels = ["music/a.mid", "music/b.mid"], block = true }\n'

    @pytest.fixture
    def study(self, of: Callable[..., StudySpec], tiny: Path) -> Callable[[str], StudySpec]:
        for folder in ("music", "other"):
            (tiny.parent / folder).mkdir()
            for name in ("a.mid", "b.mid"):
                (tiny.parent / folder / name).write_bytes(scale())
        return lambda axis: of(BATCH + axis, corpus='"midi"' if "midi.path" in axis else "{ bach-prelude = {} }")

    def test_levels_of_a_path_start_from_the_folder_of_the_file(self, study: Callable[[str], StudySpec]) -> None:
        spec = study(self.PATHS)
        folder = Path(spec.source).parent / "music"
        assert spec.axes[1].levels == (str(folder / "a.mid"), str(folder / "b.mid"))
        assert names(spec) == [f"path={name}, batch={batch}" for name in ("a", "b") for batch in (1, 2)]

    def test_so_do_those_of_whole_corpora(self, study: Callable[[str], StudySpec]) -> None:
        spec = study('corpus = { levels = ["bach-prelude", { midi = { path = "music/a.mid" } }], block = true }\n')
        assert spec.axes[1].levels[1] == {"midi": {"path": str(Path(spec.source).parent / "music" / "a.mid")}}
        assert names(spec)[2] == "corpus=midi(path=a), batch=1"

    def test_two_files_of_one_name_are_refused(self, study: Callable[[str], StudySpec]) -> None:
        with pytest.raises(
            StudyFileError, match=r"axes.corpus.midi.path: .* are two levels, but their names are alike \(a\)"
        ):
            study(self.PATHS.replace("music/b.mid", "other/a.mid"))

    def test_a_missing_file_is_reported_with_its_key(self, study: Callable[[str], StudySpec]) -> None:
        spec = study(self.PATHS)
        file = Path(spec.source).parent / "music" / "b.mid"
        file.unlink()
        with pytest.raises(StudyFileError) as error:
            lay_out(spec, get_registry(), "cpu")
        assert error.value.problems == [f"axes.corpus.midi.path: {file}: no such file or folder; check the path"]

    def test_seeds_do_not_depend_on_the_folder(self, study: Callable[[str], StudySpec]) -> None:
        here, there = study(self.PATHS), study(self.PATHS.replace("music", "other"))
        assert [here.seed_of(v) for v in here.variants()] == [there.seed_of(v) for v in there.variants()]

    def test_a_corpus_on_the_command_line_is_refused(self, study: Callable[[str], StudySpec]) -> None:
        spec = study(self.PATHS)
        with pytest.raises(UsageError, match=r"--corpus bach-prelude: corpus.midi.path is an axis"):
            read_study(spec.source, Overrides(corpus="bach-prelude"))


class TestSeeds:
    """Blocks share no random stream; the variants of a block share theirs, so they are compared in pairs."""

    def test_each_block_has_its_own_seed(self, of: Callable[..., StudySpec]) -> None:
        spec = of(BATCH + SPLIT)
        seeds = [spec.seed_of(variant) for variant in spec.variants()]
        assert seeds[0::2] == seeds[1::2]
        assert len(set(seeds)) == 3
        assert all(0 <= seed < 2**63 for seed in seeds)
        assert spec.seed not in seeds

    def test_a_further_block_changes_no_other(self, of: Callable[..., StudySpec]) -> None:
        few, more = of(BATCH + SPLIT), of(BATCH + SPLIT.replace("[1, 2, 3]", "[7, 1, 2, 3]"))
        known = {variant.name: more.seed_of(variant) for variant in more.variants()}
        assert all(known[variant.name] == few.seed_of(variant) for variant in few.variants())

    def test_without_blocks_the_seed_is_the_study_s(self, of: Callable[..., StudySpec]) -> None:
        spec = of(BATCH)
        assert {spec.seed_of(variant) for variant in spec.variants()} == {spec.seed}

    def test_trainings_of_two_blocks_share_no_seed(self, of: Callable[..., StudySpec]) -> None:
        layout = lay_out(of(BATCH + SPLIT), get_registry(), "cpu")
        by_block: dict[int, set[int]] = {}
        for run in layout.runs:
            block = run.variant.levels["split.seed"]
            by_block.setdefault(block, set()).update(run.stages.stages["train"].config["seeds"].values())
        assert not set.intersection(*by_block.values())

    def test_a_stored_study_gives_the_same_seeds(self, of: Callable[..., StudySpec]) -> None:
        spec = of(BATCH + SPLIT)
        stored = [blocks.stored_seed(spec.plain(), spec.seed, variant.levels) for variant in spec.variants()]
        assert stored == [spec.seed_of(variant) for variant in spec.variants()]
