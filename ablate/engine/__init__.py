"""Training and generation on torch: no study, no database, no files except checkpoints.

In the order of reading:

- :mod:`~ablate.engine.training`: train models, one after another or fused.
- :mod:`~ablate.engine.generation`: generate samples with trained models.
- :mod:`~ablate.engine.fusion`: run models of equal shape as one network, on a GPU.
- :mod:`~ablate.engine.score`: the likelihood of music under a model.
- :mod:`~ablate.engine.devices`: device, precision and threads.
- :mod:`~ablate.engine.memory`: memory in use, out-of-memory errors.
- :mod:`~ablate.engine.seeding`: the seed of every random stream.
- :mod:`~ablate.engine.checkpoint`: weights and optimiser states as files.
- :mod:`~ablate.engine.energy`: energy used by a GPU.
"""
