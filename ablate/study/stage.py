"""A stage: one step of the work, its fingerprint, and the folder of its files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

from ablate.kinds import KINDS, TRAIN

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Stage:
    """One step of the work.

    Attributes:
        kind: a key of :data:`ablate.kinds.KINDS`.
        config: everything that decides the result, as plain data.
        inputs: the stages whose results it reads, by role.
        extra: facts for the work that do not decide the result (the path of a file today).
        identity: the part of ``config`` that the fingerprint is made from; None for all of it.
    """

    kind: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Stage] = dataclasses.field(default_factory=dict)
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    identity: Mapping[str, Any] | None = dataclasses.field(default=None, repr=False)
    fingerprint: str = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint(self.hashed()))

    def hashed(self) -> dict[str, Any]:
        """Return the data that the fingerprint is made from."""
        return self._with_inputs(self.config if self.identity is None else self.identity)

    def plain(self) -> dict[str, Any]:
        """Return the whole configuration as JSON-ready data, for the database."""
        return self._with_inputs(self.config)

    def _with_inputs(self, config: Mapping[str, Any]) -> dict[str, Any]:
        inputs = {role: stage.fingerprint for role, stage in self.inputs.items()}
        return {"stage": self.kind, "code": KINDS[self.kind].code, "inputs": inputs, **config}

    @property
    def metric(self) -> str:
        """The name of the metric that it measures; empty if it measures none."""
        name: str = self.config.get("metric", {}).get("name", "")
        return name

    @property
    def artifact(self) -> str:
        """The folder of its files, relative to the home."""
        return artifact_folder(self.kind, self.fingerprint)


def artifact_folder(kind: str, fingerprint: str) -> str:
    """Return the folder of the files of a stage, relative to the home."""
    return f"artifacts/{kind}/{fingerprint[:2]}/{fingerprint}"


def checkpoint_path(fingerprint: str) -> str:
    """Return the path of the checkpoint of the training with this fingerprint, relative to the home."""
    return f"checkpoints/{fingerprint}.safetensors"


def program_checkpoint(fingerprint: str) -> str:
    """Return the folder that a program keeps its own checkpoints in, relative to the home."""
    return f"checkpoints/{fingerprint}"


def log_path(fingerprint: str) -> str:
    """Return the path of what the program of a stage prints while it runs or if it fails, relative to the home."""
    return f"logs/{fingerprint}.log"


def fingerprint(data: Any) -> str:
    """Return the SHA-256, in hex, of JSON-ready data in canonical form."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def runs_network(stage: Stage) -> bool:
    """Return whether a stage trains a network or runs a trained one, and so computes on the device of its study."""
    return stage.kind == TRAIN or "weights" in stage.inputs


def weights_of(stage: Stage) -> Stage:
    """Return the training that a generation comes from, or that a measurement measures directly or by samples.

    Where no training is involved, it is the stage that the samples or the numbers come from.
    """
    if "weights" in stage.inputs:
        return stage.inputs["weights"]
    source = stage.inputs.get("generated") or stage.inputs.get("results")
    return weights_of(source) if source else stage
