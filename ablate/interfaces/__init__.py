"""The methods that components must have: base classes of the objects that a plugin's ``build`` functions return.

Arrays of music are NumPy, tensors of networks torch. Shapes are written in words: ``rows`` are the sequences of a
batch, ``time`` counts tokens, ``vocabulary`` counts token ids, ``width`` counts the numbers of a condition for one
token, ``models`` are the networks of a fused group. The name of a tensor may end in its shape, one letter or 1 for each
dimension, as in ``logits_rtv``:

=====  ===================================================
m      model of a fused group
r      row, a sequence in a batch
b      block of rows
t      time, positions of tokens
v      vocabulary
e      embedding
h      hidden units
a      attention heads
f      numbers of a condition
g      gates
l      layer
i      inputs of a layer
s      training step
n      any other count, such as several dimensions in one
=====  ===================================================
"""

from __future__ import annotations

from ablate.interfaces.executor import Executor
from ablate.interfaces.fusion import FusedModels, FusedStepper, Fusible, RandomStreams
from ablate.interfaces.music import Augmenter, Corpus, FittedTokenizer, Tokenizer
from ablate.interfaces.network import Conditioner, LanguageModel, Steppable, Stepper
from ablate.interfaces.results import Direction, Histogram, Measurements, Metric, ModelMetric, SetMetric, Value, Within
from ablate.interfaces.sampling import Sampler
from ablate.interfaces.training import Optimizer, Schedule, WeightGroup, scheduler_rates

__all__ = [
    "Augmenter",
    "Conditioner",
    "Corpus",
    "Direction",
    "Executor",
    "FittedTokenizer",
    "FusedModels",
    "FusedStepper",
    "Fusible",
    "Histogram",
    "LanguageModel",
    "Measurements",
    "Metric",
    "ModelMetric",
    "Optimizer",
    "RandomStreams",
    "Sampler",
    "Schedule",
    "SetMetric",
    "Steppable",
    "Stepper",
    "Tokenizer",
    "Value",
    "WeightGroup",
    "Within",
    "scheduler_rates",
]
