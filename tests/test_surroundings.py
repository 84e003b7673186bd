"""Plugins that change the settings of a process: others never notice."""

from __future__ import annotations

import signal
import sys

import numpy as np
import pytest
import torch

from ablate.study.work.doing import doing
from ablate.surroundings import kept_surroundings, kept_while_loading


def _change() -> None:
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.set_float32_matmul_precision("medium")
    np.seterr(all="raise")


def _settings() -> list[object]:
    flags = [torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()]
    return [torch.get_default_dtype(), *flags, torch.get_float32_matmul_precision(), np.geterr()]


@pytest.mark.parametrize("loaded", [True, False])
def test_a_plugin_changes_no_settings_of_libraries_where_it_is_imported(
    *, loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _settings()
    if not loaded:  # it is the plugin that imports torch
        monkeypatch.delitem(sys.modules, "torch")
    with kept_while_loading():
        monkeypatch.setitem(sys.modules, "torch", torch)
        _change()
        assert _settings() != before
    assert _settings() == before


def test_a_component_changes_none_in_a_stage() -> None:
    before = _settings()
    with kept_surroundings():
        _change()
    assert _settings() == before


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_a_timer_of_a_component_does_not_outlive_its_call() -> None:
    other = signal.setitimer(signal.ITIMER_PROF, 1000)
    with doing("metric 'timer'"):
        signal.alarm(1000)
        signal.setitimer(signal.ITIMER_VIRTUAL, 1000)
    assert signal.getitimer(signal.ITIMER_REAL) == signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    assert signal.getitimer(signal.ITIMER_PROF)[0] > 0, "one of somebody else goes on"
    signal.setitimer(signal.ITIMER_PROF, *other)
