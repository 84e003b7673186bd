"""What a training costs in energy, where the device tells."""

from __future__ import annotations


def joules_so_far(device: str) -> float | None:
    """Energy that an NVIDIA GPU has used since its driver was loaded, in joules; None where nothing tells.

    That is the whole board's, idle power and other processes included. GPUs older than Volta and parts of a GPU (MIG)
    do not count it; reading it takes the extra ``ablate[energy]``. A CPU is never asked: it counts for all of what
    runs on it together, so trainings beside each other would each be charged for all.
    """
    if not device.startswith("cuda"):
        return None
    try:
        import pynvml
    except ImportError:
        return None
    import torch

    try:
        pynvml.nvmlInit()
        # by its name: numbers differ where CUDA_VISIBLE_DEVICES hides a GPU
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except pynvml.NVMLError:
        return None
