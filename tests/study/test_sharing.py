"""How runs share the cores: as asked, as before, or as a few steps decide."""

import re
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from resx.environment import environment
from resx.study import sharing
from resx.study.cores import Way, ways
from resx.study.outlook import Asked
from resx.study.paces import Pace, kind_of
from resx.study.sharing import default_way, known_here, tried, whole
from resx.study.trial import best, try_out


@pytest.fixture
def asked(configure, monkeypatch):
    """Four small runs on the digits, on a machine of eight cores."""
    monkeypatch.setattr(sharing, "cores", lambda: 8)
    config = configure("train", "depth=8", "model.width=2", "recipe.batch_size=8", "device=cpu")
    return Asked([replace(config, seed=seed) for seed in range(4)], None, {})


def large(asked):
    data = replace(asked.configs[0].data, image_size=32)
    return asked._replace(configs=[replace(config, data=data) for config in asked.configs])


def test_all_ways_from_one_run_after_another_to_side_by_side():
    assert ways(8, most=100) == [Way(1, 8), Way(2, 4), Way(4, 2), Way(8, 1)]
    assert ways(8, most=3) == [Way(1, 8), Way(2, 4), Way(3, 2)]
    assert ways(6, most=6) == [Way(1, 6), Way(2, 3), Way(4, 1), Way(6, 1)]
    assert ways(1, most=9) == [Way(1, 1)]


def test_of_ways_that_are_about_as_fast_the_one_with_fewer_runs_is_the_best():
    assert best({Way(1, 8): 10.0, Way(8, 1): 10.2}) == Way(1, 8)
    assert best({Way(1, 8): 10.0, Way(4, 2): 13.0, Way(8, 1): 12.9}) == Way(4, 2)


def test_runs_take_the_core_that_is_free_first():
    assert whole([4.0, 1.0, 1.0, 1.0], 2) == 4.0
    assert whole([1.0, 1.0, 4.0], 2) == 5.0
    assert whole([1.0, 2.0, 3.0], 1) == 6.0


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ({}, Way(4, 1)),  # tiny images, and as many runs
        ({"jobs": 2}, Way(2, 4)),
        ({"threads": 4}, Way(2, 4)),
        ({"jobs": 3, "threads": 3}, Way(3, 3)),
        ({"launcher": "basic"}, Way(1, 8)),
    ],
)
def test_what_is_not_measured_is_as_asked_or_by_the_size_of_images(asked, given, way):
    assert default_way(asked._replace(**given), {}) == way


def test_large_images_have_all_cores_unless_runs_before_had_fewer(asked):
    asked = large(asked)
    assert default_way(asked, {}) == Way(1, 8)
    pace = Pace(0.1, 2, "", "")
    assert default_way(asked, {kind_of(asked.configs[0]): pace}) == Way(4, 2)
    assert default_way(asked, {"another network": pace}) == Way(1, 8)


def test_what_is_learned_holds_for_a_machine_and_a_device():
    here = environment()
    cpu = Pace(0.1, 2, here.hardware, here.capability, "cpu")
    learned = {"here": cpu, "a GPU's": cpu._replace(device="cuda"), "elsewhere": Pace(1, 2, "", "")}
    assert known_here(learned, "cpu") == {"here": cpu}


def test_a_trial_decides_if_it_is_worth_it(asked, monkeypatch):
    """The clock is replaced; what is measured is in the next test."""
    rates = {Way(1, 8): 10.0, Way(2, 4): 16.0, Way(4, 2): 15.9}
    monkeypatch.setattr(sharing, "try_out", lambda config, ways, folders: rates)
    found = tried(asked, {}, steps=[0.1] * 4, seconds=[100.0] * 4)
    assert found.way == Way(2, 4)
    assert found.slower == pytest.approx(2 / 16.0 / 0.1)
    assert found.why == (
        "measured: 1.60 times one run after another with 8 threads,"
        " 1.01 times 4 at once with 2 threads each"
    )
    pace = {kind_of(asked.configs[0]): Pace(0.1, 1, "", "")}
    assert tried(asked, {}, steps=[10.0] * 4, seconds=[200.0] * 4) is None  # 450 s for 800
    for asks, learned, seconds in (
        (asked, {}, 1.0),
        (asked, pace, 100.0),
        (asked._replace(threads=1), {}, 100.0),
        (asked._replace(jobs=2), {}, 100.0),
        (asked._replace(configs=asked.configs[:1]), {}, 1000.0),
    ):
        number = len(asks.configs)
        assert tried(asks, learned, [0.1] * number, [seconds] * number) is None


@pytest.mark.slow
def test_processes_of_every_way_make_steps(asked, configure):
    rates = try_out(asked.configs[0], [Way(1, 2), Way(2, 1)], ())
    assert all(rate > 1 for rate in rates.values()) and len(rates) == 2
    broken = replace(asked.configs[0], depth=9)  # no such network
    assert try_out(broken, [Way(1, 1)], ()) == {}


@pytest.mark.slow
def test_the_forecast_is_what_happens(tmp_path):
    """Within a factor of two, as other programs are at work on machines that test; see LOG.md."""
    ratios = []
    for seed in range(2):
        settings = ["depth=20", f"seed={seed},{10 + seed}"]
        line = [sys.executable, "-m", "resx", "study", "degradation", *settings]
        with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as study:
            for said in study.stdout:
                if match := re.match(r"predicted for 4 runs: (?:(\d+) min|(\d+) s)", said):
                    predicted = 60 * int(match[1] or 0) + int(match[2] or 0)
                    began = time.monotonic()
                if said.startswith("4 of 4: "):
                    took = time.monotonic() - began
        ratios.append(predicted / took)
    assert any(0.5 < ratio < 2 for ratio in ratios), ratios
