"""Generation.

In the order of reading:

- :mod:`~ablate.engine.generation.generate`: generate rows, block by block.
- :mod:`~ablate.engine.generation.row`: one sample to generate.
- :mod:`~ablate.engine.generation.plans`: decide which rows share steps.
- :mod:`~ablate.engine.generation.block`: the loop over rows that share steps.
- :mod:`~ablate.engine.generation.draw`: draw a token from logits.
- :mod:`~ablate.engine.generation.batching`: steppers, and how many rows may share a step on a CPU.

Rows of fused models share steps through :mod:`ablate.engine.fusion.generation`.
"""
