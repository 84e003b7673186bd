from __future__ import annotations

from ablate.store.differences import differing_paths, unexplained


def component(name: str, version: str = "1", **options: float) -> dict[str, object]:
    return {"name": name, "version": version, "options": options}


def test_options_settings_and_whole_kinds_differ_separately() -> None:
    one = {
        "sampler": [component("temperature", tau=1.0), component("top_p", p=0.9)],
        "conditioner": [],
        "model": [component("lstm", hidden=8)],
        "tokenizer": [component("midilike")],
        "training": {"steps": 6, "batch": 2},
        "labels": {},
    }
    other = {
        "sampler": [component("temperature", tau=0.8), component("top_p", p=0.9)],
        "conditioner": [component("tempo", low=0.7)],
        "model": [component("lstm", hidden=8)],
        "tokenizer": [component("midilike", version="2")],
        "training": {"steps": 6, "batch": 4},
        "labels": {"tempo": 1.0},
    }
    found = ["sampler.temperature.tau", "conditioner", "tokenizer", "training.batch", "labels.tempo"]
    assert differing_paths(one, other) == found
    assert sorted(differing_paths(other, one)) == sorted(found)
    assert differing_paths(one, one) == []


def test_a_varied_path_explains_the_paths_within_it() -> None:
    paths = ["sampler.temperature.tau", "samplers.x", "labels.tempo"]
    assert unexplained(paths, ["sampler", "labels"]) == ["samplers.x"]
    assert unexplained(paths, []) == paths
