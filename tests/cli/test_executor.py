"""``study run --executor``, its settings, and the user-level config file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

import ablate as public
from ablate.errors import ExecutorError
from ablate.registry import get_registry
from ablate.registry.registry import Component
from ablate.study.run.executor.local import LOCAL
from ablate.study.run.executor.local.executor import LocalExecutor

if TYPE_CHECKING:
    from support.commands import Command

RUN = ("study", "run", "tau_sweep", "--profile", "smoke", "--no-report")


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of the executor of these tests."""

    address: str = public.option("auto", doc="Where.")
    tries: int = public.option(1, ge=1, doc="How often.")
    fails: bool = public.option(False, doc="Whether it cannot be used.")


BUILT: list[Options] = []


def _build(options: Options, setup: Any) -> LocalExecutor:
    BUILT.append(options)
    if options.fails:
        raise RuntimeError("nobody is there")
    return LocalExecutor(["cpu"], setup)


@pytest.fixture(autouse=True)
def far(ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer an executor ``far``, and leave the config file of whoever runs the tests alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("ABLATE_CONFIG", raising=False)
    registry = get_registry()
    spec = public.ExecutorSpec(name="far", summary="For tests.", options=Options, build=_build)
    others = [c for c in registry.components if c.kind != "executor"]
    plugin = registry.plugins[0]
    monkeypatch.setattr(
        registry,
        "components",
        [*others, Component(spec, plugin), Component(LOCAL, plugin)],
    )
    BUILT.clear()


def config(text: str) -> Path:
    path = Path("config/ablate/config.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.resolve()


def test_options_come_from_the_config_file_and_the_command_line(ablate: Command) -> None:
    config("[executor.far]\naddress = 'there'\ntries = 2\n")
    done = ablate(*RUN, "--executor", "far", "--set", "executor.far.tries=3", "--set", "generation.tokens=40")
    assert done.code == 0, done.err
    assert [Options("there", 3)] == BUILT
    again = ablate(*RUN, "--set", "generation.tokens=40")
    assert "nothing to do" in again.err + again.out or "reused" in again.err + again.out
    assert len(BUILT) == 1, "where it ran is no part of a study"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--executor", "fat"], "error: unknown executor 'fat'; did you mean 'far'? Offered: far, local\n"),
        (
            ["--executor", "far", "--set", "executor.far.adress=x"],
            "error: --set executor.far.adress: unknown key; did you mean 'address'? (known: address, tries, fails)\n",
        ),
        (
            ["--executor", "far", "--set", "executor.far.tries=0"],
            "error: --set executor.far.tries: must be a whole number ≥ 1, not 0\n",
        ),
        (
            ["--set", "executor.far.tries=2"],
            "error: --set executor.far.tries: is no setting of the executor 'local'; --executor is local\n",
        ),
        (
            ["--executor", "far", "--device", "cuda", "--set", "training.precision=fp32"],
            "error: executor 'far' has no place with a GPU, but cpu; use --device cpu\n",
        ),
        (
            ["--executor", "far", "--device", "cuda:1"],
            "error: --device cuda:1: the executor chooses the GPU of each job; use --device cuda\n",
        ),
        (
            ["--executor", "far", "--set", "executor.far.fails=true"],
            "error: executor 'far' has failed: RuntimeError: nobody is there\n",
        ),
    ],
)
def test_a_wrong_choice_is_one_line(ablate: Command, words: list[str], message: str) -> None:
    refused = ablate(*RUN, *words)
    assert refused.err.splitlines(keepends=True)[-1] == message
    assert [line for line in refused.err.splitlines() if line.startswith(("error", "Traceback"))] == [message.rstrip()]
    assert refused.code in (1, 2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[executors.far]\n", "executors: unknown key; did you mean 'executor'? (known: executor)"),
        ("[executor.fra]\n", "executor.fra: unknown executor; did you mean 'far'? (offered: far, local)"),
        (
            "[executor.far]\ntires = 1\n",
            "executor.far.tires: unknown key; did you mean 'tries'? (known: address, tries, fails)",
        ),
        ("[executor.far]\ntries = 'x'\n", 'executor.far.tries: must be a whole number ≥ 1, not "x"'),
        ("executor = 1\n", "executor: must have a table for each executor, [executor.NAME]"),
        ("[executor]\nfar = 1\n", "executor.far: must be a table of options, [executor.far]"),
        ("[executor", "is not valid TOML: "),
    ],
)
def test_a_wrong_config_file_is_one_line(ablate: Command, text: str, problem: str) -> None:
    path = config(text)
    refused = ablate(*RUN)
    assert refused.code != 0
    assert refused.err.startswith(f"error: {path}: {problem}")
    assert refused.err.count("\n") == 1


def test_a_variable_names_another_config_file(ablate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CONFIG", "there.toml")
    assert ablate(*RUN).err == "error: ABLATE_CONFIG: no such file: there.toml\n"
    Path("there.toml").write_text("[executor.fra]\n")
    assert ablate(*RUN).err.startswith("error: there.toml: executor.fra: unknown executor")


def test_models_are_not_fused_on_a_cpu_for_stored_results_would_change(ablate: Command) -> None:
    refused = ablate(*RUN, "--fuse", "--device", "cpu")
    assert refused.err == "error: --fuse: models are fused on a GPU only; leave the option out\n"


@pytest.mark.parametrize(("options", "fused"), [([], None), (["--fuse"], True), (["--no-fuse"], False)])
def test_the_option_reaches_the_runner(
    options: list[str], ablate: Command, monkeypatch: pytest.MonkeyPatch, *, fused: bool | None
) -> None:
    """For a GPU of another machine: none is needed here."""
    seen: list[Any] = []

    def no_runner(*_: Any, working: Any, **__: Any) -> None:
        seen.append(working.fused)
        raise ExecutorError("seen enough")

    monkeypatch.setattr("ablate.study.run.runner.StudyRunner.__init__", no_runner)
    far = ["--executor", "far", "--device", "cuda", "--set", "training.precision=fp32"]
    assert ablate(*RUN, *far, *options).err.endswith("error: seen enough\n")
    assert seen == [fused]


@pytest.mark.skipif(torch.cuda.is_available(), reason="the driver has a GPU")
def test_a_driver_without_a_gpu_asks_for_the_precision_of_others(ablate: Command) -> None:
    refused = ablate(*RUN, "--executor", "far", "--device", "cuda")
    assert refused.err == (
        "error: --device cuda: this machine has no GPU that shows whether bf16 is native on those of the executor; "
        "choose --set training.precision=bf16 or fp32\n"
    )


def test_a_study_file_has_no_executor(ablate: Command) -> None:
    Path("mine.toml").write_text('question = "?"\n[executor.far]\naddress = "x"\n')
    refused = ablate("study", "plan", "mine.toml")
    assert "mine.toml: executor: where a study runs is no part of it; use --executor NAME" in refused.err
