from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
import torch

from ablate.engine.devices import cores, on_device, resolve_device, resolve_precision
from ablate.engine.energy import joules_so_far
from ablate.errors import UsageError

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")


def test_the_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("missing", [(), ("process_cpu_count",), ("process_cpu_count", "sched_getaffinity")])
def test_cores_are_counted_on_every_system(missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows have no affinity, and older Pythons count the cores of the machine only."""
    for name in missing:
        monkeypatch.delattr(os, name, raising=False)
    assert 1 <= cores() <= (os.cpu_count() or 1)
    if len(missing) == 2:
        assert cores() == os.cpu_count()


@without_cuda
def test_auto_without_a_gpu_is_the_cpu() -> None:
    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize(
    "asked", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cuda:²", "CPU", "mps", "", "cpu:0"]
)
def test_what_is_no_device_is_refused(asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_device(asked)
    assert str(caught.value) == f"--device {asked}: choose auto, cpu, cuda or cuda:N"


@without_cuda
@pytest.mark.parametrize("asked", ["cuda", "cuda:0", "cuda:12"])
def test_a_gpu_that_is_not_there_is_refused(asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_device(asked)
    assert str(caught.value) == f"--device {asked}: no CUDA device on this machine; choose cpu or auto"


def test_float32_is_not_rounded_to_tf32_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """By torch's default, cuDNN rounds recurrent layers and convolutions."""
    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    assert torch.backends.cudnn.allow_tf32
    with on_device("cpu"):
        assert torch.backends.cudnn.allow_tf32
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    with on_device("cuda:0"):
        assert not torch.backends.cudnn.allow_tf32
        with on_device("cuda:0"):
            pass
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_what_a_person_says_about_the_workspace_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with on_device("cuda"):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU])
def test_a_recurrent_layer_in_float32_on_a_gpu_is_that_of_a_cpu(kind: type[torch.nn.Module]) -> None:
    torch.manual_seed(0)
    layer, values = kind(256, 256, batch_first=True), torch.randn(8, 20, 256)
    expected = layer(values)[0]
    with on_device("cuda"):
        found = layer.to("cuda")(values.to("cuda"))[0].cpu()
    assert float((found - expected).abs().max()) < 1e-5  # TF32 is off by 1e-4 and more


@pytest.mark.gpu
def test_gpus_are_counted() -> None:
    count = torch.cuda.device_count()
    assert resolve_device("auto") == "cuda"
    assert resolve_device(f"cuda:{count - 1}") == f"cuda:{count - 1}"
    with pytest.raises(UsageError, match=f"this machine has {count} CUDA"):
        resolve_device(f"cuda:{count}")


@pytest.mark.parametrize("asked", ["fp32", "bf16"])
def test_a_precision_that_is_asked_for_is_given(asked: str) -> None:
    assert resolve_precision(asked, "cpu") == asked


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="another system")
def test_auto_is_bf16_where_the_cpu_multiplies_it() -> None:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    has = any(flag in flags for flag in ("avx512_bf16", "amx_bf16"))
    assert resolve_precision("auto", "cpu") == ("bf16" if has else "fp32")


class TestEnergy:
    def test_a_cpu_is_not_asked(self) -> None:
        assert joules_so_far("cpu") is None

    @without_cuda
    def test_without_a_driver_nothing_tells(self) -> None:
        assert joules_so_far("cuda") is None

    @pytest.mark.gpu
    def test_a_gpu_spends_more_while_it_works(self) -> None:
        before = joules_so_far("cuda")
        if before is None:
            pytest.skip("this GPU does not tell, or nvidia-ml-py is not installed")
        square = torch.ones(4096, 4096, device="cuda")
        for _ in range(200):
            square = (square @ square) / 4096
        torch.cuda.synchronize()
        after = joules_so_far("cuda")
        assert after is not None
        assert 1.0 < after - before < 1e5
