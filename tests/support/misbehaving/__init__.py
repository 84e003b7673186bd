"""A plugin whose components do everything that a component must not do, one each; each name says what it does."""

from __future__ import annotations

from support.misbehaving import metrics, music, networks
from support.misbehaving.common import hook

ablate_metrics = hook("ablate_metrics", metrics.specs)
ablate_corpora = hook("ablate_corpora", music.corpora)
ablate_augmenters = hook("ablate_augmenters", music.augmenters)
ablate_tokenizers = hook("ablate_tokenizers", music.tokenizers)
ablate_conditioners = hook("ablate_conditioners", music.conditioners)
ablate_models = hook("ablate_models", networks.models)
ablate_optimizers = hook("ablate_optimizers", networks.optimizers)
ablate_schedules = hook("ablate_schedules", networks.schedules)
ablate_samplers = hook("ablate_samplers", networks.samplers)
