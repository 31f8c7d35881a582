"""A job that a batch system asks to leave saves at once and goes on later."""

import os
import signal
import subprocess
import sys

import pytest

from resx.interruption import listening, receive, was_received
from tests.study.test_processes import first_job, records, summaries, wait_until

RUN = ("depth=8", "model.width=2", "recipe.steps=400", "recipe.record_every=10")
RUN += ("recipe.eval_every=200", "recipe.save_every=100000")


def test_two_signals_of_a_batch_system_are_no_impatience():
    """Slurm may send SIGUSR2 and SIGTERM; a person's second Ctrl-C does not wait."""
    with listening("saving"):
        receive(signal.SIGUSR2, None)
        receive(signal.SIGTERM, None)
        assert was_received("SIGUSR2")
        with pytest.raises(KeyboardInterrupt):
            receive(signal.SIGTERM, None)


@pytest.mark.slow
def test_a_job_whose_time_is_over_saves_and_is_queued_again(tmp_path):
    """By submitit's own handler, which here has a controller on this machine."""
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    command = [sys.executable, "-m", "resx", "study", "degradation", "seed=0", "residual=true"]
    study = subprocess.Popen([*command, *RUN, "hydra/launcher=submitit_local"], cwd=tmp_path)
    wait_until(lambda: records(tmp_path))
    os.kill(first_job(tmp_path), signal.SIGUSR2)
    assert study.wait(timeout=600) == 0
    (log,) = tmp_path.glob("outputs/runs/*/*/*/train.log")
    assert log.read_text().count("resumed after step") == 1
    assert [summary["status"] for summary in summaries(tmp_path)] == ["finished"]
