from __future__ import annotations

import pytest
import torch

from ablate.engine.devices import spread


@pytest.mark.parametrize(
    ("gpus", "device", "workers", "expected"),
    [
        (0, "cpu", 3, ["cpu"] * 3),
        (8, "cpu", 1, ["cpu"]),
        (1, "cuda", 16, ["cuda:0"]),
        (4, "cuda", 16, ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]),
        (4, "cuda", 2, ["cuda:0", "cuda:1"]),  # fewer jobs than GPUs, or fewer asked for
        (4, "cuda:2", 16, ["cuda:2"]),
    ],
)
def test_workers_take_the_devices_there_are(
    gpus: int, device: str, workers: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert spread(device, workers) == expected
