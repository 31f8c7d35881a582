"""The simulation of docs/statistics.md, smaller."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "calibration.py"


@pytest.mark.slow
def test_simulated_verdicts_are_as_often_right_as_is_claimed():
    done = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout or done.stderr
