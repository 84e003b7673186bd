"""Training.

In the order of reading:

- :mod:`~ablate.engine.training.train`: train jobs one by one, or fused where possible.
- :mod:`~ablate.engine.training.trainer`: the training loop of a single model.
- :mod:`~ablate.engine.training.job`: the job, result and progress of a training.
- :mod:`~ablate.engine.training.start`: begin a training, or resume it from a checkpoint.
- :mod:`~ablate.engine.training.updates`: torch's optimizers, at the learning rate of each step.
- :mod:`~ablate.engine.training.weights`: which weights decay.
- :mod:`~ablate.engine.training.average`: a moving average of the weights.
- :mod:`~ablate.engine.training.validation`: the loss on other examples, and when it ends a training.
- :mod:`~ablate.engine.training.windows`: the windows of tokens of each step.
- :mod:`~ablate.engine.training.capacity`: the number of models that fit into a GPU's memory.

The training loop of fused models is :mod:`ablate.engine.fusion.trainer`.
"""
