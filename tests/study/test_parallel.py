"""How many runs work at once is what each launcher does, and what Slurm is asked for suffices."""

import os
from dataclasses import replace

import pytest
import torch

from resx.errors import RequestError
from resx.study.cores import cores
from resx.study.forecast import forecast
from resx.study.outlook import Asked
from resx.study.parallel import launcher_options, parallelism, threads_of, translated
from resx.study.slurm import asks, places


@pytest.mark.parametrize(
    ("launcher", "options", "count"),
    [
        ("joblib", {}, cores()),
        ("joblib", {"n_jobs": "3"}, 3),
        ("joblib", {"n_jobs": "-2"}, max(cores() - 1, 1)),
        ("submitit_local", {}, cores()),
        ("ray", {}, cores()),
        ("ray", {"ray.init.num_cpus": "6", "ray.remote.num_cpus": "2"}, 3),
        ("ray", {"ray.init.num_cpus": "2", "ray.remote.num_cpus": "0.5"}, 4),
    ],
)
def test_a_launcher_has_so_many_runs_at_work(launcher, options, count):
    assert parallelism(launcher, options, runs=1000) == count
    assert parallelism(launcher, options, runs=1) == 1


@pytest.mark.parametrize(
    ("launcher", "typed", "options"),
    [
        (None, "jobs=4 threads=2", {}),
        ("joblib", "jobs=4 threads=2", {"n_jobs": "4"}),
        ("submitit_slurm", "jobs=4 threads=2", {"array_parallelism": "4", "cpus_per_task": "2"}),
        ("ray", "threads=2", {"ray.remote.num_cpus": "2"}),
        ("submitit_local", "threads=2", {}),
    ],
)
def test_jobs_and_threads_are_the_same_words_for_every_launcher(
    configure, launcher, typed, options
):
    request = configure("study", "study=degradation", *typed.split())
    assert translated(launcher, request) == options


@pytest.mark.parametrize("launcher", ["basic", "ray", "submitit_local"])
def test_a_launcher_that_decides_itself_is_not_told(configure, launcher):
    with pytest.raises(RequestError, match="jobs=2: "):
        translated(launcher, configure("study", "study=degradation", "jobs=2"))


def test_options_of_the_launcher_are_those_that_were_typed_last():
    typed = ("hydra.launcher.n_jobs=2", "hydra/launcher=joblib", "+hydra.launcher.x.y=a=b")
    assert launcher_options(typed) == {"n_jobs": "2", "x.y": "a=b"}
    assert launcher_options([*typed, "hydra.launcher.n_jobs=4"])["n_jobs"] == "4"


def test_threads_are_what_a_job_has_cores():
    assert threads_of("submitit_slurm", {"cpus_per_task": "4"}) == 4
    assert threads_of("ray", {"ray.remote.num_cpus": "2"}) == 2
    assert threads_of("joblib", {}) == 1
    assert threads_of("submitit_local", {}, asked=2) == threads_of("joblib", {}, asked=2) == 2


def test_slurm_is_asked_for_more_than_is_predicted():
    one = asks(600, 2**30, workers=0, cuda=False, options={})
    assert one == {"cpus_per_task": "1", "mem_gb": "3", "timeout_min": "25"}
    large = asks(0, 4 * 2**30, workers=8, cuda=True, options={})
    assert large == {"cpus_per_task": "9", "mem_gb": "15", "gpus_per_node": "1"}


def test_slurm_is_asked_for_nothing_beside_what_was_typed():
    typed = {"cpus_per_task": "3", "mem_per_cpu": "4G", "gres": "gpu:a100:1", "timeout_min": "9"}
    assert asks(600, 2**30, workers=8, cuda=True, options=typed) == {}


def test_an_option_that_counts_nothing_is_refused():
    with pytest.raises(RequestError, match=r"hydra\.launcher\.n_jobs=all: must be a number"):
        parallelism("joblib", {"n_jobs": "all"}, runs=2)


# A line a node and partition, as sinfo 22.05 prints them.
NODES = """\
one|8|(null)|long
one|8|(null)|main*
two|16|gpu:a100:2(S:0),license:1|main*
three|64|gpu:4|long
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A `sinfo` that knows of three nodes, and leaves out the partitions that are not asked for."""
    command = tmp_path / "bin" / "sinfo"
    command.parent.mkdir()
    choose = 'asked=$(printf "%s" "$*" | sed -n "s/.*--partition=//p")\ngrep "$asked"'
    command.write_text(f"#!/bin/sh\n{choose} <<END\n{NODES}END\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 24),
        ({"cpus_per_task": "3"}, 2 + 5),
        ({"gpus_per_node": "1"}, 2),
        ({"partition": "long", "gpus_per_node": "2"}, 2),
        ({"partition": "long"}, 8 + 64),
        ({"array_parallelism": "5"}, 5),
    ],
)
def test_slurm_has_room_for_what_its_nodes_have(cluster, options, count):
    assert places(options) == count


@pytest.mark.skipif(torch.cuda.is_available(), reason="for a machine without a GPU")
def test_a_login_node_without_the_gpu_asks_for_one(cluster, configure, tiny):
    config = replace(configure("train", *tiny), device="cuda")
    foreseen = forecast(Asked([config], "submitit_slurm", {"mem_gb": "7"}))
    assert foreseen.line.startswith("no prediction of time: device=cuda is not here, ")
    assert {"hydra.launcher.gpus_per_node=1", "hydra.launcher.cpus_per_task=1"} == {*foreseen.asks}
    assert foreseen.line.endswith(" mem_gb=7")
