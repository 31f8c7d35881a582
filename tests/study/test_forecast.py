"""A forecast reads images once, counts no warm-up, and hears no answer in what libraries print."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from resx import experiment
from resx.study import forecast as forecasting
from resx.study.forecast import forecast
from resx.study.outlook import Asked


@pytest.fixture
def asked(configure, tiny):
    config = configure("train", *tiny)
    return Asked([config, replace(config, residual=not config.residual)], "basic", {})


@pytest.mark.slow
def test_images_are_read_once_for_all_networks(asked, monkeypatch):
    reads, load = [], experiment.load_dataset
    monkeypatch.setattr(experiment, "load_dataset", lambda *x: reads.append(1) or load(*x))
    assert len(forecast(asked).seconds) == 2
    assert len(reads) == 1


def test_the_first_step_is_no_measure_however_long_it_takes(asked, monkeypatch):
    def stepping(_):
        seconds = iter([0.2])
        return lambda: time.sleep(next(seconds, 0.001))

    monkeypatch.setattr(forecasting, "stepping", stepping)
    monkeypatch.setattr(forecasting, "LONG_STEP", 0.1)
    steps = asked.configs[0].recipe.steps
    assert max(forecast(asked).seconds) < forecasting.START_UP + 0.1 * steps


@pytest.mark.slow
def test_what_a_library_prints_is_no_answer(tmp_path, tiny, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONEDNN_VERBOSE", "1")
    command = [sys.executable, "-m", "resx", "study", "degradation", "depth=8", *tiny]
    done = subprocess.run([*command, "preview=true"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "predicted for " in done.stdout
    assert "onednn_verbose" in done.stderr and "onednn_verbose" not in done.stdout
