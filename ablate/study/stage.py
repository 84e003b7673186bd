"""A stage: one step of the work, its fingerprint, and where its files lie."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Raised when a stage's own code changes its results; one number a kind.
CODE = {"load": 3, "prepare": 1, "prime": 1, "floor": 1, "train": 1, "generate": 2, "measure": 1, "resample": 1}
#: Version of the results of fused models on a GPU; increment it when they change.
FUSION = 1
#: Kinds that come before any training, and take seconds.
EARLY = ("load", "prepare", "prime")
#: Kinds that say how to read the measurements; a run is done without them.
FLOORS = ("floor", "resample")
#: Kinds that leave files; the others leave numbers alone.
WITH_FILES = ("load", "prepare", "prime", "train", "generate")


@dataclasses.dataclass(frozen=True)
class Stage:
    """One step of the work.

    Attributes:
        kind: a key of :data:`CODE`.
        config: everything that decides the result, as plain data.
        inputs: the stages whose results it reads, by role.
        extra: what the work needs to know but what does not decide the result (where a file lies today).
    """

    kind: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Stage] = dataclasses.field(default_factory=dict)
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fingerprint: str = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint(self.hashed()))

    def hashed(self) -> dict[str, Any]:
        """What the fingerprint is of."""
        inputs = {role: stage.fingerprint for role, stage in self.inputs.items()}
        return {"stage": self.kind, "code": CODE[self.kind], "inputs": inputs, **self.config}

    @property
    def artifact(self) -> str:
        """Folder of its files, relative to the home."""
        return f"artifacts/{self.kind}/{self.fingerprint[:2]}/{self.fingerprint}"


def checkpoint_path(fingerprint: str) -> str:
    """Where the training of that fingerprint keeps its progress, relative to the home."""
    return f"checkpoints/{fingerprint}.safetensors"


def fingerprint(data: Any) -> str:
    """SHA-256, in hex, of JSON-ready data in canonical form."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def weights_of(stage: Stage) -> Stage:
    """The training that a generation comes from, or a measurement of one or of the training itself."""
    return stage.inputs["weights"] if "weights" in stage.inputs else weights_of(stage.inputs["generated"])
