"""What a person is told while a study runs, and what it costs to tell."""

import json
import re
import subprocess
import sys

import pytest

from resx.config.notes import Note, Ticket, write_note
from resx.config.settings import to_dict
from resx.store.run import Run
from resx.store.summary import Score, Status, Summary
from resx.study.grid import Grid, Job
from resx.study.progress import Progress
from resx.study.status import look, status_table


@pytest.fixture
def grid(configure, tmp_path):
    """Two networks, two seeds each; nothing is trained."""
    jobs = []
    for depth in (8, 14):
        for seed in (0, 1):
            run = Run(tmp_path / f"{depth}-{seed}")
            run.directory.mkdir()
            config = configure("train", f"depth={depth}", f"seed={seed}")
            run.write_config(to_dict(config))
            jobs.append(Job([], config, run))
    return Grid("grid", ["depth"], jobs, [])


def end(grid, sweep, number, status=Status.FINISHED):
    """As if the process of a job had trained it."""
    last = {"train_clean": Score(200, 0.1, 0.25)}
    summary = Summary(status=status, last=last, seconds=10.0 * (1 + number), step=200, steps=200)
    summary = summary.but(images={"train": 1437}, final=last)
    run = grid.jobs[number].run
    record = {"step": 200, "epoch": 9.0, "split": "train_clean", "loss": 0.1, "error": 0.25}
    run.records_path.write_text(json.dumps(record | {"lr": 0.1, "seconds": 1.0}) + "\n")
    run.write_summary(summary)
    write_note(sweep, number, Note(code=0 if status.is_final else 1, message=""))


def tickets(jobs, sweep):
    return {Ticket(sweep, number): job for number, job in enumerate(jobs)}


def test_every_run_that_ends_is_one_line(grid, tmp_path, capsys):
    end(grid, tmp_path / "earlier", 3)
    progress = Progress(grid, {})
    with progress.shown(tickets(grid.jobs[:3], tmp_path / "sweep")):
        progress.look(at_once=True)
        assert capsys.readouterr().out == ""
        end(grid, tmp_path / "sweep", 0)
        progress.look(at_once=True)
        (line,) = capsys.readouterr().out.splitlines()
        told = "resnet-8 residual seed 0 finished, training error 25.00 %, 10 s"
        assert line.startswith(f"2 of 4: {told}")
        end(grid, tmp_path / "sweep", 1, Status.DIVERGED)
        end(grid, tmp_path / "sweep", 2)
        progress.look(at_once=True)
        lines = capsys.readouterr().out.splitlines()
        assert re.match(r"3 of 4.*: resnet-8 residual seed 1 diverged", lines[0])
        assert lines[1].startswith("4 of 4: resnet-14 residual seed 0 finished")


def test_time_left_counts_long_runs_as_long(grid, tmp_path, monkeypatch, capsys):
    """Of four runs that take 1, 1, 10 and 10: after two of them 20 of 22 parts are left."""
    seconds = {str(job.run.directory): n for job, n in zip(grid.jobs, (1, 1, 10, 10))}
    progress = Progress(grid, seconds)
    now = [0.0]
    monkeypatch.setattr("resx.study.progress.time.monotonic", lambda: now[0])
    with progress.shown(tickets(grid.jobs, tmp_path / "sweep")):
        end(grid, tmp_path / "sweep", 0)
        progress.look(at_once=True)
        now[0] = 10.0
        end(grid, tmp_path / "sweep", 1)
        progress.look(at_once=True)
    assert "2 of 4, about 3 min left" in capsys.readouterr().out  # 20 parts of 10 s each


def test_a_look_reads_each_summary_once(grid, tmp_path, monkeypatch):
    """A study may have ten thousand."""
    for number in range(4):
        end(grid, tmp_path, number)
    reads = []
    read = Run.read_summary
    monkeypatch.setattr(Run, "read_summary", lambda run: reads.append(run) or read(run))
    status_table(grid, look(grid))
    assert len(reads) == len(grid.jobs)


@pytest.mark.slow
def test_status_needs_neither_torch_nor_pandas(tmp_path):
    script = (
        "import sys; sys.argv = ['resx', 'study', 'degradation', 'status=true'];"
        " from resx.cli import main; main();"
        " print([name for name in ('torch', 'pandas', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
