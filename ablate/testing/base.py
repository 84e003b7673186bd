"""The part of the contracts that all hook points share."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from ablate.options import describe, plain
from ablate.specs import ComponentSpec
from ablate.testing import citations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Contract:
    """The part of every contract that concerns the record and its options.

    Attributes:
        spec: the record under test.
        options: the settings to try, each as the plain values of a study file.
    """

    record: ClassVar[type[ComponentSpec]] = ComponentSpec
    spec: Any
    options: Sequence[Mapping[str, Any]] = ({},)

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Run each test with the argument ``settings`` once for each of ``options``."""
        if "settings" in metafunc.fixturenames:
            names = [" ".join(f"{key}={value}" for key, value in each.items()) for each in self.options]
            metafunc.parametrize("settings", self.options, ids=[name or "defaults" for name in names])

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Build the component with these settings."""
        return self.spec.build(self.spec.parse(settings))

    def test_record(self) -> None:
        """Check that the record has the hook point's type and a summary of one line."""
        assert self.spec.summary.strip(), "the summary is empty"
        assert "\n" not in self.spec.summary, "the summary is one line"
        assert self.spec.version.strip(), "the version is empty"
        assert callable(self.spec.build), "build is no function"
        kind, record = type(self.spec).__name__, self.record.__name__
        assert isinstance(self.spec, self.record), f"spec is a {kind}, not a {record}"

    def test_citations(self) -> None:
        """Check that each source is one complete BibTeX entry with author, title, year and a unique key."""
        cite = self.spec.cite
        assert not isinstance(cite, str), "cite is a text; it has to be a tuple of them, also for a single source"
        for entry in cite:
            flaw = citations.flaw(entry)
            assert not flaw, f"the source '{citations.key(entry) or entry.strip()[:40]}' {flaw}"
        keys = [citations.key(entry) for entry in cite]
        assert len(set(keys)) == len(keys), f"two sources have the same key: {', '.join(sorted(keys))}"

    def test_options_are_documented(self) -> None:
        """Check that every option has a description, and that none can be changed after validation."""
        assert self.spec.options.__dataclass_params__.frozen, "the options dataclass is not frozen"
        silent = [field.name for field in describe(self.spec.options) if not field.doc.strip()]
        assert not silent, f"options without a doc: {', '.join(silent)}"

    def test_options_are_plain(self, settings: Mapping[str, Any]) -> None:
        """Check that options survive JSON, in which they are stored and sent to other processes."""
        options = self.spec.parse(settings)
        assert self.spec.parse(plain(options)) == options, "options changed on the way through plain values"
        assert dataclasses.replace(options) == options, "options cannot be built from their own fields"
