"""A run whose files are not as they were written is named, and is not finished for anybody."""

import json
import os

import pytest
import yaml

from resx.config.run_hash import RESULTS, run_hash
from resx.config.settings import to_dict
from resx.errors import DamagedError, RequestError
from resx.report.collect import collect
from resx.store.files import LOCK, LOG
from resx.store.run import Run
from resx.store.summary import Score, Status, Summary

RECORDS = [
    {"step": step, "epoch": 0.1, "split": split, "loss": 2.0, "error": 0.5, "lr": 0.1, "seconds": 1}
    for step in (2, 4)
    for split in ("train", "train_clean", "test")
]


@pytest.fixture
def run(tmp_path, configure):
    """A run that is over."""
    directory = tmp_path / "outputs" / "runs" / "digits" / "resnet-8-plain" / "s0-abc"
    directory.mkdir(parents=True)
    run = Run(directory, tmp_path / "outputs")
    run.write_config(to_dict(configure("train", "depth=8", "recipe.steps=4")))
    for record in RECORDS:
        run.record(**record)
    score = {split: Score(4, 2.0, 0.5) for split in ("train", "train_clean", "test")}
    images = {"train": 1437, "test": 360}
    summary = Summary(Status.FINISHED, steps=4, step=4, images=images, final=score, last=score)
    run.write_summary(summary)
    assert run.status is Status.FINISHED
    assert not collect([directory]).skipped
    return run


def without_checksums(run):
    """As the summaries of version 0.1 are: then the content alone tells."""
    summary = json.loads((run.directory / "summary.json").read_text())
    del summary["checksum"], summary["checksums"]
    (run.directory / "summary.json").write_text(json.dumps(summary))
    assert run.status is Status.FINISHED


def assert_damaged(run, file, reason):
    """Its status, why, and what a report says of it."""
    assert run.status is Status.DAMAGED
    _, damage = run.assess()
    assert damage.path == run.directory / file
    assert reason in damage.reason
    assert collect([run.directory]).skipped == {str(run.directory): str(damage)}
    with pytest.raises(DamagedError, match=file):
        run.read_contents()


LINES = [
    ({"step": "4"}, "step is '4'"),
    ({"step": 10**26}, "step is a number of 87 bits"),
    ({"step": True}, "step is True"),
    ({"step": 0}, "step is 0"),
    ({"step": 2}, "step 2 of test follows step 2"),
    ({"split": ["test"]}, "split is a list"),
    ({"split": "tset"}, "split is 'tset'"),
    ({"error": "low"}, "error is 'low', no fraction"),
    ({"error": [0.5]}, "error is a list, no fraction"),
    ({"error": float("nan")}, "error is nan, no fraction"),
    ({"error": 1.5}, "error is 1.5, no fraction"),
    ({"loss": None}, "loss is None, no number"),
    ({"loss": 10**400}, "loss is a number of 1329 bits, no number"),
    ({"lr": {}}, "lr is an object, no number"),
]


@pytest.mark.parametrize(("change", "reason"), LINES)
def test_a_record_of_the_wrong_kind_is_named_by_its_line(run, change, reason):
    without_checksums(run)
    lines = [json.dumps(record) for record in (*RECORDS[:-1], RECORDS[-1] | change)]
    run.records_path.write_text("\n".join(lines) + "\n")
    assert_damaged(run, "metrics.jsonl", f"line 6 is damaged: {reason}")
    records, _ = run.whole_records()
    assert records == RECORDS[:-1]


@pytest.mark.parametrize(
    "line", ["{}", "[]", "7", "nonsense", "[" * 100_000, '{"step": 1\x07}', "\0\0\0", "\xff"]
)
def test_a_line_that_is_no_record_is_named(run, line):
    without_checksums(run)
    run.records_path.write_bytes(line.encode("latin-1") + b"\n" + run.records_path.read_bytes())
    assert_damaged(run, "metrics.jsonl", "line 1 is damaged: ")


def test_without_checksums_records_that_are_gone_are_missed(run):
    without_checksums(run)
    run.records_path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS[:-1]))
    assert_damaged(run, "metrics.jsonl", "no record of test at step 4")


def test_any_other_number_in_a_record_fails_the_checksum(run):
    run.records_path.write_text(run.records_path.read_text().replace("0.5", "0.4", 1))
    assert_damaged(run, "metrics.jsonl", "its checksum is wrong")


def test_any_other_number_in_a_summary_fails_the_checksum(run):
    path = run.directory / "summary.json"
    path.write_text(path.read_text().replace("0.5", "0.4", 1))
    assert_damaged(run, "summary.json", "its checksum is wrong")


SCORE = {"step": 4, "loss": 2.0, "error": 0.5}
SUMMARIES = [
    (lambda s: None, "no JSON object"),
    (lambda s: [], "no JSON object"),
    (lambda s: s | {"last": []}, "summary.last"),
    (lambda s: s | {"status": "perhaps"}, "perhaps"),
    (lambda s: s | {"final": {}}, "no complete result"),
    (lambda s: s | {"images": {}}, "no complete result"),
    (lambda s: s | {"step": 3}, "no complete result"),
    (lambda s: s | {"parameters": 10**26}, "summary.parameters: a number of 87 bits"),
    (lambda s: s | {"last": {"test": {"step": 4, "loss": 2.0, "error": "low"}}}, "last.test.error"),
    (
        lambda s: s | {"last": {"test": {"step": 4, "loss": 2.0, "error": 3.0}}},
        "no complete result",
    ),
    (lambda s: {"status": "finished"}, "no complete result"),
]


@pytest.mark.parametrize(("change", "reason"), SUMMARIES)
def test_a_summary_of_the_wrong_kind_is_named(run, change, reason):
    without_checksums(run)
    path = run.directory / "summary.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert_damaged(run, "summary.json", reason)


CONFIGS = [
    (lambda c: None, "NoneType|something else|no object"),
    (lambda c: c | {"depth": "deep"}, "config.depth"),
    (lambda c: c | {"data": 3}, "config.data"),
    (lambda c: {k: v for k, v in c.items() if k != "recipe"}, "it has no recipe"),
    (lambda c: c | {"recipe": c["recipe"] | {"steps": 0}}, "recipe.steps=0"),
    (lambda c: c | {"model": {}}, "its model has no name"),
    (lambda c: c | {"trust": ["x"] * 10_001}, "more than 10000 values"),
]


@pytest.mark.parametrize(("change", "reason"), CONFIGS)
def test_a_configuration_of_the_wrong_kind_is_named(run, change, reason):
    without_checksums(run)
    path = run.directory / "config.yaml"
    path.write_text(yaml.safe_dump(change(yaml.safe_load(path.read_text()))))
    assert run.status is Status.DAMAGED
    assert any(word in run.assess()[1].reason for word in reason.split("|"))


BOMB = "a: &a [x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefg", "bcdefgh"))


@pytest.mark.parametrize("text", ["depth: [", "\0", "[" * 100_000, BOMB * 3, "&a [*a]"])
def test_a_configuration_that_is_no_yaml_is_named(run, text):
    (run.directory / "config.yaml").write_text(text)
    assert_damaged(run, "config.yaml", "is damaged: ")


def test_where_images_lie_may_be_edited_in_a_configuration(run, configure):
    """But nothing that decides the result."""
    config = configure("train", "depth=8", "recipe.steps=4")
    run.write_summary(run.summary.but(hash=run_hash(config), results=RESULTS))
    path = run.directory / "config.yaml"
    path.write_text(path.read_text().replace("root: null", "root: /elsewhere"))
    assert run.status is Status.FINISHED
    path.write_text(path.read_text().replace("lr: 0.05", "lr: 0.06"))
    assert_damaged(run, "config.yaml", "its checksum is wrong")


def _folder(path):
    path.mkdir()


def _pipe(path):
    os.mkfifo(path)


def _loop(path):
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [_folder, _pipe, _loop])
@pytest.mark.parametrize("name", ["summary.json", "metrics.jsonl", "config.yaml"])
def test_what_is_no_file_is_named_and_not_waited_for(run, name, make):
    (run.directory / name).unlink()
    make(run.directory / name)
    assert_damaged(run, name, "")


@pytest.mark.parametrize("name", [LOCK, LOG])
def test_a_pipe_is_not_opened_for_writing(run, name):
    (run.directory / name).unlink(missing_ok=True)
    os.mkfifo(run.directory / name)
    with pytest.raises(RequestError, match="is no file"):
        with run.locked():
            pass


def test_records_reach_the_disk_before_the_checkpoint_that_counts_them(resx, tiny, monkeypatch):
    """Or a power cut could leave a checkpoint whose curve has a hole."""
    synced, real = [], os.fsync

    def fsync(handle):
        synced.append(os.readlink(f"/proc/self/fd/{handle}").rpartition("/")[2])
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    assert resx("train", *tiny).code == 0
    saves = [i for i, name in enumerate(synced) if name == "checkpoint.pt.tmp"]
    assert len(saves) == 3
    for before, save in zip([0, *saves], saves):
        assert "metrics.jsonl" in synced[before:save]
