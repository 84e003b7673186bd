"""The parts of ``python tools/device_check``: what is worth knowing of ablate on a GPU, one section a module."""
