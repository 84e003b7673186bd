"""Relative paths start from the folder of the study file, wherever they are in it; those of ``--set`` from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.files import anchored
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
MIDI = '[corpus.midi]\npath = "data/one.mid"\n'
ONE, TWO = "data/one.mid", "data/two.mid"


@pytest.fixture
def project(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that reads a study of two files from another folder, with files of the same names in it."""
    folder = tiny.parent
    for place in (folder, folder / "elsewhere"):
        (place / "data").mkdir(parents=True)
        for name in (ONE, TWO):
            (place / name).touch()
    monkeypatch.chdir(folder / "elsewhere")

    def read(rest: str, head: str = "[corpus.bach-prelude]\n", settings: tuple[tuple[str, Any], ...] = ()) -> Any:
        text = tiny.read_text(encoding="utf-8").replace("[corpus.bach-prelude]\n", head)
        (folder / "own.toml").write_text(text.replace(TAU, "") + rest, encoding="utf-8")
        return read_study("../own.toml", Overrides(settings=settings))

    return read


def files_of(spec: Any, section: str) -> dict[str, str]:
    """Return the file of each variant's corpus or primer."""
    registry, files = get_registry(), {}
    for variant in spec.variants():
        configuration = spec.configuration(variant, registry)
        options = configuration.settings["primer"] if section == "primer" else configuration.one("corpus").options
        files[variant.name] = options.get("file" if section == "primer" else "path", "")
    return files


@pytest.mark.parametrize(
    ("rest", "head"),
    [
        ('[axes]\ncorpus.midi.path = ["data/one.mid", "data/two.mid"]\n', MIDI),
        ('[axes]\n"corpus.midi.path" = ["data/one.mid", "data/two.mid"]\n', MIDI),
        ('[axes]\ncorpus = [{midi = {path = "data/one.mid"}}, {midi = {path = "data/two.mid"}}]\n', MIDI),
        ('[variants.one]\n[variants.two]\n"corpus.midi.path" = "data/two.mid"\n', MIDI),
        (
            (
                '[variants.one]\ncorpus = {midi = {path = "data/one.mid"}}\n'
                '[variants.two]\ncorpus = {midi = {path = "./data/../data/two.mid"}}\n'
            ),
            "[corpus.bach-prelude]\n",
        ),
        (
            (
                'design = "path"\n[axes]\nmodel.lstm.dropout = [0.0, 0.1]\n'
                'corpus.midi.path = ["data/one.mid", "data/x.mid", "data/two.mid"]\n'
                '[target]\ncorpus.midi.path = "data/two.mid"\n'
            ),
            MIDI,
        ),
    ],
    ids=["levels", "quoted", "corpora", "quoted in a variant", "in a variant", "target"],
)
def test_a_corpus(project: Callable[..., Any], tmp_path: Path, rest: str, head: str) -> None:
    if rest.startswith("design"):
        design, _, rest = rest.partition("\n")
        head = f"{design}\n{head}"
    found = files_of(project(rest, head), "corpus")
    assert list(found.values()) == [str(tmp_path / ONE), str(tmp_path / TWO)]
    assert not any(str(tmp_path) in name for name in found), "names do not depend on a machine"


@pytest.mark.parametrize(
    "rest",
    [
        '[primer]\nnotes = 3\n[axes]\nprimer.file = ["data/one.mid", "data/two.mid"]\n',
        '[primer]\nnotes = 3\nfile = "data/one.mid"\n[variants.a]\n[variants.b]\nprimer.file = "data/two.mid"\n',
        (
            '[variants.a]\nprimer = {notes = 3, file = "data/one.mid"}\n[variants.b]\n"primer.file" = "data/two.mid"\n'
            '"primer.notes" = 3\n'
        ),
        (
            '[primer]\nnotes = 3\n[axes]\nprimer.file = {levels = ["data/one.mid", "data/two.mid"], block = true}\n'
            "sampler.temperature.tau = [1.0]\n"
        ),
    ],
    ids=["levels", "variants", "quoted", "blocks"],
)
def test_a_primer(project: Callable[..., Any], tmp_path: Path, rest: str) -> None:
    assert list(files_of(project(rest), "primer").values()) == [str(tmp_path / ONE), str(tmp_path / TWO)]


@pytest.mark.parametrize(
    "setting",
    [
        ("corpus.midi.path", TWO),
        ("corpus", {"midi": {"path": TWO}}),
        ("corpus.midi", {"path": TWO}),
    ],
)
def test_a_setting_of_the_command_line_starts_here(
    project: Callable[..., Any], tmp_path: Path, setting: tuple[str, Any]
) -> None:
    spec = project("", MIDI, (setting,))
    here = str(tmp_path / "elsewhere" / TWO)
    assert files_of(spec, "corpus") == {"base": here}
    assert here in str(spec.file["overrides"]["settings"]), "as it was run, from whatever folder"
    assert here not in spec.overrides[0]


def test_axes_of_the_command_line_start_here(project: Callable[..., Any], tmp_path: Path) -> None:
    settings = (("axes.corpus.midi.path", [ONE, TWO]), ("baseline.corpus.midi.path", TWO))
    spec = project("", MIDI, settings)
    assert files_of(spec, "corpus") == {
        "path=one": str(tmp_path / "elsewhere" / ONE),
        "path=two": str(tmp_path / "elsewhere" / TWO),
    }
    assert [variant.name for variant in spec.variants() if variant.baseline] == ["path=two"]


def test_paths_that_nothing_can_have(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert anchored("a/x.mid", tmp_path) == str(tmp_path / "a" / "x.mid")
    assert anchored("~nobody-of-this-name/x.mid", tmp_path) == str(tmp_path / "~nobody-of-this-name" / "x.mid")
    assert anchored("x" * 5000, tmp_path).endswith("x" * 5000)
