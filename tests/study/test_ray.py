"""A Ray of two nodes on this machine: a study goes on when one of them is lost."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec

import pytest

from tests.study.test_processes import summaries, wait_until
from tests.study.test_slurm import STUDY, curves, tables

SMALL = ("depth=8,14", "seed=0", "model.width=2", "recipe.steps=1000", "recipe.record_every=10")
SMALL += ("recipe.eval_every=500", "recipe.save_every=20")
# Two nodes of a core each; the first line that it is sent kills one of them, the second ends all.
NODES = """
from ray.cluster_utils import Cluster
node = {"num_cpus": 1, "object_store_memory": 100_000_000}
cluster = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
other = cluster.add_node(**node)
print(cluster.address, flush=True)
input()
cluster.remove_node(other, allow_graceful=False)
input()
cluster.shutdown()
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("hydra_plugins.hydra_ray_launcher") is None, reason="no Ray here"),
]


@pytest.fixture
def nodes(monkeypatch):
    """A process that keeps two nodes and has said their address."""
    settings = {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    for name, value in (settings | {"RAY_raylet_start_wait_time_s": "300"}).items():
        monkeypatch.setenv(name, value)
    # Not below pytest's own folder: the names of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        keeper = subprocess.Popen([sys.executable, "-c", NODES], cwd=folder, **pipes)
        yield keeper
        keeper.communicate("\n\n", timeout=120)


def test_a_node_is_lost_and_the_table_is_the_same(nodes, tmp_path):
    address = nodes.stdout.readline().strip()
    on_ray = ("hydra/launcher=ray", f"hydra.launcher.ray.init.address={address}")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    study = subprocess.Popen([*STUDY, *SMALL, *on_ray], cwd=tmp_path, **pipes)
    wait_until(lambda: len(list(tmp_path.glob("outputs/runs/*/*/*/checkpoint.pt"))) == 2)
    nodes.stdin.write("\n")
    nodes.stdin.flush()
    out, errors = study.communicate(timeout=900)
    assert study.returncode == 0, out + errors
    assert [summary["status"] for summary in summaries(tmp_path)] == ["finished"] * 4
    logs = [path.read_text() for path in tmp_path.glob("outputs/runs/*/*/*/train.log")]
    assert sum("resumed after step" in log for log in logs) == 1
    here = [*STUDY, *SMALL, "hydra/launcher=basic", "outputs=here"]
    done = subprocess.run(here, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert tables(out) == tables(done.stdout)
    assert curves(tmp_path / "outputs") == curves(tmp_path / "here")
