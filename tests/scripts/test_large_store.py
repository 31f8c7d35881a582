"""Many runs are looked at and reported in bounded time and memory, measured by a script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from resx.store.store import Store
from resx.store.summary import Status

SCRIPT = Path(__file__).parents[2] / "scripts" / "large_store.py"
RUNS = 1_000


@pytest.mark.slow
def test_a_thousand_runs_cost_less_than_ten_thousand_may(tmp_path):
    """Of 10,000 a status may take 5 s and a report 60 s and 2 GB."""
    command = [sys.executable, str(SCRIPT), "--runs", str(RUNS), "--keep", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    costs = {name: cost["processor"] for name, cost in json.loads(done.stdout).items()}
    memory = [cost["memory"] for cost in json.loads(done.stdout).values()]
    assert costs["resx study NAME status=true"] < 5
    assert max(costs.values()) < 60
    assert max(memory) < 1_000
    statuses = [run.status for run in Store(tmp_path / "outputs").runs()]
    assert statuses == RUNS * [Status.FINISHED]
