"""What a person types, and what they are told when it is wrong."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
import torch

from resx import cli
from resx.config.refusals import one_line
from resx.config.settings import conf_dir
from resx.errors import RequestError
from resx.store import checkpoint
from resx.store.run import Run
from tests.conftest import yamls


def refused(answer, message):
    """One line on stderr, exit code 2, nothing written."""
    assert answer.code == 2
    assert answer.err.count("\n") == 1, answer.err
    assert answer.err.startswith("resx")
    assert message in answer.err
    return True


def test_help_names_every_command(resx):
    answer = resx("--help")
    assert answer.code == 0
    assert all(f"  {name} " in answer.out for name in cli.COMMANDS)
    assert "recipe: cifar_quick, digits, " in resx("train", "--help").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trian",), "resx: unknown command 'trian'; did you mean 'train'?"),
        (("-m", "train"), "resx: the command comes first: resx train -m ..."),
        (("train", "--mutlirun"), "unknown flag '--mutlirun'; did you mean '--multirun'?"),
        (("train", "recipe.nesterov=true", "recipe.momentum=0"), "recipe.nesterov=True: needs"),
        (("train", "data.val_fraction=0.9999"), "leaves no image in train or in val"),
        (("train", "data.val_fraction=0.0001"), "leaves no image in train or in val"),
        (("report", "runs=.."), "runs=..: name run directories"),
        (("report", "runs="), "name run directories"),
        (("study", "degradation", "study.best_over=foo"), "the grid does not sweep it"),
        (("study", "degradation", "study.reference=foo"), "unknown study.reference 'foo'"),
        (("train", "dpeth=34"), "resx train: unknown setting 'dpeth'; did you mean 'depth'?"),
        (("train", "model.widht=3"), "unknown setting 'model.widht'; did you mean 'model.width'?"),
        (("train", "model=wide", "model.widenin=3"), "did you mean 'model.widening'?"),
        (("train", "recpie.steps=3"), "unknown setting 'recpie.steps'; did you mean"),
        (("train", "+extra=3"), "unknown setting 'extra'"),
        (("train", "model=resnt"), "unknown model 'resnt'; did you mean 'resnet'?"),
        (("train", "data=cifar"), "unknown data 'cifar'; did you mean 'cifar10'?"),
        (("train", "recipe=quick"), "unknown recipe 'quick'; did you mean 'cifar_quick'?"),
        (("train", "recipe.steps=many"), "recipe.steps=many: Value 'many' of type 'str' could not"),
        (("train", "depth=2.5"), "depth=2.5: Value '2.5' of type 'float' could not be conv"),
        (("train", "residual=maybe"), "residual=maybe: Value 'maybe' is not a valid bool"),
        (("train", "depth"), "cannot read the override"),
        (("train", "recipe.steps=0"), "recipe.steps=0: must be at least 1"),
        (("train", "recipe.batch_size=-1"), "recipe.batch_size=-1: must be at least 1"),
        (("train", "depth=33"), "the nearest depths are 32, 34, 38"),
        (("train", "block=wide"), "block=wide: must be one of basic, bottleneck"),
        (("train", "model.width=abc"), "model.width=abc: Value 'abc' of type 'str' could not"),
        (("train", "device=gpu"), "device=gpu: must be one of auto, cuda, mps, cpu"),
        (("train", "data=folder"), "data.root"),
        (("train", "data=folder", "data.root=/none"), "data.root=/none: no such folder"),
        (("train", "data=cifar10", "data.root=/none"), "data.root=/none: no such folder"),
        (("train", "data.subset=5000"), "data.subset=5000: there are 1437 images"),
        (("train", "data.image_size=16"), "data.image_size=16: the digits are 8x8"),
        (("train", "model._target_=os.system"), "_target_=os.system: only targets in resx."),
        (("train", "data.source._target_=os.system"), "_target_=os.system: only targets in resx."),
        (("evaluate",), "name either run=DIRECTORY or weights=FILE"),
        (("evaluate", "run=nowhere"), "nowhere: no run here"),
        (("evaluate", "weights=nowhere.pt"), "nowhere.pt: no such file"),
        (("info", "batch_size=0"), "batch_size=0: must be at least 1"),
        (("list", "modles"), "unknown group 'modles'"),
    ],
)  # fmt: skip
def test_a_wrong_request_gets_one_line(resx, arguments, message, tmp_path):
    assert refused(resx(*arguments), message)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_absent_is_refused(resx):
    assert refused(resx("train", "device=cuda"), "device=cuda: there is none here")


def test_a_typo_is_answered_without_torch(tmp_path):
    """Well under a second: torch alone takes one and a half to import."""
    script = (
        "import sys; sys.argv = ['resx', 'train', 'dpeth=3']; from resx.cli import main;"
        " code = main(); print('torch' in sys.modules, code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "2"]


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
    directory = tmp_path / configure("train", *tiny).run_dir
    with Run(directory).locked():
        assert refused(resx("train", *tiny), "is being trained by another process")


def test_other_images_under_the_same_name_are_refused(resx, image_tree, only_run):
    common = ("train", "depth=8", "data=folder", "recipe=digits", "recipe.steps=2")
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
        *("recipe.steps=2", 'outputs="my outputs"'),
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
    path.write_bytes(whole[:300])  # the same name, another size: a resume sees other images
    answer = resx(*command)
    assert answer.code == 2
    assert "3.png: not a readable image" in answer.err
    assert "Traceback" not in answer.err + answer.out


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a small disk")
@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_last_checkpoint_survives(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)])
    if mounted.returncode:
        pytest.skip("cannot mount here")
    command = [sys.executable, "-m", "resx", "train", "depth=20", f"outputs={disk}"]
    try:
        whole = subprocess.run([*command, "recipe.steps=50"], capture_output=True, text=True)
        assert whole.returncode == 2 or whole.returncode == 0
        (disk / "fill").write_bytes(b"x" * (1 << 19))
        done = subprocess.run([*command, "seed=1"], capture_output=True, text=True)
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stdout
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_unwritable_outputs_are_one_line(resx, tmp_path, tiny):
    (tmp_path / "file").write_text("in the way")
    answer = resx("train", *tiny, "outputs=file")
    assert refused(answer, "file")


def test_a_torch_and_torchvision_that_do_not_match_are_named():
    error = RuntimeError("operator torchvision::nms does not exist")
    wrapped = RequestError("_target_=...: cannot be imported")
    wrapped.__cause__ = error
    assert "install a matching pair" in one_line(wrapped, "train")


def test_an_error_of_ours_is_not_dressed_up_as_the_users():
    assert one_line(ZeroDivisionError("oops"), "train") is None


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
    started = time.time()
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
    assert time.time() - started < 60


def test_evaluate_gives_the_errors_of_the_summary(resx, tiny, only_run):
    resx("train", *tiny)
    final = json.loads((only_run() / "summary.json").read_text())["final"]
    for name in (f"run={only_run()}", f"weights={only_run() / 'checkpoint.pt'}"):
        answer = resx("evaluate", name)
        assert answer.code == 0, answer.err
        rows = {r.split()[0]: r.split() for r in answer.out.splitlines() if "%" in r}
        assert rows["train"][1] == "1,437"
        assert float(rows["test"][2]) == pytest.approx(100 * final["test"]["error"], abs=0.006)
        train_error = 100 * final["train_clean"]["error"]
        assert float(rows["train"][2]) == pytest.approx(train_error, abs=0.006)


def test_a_bare_state_dict_is_evaluated_as_the_network_that_is_named(resx, tiny, only_run):
    resx("train", *tiny)
    weights = checkpoint.load(only_run() / checkpoint.NAME)["state"]["model"]
    torch.save(weights, "bare.pt")
    named = resx("evaluate", "weights=bare.pt", "depth=8", "model.width=2").out.splitlines()
    of_run = resx("evaluate", f"run={only_run()}").out.splitlines()
    assert named[1:] == of_run[1:]
    answer = resx("evaluate", "weights=bare.pt", "depth=14", "model.width=2")
    assert refused(answer, "weights of another architecture: the file lacks stage1.1.branch.0")


def test_an_exported_run_is_evaluated_like_the_run(resx, tiny, only_run):
    """Out to the other project's names, in which channels stand in another order, and back."""
    resx("train", *tiny)
    answer = resx("export", f"run={only_run()}", "naming=akamaster", "file=theirs.pt")
    assert answer.code == 0, answer.err
    assert "tensors in akamaster's names" in answer.out
    mean, std = re.search(r"mean ([\d.]+), std ([\d.]+)$", answer.out, re.MULTILINE).groups()
    own = [f"data.mean=[{mean}]", f"data.std=[{std}]", "data.normalize=given"]
    theirs = resx("evaluate", "weights=theirs.pt", "depth=8", "model.width=2", *own)
    assert theirs.code == 0, theirs.err
    ours = resx("evaluate", f"run={only_run()}")
    errors = [[r.split()[:3] for r in a.out.splitlines() if "%" in r] for a in (ours, theirs)]
    assert errors[0] == errors[1]


def test_an_impossible_export_is_one_line(resx, tiny, only_run):
    resx("train", *tiny)
    run = f"run={only_run()}"
    for arguments, message in (
        ((), "name a run: resx export run=DIRECTORY naming=torchvision"),
        ((run, "naming=torchvision"), "is not in it, only in resx, akamaster"),
        ((run, "naming=timm"), "naming=timm: must be one of resx, torchvision, akamaster"),
        ((run, "file=nowhere/x.pt"), "there is no folder nowhere"),
        ((run, "depth=20"), "depth: a run's own configuration decides that"),
    ):
        assert refused(resx("export", *arguments), message)


def test_settings_that_a_run_decides_itself_are_refused_in_evaluate(resx, tiny, only_run):
    resx("train", *tiny)
    answer = resx("evaluate", f"run={only_run()}", "depth=20")
    assert refused(answer, "depth: a run's own configuration decides that")


def test_a_truncated_checkpoint_is_named(resx, tiny, only_run):
    resx("train", *tiny)
    path = only_run() / checkpoint.NAME
    path.write_bytes(path.read_bytes()[:1000])
    assert refused(resx("evaluate", f"weights={path}"), "truncated, or not a checkpoint")


def test_info_prints_the_published_count(resx):
    out = resx("info", "data=cifar10", "depth=110").out
    assert "1,727,962" in out
    assert "plain-110 (cifar layout, basic): 1,727,962 parameters (+0)" in out
    assert "253 M" in out
    imagenet = resx("info", "data=imagenet", "data.root=/none", "depth=34", "residual=false").out
    assert "21,623,848" in imagenet


def test_list_has_a_line_for_every_yaml(resx):
    for group in ("model", "data", "recipe"):
        lines = resx("list", group).out.splitlines()[1:]
        assert [x.split()[0] for x in lines] == yamls(group)
        assert all(len(x.split()) > 3 for x in lines)


def test_bench_measures_the_loops(resx):
    answer = resx("bench", "depth=8", "steps=2", "repeats=1", "recipe.batch_size=8")
    assert answer.code == 0, answer.err
    assert [x.split()[0] for x in answer.out.splitlines()[-3:]] == ["textbook", "fp32", "bf16"]


def test_a_checkpoint_of_another_run_is_refused(resx, tiny, tmp_path):
    resx("train", *tiny)
    resx("train", *tiny, "seed=1")
    first, second = sorted(tmp_path.glob("outputs/runs/*/*/*"))
    (second / checkpoint.NAME).write_bytes((first / checkpoint.NAME).read_bytes())
    (second / "summary.json").unlink()
    answer = resx("train", *tiny, "seed=1")
    assert answer.code == 2
    assert "its checkpoint is of another run" in answer.err


def test_hydras_own_flags_work_after_the_command(resx):
    assert "depth: 56" in resx("train", "--cfg", "job", "depth=56", "--resolve").out
    assert "depth: 56" in resx("train", "depth=56", "-c", "job").out
    assert "depth: 56" in resx("train", "depth=56", "--cfg", "job").out
    assert "depth: 56" in resx("train", "--cfg", "job", "depth=56").out


@pytest.mark.slow
def test_1202_layers_train_a_step_in_less_than_8_gb(tmp_path, image_tree):
    """At batch 16 on 32x32 images; recomputing activations needs much less."""
    root, peaks = image_tree(each=8), {}
    command = [sys.executable, "-m", "resx", "train", "depth=1202", "data=folder"]
    command += [f"data.root={root}", "recipe.steps=1", "recipe.batch_size=16"]
    for name, twice in (("once", "false"), ("twice", "true")):
        options = [f"checkpoint_activations={twice}", f"outputs={name}"]
        subprocess.run([*command, *options], cwd=tmp_path, check=True, capture_output=True)
        (summary,) = tmp_path.glob(f"{name}/runs/*/*/*/summary.json")
        peaks[name] = json.loads(summary.read_text())["peak_memory"]
    assert peaks["twice"] < 0.75 * peaks["once"] < 0.75 * 8e9, peaks


@pytest.mark.slow
def test_the_wheel_finds_its_configuration_from_any_directory(tmp_path):
    checkout = conf_dir().parent
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*build, str(checkout)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("resx-*.whl")
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-m", "resx", "train", "depth=8", "recipe.steps=2"],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "finished: ResNet-8" in done.stdout
    assert (site / "resx" / "conf" / "train.yaml").is_file()
