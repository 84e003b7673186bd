"""Each contract passes a component that keeps it, and each of its tests fails for components that do not."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import Any

import pytest
from support.contracts import executor, model, music, network, observer, tokenizer, training

import ablate
from ablate import testing
from ablate.specs import ALL_SPECS
from ablate.testing import bibtex

pytest_plugins = ["pytester"]

KEEPS = {
    **music.KEEPS,
    **tokenizer.KEEPS,
    **network.KEEPS,
    **model.KEEPS,
    **training.KEEPS,
    **observer.KEEPS,
    **executor.KEEPS,
}
BREAKS = [
    *music.BREAKS,
    *tokenizer.BREAKS,
    *network.BREAKS,
    *model.BREAKS,
    *training.BREAKS,
    *observer.BREAKS,
    *executor.BREAKS,
]
#: The kinds of the contracts that do not have their names.
KINDS = {
    "ModelMetricContract": "metric",
    "SetMetricContract": "metric",
    "FittedTokenizerContract": "tokenizer",
}
OF_RECORDS = {
    "test_record",
    "test_citations",
    "test_copied_share",
    "test_main",
    "test_options_are_documented",
    "test_options_are_plain",
    "test_target",
}
SOURCE = "@book{bach1722, author = {Johann Sebastian Bach}, title = {The {Well-Tempered} Clavier}, year = {1722}}"


def spec_for(contract: str, component: Any, **changes: Any) -> Any:
    """A record of the contract's kind whose ``build`` makes the component."""
    kind = KINDS.get(contract, contract.removesuffix("Contract").lower())
    if contract == "FittedTokenizerContract":
        changes = {"fitted": True, "build": functools.partial(tokenizer.built, component), **changes}
    build = (lambda _, *rest: component(*rest)) if kind in ("model", "executor") else (lambda *_: component())
    if kind == "sampler":
        return ablate.SamplerSpec(**{"name": "mine", "summary": "Mine.", "build_rows": build, **changes})
    of_record = {ablate.ModelMetric: ablate.ModelMetricSpec, ablate.SetMetric: ablate.SetMetricSpec}
    spec: Any = ALL_SPECS[kind]
    if isinstance(component, type):
        spec = next((record for base, record in of_record.items() if issubclass(component, base)), spec)
    return spec(**{"name": "mine", "summary": "Mine.", "build": build, **changes})


def suite(contract: str, component: Any, **changes: Any) -> Any:
    """A plugin author's subclass of the contract."""
    attributes: dict[str, Any] = {"spec": spec_for(contract, component, **changes)}
    if contract == "SamplerContract":
        attributes["identity"] = {}
    if contract == "ExecutorContract":
        attributes["seconds"] = component.seconds
    if contract == "ModelContract":
        attributes["fusible"] = isinstance(component, type) and issubclass(component, ablate.Fusible)
    return type("TestMine", (getattr(testing, contract),), attributes)()


def names_of_tests(tests: object) -> set[str]:
    return {name for name in dir(tests) if name.startswith("test_")}


def run(tests: Any, name: str) -> None:
    """One test of a suite, as pytest would run it."""
    method = getattr(tests, name)
    if "settings" not in inspect.signature(method).parameters:
        method()
        return
    for settings in tests.options:
        method(settings)


@pytest.mark.parametrize("contract", KEEPS)
def test_a_component_that_keeps_the_contract_passes(contract: str) -> None:
    tests = suite(contract, KEEPS[contract])
    for name in names_of_tests(tests):
        run(tests, name)


@pytest.mark.parametrize(("contract", "name", "component", "message"), BREAKS)
def test_a_component_that_breaks_the_contract_fails(contract: str, name: str, component: Any, message: str) -> None:
    # Some break in their own words, as a component that cannot cope with an empty piece does.
    with pytest.raises(Exception, match=message):
        run(suite(contract, component), name)


@pytest.mark.parametrize("contract", [name for name in testing.__all__ if name.endswith("Contract")])
def test_every_test_of_every_contract_can_fail(contract: str) -> None:
    failed = {name for broken, name, *_ in BREAKS if broken == contract}
    assert failed == names_of_tests(getattr(testing, contract)) - OF_RECORDS


@dataclasses.dataclass(frozen=True)
class Undocumented:
    """Options."""

    size: int = ablate.option(1, doc=" ")


@dataclasses.dataclass
class Thawed:
    """Options."""

    size: int = ablate.option(1, doc="Size.")


@dataclasses.dataclass(frozen=True)
class Growing:
    """Options that change whenever they are built."""

    size: int = ablate.option(1, doc="Size.")

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", self.size + 1)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("test_record", {"summary": " "}, "summary is empty"),
        ("test_record", {"summary": "Two\nlines."}, "more than one line"),
        ("test_record", {"version": ""}, "version is empty"),
        ("test_record", {"build": None}, "build is not a function"),
        ("test_citations", {"cite": SOURCE}, "cite is a string"),
        ("test_citations", {"cite": ("Bach, 1722",)}, "source 'Bach, 1722' does not begin with @type"),
        ("test_citations", {"cite": (SOURCE, SOURCE[:-1])}, "source 'bach1722' has a brace that is not closed"),
        ("test_citations", {"cite": (f"{SOURCE} {SOURCE}",)}, "has text after its closing brace"),
        ("test_citations", {"cite": (SOURCE.replace("Bach},", "Bach}"),)}, "is a comma missing"),
        ("test_citations", {"cite": (SOURCE.replace("title", "booktitle"),)}, "has no title"),
        ("test_citations", {"cite": ("@misc{bach1722, note = {A, year = 1722}}",)}, "has no author, no title, no year"),
        ("test_citations", {"cite": (SOURCE.replace("{1722}", '"about 1722"'),)}, "the year 'about 1722'"),
        ("test_citations", {"cite": (SOURCE, SOURCE)}, "same key: bach1722, bach1722"),
        ("test_copied_share", {"copied_share": "value"}, "'value' is .* MIDI pitch; a share is from 0 to 1"),
        ("test_copied_share", {"copied_share": "share"}, "copied_share is 'share', but the metric has no such feature"),
        ("test_options_are_documented", {"options": Undocumented}, "without a doc: size"),
        ("test_options_are_documented", {"options": Thawed}, "not frozen"),
        ("test_options_are_plain", {"options": Growing}, "change when they are converted"),
    ],
)
def test_a_record_that_breaks_the_contract_fails(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        run(suite("MetricContract", music.MeanPitch, **changes), name)


@pytest.mark.parametrize(
    "entry",
    [
        SOURCE,
        f"\n  {SOURCE}\n",
        SOURCE.replace("}}", "},\n}"),
        SOURCE.replace("{1722}", "1722"),
        SOURCE.replace("Johann Sebastian Bach", r"J{\"o}hann, S. = Bach"),
        SOURCE.replace("{Johann Sebastian Bach}", r'"J{\"o}hann, S. = Bach"'),
    ],
)
def test_however_an_entry_is_written_it_is_understood(entry: str) -> None:
    run(suite("MetricContract", music.MeanPitch, cite=(entry,)), "test_citations")
    assert bibtex.fields(entry)["title"] == "The {Well-Tempered} Clavier"


class Share(music.MeanPitch):
    share = 1.0

    def value(self, generated: ablate.Performance) -> ablate.Value:
        return ablate.Value(self.share, feature="share", n=len(generated))


class Percent(Share):
    share = 100.0


def test_a_copied_share_is_a_share() -> None:
    run(suite("MetricContract", Share, copied_share="share"), "test_copied_share")
    with pytest.raises(AssertionError, match=r"'share' is 100\.0 1; a share is from 0 to 1"):
        run(suite("MetricContract", Percent, copied_share="share"), "test_copied_share")


def test_the_target_of_an_observer_is_a_text_option() -> None:
    with pytest.raises(AssertionError, match="target 'size' is not an option that is a text"):
        run(suite("ObserverContract", observer.Names, options=Undocumented, target="size"), "test_target")


def test_main_features_exist_where_their_pieces_do() -> None:
    run(suite("ModelMetricContract", music.Nats, main={"test": "train"}), "test_main")
    with pytest.raises(AssertionError, match="main is 'unseen' with test pieces, but the metric has no such feature"):
        run(suite("ModelMetricContract", music.Nats, main={"test": "unseen"}), "test_main")


class Drums(music.MeanPitch):
    """Measures music below the piano's lowest note, and refuses all other."""

    def measure(self, generated: ablate.Performance, reference: Any) -> ablate.Measurements:
        if generated.notes["pitch"].max() > 20:
            raise ValueError("no drums")
        return super().measure(generated, reference)


def test_authors_give_music_of_their_own() -> None:
    tests = suite("MetricContract", Drums)
    with pytest.raises(AssertionError, match=r"override performances\(\)"):
        run(tests, "test_values")
    low = ablate.Performance.from_notes([(12, 64, 0.0, 0.5)])
    tests.performances = lambda: [low.replace(), *testing.performances()]
    for name in names_of_tests(tests):
        run(tests, name)
    assert len(tests.results({})) == 3, "the others are refused, which is allowed; the references are three"


def test_a_copied_share_is_of_samples() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'copied_share'"):
        ablate.ModelMetricSpec(name="mine", summary="Mine.", build=lambda _: music.Nats(), copied_share="train")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("contract", "component", "message"),
    [
        ("CorpusContract", music.Scale, "spec is a CorpusSpec, not a MetricSpec"),
        ("ModelMetricContract", music.Nats, "spec is a ModelMetricSpec, not a MetricSpec"),
        ("SetMetricContract", music.Spread, "spec is a SetMetricSpec, not a MetricSpec"),
    ],
)
def test_a_record_of_another_type_fails(contract: str, component: Any, message: str) -> None:
    tests = suite("MetricContract", music.MeanPitch)
    tests.spec = spec_for(contract, component)
    with pytest.raises(AssertionError, match=message):
        run(tests, "test_record")


@pytest.mark.parametrize(
    ("pitches", "shift", "lengthen", "message"),
    [
        ((0, 127), 0.02, 0.0, "a start in 'scale' is off by 0.02"),
        ((0, 127), 0.0, 0.02, "an? end in 'scale' is off by 0.02"),
        ((61, 127), 0.0, 0.0, "'scale' had 7 notes, now 8"),
    ],
)
def test_a_promise_about_times_is_kept(pitches: tuple[int, int], shift: float, lengthen: float, message: str) -> None:
    def decode(_: Any, tokens: Any) -> ablate.Performance:
        notes = next(p for p in testing.performances() if len(p) == len(tokens)).notes
        notes["start"] += shift
        notes["end"] += shift + lengthen
        return ablate.Performance(notes)

    tests = suite("TokenizerContract", type("Shifting", (tokenizer.PitchTokenizer,), {"decode": decode}))
    tests.pitches, tests.within = pitches, 0.01
    with pytest.raises(AssertionError, match=message):
        run(tests, "test_notes_survive")


def test_settings_become_cases_of_their_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import ablate_sampling
        from ablate.testing import SamplerContract

        class TestMine(SamplerContract):
            spec = next(iter(ablate_sampling.ablate_samplers()))
            options = ({}, {"tau": 0.5})
        """
    )
    result = pytester.runpytest("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines(["*test_something_is_possible[[]defaults] PASSED*", "*[[]tau=0.5] PASSED*"])
