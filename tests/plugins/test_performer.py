from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from ablate import Performance
from ablate.errors import InvalidOptions
from ablate.testing import ConditionerContract
from ablate_performer import ablate_conditioners

if TYPE_CHECKING:
    from pathlib import Path

(SPEC,) = ablate_conditioners()
SMD = {"performers": ["005", "008", "001"], "field": -2}
NOTE = (60, 64, 0.0, 0.5)
TIMES = np.array([0.0, 0.5, 1.0])


class TestContract(ConditionerContract):
    spec = SPEC
    options = (
        {"performers": ["Ada"]},
        {"performers": ["Ada", "Bela", "Clara"], "default": "Clara"},
        {"performers": ["one note", "scale"], "separator": "--", "field": -1},
    )


def built(**options: Any) -> Any:
    return SPEC.build(SPEC.parse({**SMD, **options}))


def played(name: str, **labels: float) -> Performance:
    return Performance.from_notes([NOTE], name=name).labelled(**labels)


def by(performer: str) -> Performance:
    return played(f"Bach_BWV888-01_{performer}_20110315-SMD")


def place(performance: Performance, **options: Any) -> float:
    values = built(**options).from_performance(performance, TIMES)
    assert (values == values[0]).all()
    return float(values[0, 0])


def test_a_part_of_the_name_says_who_plays() -> None:
    assert [place(by(name)) for name in SMD["performers"]] == [0, 1, 2]
    assert place(by("008"), field=2) == 1
    assert place(played("Clara - Träumerei"), performers=["Ada", "Clara"], separator=" - ", field=0) == 1


def test_folders_count_only_where_the_name_is_split_at_them() -> None:
    assert place(played("some_folder/Ada_Träumerei"), performers=["Ada"], field=0) == 0
    assert place(played("Clara/Ada_Träumerei"), performers=["Ada", "Clara"], separator="/", field=0) == 1


def test_a_label_goes_before_the_name() -> None:
    assert place(by("005").labelled(performer=2.0)) == 2


@pytest.mark.parametrize(
    "performance", [by("009"), played(""), played("008"), by("008").labelled(performer=7.0)], ids=lambda p: p.name
)
def test_whoever_is_unknown_is_taken_for_the_default(performance: Performance) -> None:
    assert place(performance, default="001") == 2
    assert place(performance) == 0


def test_labels_are_places_with_names() -> None:
    conditioner = built(default="008")
    assert conditioner.labels == {"performer": 1.0}
    assert conditioner.categories == {"performer": ("005", "008", "001")}
    assert built().labels == {"performer": 0.0}
    assert conditioner.from_labels({"performer": 2.0}, TIMES).tolist() == [[2.0]] * 3


@pytest.mark.parametrize("value", [-1, 3, 0.5, float("nan"), float("inf")])
def test_what_is_no_place_is_refused(value: float) -> None:
    message = rf"performer must be one of 005, 008, 001, or .* number from 0 to 2, not {value:g}"
    with pytest.raises(ValueError, match=message):
        built().check_labels({"performer": value})


def test_places_are_not_refused() -> None:
    for value in (0, 1.0, 2):
        built().check_labels({"performer": value})


def refusal(*performances: Performance, **options: Any) -> str:
    with pytest.raises(ValueError, match=r"^.+$") as caught:
        built(**options).check_examples(performances)
    return str(caught.value)


def test_examples_by_all_performers_will_do() -> None:
    built().check_examples([by("001"), by("005"), by("008"), by("005"), played("nobody", performer=1.0)])


def test_an_unknown_performer_is_named_with_what_was_found() -> None:
    message = refusal(by("005"), by("08"), by("001"))
    assert message == (
        "'Bach_BWV888-01_08_20110315-SMD' is played by '08' (part -2 of its name, split at '_'), who is not among "
        "005, 008, 001; did you mean '008'? add it to conditioner.performer.performers, or set "
        "conditioner.performer.field or separator"
    )
    assert "not among 005, 008, 001; add it to" in refusal(by("Nemo"))


@pytest.mark.parametrize("name", ["", "sonata", "__"])
def test_a_name_without_a_performer_is_named(name: str) -> None:
    assert refusal(played(name)).startswith(f"'{name}' has no performer: there is no part -2 of its name, split at '_'")


def test_a_label_that_is_no_place_is_named() -> None:
    assert refusal(by("005").labelled(performer=1.5)).startswith(
        "'Bach_BWV888-01_005_20110315-SMD' has the label performer = 1.5; it must be one of 005, 008, 001"
    )


def test_a_performer_without_music_is_named() -> None:
    assert refusal(by("008"), by("001")) == (
        "performer '005' plays none of the performances to train on: it could never be learned; "
        "remove it from conditioner.performer.performers, or add music that [split] does not hold out"
    )
    assert "'005' plays none of the performances to train on (nor does any of '001')" in refusal(by("008"))


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({}, "performers", "required"),
        ({"performers": []}, "performers", "1 or more"),
        ({"performers": ["a", "b", "a"]}, "", "lists 'a' more than once"),
        ({"performers": ["a", ""]}, "", "empty name"),
        ({"performers": [8]}, "performers", "text"),
        ({"performers": ["Clara"], "default": "Klara"}, "", "'Klara' is not among performers .*mean 'Clara'"),
        ({"performers": ["a"], "separator": ""}, "separator", "1 or more"),
        ({"performers": ["a"], "field": 0.5}, "field", "whole number"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(InvalidOptions, match=message) as caught:
        SPEC.parse(options)
    assert [key for key, _ in caught.value.problems] == [key]


def test_each_performer_has_an_embedding_that_its_own_music_trains() -> None:
    module = built().module(4)
    places_rtf = torch.tensor([[[0.0], [2.0]], [[2.0], [2.0]]])
    result_rte = module(places_rtf)
    (table,) = module.parameters()
    assert table.shape == (3, 4)
    torch.testing.assert_close(result_rte, torch.stack([table[[0, 2]], table[[2, 2]]]))
    result_rte.sum().backward()
    assert table.grad[:, 0].tolist() == [1, 0, 3]


def test_the_performers_of_real_performances_are_found(smd_dir: Path) -> None:
    names = sorted(path.stem for path in smd_dir.glob("*.mid"))
    expected = [re.findall(r"_(\d{3})_\d{8}-SMD$", name)[0] for name in names]
    performers = sorted(set(expected))
    conditioner = built(performers=performers)
    music = [played(name) for name in names]
    conditioner.check_examples(music)
    found = [performers[int(conditioner.from_performance(one, TIMES)[0, 0])] for one in music]
    assert (len(names), performers, found) == (50, [f"00{i}" for i in range(1, 9)], expected)
    assert "not among" in refusal(*music, performers=performers[1:])
