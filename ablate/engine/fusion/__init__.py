"""Fusion: models of equal shape trained, or used for generation, as one network.

In the order of reading:

- :mod:`~ablate.engine.fusion.trainer`: the training loop of fused models.
- :mod:`~ablate.engine.fusion.steps`: the steps of all models, on the device.
- :mod:`~ablate.engine.fusion.optimizer`: updates and gradient clipping for each model.
- :mod:`~ablate.engine.fusion.validation`: validation, the average of weights, and the best weights of each model.
- :mod:`~ablate.engine.fusion.windows`: the windows of all models, cut on the GPU.
- :mod:`~ablate.engine.fusion.random`: a random stream for each model.
- :mod:`~ablate.engine.fusion.generation`: rows of all models in one step.
- :mod:`~ablate.engine.fusion.eligibility`: which models can be fused.
- :mod:`~ablate.engine.fusion.cuda_graph`: record a step as a CUDA graph, and replay it.

Functions that a plugin's fused models call are in :mod:`ablate.fusion`.
"""
