"""A run is found again, kept apart from others, and fails in one line."""

import json
import os
import subprocess
import sys

import pytest

from resx.store import checkpoint
from resx.store.files import CHECKPOINT
from resx.store.store import Store
from tests.commands.answers import assert_refused


def test_the_same_request_twice_trains_once(resx, tiny, only_run):
    assert "step 12/12" in resx("train", *tiny).out
    before = (only_run() / "metrics.jsonl").stat().st_mtime_ns
    again = resx("train", *tiny, "device=cpu")
    assert again.code == 0
    assert "finished: ResNet-8" in again.out
    assert "step 12/12" not in again.out
    assert (only_run() / "metrics.jsonl").stat().st_mtime_ns == before
    assert "step 12/12" in resx("train", *tiny, "force=true").out


def test_the_run_directory_holds_what_the_design_says(resx, tiny, only_run):
    resx("train", *tiny, "seed=4")
    run = only_run()
    assert run.parts[-4:-1] == ("runs", "digits", "resnet-8-residual")
    assert run.name.startswith("s4-")
    names = {path.name for path in run.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "checkpoint.pt", "summary.json", ".hydra"} <= names
    assert "seed=4" in (run / ".hydra" / "overrides.yaml").read_text()
    summary = json.loads((run / "summary.json").read_text())
    assert summary["status"] == "finished"
    for key in (
        "parameters",
        "flops",
        "seconds",
        "images_per_second",
        "peak_memory",
        "hash",
        "environment",
    ):
        assert summary[key]


def test_a_locked_run_directory_is_refused(resx, tiny, configure, tmp_path, monkeypatch):
    with Store(tmp_path / "outputs").run(configure("train", *tiny)).locked():
        assert_refused(resx("train", *tiny), "is being trained by process")


def test_other_images_under_the_same_name_are_refused(resx, image_tree, only_run):
    common = ("train", "depth=8", "data=folder", "recipe=digits", "recipe.steps=2")
    common += ("recipe.batch_size=8",)
    first, second = image_tree("first"), image_tree("second", suffix="webp")
    assert resx(*common, f"data.root={first}").code == 0
    before = only_run().joinpath("summary.json").read_text()
    assert "was trained on other images" in resx(*common, f"data.root={second}").err
    assert only_run().joinpath("summary.json").read_text() == before
    assert resx(*common, f"data.root={second}", "data.name=second").code == 0


def test_a_path_with_spaces_works(resx, image_tree):
    root = image_tree("my images")
    answer = resx(
        *("train", "depth=8", "data=folder", f'data.root="{root}"', "recipe=digits"),
        *("recipe.steps=2", "recipe.batch_size=8", 'outputs="my outputs"'),
    )
    assert answer.code == 0, answer.err


def test_large_images_stream_through_the_imagenet_layout(resx, image_tree, only_run):
    root = image_tree(size=(90, 70), splits=("train", "val"))
    answer = resx(
        *("train", "data=imagenet", f"data.root={root}", "data.image_size=64", "depth=18"),
        *("model.width=4", "recipe.steps=2", "recipe.batch_size=4", "data.workers=0"),
        "data.crops=10",
    )
    assert answer.code == 0, answer.err
    assert "ResNet-18 (imagenet layout, basic, shortcut B, width 4)" in answer.out
    assert json.loads((only_run() / "summary.json").read_text())["images"]["test"] == 12


def test_a_corrupt_image_met_while_training_is_named_and_the_run_resumable(resx, image_tree):
    root = image_tree(size=(90, 70), splits=("train", "val"))
    command = [
        *("train", "data=imagenet", f"data.root={root}", "data.image_size=64", "depth=18"),
        *("model.width=4", "recipe.steps=4", "recipe.batch_size=6", "data.workers=0"),
        *("recipe.save_every=1", "data.normalize=given"),
        *("data.mean=[0.5,0.5,0.5]", "data.std=[0.2,0.2,0.2]"),
    ]
    path = root / "val" / "dog" / "3.png"
    whole = path.read_bytes()
    path.write_bytes(b"x" * len(whole))  # of the same size, or a resume would see other images
    answer = resx(*command)
    assert answer.code == 2
    assert "3.png: not a readable image" in answer.err
    assert "Traceback" not in answer.err + answer.out
    path.write_bytes(whole)
    again = resx(*command)
    assert again.code == 0, again.err
    assert "resumed after step 3" in again.out  # test images are read after the last step


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a small disk")
@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_run_goes_on_once_there_is_room(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)])
    if mounted.returncode:
        pytest.skip("cannot mount here")
    command = [sys.executable, "-m", "resx", "train", "depth=8", f"outputs={disk}"]
    command += ["recipe.steps=100", "recipe.save_every=50"]
    try:
        whole = subprocess.run(command, capture_output=True, text=True)
        assert whole.returncode == 0, whole.stderr
        (first,) = disk.glob("runs/*/*/*/checkpoint.pt")
        room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "fill").write_bytes(b"x" * (room - first.stat().st_size // 2))
        done = subprocess.run([*command, "seed=1"], capture_output=True, text=True)
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        assert f"{disk}/runs/" in done.stderr
        assert "the disk is full" in done.stderr
        assert "Traceback" not in done.stdout
        assert checkpoint.load(first)["state"]["step"] == 100
        (disk / "fill").unlink()
        assert subprocess.run([*command, "seed=1"], capture_output=True).returncode == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_unwritable_outputs_are_one_line(resx, tmp_path, tiny):
    (tmp_path / "file").write_text("in the way")
    answer = resx("train", *tiny, "outputs=file")
    assert_refused(answer, "file")


@pytest.mark.slow
def test_a_sweep_trains_every_job_and_names_each_that_fails(resx, tiny, tmp_path):
    answer = resx("train", "-m", *tiny[1:], "depth=8,33,14", "residual=true,false")
    assert answer.code == 1
    runs = sorted(p.parent.parent.name for p in tmp_path.glob("outputs/runs/*/*/*/summary.json"))
    assert runs == ["resnet-14-plain", "resnet-14-residual", "resnet-8-plain", "resnet-8-residual"]
    assert "4 of 6 jobs done" in answer.err
    assert answer.err.count("failed: ") == 2
    assert "depth=33 residual=False: depth=33: no such" in answer.err


def test_a_sweep_without_failures_exits_with_0(resx, tiny):
    answer = resx("train", "-m", *tiny, "seed=range(2)")
    assert (answer.code, answer.err) == (0, "2 of 2 jobs done\n")


@pytest.mark.slow
def test_the_joblib_launcher_runs_a_sweep_in_parallel(tmp_path):
    command = [sys.executable, "-m", "resx", "train", "-m", "hydra/launcher=joblib"]
    done = subprocess.run(
        [*command, "depth=8,33", "seed=0,1", "recipe.steps=5"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "2 of 4 jobs done" in done.stderr
    assert done.stderr.count("failed: depth=33") == 2
    assert len(list(tmp_path.glob("outputs/runs/*/*/*/checkpoint.pt"))) == 2


def test_a_checkpoint_of_another_run_is_refused(resx, tiny, tmp_path):
    resx("train", *tiny)
    resx("train", *tiny, "seed=1")
    first, second = sorted(tmp_path.glob("outputs/runs/*/*/*"))
    (second / CHECKPOINT).write_bytes((first / CHECKPOINT).read_bytes())
    (second / "summary.json").unlink()
    answer = resx("train", *tiny, "seed=1")
    assert answer.code == 2
    assert "its checkpoint is of another run" in answer.err


@pytest.mark.slow
def test_1202_layers_train_a_step_in_less_than_8_gb(tmp_path, image_tree):
    """At batch 16 on 32x32 images; recomputing activations needs much less.

    Less of what the network needs: a shallow one shows what torch itself holds.
    """
    root, peaks = image_tree(each=8), {}
    command = [sys.executable, "-m", "resx", "train", "data=folder"]
    command += [f"data.root={root}", "recipe.steps=1", "recipe.batch_size=16"]
    for name, depth, twice in (
        ("torch", 8, "false"),
        ("once", 1202, "false"),
        ("twice", 1202, "true"),
    ):
        options = [f"depth={depth}", f"checkpoint_activations={twice}", f"outputs={name}"]
        subprocess.run([*command, *options], cwd=tmp_path, check=True, capture_output=True)
        (summary,) = tmp_path.glob(f"{name}/runs/*/*/*/summary.json")
        peaks[name] = json.loads(summary.read_text())["peak_memory"]
    once, twice = (peaks[name] - peaks["torch"] for name in ("once", "twice"))
    assert twice < 0.75 * once, peaks
    assert peaks["once"] < 8e9


def test_a_run_directory_that_links_elsewhere_is_left_alone(resx, tiny, configure, tmp_path):
    """Seen once: `resx train` deleted every file of the folder that the link led to."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("years of work")
    directory = Store("outputs").run(configure("train", *tiny)).directory
    directory.parent.mkdir(parents=True)
    directory.symlink_to(tmp_path / "precious")
    assert_refused(resx("train", *tiny), "is a link; nothing is written or deleted through one")
    assert [p.name for p in (tmp_path / "precious").iterdir()] == ["thesis.tex"]


def test_a_directory_of_somebody_elses_files_is_moved_aside(resx, tiny, configure, tmp_path):
    directory = Store("outputs").run(configure("train", *tiny)).directory
    directory.mkdir(parents=True)
    (directory / "thesis.tex").write_text("years of work")
    answer = resx("train", *tiny)
    assert answer.code == 0, answer.err
    assert "thesis.tex" in answer.out
    (kept,) = tmp_path.glob("outputs/aside/*/thesis.tex")
    assert kept.read_text() == "years of work"


@pytest.mark.slow
def test_force_forgets_the_analyses_of_the_run(resx, tiny, only_run):
    assert resx("train", *tiny).code == 0
    assert resx("analyze", "responses", f"runs={only_run()}").code == 0
    (rows,) = only_run().glob("analyses/*/rows.csv")
    assert resx("train", *tiny, "force=true").code == 0
    assert not rows.exists()
