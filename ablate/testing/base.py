"""The common part of the contracts of all kinds."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from ablate.options import describe, plain
from ablate.specs import ComponentSpec
from ablate.testing import bibtex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch


class Contract:
    """The part of every contract that concerns the record and its options.

    Attributes:
        spec: the record under test.
        options: the settings to try, each as plain values of a study file.
    """

    record: ClassVar[type[ComponentSpec]] = ComponentSpec
    spec: Any
    options: Sequence[Mapping[str, Any]] = ({},)

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Run each test with an argument ``settings`` once for each of ``options``."""
        if "settings" in metafunc.fixturenames:
            names = [" ".join(f"{key}={value}" for key, value in each.items()) for each in self.options]
            metafunc.parametrize("settings", self.options, ids=[name or "defaults" for name in names])

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Return the component with these settings."""
        return self.spec.build(self.spec.parse(settings))

    def test_record(self) -> None:
        """Check that the record has the right type and describes the component in one line."""
        kind, record = type(self.spec).__name__, self.record.__name__
        assert self.spec.summary.strip(), "summary is empty"
        assert "\n" not in self.spec.summary, "summary has more than one line"
        assert self.spec.version.strip(), "version is empty"
        build = "build_rows" if hasattr(self.spec, "build_rows") else "build"
        assert callable(getattr(self.spec, build)), f"{build} is not a function"
        assert isinstance(self.spec, self.record), f"spec is a {kind}, not a {record}"

    def test_citations(self) -> None:
        """Check that each source is one complete BibTeX entry with author, title, year and a unique key."""
        cite = self.spec.cite
        assert not isinstance(cite, str), "cite is a string; it must be a tuple of strings, also for a single source"
        for entry in cite:
            flaw = bibtex.flaw(entry)
            assert not flaw, f"the source '{bibtex.key(entry) or entry.strip()[:40]}' {flaw}"
        keys = [bibtex.key(entry) for entry in cite]
        assert len(set(keys)) == len(keys), f"two sources have the same key: {', '.join(sorted(keys))}"

    def test_options_are_documented(self) -> None:
        """Check that every option has a description and that options cannot be changed after validation."""
        assert self.spec.options.__dataclass_params__.frozen, "the options dataclass is not frozen"
        undocumented = [field.name for field in describe(self.spec.options) if not field.doc.strip()]
        assert not undocumented, f"options without a doc: {', '.join(undocumented)}"

    def test_options_are_plain(self, settings: Mapping[str, Any]) -> None:
        """Check that options survive JSON, which is how they are stored and sent to other processes."""
        options = self.spec.parse(settings)
        assert self.spec.parse(plain(options)) == options, "options change when they are converted to plain values"
        assert dataclasses.replace(options) == options, "options cannot be rebuilt from their own fields"


def check_gradients(module: torch.nn.Module, loss: torch.Tensor) -> None:
    """Check that gradients of the loss reach all weights of the module and are finite."""
    weights = dict(module.named_parameters())
    if weights:
        loss.backward()  # type: ignore[no-untyped-call]
    missing = [name for name, weight in weights.items() if weight.requires_grad and weight.grad is None]
    assert not missing, f"no gradient reaches {', '.join(missing)}"
    wrong = [name for name, weight in weights.items() if weight.grad is not None and not weight.grad.isfinite().all()]
    assert not wrong, f"the gradient is not finite in {', '.join(wrong)}"
