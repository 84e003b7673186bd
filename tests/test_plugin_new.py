"""``ablate plugin new``, and what the guide shows of it; ``tools/run_guide.py`` does the guide word for word."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from support import installed
from support.checkout import ROOT

from ablate.cli import run
from ablate.registry import get_registry
from ablate.specs import ALL_SPECS

if TYPE_CHECKING:
    from support.commands import Command

GUIDE = ROOT / "docs/guides/writing-a-plugin.md"
SECTION = GUIDE.read_text(encoding="utf-8").split("\n## ")[1]
#: The files of a repository around the package itself.
REPOSITORY = (
    ".github/dependabot.yml",
    ".github/workflows/ci.yml",
    ".github/workflows/contract.yml",
    ".github/workflows/release.yml",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
)
#: pip without a network, and without looking for what is installed already.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def python(cwd: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``python ARGS``, without plugins being allowed to end it."""
    kept = {name: value for name, value in os.environ.items() if name != "ABLATE_STRICT_PLUGINS"}
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, env={**kept, **env}, capture_output=True, text=True, check=False
    )


def test_says_what_it_wrote_and_what_is_next(ablate: Command, tmp_path: Path) -> None:
    made = ablate("plugin", "new", "pitch-range", "--kind", "metric")
    assert (made.code, made.err) == (0, "")
    files = [
        *REPOSITORY,
        "LICENSE",
        "README.md",
        "ablate_pitch_range.py",
        "pyproject.toml",
        "studies/pitch-range.toml",
        "tests/test_contract.py",
        "tests/test_pitch_range.py",
    ]
    assert written(tmp_path / "ablate-pitch-range") == files
    assert made.out.splitlines() == [
        "wrote ablate-pitch-range:",
        *(f"  {file}" for file in files),
        "next:",
        "  pip install --editable './ablate-pitch-range[test]'",
        "  python -m pytest ablate-pitch-range",
        "  ablate plugin list --kind metric",
        "  ablate study run ablate-pitch-range/studies/pitch-range.toml",
        "With --github OWNER, README.md has badges and pyproject.toml has links to the repository.",
    ]


def test_out_names_another_folder(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "my folder").mkdir()  # empty, so it may be used
    made = ablate("plugin", "new", "swing", "--kind", "model", "--out", "my folder")
    assert "  pip install --editable './my folder[test]'\n  python -m pytest 'my folder'\n" in made.out
    assert {"ablate_swing/__init__.py", "ablate_swing/network.py"} < set(written(tmp_path / "my folder"))
    elsewhere = ablate("plugin", "new", "swing", "--kind", "metric", "--out", str(tmp_path / "there"))
    assert f"pip install --editable '{tmp_path}/there[test]'" in elsewhere.out


def test_the_author_and_the_account(ablate: Command, tmp_path: Path) -> None:
    author = 'Zoë "Z" O\'Hara \\ 音'
    assert ablate("plugin", "new", "swing", "--kind", "metric", "--author", author, "--github", "zoe-o").code == 0
    folder = tmp_path / "ablate-swing"
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["authors"] == [{"name": author}]
    assert f"Copyright (c) {dt.datetime.now(tz=dt.UTC).year} {author}\n" in ((folder / "LICENSE").read_text("utf-8"))
    assert project["urls"]["Homepage"] == "https://github.com/zoe-o/ablate-swing"
    assert "ablate-plugin" in project["keywords"]
    readme = (folder / "README.md").read_text("utf-8")
    badges = re.findall(r"^\[!\[(.+?)\]\(\S+/workflows/(.+?)/badge.svg\)\]", readme, re.MULTILINE)
    workflows = {path.name: yaml.safe_load(path.read_text())["name"] for path in folder.glob(".github/workflows/*")}
    assert badges == [(workflows[file], file) for file in ("ci.yml", "contract.yml")]


def test_no_ci_leaves_out_the_workflows_and_what_is_written_about_them(ablate: Command, tmp_path: Path) -> None:
    made = ablate("plugin", "new", "swing", "--kind", "metric", "--no-ci", "--github", "ada/other")
    files = written(tmp_path / "ablate-swing")
    assert made.out.endswith("swing.toml\n")
    assert not any(".github/" in file for file in files)
    text = "".join((tmp_path / "ablate-swing" / file).read_text() for file in files if file.endswith(".md"))
    assert "workflow" not in text
    assert "badge" not in text
    assert "https://github.com/ada/other/blob/main/studies/swing.toml" in text


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--author", " ", "--author: use a name in one line of printable text"),
        ("--author", "a\nb", "--author: use a name in one line of printable text"),
        ("--github", "ada/", "--github ada/: use an account or ACCOUNT/REPOSITORY, for example ada or ada/swing"),
        ("--github", "https://github.com/ada", "--github https://github.com/ada: use an account"),
    ],
)
def test_an_author_or_account_that_cannot_be(
    ablate: Command, tmp_path: Path, option: str, value: str, message: str
) -> None:
    refused = ablate("plugin", "new", "swing", "--kind", "metric", option, value)
    assert (refused.code, written(tmp_path)) == (2, [])
    assert refused.err.startswith(f"error: {message}")


def test_the_prefix_is_that_of_the_distribution_alone(ablate: Command, tmp_path: Path) -> None:
    assert ablate("plugin", "new", "ablate-swing", "--kind", "sampler").code == 0
    project = tomllib.loads((tmp_path / "ablate-swing/pyproject.toml").read_text())["project"]
    assert (project["name"], project["entry-points"]) == ("ablate-swing", {"ablate": {"swing": "ablate_swing"}})
    assert project["dependencies"] == ["ablate-music>=0.1,<0.2"]  # "ablate" is somebody else's on the index
    assert 'name="swing"' in (tmp_path / "ablate-swing/ablate_swing.py").read_text()


@pytest.mark.parametrize("name", ["Swing", "swing_feel", "swing-", "2swing", "swing--feel", "", "ablate-", "söng"])
def test_a_name_is_lower_case_words(ablate: Command, tmp_path: Path, name: str) -> None:
    refused = ablate("plugin", "new", name, "--kind", "metric")
    assert (refused.code, refused.out, written(tmp_path)) == (2, "", [])
    shown = name.removeprefix("ablate-")
    assert refused.err == (
        f"error: name '{shown}': use lower-case words joined by '-', for example swing or pitch-range\n"
    )


def test_a_name_that_is_too_long(ablate: Command, tmp_path: Path) -> None:
    refused = ablate("plugin", "new", "m" * 41, "--kind", "metric")
    assert (refused.code, refused.err) == (2, f"error: name '{'m' * 41}': has 41 characters; use at most 40\n")
    assert written(tmp_path) == []


@pytest.mark.parametrize("name", ["none", "class", "true"])
def test_a_word_of_python_is_no_name(ablate: Command, name: str) -> None:
    refused = ablate("plugin", "new", name, "--kind", "conditioner")
    assert (refused.code, refused.err) == (
        2,
        f"error: name '{name}': is a keyword of Python; choose another name\n",
    )


def test_the_name_of_our_own_distribution_is_taken(ablate: Command, tmp_path: Path) -> None:
    refused = ablate("plugin", "new", "music", "--kind", "metric")
    said = "error: name 'music': ablate-music is the distribution of ablate itself; choose another name\n"
    assert (refused.code, refused.err, written(tmp_path)) == (2, said, [])


def test_a_name_that_is_offered_already(ablate: Command, tmp_path: Path) -> None:
    refused = ablate("plugin", "new", "temperature", "--kind", "sampler")
    owner = get_registry().component("sampler", "temperature").plugin
    assert (refused.code, refused.err, written(tmp_path)) == (
        2,
        f"error: sampler 'temperature' is offered already by {owner}; choose another name\n",
        [],
    )
    assert owner.distribution == "ablate-music"
    assert ablate("plugin", "new", "temperature", "--kind", "metric").code == 0


def test_a_module_that_is_there_already(ablate: Command, tmp_path: Path) -> None:
    refused = ablate("plugin", "new", "bach", "--kind", "metric")
    assert (refused.code, written(tmp_path)) == (2, [])
    assert refused.err.startswith("error: module ablate_bach is that of plugin 'bach' (ablate_bach, of ablate-music ")


def test_a_package_that_is_installed_already(ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ablate_swing-2.0.dist-info").mkdir()
    (tmp_path / "ablate_swing-2.0.dist-info/METADATA").write_text("Name: ablate-swing\nVersion: 2.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    refused = ablate("plugin", "new", "swing", "--kind", "metric")
    said = "error: ablate-swing 2.0 is installed already; choose another name, or uninstall it first\n"
    assert (refused.code, refused.err) == (2, said)


def test_a_folder_with_a_new_repository(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "cloned/.git").mkdir(parents=True)
    assert ablate("plugin", "new", "swing", "--kind", "metric", "--out", "cloned").code == 0


def test_a_folder_that_holds_something(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "ablate-swing").mkdir()
    (tmp_path / "ablate-swing/mine.txt").write_text("mine")
    refused = ablate("plugin", "new", "swing", "--kind", "metric")
    said = "error: ablate-swing exists already and is not an empty folder; choose another one with --out\n"
    assert (refused.code, refused.err) == (2, said)
    assert written(tmp_path) == ["ablate-swing/mine.txt"]


def test_a_place_that_cannot_be_written(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    refused = ablate("plugin", "new", "swing", "--kind", "metric", "--out", "file/inside")
    said = "error: cannot write file/inside (Not a directory); choose another folder with --out\n"
    assert (refused.code, refused.err) == (2, said)


def test_a_kind_must_be_given(ablate: Command) -> None:
    refused = ablate("plugin", "new", "swing")
    assert refused.code == 2
    assert "Missing option '--kind'" in refused.err


def test_listing_plugins_does_not_load_the_templates_engine(tmp_path: Path) -> None:
    code = "import sys\nfrom ablate.cli import run\nrun(['plugin', 'list'])\nsys.exit('jinja2' in sys.modules)"
    assert python(tmp_path, "-c", code).returncode == 0


def test_the_wheel_holds_every_template() -> None:
    builder = WheelBuilder(str(ROOT))
    packed = {Path(file.distribution_path).as_posix() for file in builder.recurse_included_files()}
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ablate/cli/templates").rglob("*.j2")}
    assert {Path(path).parts[4] for path in templates} == {*ALL_SPECS, "every", "parts"}
    assert templates <= packed


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package of every kind."""
    folder = tmp_path_factory.mktemp("packages")
    for kind in ALL_SPECS:
        with contextlib.redirect_stdout(io.StringIO()):
            assert run(["plugin", "new", f"my-{kind}", "--kind", kind, "--out", str(folder / kind)]) == 0
    return folder


@pytest.fixture(scope="module")
def packages(folders: Path) -> Path:
    """The folder with the packages, all of which pip has installed into its folder ``site``."""
    alone = ["--quiet", "--disable-pip-version-check", "--target", "site", *(f"./{kind}" for kind in ALL_SPECS)]
    installed = python(folders, "-m", "pip", "install", *alone, **OFFLINE)
    assert installed.returncode == 0, installed.stderr
    return folders


@pytest.mark.parametrize("name", ["a", f"{'long-' * 7}named"])
def test_the_code_is_as_its_own_settings_of_ruff_want_it(ablate: Command, tmp_path: Path, name: str) -> None:
    for kind in ALL_SPECS:
        assert ablate("plugin", "new", name, "--kind", kind, "--out", kind).code == 0
    for command in ("check", "format --check"):
        linted = python(tmp_path, "-m", "ruff", *command.split(), "--no-cache", *ALL_SPECS)
        assert linted.returncode == 0, linted.stdout


def test_the_workflows_run_what_is_there(folders: Path) -> None:
    for kind in ALL_SPECS:
        flows = {p.name: yaml.safe_load(p.read_text("utf-8")) for p in (folders / kind).glob(".github/workflows/*")}
        assert flows.keys() == {"ci.yml", "contract.yml", "release.yml"}
        jobs = [job for flow in flows.values() for job in flow["jobs"].values()]
        assert [job["uses"] for job in jobs if "steps" not in job] == ["./.github/workflows/ci.yml"]
        commands = [step.get("run", "") for job in jobs for step in job.get("steps", ())]
        named = {word for command in commands for word in command.split() if word.endswith((".py", ".toml"))}
        assert named == {"tests/test_contract.py", f"studies/my-{kind}.toml", "pyproject.toml"}
        assert all((folders / kind / path).is_file() for path in named)
        project = tomllib.loads((folders / kind / "pyproject.toml").read_text("utf-8"))["project"]
        pythons = flows["ci.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"]
        assert [f"Programming Language :: Python :: {each}" for each in pythons] == [
            each for each in project["classifiers"] if re.search(r":: 3\.\d", each)
        ]
        assert f">={pythons[0]}" == project["requires-python"]


def test_the_package_can_be_uploaded(folders: Path, tmp_path: Path) -> None:
    check = pytest.importorskip("twine.commands.check", reason="twine is part of the extra release")
    for kind in ("model", "observer"):  # a package of modules, and a module
        for builder in (WheelBuilder, SdistBuilder):
            (built,) = builder(str(folders / kind)).build(directory=str(tmp_path))
            assert not check.check([built], strict=True)
        with tarfile.open(built) as archive:
            assert "tests/test_contract.py" in "\n".join(archive.getnames())
    wheels = sorted(map(str, tmp_path.glob("*.whl")))
    checked = subprocess.run(["check-wheel-contents", *wheels], capture_output=True, text=True, check=False)
    assert (len(wheels), checked.returncode) == (2, 0), checked.stdout


@pytest.mark.slow
def test_every_kind_passes_its_own_tests(packages: Path) -> None:
    tested = installed.tests(packages / "site", packages, *ALL_SPECS)
    assert tested.returncode == 0, tested.stdout
    assert int(re.findall(r"(\d+) passed", tested.stdout)[0]) > 10 * len(ALL_SPECS)


@pytest.mark.slow
def test_every_kind_is_listed_and_can_be_used_in_its_own_study(packages: Path) -> None:
    files = {kind: f"{kind}/studies/my-{kind}.toml" for kind in ALL_SPECS}
    plans = (("study", "plan", file) for file in files.values())
    planned = installed.commands(packages / "site", packages, ("plugin", "list", "--json"), *plans)
    assert planned.returncode == 0, planned.stderr
    components = json.JSONDecoder().raw_decode(planned.stdout)[0]["components"]
    offered = {(c["kind"], c["name"], c["distribution"]) for c in components if c["distribution"] != "ablate-music"}
    assert offered == {(kind, f"my-{kind}", f"ablate-my-{kind}") for kind in ALL_SPECS}
    counted = re.findall(r"^my-(\w+): factorial design, (\d) variants$", planned.stdout, re.MULTILINE)
    assert [kind for kind, _ in counted] == list(ALL_SPECS)
    assert {int(count) for _, count in counted} == {2, 3}


def test_the_guide_shows_the_module_as_it_is_written(ablate: Command, tmp_path: Path) -> None:
    ablate("plugin", "new", "loudness", "--kind", "conditioner")
    (shown,) = re.findall(r"^```python\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    assert shown == (tmp_path / "ablate-loudness/ablate_loudness.py").read_text()


def test_the_guides_edit_must_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import run_guide

    diff = "--- file\n+++ file\n@@\n kept\n-old\n+new\n"
    (tmp_path / "file").write_text("old\nkept\nold\n")
    run_guide.edit(diff, tmp_path)
    assert (tmp_path / "file").read_text() == "old\nkept\nnew\n"
    with pytest.raises(ValueError, match="0 times, not once"):
        run_guide.edit(diff, tmp_path)


@pytest.mark.parametrize(("name", "kind"), [("path", "observer"), ("task", "executor")])
def test_a_class_that_would_hide_what_its_code_imports(ablate: Command, tmp_path: Path, name: str, kind: str) -> None:
    outcome = ablate("plugin", "new", name, "--kind", kind)
    assert outcome.code == 2
    assert outcome.err == (
        f"error: name '{name}': the code of this kind needs another {name.title()}; choose another name\n"
    )
    assert not (tmp_path / f"ablate-{name}").exists()
