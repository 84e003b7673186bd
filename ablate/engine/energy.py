"""The energy that a GPU uses."""

from __future__ import annotations


def joules_so_far(device: str) -> float | None:
    """Return the energy that an NVIDIA GPU has used since its driver was loaded, in joules; None where unknown.

    This is the energy of the whole board, idle power and other processes included. GPUs older than Volta and parts of a
    GPU (MIG) do not measure it; reading it needs the extra ``ablate-music[energy]``. For a CPU the result is None: its
    counter includes all processes, so each of several parallel trainings would be charged for all of them.
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
        # by its UUID: indices differ where CUDA_VISIBLE_DEVICES hides a GPU
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except pynvml.NVMLError:
        return None
